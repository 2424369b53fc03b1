#include "node/types/regex.h"

#include <tcl8.6/tcl.h>

#include <list>
#include <unordered_map>

#include "node/base/error.h"
#include "node/types/utf8.h"

namespace walden {

RegexOptions RegexOptions::Parse(std::string_view flags) {
  RegexOptions options;
  for (size_t at = 0; at < flags.size(); ++at) {
    switch (flags[at]) {
      case 'g': options.global = true; break;
      case 'b': options.basic = true; break;
      case 'c': options.ignore_case = false; break;
      case 'e': options.extended_only = true; break;
      case 'i': options.ignore_case = true; break;
      case 'm':
      case 'n': options.newline_stop = options.newline_anchor = true; break;
      case 'p':
        options.newline_stop = true;
        options.newline_anchor = false;
        break;
      case 'q': options.literal = true; break;
      case 's': options.newline_stop = options.newline_anchor = false; break;
      case 't': options.expanded = false; break;
      case 'w':
        options.newline_stop = false;
        options.newline_anchor = true;
        break;
      case 'x': options.expanded = true; break;
      default: {
        auto length = static_cast<size_t>(Utf8Length(static_cast<unsigned char>(flags[at])));
        throw SqlError(ErrorCode::kInvalidParameterValue, "invalid regular expression option: \"{}\"",
                       flags.substr(at, length));
      }
    }
  }
  return options;
}

namespace {

// A Tcl object and its reference count.
class TclObject {
 public:
  explicit TclObject(Tcl_Obj* object) : object_(object) { Tcl_IncrRefCount(object_); }
  ~TclObject() { Tcl_DecrRefCount(object_); }
  TclObject(const TclObject&) = delete;
  Tcl_Obj* get() const { return object_; }

 private:
  Tcl_Obj* object_;
};

// The engine's characters have 16 bits. Those beyond (and the private ones below) get stand-ins from the private use
// area in order of appearance, so that every character stays one unit; past 6,400 distinct ones they all look alike.
Tcl_UniChar StandIn(char32_t c) {
  static auto& stand_ins = *new std::unordered_map<char32_t, Tcl_UniChar>;
  constexpr size_t kPrivateUse = 0xE000, kPrivateUseSize = 0x1900;
  auto found = stand_ins.find(c);
  if (found != stand_ins.end()) return found->second;
  if (stand_ins.size() >= kPrivateUseSize) return 0xFFFD;
  auto unit = static_cast<Tcl_UniChar>(kPrivateUse + stand_ins.size());
  stand_ins.emplace(c, unit);
  return unit;
}

std::vector<Tcl_UniChar> ToUnits(std::string_view text) {
  std::vector<Tcl_UniChar> units;
  units.reserve(text.size() + 1);
  for (size_t at = 0; at < text.size();) {
    char32_t c = Utf8Decode(text, &at);
    units.push_back(c >= 0x10000 || (c >= 0xE000 && c < 0xF900) ? StandIn(c) : static_cast<Tcl_UniChar>(c));
  }
  return units;
}

Tcl_Obj* NewUnicode(std::string_view text) {
  std::vector<Tcl_UniChar> units = ToUnits(text);
  return Tcl_NewUnicodeObj(units.data(), static_cast<int>(units.size()));
}

// Byte position of character `index`, walking on from a known pair of positions.
struct PositionWalker {
  std::string_view text;
  size_t byte = 0;
  long unit = 0;
  size_t To(long index) {
    if (index < unit) byte = 0, unit = 0;
    while (unit < index && byte < text.size()) {
      int length = Utf8Length(static_cast<unsigned char>(text[byte]));
      byte += static_cast<size_t>(length);
      ++unit;
    }
    return byte;
  }
};

int TclFlags(const RegexOptions& options) {
  int flags = TCL_REG_ADVANCED;
  if (options.literal)
    flags = TCL_REG_QUOTE;
  else if (options.basic)
    flags = TCL_REG_BASIC;
  else if (options.extended_only)
    flags = TCL_REG_EXTENDED;
  if (options.ignore_case) flags |= TCL_REG_NOCASE;
  if (options.expanded) flags |= TCL_REG_EXPANDED;
  if (options.newline_stop) flags |= TCL_REG_NLSTOP;
  if (options.newline_anchor) flags |= TCL_REG_NLANCH;
  return flags;
}

Tcl_Interp* ErrorInterpreter() {
  static Tcl_Interp* interpreter = [] {
    Tcl_FindExecutable(nullptr);
    return Tcl_CreateInterp();
  }();
  return interpreter;
}

}  // namespace

struct RegexSubject::Impl {
  explicit Impl(std::string_view text) : object(NewUnicode(text)), ascii(IsAscii(text)) {}
  TclObject object;
  bool ascii;
};
RegexSubject::RegexSubject(std::string_view text) : text_(text), impl_(std::make_unique<Impl>(text)) {}
RegexSubject::~RegexSubject() = default;

class TclRegex : public Regex {
 public:
  TclRegex(std::string_view pattern, const RegexOptions& options) : pattern_(NewUnicode(pattern)) {
    Tcl_Interp* interpreter = ErrorInterpreter();
    regex_ = Tcl_GetRegExpFromObj(interpreter, pattern_.get(), TclFlags(options));
    if (regex_ == nullptr) {
      std::string_view message = Tcl_GetStringResult(interpreter);
      size_t colon = message.find(": ");
      std::string text(colon == message.npos ? message : message.substr(colon + 2));
      Tcl_ResetResult(interpreter);
      throw SqlError(ErrorCode::kInvalidRegularExpression, "invalid regular expression: {}", text);
    }
    Tcl_RegExpInfo info;
    Tcl_RegExpGetInfo(regex_, &info);
    groups_ = info.nsubs;
  }
  int groups() const override { return groups_; }
  bool Matches(std::string_view text) const override {
    TclObject subject(NewUnicode(text));
    return Check(Tcl_RegExpExecObj(nullptr, regex_, subject.get(), 0, 0, 0));
  }
  bool Search(const RegexSubject& subject, size_t start, std::vector<RegexSpan>* spans) const override {
    long offset = 0;
    std::string_view text = subject.text();
    if (subject.impl_->ascii) {
      offset = static_cast<long>(start);
    } else {
      offset = static_cast<long>(Utf8Count(text.substr(0, start)));
    }
    int flags = offset > 0 ? TCL_REG_NOTBOL : 0;
    if (!Check(Tcl_RegExpExecObj(nullptr, regex_, subject.impl_->object.get(), static_cast<int>(offset), -1,
                                 flags))) {
      return false;
    }
    Tcl_RegExpInfo info;
    Tcl_RegExpGetInfo(regex_, &info);
    spans->assign(static_cast<size_t>(groups_) + 1, RegexSpan{});
    PositionWalker walker{text};
    for (int i = 0; i <= groups_; ++i) {
      if (info.matches[i].start < 0) continue;
      long from = info.matches[i].start + offset, to = info.matches[i].end + offset;
      auto& span = (*spans)[static_cast<size_t>(i)];
      span.start = subject.impl_->ascii ? static_cast<size_t>(from) : walker.To(from);
      span.end = subject.impl_->ascii ? static_cast<size_t>(to) : walker.To(to);
    }
    return true;
  }

 private:
  static bool Check(int outcome) {
    if (outcome < 0) throw SqlError(ErrorCode::kInvalidRegularExpression, "regular expression failed");
    return outcome > 0;
  }
  TclObject pattern_;
  Tcl_RegExp regex_;
  int groups_;
};

namespace {

// ^word$ and ^(word)$, as psql's backslash commands send: plain equality.
class EqualityRegex : public Regex {
 public:
  EqualityRegex(std::string_view word, int groups) : word_(word), groups_(groups) {}
  int groups() const override { return groups_; }
  bool Matches(std::string_view text) const override { return text == word_; }
  bool Search(const RegexSubject& subject, size_t start, std::vector<RegexSpan>* spans) const override {
    if (start != 0 || subject.text() != word_) return false;
    spans->assign(static_cast<size_t>(groups_) + 1, RegexSpan{0, word_.size()});
    return true;
  }
  // Null unless the pattern has that shape.
  static std::shared_ptr<const Regex> TryMake(std::string_view pattern) {
    if (pattern.size() < 3 || pattern.front() != '^' || pattern.back() != '$') return nullptr;
    std::string_view word = pattern.substr(1, pattern.size() - 2);
    bool parenthesised = word.front() == '(' && word.back() == ')';
    if (parenthesised) word = word.substr(1, word.size() - 2);
    if (word.empty()) return nullptr;
    for (char c : word) {
      if (!(c == '_' || c == ' ' || c == ',' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
            (c >= 'A' && c <= 'Z'))) {
        return nullptr;
      }
    }
    return std::make_shared<EqualityRegex>(word, parenthesised ? 1 : 0);
  }

 private:
  std::string word_;
  int groups_;
};

struct Cache {
  using Entry = std::pair<std::string, std::shared_ptr<const Regex>>;
  std::list<Entry> recent;  // most recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key;
};
constexpr size_t kCachedPatterns = 128;

std::shared_ptr<const Regex> Compile(std::string_view pattern, const RegexOptions& options) {
  if (TclFlags(options) == TCL_REG_ADVANCED) {
    if (auto equality = EqualityRegex::TryMake(pattern)) return equality;
  }
  return std::make_shared<TclRegex>(pattern, options);
}

}  // namespace

std::shared_ptr<const Regex> CompileRegex(std::string_view pattern, const RegexOptions& options) {
  static Cache& cache = *new Cache;
  std::string key(1, static_cast<char>(TclFlags(options) & 0x7F));
  key.push_back(static_cast<char>(TclFlags(options) >> 6));
  key += pattern;
  auto found = cache.by_key.find(key);
  if (found != cache.by_key.end()) {
    cache.recent.splice(cache.recent.begin(), cache.recent, found->second);
    return found->second->second;
  }
  std::shared_ptr<const Regex> regex = Compile(pattern, options);
  cache.recent.emplace_front(key, regex);
  cache.by_key.emplace(std::move(key), cache.recent.begin());
  if (cache.recent.size() > kCachedPatterns) {
    cache.by_key.erase(cache.recent.back().first);
    cache.recent.pop_back();
  }
  return regex;
}

}  // namespace walden

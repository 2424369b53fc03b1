#include "node/sql/parser/fingerprint.h"

#include <array>

namespace walden {

namespace {

enum class CharClass : uint8_t {
  kOther,
  kSpace,
  kIdentStart,
  kDigit,
  kQuote,
  kDoubleQuote,
  kDollar,
  kOperator
};

constexpr std::array<CharClass, 256> MakeCharClasses() {
  std::array<CharClass, 256> classes{};
  for (unsigned char c : std::string_view(" \t\n\r\f\v")) classes[c] = CharClass::kSpace;
  for (int c = 'a'; c <= 'z'; ++c) classes[c] = classes[c - 'a' + 'A'] = CharClass::kIdentStart;
  for (int c = 0x80; c <= 0xff; ++c) classes[c] = CharClass::kIdentStart;
  classes['_'] = CharClass::kIdentStart;
  for (int c = '0'; c <= '9'; ++c) classes[c] = CharClass::kDigit;
  classes['\''] = CharClass::kQuote;
  classes['"'] = CharClass::kDoubleQuote;
  classes['$'] = CharClass::kDollar;
  for (unsigned char c : std::string_view("+-*/<>=~!@#%^&|`?")) classes[c] = CharClass::kOperator;
  return classes;
}

constexpr std::array<CharClass, 256> kCharClasses = MakeCharClasses();

CharClass ClassOf(char c) { return kCharClasses[static_cast<unsigned char>(c)]; }
bool IsDigit(char c) { return ClassOf(c) == CharClass::kDigit; }
bool ContinuesIdentifier(char c) {
  CharClass char_class = ClassOf(c);
  return char_class == CharClass::kIdentStart || char_class == CharClass::kDigit || c == '$';
}

// Words that change what the literals after them are.
enum class Word : uint8_t {
  kNone,
  kOther,
  kOrder,
  kGroup,
  kPartition,
  kBy,
  kLimit,
  kDistinct,
  kOn,
  kAs,
  kClause,
  kMaterialized,
  kTypeName
};

struct WordRow {
  std::string_view word;
  Word meaning;
};
// Sorted by first letter.
constexpr WordRow kWords[] = {
    {"as", Word::kAs},
    {"bit", Word::kTypeName},
    {"by", Word::kBy},
    {"char", Word::kTypeName},
    {"character", Word::kTypeName},
    {"current_time", Word::kTypeName},
    {"current_timestamp", Word::kTypeName},
    {"dec", Word::kTypeName},
    {"decimal", Word::kTypeName},
    {"distinct", Word::kDistinct},
    {"except", Word::kClause},
    {"fetch", Word::kLimit},
    {"float", Word::kTypeName},
    {"group", Word::kGroup},
    {"having", Word::kClause},
    {"intersect", Word::kClause},
    {"interval", Word::kTypeName},
    {"limit", Word::kLimit},
    {"localtime", Word::kTypeName},
    {"localtimestamp", Word::kTypeName},
    {"materialized", Word::kMaterialized},
    {"nchar", Word::kTypeName},
    {"numeric", Word::kTypeName},
    {"offset", Word::kLimit},
    {"on", Word::kOn},
    {"order", Word::kOrder},
    {"partition", Word::kPartition},
    {"returning", Word::kClause},
    {"select", Word::kClause},
    {"time", Word::kTypeName},
    {"timestamp", Word::kTypeName},
    {"union", Word::kClause},
    {"values", Word::kClause},
    {"varchar", Word::kTypeName},
    {"varying", Word::kTypeName},
};

// Where each letter's words begin in kWords; one more entry for the end.
constexpr std::array<uint8_t, 27> MakeLetterStarts() {
  std::array<uint8_t, 27> starts{};
  for (int letter = 0; letter < 27; ++letter) {
    uint8_t start = 0;
    while (start < std::size(kWords) && kWords[start].word[0] < 'a' + letter) ++start;
    starts[static_cast<size_t>(letter)] = start;
  }
  return starts;
}
constexpr std::array<uint8_t, 27> kLetterStarts = MakeLetterStarts();

bool EqualsLower(std::string_view word, std::string_view lower) {
  if (word.size() != lower.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    char c = word[i];
    if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != lower[i]) return false;
  }
  return true;
}

Word Classify(std::string_view word) {
  auto letter = static_cast<unsigned>((word[0] | 0x20) - 'a');
  if (letter >= 26) return Word::kOther;
  for (uint8_t i = kLetterStarts[letter]; i < kLetterStarts[letter + 1]; ++i) {
    if (EqualsLower(word, kWords[i].word)) return kWords[i].meaning;
  }
  return Word::kOther;
}

bool IsCacheableVerb(std::string_view word) {
  for (std::string_view verb : {"select", "insert", "update", "delete", "merge", "with", "values", "table"}) {
    if (EqualsLower(word, verb)) return true;
  }
  return false;
}

class Scanner {
 public:
  Scanner(std::string_view sql, Fingerprint* out) : sql_(sql), out_(*out) {
    out_.key.clear();
    out_.literals.clear();
  }

  bool Scan() {
    SkipLeadingSpace();
    if (!ScanVerb()) return false;
    while (at_ < sql_.size()) {
      if (!ScanToken()) return false;
    }
    Flush(at_);
    TrimEnd();
    return depth_ == 0;
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }
  // Text is copied to the key in long runs: what lies between pending_ and at_ is still to be copied.
  void Flush(size_t end) {
    out_.key.append(sql_, pending_, end - pending_);
    pending_ = at_;
  }

  void SkipLeadingSpace() {
    SkipSpaceAndComments();
    pending_ = at_;
  }

  bool ScanVerb() {
    while (Peek() == '(') ScanOpen();
    size_t start = at_;
    while (at_ < sql_.size() && ContinuesIdentifier(sql_[at_])) ++at_;
    if (at_ == start || !IsCacheableVerb(sql_.substr(start, at_ - start))) return false;
    return true;
  }

  bool ScanToken() {
    size_t start = at_;
    if (SkipSpaceAndComments()) {
      // Any amount of space is one space; at the end of the text none.
      if (at_ - start > 1 || sql_[start] != ' ') {
        Flush(start);
        out_.key += ' ';
      }
      return !unfinished_;
    }
    char c = sql_[at_];
    switch (ClassOf(c)) {
      case CharClass::kIdentStart: return ScanWord();
      case CharClass::kDigit: return ScanNumber();
      case CharClass::kQuote: return ScanString();
      case CharClass::kDoubleQuote: return ScanQuotedIdentifier();
      case CharClass::kDollar: return ScanParameter();
      case CharClass::kOperator: return ScanOperator();
      default: return ScanPunctuation(c);
    }
  }

  bool SkipSpaceAndComments() {
    bool any = false;
    while (at_ < sql_.size() && SkipSpaceOrComment()) any = true;
    return any;
  }

  // Skips one run of white space or one comment; false when there is neither.
  bool SkipSpaceOrComment() {
    if (ClassOf(Peek()) == CharClass::kSpace) {
      while (at_ < sql_.size() && ClassOf(sql_[at_]) == CharClass::kSpace) ++at_;
      return true;
    }
    if (Peek() == '-' && Peek(1) == '-') {
      while (at_ < sql_.size() && sql_[at_] != '\n' && sql_[at_] != '\r') ++at_;
      return true;
    }
    if (Peek() == '/' && Peek(1) == '*') {
      SkipBlockComment();
      return true;
    }
    return false;
  }

  void SkipBlockComment() {
    int nesting = 0;
    while (at_ < sql_.size()) {
      if (Peek() == '/' && Peek(1) == '*') {
        ++nesting;
        at_ += 2;
      } else if (Peek() == '*' && Peek(1) == '/') {
        at_ += 2;
        if (--nesting == 0) return;
      } else {
        ++at_;
      }
    }
    unfinished_ = true;
  }

  bool ScanWord() {
    size_t start = at_;
    while (at_ < sql_.size() && ContinuesIdentifier(sql_[at_])) ++at_;
    std::string_view word = sql_.substr(start, at_ - start);
    sign_offset_ = -1;
    if (word.size() == 1 && Peek() == '\'') return KeepPrefixedString(word[0]);
    if (EqualsLower(word, "u") && Peek() == '&' && (Peek(1) == '\'' || Peek(1) == '"'))
      return KeepUnicodeForm();
    EnterWord(Classify(word));
    return true;
  }

  void EnterWord(Word word) {
    switch (word) {
      case Word::kBy:
        if (last_word_ == Word::kOrder || last_word_ == Word::kGroup || last_word_ == Word::kPartition)
          SetKeep(true);
        break;
      case Word::kLimit: SetKeep(true); break;
      case Word::kClause: SetKeep(inherited_ >> depth_ & 1); break;
      case Word::kOn: keep_next_paren_ = last_word_ == Word::kDistinct; break;
      case Word::kAs:
        type_state_ = TypeState::kAfterAs;
        last_word_ = word;
        return;
      case Word::kTypeName: type_state_ = TypeState::kInType; break;
      case Word::kMaterialized: type_state_ = TypeState::kNone; break;
      default: break;
    }
    if (type_state_ == TypeState::kAfterAs) type_state_ = TypeState::kInType;
    last_word_ = word;
  }

  // E'', B'', X'', N'': escapes and digits of their own.
  bool KeepPrefixedString(char prefix) {
    bool escapes = (prefix | 0x20) == 'e';
    if (!SkipQuoted('\'', escapes)) return false;
    return true;
  }

  bool KeepUnicodeForm() {
    ++at_;
    if (!SkipQuoted(sql_[at_], /*escapes=*/false)) return false;
    return true;
  }

  // From an opening quote past the closing one.
  bool SkipQuoted(char quote, bool escapes) {
    for (++at_; at_ < sql_.size(); ++at_) {
      if (escapes && sql_[at_] == '\\') {
        ++at_;
      } else if (sql_[at_] == quote) {
        if (Peek(1) != quote) {
          ++at_;
          return true;
        }
        ++at_;
      }
    }
    return false;
  }

  bool ScanQuotedIdentifier() {
    if (!SkipQuoted('"', /*escapes=*/false)) return false;
    if (type_state_ == TypeState::kAfterAs) type_state_ = TypeState::kInType;
    last_word_ = Word::kOther;
    sign_offset_ = -1;
    return true;
  }

  bool ScanString() {
    size_t start = at_;
    if (!SkipQuoted('\'', /*escapes=*/false)) return false;
    bool kept = (keep_ >> depth_ & 1) != 0;
    if (!ContinuesOnNextLine() && !kept) AddLiteral(LiteralKind::kString, start);
    EndOperand();
    return true;
  }

  // 'a' <newline> 'b' is one literal; so is what follows, which is then kept as a prefixed form would be.
  bool ContinuesOnNextLine() {
    size_t ahead = at_;
    bool newline = false;
    while (ahead < sql_.size() && ClassOf(sql_[ahead]) == CharClass::kSpace) {
      newline = newline || sql_[ahead] == '\n' || sql_[ahead] == '\r';
      ++ahead;
    }
    if (!newline || ahead >= sql_.size() || sql_[ahead] != '\'') return false;
    at_ = ahead;
    return SkipQuoted('\'', /*escapes=*/false) && (ContinuesOnNextLine() || true);
  }

  bool ScanNumber() {
    size_t start = at_;
    bool integer = SkipNumber();
    if (at_ < sql_.size() && (ContinuesIdentifier(sql_[at_]) || sql_[at_] == '.'))
      return false;  // junk: an error
    std::string_view digits = sql_.substr(start, at_ - start);
    LiteralKind kind = LiteralKind::kNumeric;
    bool at_edge = integer && !ClassifyInteger(digits, &kind);
    if (!at_edge && !(keep_ >> depth_ & 1)) AddLiteral(kind, start);
    EndOperand();
    return true;
  }

  // Past digits[.digits][e[+-]digits]; true for digits alone.
  bool SkipNumber() {
    bool integer = true;
    while (IsDigit(Peek())) ++at_;
    if (Peek() == '.' && Peek(1) != '.') {
      integer = false;
      ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    if ((Peek() | 0x20) == 'e') {
      size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 1 : 0;
      if (IsDigit(Peek(1 + sign))) {
        integer = false;
        at_ += 1 + sign;
        while (IsDigit(Peek())) ++at_;
      }
    }
    return integer;
  }

  // False for the two values whose type depends on a sign before them.
  static bool ClassifyInteger(std::string_view digits, LiteralKind* kind) {
    while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
    auto up_to = [&](std::string_view limit) {
      return digits.size() != limit.size() ? digits.size() < limit.size() : digits <= limit;
    };
    if (digits == "2147483648" || digits == "9223372036854775808") return false;
    if (up_to("2147483647")) {
      *kind = LiteralKind::kInt4;
    } else if (up_to("9223372036854775807")) {
      *kind = LiteralKind::kInt8;
    }
    return true;
  }

  void AddLiteral(LiteralKind kind, size_t start) {
    out_.literals.push_back(
        {kind, static_cast<int32_t>(start), static_cast<int32_t>(at_ - start), sign_offset_});
    Flush(start);
    // A byte that no valid text outside quotes contains, then the kind.
    out_.key += '\x01';
    out_.key += static_cast<char>('0' + static_cast<int>(kind));
  }

  void EndOperand() {
    sign_offset_ = -1;
    type_state_ = TypeState::kNone;
    last_word_ = Word::kNone;
  }

  // $1, or a dollar-quoted string.
  bool ScanParameter() {
    size_t start = at_++;
    if (IsDigit(Peek())) {
      while (IsDigit(Peek())) ++at_;
      if (at_ < sql_.size() && ContinuesIdentifier(sql_[at_])) return false;
    } else if (!SkipDollarQuoted(start)) {
      return false;
    }
    EndOperand();
    return true;
  }

  bool SkipDollarQuoted(size_t start) {
    while (at_ < sql_.size() && ContinuesIdentifier(sql_[at_]) && sql_[at_] != '$') ++at_;
    if (Peek() != '$') return false;
    ++at_;
    size_t end = sql_.find(sql_.substr(start, at_ - start), at_);
    if (end == std::string_view::npos) return false;
    at_ = end + (at_ - start);
    return true;
  }

  bool ScanOperator() {
    sign_offset_ = sql_[at_] == '-' ? static_cast<int32_t>(at_) : -1;
    ++at_;
    type_state_ = TypeState::kNone;
    last_word_ = Word::kNone;
    return true;
  }

  bool ScanPunctuation(char c) {
    if (c == '(' || c == '[') return ScanOpen();
    if (c == ')' || c == ']') return ScanClose();
    if (c == ';') return ScanEnd();
    if (c == '\0' || static_cast<unsigned char>(c) < 0x20) return false;
    if (c == '.' && IsDigit(Peek(1))) {
      // ".5", unless it is the dot of "1." which ScanNumber took
      return ScanNumber();
    }
    if (c == ':' && Peek(1) == ':') {
      at_ += 2;
      type_state_ = TypeState::kAfterAs;
      sign_offset_ = -1;
      last_word_ = Word::kNone;
      return true;
    }
    if (c != '.') {
      type_state_ = TypeState::kNone;
      last_word_ = Word::kNone;
    }
    sign_offset_ = -1;
    ++at_;
    return true;
  }

  bool ScanOpen() {
    if (++depth_ >= 60) return false;
    bool in_type = type_state_ == TypeState::kInType;
    bool keep = (keep_ >> (depth_ - 1) & 1) || in_type || keep_next_paren_;
    inherited_ = keep ? inherited_ | uint64_t{1} << depth_ : inherited_ & ~(uint64_t{1} << depth_);
    SetKeep(keep);
    keep_next_paren_ = false;
    EndOperand();
    ++at_;
    return true;
  }

  bool ScanClose() {
    if (depth_ == 0) return false;
    --depth_;
    EndOperand();
    ++at_;
    return true;
  }

  // Only space and more semicolons may follow.
  bool ScanEnd() {
    Flush(at_);
    while (at_ < sql_.size() && (sql_[at_] == ';' || SkipSpaceOrComment())) {
      if (Peek() == ';') ++at_;
    }
    pending_ = at_;
    return at_ >= sql_.size() && !unfinished_;
  }

  void TrimEnd() {
    while (!out_.key.empty() && out_.key.back() == ' ') out_.key.pop_back();
  }

  void SetKeep(bool keep) {
    uint64_t bit = uint64_t{1} << depth_;
    keep_ = keep ? keep_ | bit : keep_ & ~bit;
  }

  // kAfterAs: a type (or alias) name must follow; kInType: it may go on, or have modifiers or bounds.
  enum class TypeState : uint8_t { kNone, kAfterAs, kInType };

  std::string_view sql_;
  Fingerprint& out_;
  size_t at_ = 0;
  size_t pending_ = 0;
  int depth_ = 0;
  uint64_t keep_ = 0;       // bit per depth: literals stay in the key
  uint64_t inherited_ = 0;  // bit per depth: what keep_ was when the parenthesis opened
  bool keep_next_paren_ = false;
  bool unfinished_ = false;
  TypeState type_state_ = TypeState::kNone;
  Word last_word_ = Word::kNone;
  int32_t sign_offset_ = -1;
};

}  // namespace

bool ScanFingerprint(std::string_view sql, Fingerprint* out) { return Scanner(sql, out).Scan(); }

void AppendUnquoted(std::string_view quoted, std::string* out) {
  std::string_view body = quoted.substr(1, quoted.size() - 2);
  for (size_t quote; (quote = body.find('\'')) != std::string_view::npos;) {
    out->append(body.substr(0, quote + 1));
    body.remove_prefix(quote + 2);
  }
  out->append(body);
}

}  // namespace walden

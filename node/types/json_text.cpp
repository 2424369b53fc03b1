#include "node/types/json_text.h"

#include "node/base/error.h"
#include "node/base/stack_depth.h"
#include "node/types/utf8.h"

namespace walden {
namespace {

constexpr int kMaxDepth = 6400;

bool IsJsonSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordByte(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if ((c | 32) >= 'a' && (c | 32) <= 'f') return (c | 32) - 'a' + 10;
  return -1;
}

class Parser {
 public:
  Parser(std::string_view text, JsonHandler* handler, bool decode)
      : text_(text), handler_(handler), decode_(decode) {}
  void Run() {
    ParseValue(0);
    SkipSpace();
    if (at_ != text_.size()) Expected("end of input");
  }

 private:
  // `end`: of what is wrong. Up to there its line is shown.
  [[noreturn]] void Fail(std::string detail, size_t end,
                         ErrorCode code = ErrorCode::kInvalidTextRepresentation) {
    constexpr size_t kMostShown = 52, kLeastShown = 49;
    size_t line = 1, start = 0;
    for (size_t i = 0; i < end; ++i) {
      if (text_[i] == '\n') {
        ++line;
        start = i + 1;
      }
    }
    std::string shown(text_.substr(start, end - start));
    std::string prefix;
    if (shown.size() > kMostShown) {
      size_t cut = shown.size() - kLeastShown;
      while (cut < shown.size() && (shown[cut] & 0xC0) == 0x80) ++cut;
      shown = shown.substr(cut);
      prefix = "...";
    }
    std::string suffix = end < text_.size() && text_[end] != '\n' && text_[end] != '\r' ? "..." : "";
    throw SqlError(code, code == ErrorCode::kUntranslatableCharacter ? "unsupported Unicode escape sequence"
                                                                     : "invalid input syntax for type json")
        .WithDetail(std::move(detail))
        .WithContext(fmt::format("JSON data, line {}: {}{}{}", line, prefix, shown, suffix));
  }
  size_t TokenEnd(size_t at) const {
    size_t end = at;
    while (end < text_.size() && IsWordByte(text_[end])) ++end;
    if (end == at && end < text_.size())
      end += static_cast<size_t>(Utf8Length(static_cast<unsigned char>(text_[end])));
    return std::min(end, text_.size());
  }
  std::string_view Token(size_t at) const { return text_.substr(at, TokenEnd(at) - at); }
  size_t CharacterEnd(size_t at) const {
    return std::min(at + static_cast<size_t>(Utf8Length(static_cast<unsigned char>(text_[at]))),
                    text_.size());
  }
  [[noreturn]] void InvalidToken(size_t start, size_t end) {
    Fail(fmt::format("Token \"{}\" is invalid.", text_.substr(start, end - start)), end);
  }

  [[noreturn]] void Expected(const char* what) {
    SkipSpace();
    if (at_ >= text_.size()) Fail("The input string ended unexpectedly.", at_);
    size_t start = at_;
    if (Lex())
      Fail(fmt::format("Expected {}, but found \"{}\".", what, text_.substr(start, at_ - start)), at_);
    InvalidToken(start, TokenEnd(start));
  }
  // Moves over one valid token of any kind; false if there is none here.
  bool Lex() {
    char c = text_[at_];
    if (c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':') {
      ++at_;
      return true;
    }
    if (c == '"') {
      std::string ignored;
      StringToken(&ignored);
      return true;
    }
    if (IsDigit(c) || c == '-') {
      NumberToken();
      return true;
    }
    for (std::string_view word : {"true", "false", "null"}) {
      if (Token(at_) == word) {
        at_ += word.size();
        return true;
      }
    }
    return false;
  }

  void SkipSpace() {
    while (at_ < text_.size() && IsJsonSpace(text_[at_])) ++at_;
  }
  char Peek() {
    SkipSpace();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  void ParseValue(int depth) {
    CheckStackDepth();
    if (depth > kMaxDepth) {
      throw SqlError(ErrorCode::kStatementTooComplex, "stack depth limit exceeded");
    }
    switch (Peek()) {
      case '{': return ParseObject(depth);
      case '[': return ParseArray(depth);
      case '"': {
        scratch_.clear();
        StringToken(&scratch_);
        handler_->String(scratch_);
        return;
      }
      case 't': return Word("true", [&] { handler_->Bool(true); });
      case 'f': return Word("false", [&] { handler_->Bool(false); });
      case 'n': return Word("null", [&] { handler_->Null(); });
      default:
        if (at_ < text_.size() && (IsDigit(text_[at_]) || text_[at_] == '-')) {
          handler_->Number(NumberToken());
          return;
        }
        Expected("JSON value");
    }
  }
  template <class F>
  void Word(std::string_view word, F found) {
    if (Token(at_) != word) InvalidToken(at_, TokenEnd(at_));
    at_ += word.size();
    found();
  }

  void ParseArray(int depth) {
    ++at_;
    handler_->StartArray();
    if (Peek() == ']') {
      ++at_;
    } else {
      while (true) {
        ParseValue(depth + 1);
        char c = Peek();
        if (c != ',' && c != ']') Expected("\",\" or \"]\"");
        ++at_;
        if (c == ']') break;
      }
    }
    handler_->EndArray();
  }

  void ParseObject(int depth) {
    ++at_;
    handler_->StartObject();
    if (Peek() == '}') {
      ++at_;
    } else {
      for (bool first = true;; first = false) {
        if (Peek() != '"') Expected(first ? "string or \"}\"" : "string");
        scratch_.clear();
        StringToken(&scratch_);
        handler_->Key(scratch_);
        if (Peek() != ':') Expected("\":\"");
        ++at_;
        ParseValue(depth + 1);
        char c = Peek();
        if (c != ',' && c != '}') Expected("\",\" or \"}\"");
        ++at_;
        if (c == '}') break;
      }
    }
    handler_->EndObject();
  }

  std::string_view NumberToken() {
    size_t start = at_;
    bool good = true;
    if (text_[at_] == '-') ++at_;
    if (at_ < text_.size() && text_[at_] == '0') {
      ++at_;
    } else if (at_ < text_.size() && IsDigit(text_[at_])) {
      while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
    } else {
      good = false;
    }
    if (good && at_ < text_.size() && text_[at_] == '.') {
      size_t digits = ++at_;
      while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
      good = at_ > digits;
    }
    if (good && at_ < text_.size() && (text_[at_] | 32) == 'e') {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      size_t digits = at_;
      while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
      good = at_ > digits;
    }
    if (at_ < text_.size() && IsWordByte(text_[at_])) good = false;
    if (!good) {
      size_t end = std::max(at_, start + 1);
      while (end < text_.size() && IsWordByte(text_[end])) ++end;
      InvalidToken(start, end);
    }
    return text_.substr(start, at_ - start);
  }

  uint32_t Hex4(size_t string_start) {
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ >= text_.size()) InvalidToken(string_start, text_.size());
      int digit = HexDigit(text_[at_]);
      if (digit < 0) Fail("\"\\u\" must be followed by four hexadecimal digits.", CharacterEnd(at_));
      value = value * 16 + static_cast<uint32_t>(digit);
    }
    return value;
  }

  void StringToken(std::string* to) {
    size_t start = at_++;
    uint32_t high = 0;
    auto finish_pair = [&](size_t end) {
      if (high != 0) Fail("Unicode low surrogate must follow a high surrogate.", end);
    };
    while (true) {
      if (at_ >= text_.size()) InvalidToken(start, text_.size());
      char c = text_[at_];
      if (c == '"') break;
      if (static_cast<unsigned char>(c) < 0x20) {
        Fail(fmt::format("Character with value 0x{:02x} must be escaped.", static_cast<unsigned char>(c)),
             at_);
      }
      if (c != '\\') {
        if (decode_) finish_pair(CharacterEnd(at_));
        to->push_back(c);
        ++at_;
        continue;
      }
      if (++at_ >= text_.size()) InvalidToken(start, text_.size());
      char escape = text_[at_++];
      if (escape == 'u') {
        uint32_t code = Hex4(start);
        if (!decode_) continue;
        if (code == 0) Fail("\\u0000 cannot be converted to text.", at_, ErrorCode::kUntranslatableCharacter);
        if (code >= 0xD800 && code < 0xDC00) {
          if (high != 0) Fail("Unicode high surrogate must not follow a high surrogate.", at_);
          high = code;
          continue;
        }
        if (code >= 0xDC00 && code < 0xE000) {
          if (high == 0) Fail("Unicode low surrogate must follow a high surrogate.", at_);
          code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00);
          high = 0;
        } else {
          finish_pair(at_);
        }
        Utf8Append(to, code);
        continue;
      }
      if (decode_) finish_pair(at_);
      switch (escape) {
        case '"':
        case '\\':
        case '/': to->push_back(escape); break;
        case 'b': to->push_back('\b'); break;
        case 'f': to->push_back('\f'); break;
        case 'n': to->push_back('\n'); break;
        case 'r': to->push_back('\r'); break;
        case 't': to->push_back('\t'); break;
        default: {
          size_t end = CharacterEnd(at_ - 1);
          Fail(fmt::format("Escape sequence \"\\{}\" is invalid.", text_.substr(at_ - 1, end - at_ + 1)),
               end);
        }
      }
    }
    ++at_;
    if (decode_) finish_pair(at_);
  }

  std::string_view text_;
  JsonHandler* handler_;
  bool decode_;
  size_t at_ = 0;
  std::string scratch_;
};

// Positions in valid text.
size_t SkipSpaces(std::string_view text, size_t at) {
  while (at < text.size() && IsJsonSpace(text[at])) ++at;
  return at;
}
size_t SkipString(std::string_view text, size_t at) {
  for (++at; text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}
size_t SkipValue(std::string_view text, size_t at) {
  int depth = 0;
  while (at < text.size()) {
    char c = text[at];
    if (c == '"') {
      at = SkipString(text, at);
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
      continue;
    } else if (c == '}' || c == ']') {
      --depth;
      ++at;
    } else if (c == ',' || c == ':' || IsJsonSpace(c)) {
      ++at;
      continue;
    } else {
      while (at < text.size() && text[at] != ',' && text[at] != ']' && text[at] != '}' &&
             !IsJsonSpace(text[at]))
        ++at;
    }
    if (depth == 0) return at;
  }
  return at;
}

}  // namespace

void ParseJson(std::string_view text, JsonHandler* handler, bool decode) {
  Parser(text, handler, decode).Run();
}

std::string_view JsonKindName(JsonKind kind) {
  static constexpr std::string_view kNames[] = {"null", "boolean", "number", "string", "array", "object"};
  return kNames[static_cast<int>(kind)];
}

std::string_view TrimJson(std::string_view text) {
  while (!text.empty() && IsJsonSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsJsonSpace(text.back())) text.remove_suffix(1);
  return text;
}

JsonKind KindOfJson(std::string_view text) {
  switch (TrimJson(text)[0]) {
    case '{': return JsonKind::kObject;
    case '[': return JsonKind::kArray;
    case '"': return JsonKind::kString;
    case 't':
    case 'f': return JsonKind::kBool;
    case 'n': return JsonKind::kNull;
    default: return JsonKind::kNumber;
  }
}

std::string DecodeJsonString(std::string_view text) {
  struct Keep : JsonHandler {
    void String(std::string_view value) override { result = value; }
    std::string result;
  } keep;
  ParseJson(text, &keep);
  return std::move(keep.result);
}

void ForEachJsonElement(std::string_view array, const std::function<bool(std::string_view)>& f) {
  std::string_view text = TrimJson(array);
  for (size_t at = SkipSpaces(text, 1); text[at] != ']';) {
    size_t end = SkipValue(text, at);
    if (!f(text.substr(at, end - at))) return;
    at = SkipSpaces(text, end);
    if (text[at] == ',') at = SkipSpaces(text, at + 1);
  }
}

void ForEachJsonMember(std::string_view object,
                       const std::function<bool(std::string_view, std::string_view)>& f) {
  std::string_view text = TrimJson(object);
  for (size_t at = SkipSpaces(text, 1); text[at] != '}';) {
    size_t key_end = SkipString(text, at);
    std::string key = DecodeJsonString(text.substr(at, key_end - at));
    at = SkipSpaces(text, SkipSpaces(text, key_end) + 1);
    size_t end = SkipValue(text, at);
    if (!f(key, text.substr(at, end - at))) return;
    at = SkipSpaces(text, end);
    if (text[at] == ',') at = SkipSpaces(text, at + 1);
  }
}

void AppendJsonString(std::string* to, std::string_view text) {
  to->push_back('"');
  for (char c : text) {
    switch (c) {
      case '"': to->append("\\\""); break;
      case '\\': to->append("\\\\"); break;
      case '\b': to->append("\\b"); break;
      case '\f': to->append("\\f"); break;
      case '\n': to->append("\\n"); break;
      case '\r': to->append("\\r"); break;
      case '\t': to->append("\\t"); break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          *to += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        else
          to->push_back(c);
    }
  }
  to->push_back('"');
}

}  // namespace walden

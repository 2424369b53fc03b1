#include "node/sql/query/query_text.h"

#include <charconv>

#include "node/base/error.h"
#include "node/base/stack_depth.h"
#include "node/sql/query/visit_node.h"

namespace walden {

namespace {

// ---- writing ---------------------------------------------------------------------------------------------

class Writer {
 public:
  explicit Writer(std::string* out) : out_(*out) {}

  void Write(const Node* node) {
    if (node == nullptr) {
      out_ += "<>";
      return;
    }
    CheckStackDepth();
    out_ += '{';
    out_ += NodeTagName(node->tag);
    VisitNode(node, [this](const auto& typed) { WriteFields(typed); });
    out_ += '}';
  }

 private:
  template <class T>
  void WriteFields(const T& node) {
    static const T defaults;
    T::VisitFields(node, [&](const char* name, const auto& field) {
      if (IsDefault(field, SameField(node, field, defaults))) return;
      out_ += " :";
      out_ += name;
      out_ += ' ';
      Put(field);
    });
  }

  bool IsDefault(const Location&, const Location&) { return true; }  // the source text is not kept
  bool IsDefault(const std::string_view& field, const std::string_view&) { return IsAbsent(field); }
  bool IsDefault(const ConstValue&, const ConstValue&) { return false; }
  template <class T>
  bool IsDefault(const List<T>& field, const List<T>&) {
    return field.empty();
  }
  template <class T>
  bool IsDefault(const T& field, const T& value) {
    return field == value;
  }

  void Put(const Location&) {}
  void Put(const bool& field) { out_ += field ? "true" : "false"; }
  void Put(const double& field) { out_ += fmt::format("{}", field); }
  void Put(const std::string_view& field) { PutString(field, /*binary=*/false); }
  void Put(const ast::Node* const&) {
    throw SqlError(ErrorCode::kInternalError, "a utility statement cannot be stored in a catalog");
  }
  template <NodePointerField T>
  void Put(const T& field) {
    Write(field);
  }
  template <class T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>)
  void Put(const T& field) {
    out_ += std::to_string(static_cast<int64_t>(field));
  }
  template <class T>
  void Put(const List<T>& field) {
    out_ += '(';
    for (uint32_t i = 0; i < field.size(); ++i) {
      if (i > 0) out_ += ' ';
      Put(field[i]);
    }
    out_ += ')';
  }

  // [physical type] for null, else [physical type, what restores the datum]: words as numbers, bytes as a
  // string.
  void Put(const ConstValue& value) {
    out_ += fmt::format("[{}", static_cast<int>(value.physical));
    if (!value.is_null) PutDatum(value);
    out_ += ']';
  }
  void PutDatum(const ConstValue& value) {
    const Datum& datum = value.datum;
    out_ += ' ';
    if (value.physical == PhysicalType::kString) {
      PutString(datum.string.view(), /*binary=*/true);
    } else if (value.physical == PhysicalType::kNumeric) {
      const NumericRef& numeric = datum.numeric;
      out_ += fmt::format("{} {} ", static_cast<int>(numeric.kind), numeric.scale);
      if (numeric.kind == NumericKind::kBig) {
        PutString({numeric.digits, numeric.digits_size}, /*binary=*/true);
      } else {
        out_ += std::to_string(numeric.scaled);
      }
    } else {
      uint64_t words[2] = {0, 0};
      std::memcpy(words, &datum, PhysicalWidth(value.physical));
      out_ += fmt::format("{} {}", words[0], words[1]);
    }
  }

  void PutString(std::string_view text, bool binary) {
    out_ += '"';
    for (char c : text) {
      auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += c;
      } else if (byte < 0x20 || byte == 0x7f || (binary && byte >= 0x80)) {
        out_ += fmt::format("\\x{:02x}", byte);
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }

  std::string& out_;
};

// ---- reading ---------------------------------------------------------------------------------------------

class Reader {
 public:
  Reader(std::string_view text, Arena& arena) : text_(text), arena_(arena) {}

  Node* Read() {
    CheckStackDepth();
    SkipSpace();
    if (Accept("<>")) return nullptr;
    Expect('{');
    std::string_view name = TakeWord();
#define X(type) \
  if (name == #type) return ReadFields<type>();
#include "node/sql/query/query_tags.def"
#undef X
    Fail();
  }

  List<Node*> ReadList() {
    List<Node*> list;
    SkipSpace();
    if (text_.substr(at_).starts_with('(')) {
      Get(list);
    } else {
      list.Append(arena_, Read());
    }
    return list;
  }

  void ExpectEnd() {
    SkipSpace();
    if (at_ != text_.size()) Fail();
  }

 private:
  [[noreturn]] void Fail() const {
    throw SqlError(ErrorCode::kDataCorrupted, "malformed stored expression tree at byte {}", at_)
        .WithDetail(std::string(text_.substr(at_ < 40 ? 0 : at_ - 40, 80)));
  }

  template <class T>
  Node* ReadFields() {
    T* node = arena_.New<T>();
    std::string_view name = NextFieldName();
    T::VisitFields(*node, [&](const char* declared, auto& field) {
      if (name != declared) return;
      Get(field);
      name = NextFieldName();
    });
    if (!name.empty()) Fail();
    Expect('}');
    return node;
  }

  // The name after ':', or an empty one before '}'.
  std::string_view NextFieldName() {
    SkipSpace();
    if (!Accept(":")) return {};
    return TakeWord();
  }

  void Get(Location&) { Fail(); }
  void Get(const ast::Node*&) { Fail(); }
  void Get(bool& field) {
    std::string_view word = TakeWord();
    if (word != "true" && word != "false") Fail();
    field = word == "true";
  }
  void Get(double& field) { field = TakeNumber<double>(); }
  void Get(std::string_view& field) { field = TakeString(); }
  template <class T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>)
  void Get(T& field) {
    field = static_cast<T>(TakeNumber<int64_t>());
  }
  template <NodePointerField T>
  void Get(T& field) {
    field = static_cast<T>(Read());
  }
  template <class T>
  void Get(List<T>& field) {
    Expect('(');
    for (SkipSpace(); !Accept(")"); SkipSpace()) {
      T item{};
      Get(item);
      field.Append(arena_, item);
    }
  }
  void Get(ConstValue& value) {
    Expect('[');
    value.physical = static_cast<PhysicalType>(TakeNumber<int>());
    SkipSpace();
    value.is_null = Accept("]");
    if (value.is_null) return;
    GetDatum(&value);
    Expect(']');
  }
  void GetDatum(ConstValue* value) {
    if (value->physical == PhysicalType::kString) {
      value->datum = StringDatum(TakeString());
    } else if (value->physical == PhysicalType::kNumeric) {
      NumericRef& numeric = value->datum.numeric;
      numeric.kind = static_cast<NumericKind>(TakeNumber<int>());
      numeric.scale = TakeNumber<int16_t>();
      if (numeric.kind == NumericKind::kBig) {
        std::string_view digits = TakeString();
        numeric.digits = digits.data();
        numeric.digits_size = static_cast<uint32_t>(digits.size());
      } else {
        numeric.scaled = TakeNumber<int64_t>();
      }
    } else {
      value->datum.words[0] = TakeNumber<uint64_t>();
      value->datum.words[1] = TakeNumber<uint64_t>();
    }
  }

  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool Accept(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void Expect(char c) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != c) Fail();
    ++at_;
  }
  std::string_view TakeWord() {
    SkipSpace();
    size_t end = text_.find_first_of(" \n(){}[]", at_);
    if (end == std::string_view::npos || end == at_) Fail();
    std::string_view word = text_.substr(at_, end - at_);
    at_ = end;
    return word;
  }
  template <class T>
  T TakeNumber() {
    std::string_view word = TakeWord();
    T number{};
    auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size()) Fail();
    return number;
  }
  std::string_view TakeString() {
    Expect('"');
    std::string plain;
    for (;;) {
      if (at_ >= text_.size()) Fail();
      char c = text_[at_++];
      if (c == '"') break;
      plain += c == '\\' ? TakeEscaped() : c;
    }
    return arena_.Copy(plain);
  }
  char TakeEscaped() {
    if (at_ >= text_.size()) Fail();
    char c = text_[at_++];
    if (c != 'x') return c;
    if (at_ + 2 > text_.size()) Fail();
    int byte = 0;
    auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + at_ + 2, byte, 16);
    if (error != std::errc() || end != text_.data() + at_ + 2) Fail();
    at_ += 2;
    return static_cast<char>(byte);
  }

  std::string_view text_;
  size_t at_ = 0;
  Arena& arena_;
};

}  // namespace

std::string WriteNode(const Node* node) {
  std::string text;
  Writer(&text).Write(node);
  return text;
}

Node* ReadNode(std::string_view text, Arena& arena) {
  Reader reader(text, arena);
  Node* node = reader.Read();
  reader.ExpectEnd();
  return node;
}

List<Node*> ReadNodeList(std::string_view text, Arena& arena) {
  Reader reader(text, arena);
  List<Node*> list = reader.ReadList();
  reader.ExpectEnd();
  return list;
}

}  // namespace walden

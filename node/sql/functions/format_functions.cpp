// concat, concat_ws, format, quote_*, parse_ident.
#include "node/catalog/namespace.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/array.h"
#include "node/types/integer.h"
#include "node/types/text.h"
#include "node/types/utf8.h"

namespace walden {

namespace {

using View = std::string_view;

View QuoteIdent(CallContext& c, View a) { return Keep(c, QuoteIdentifier(a)); }

// The arguments from `from` on as they are to be used: those passed, or the elements of the VARIADIC array.
struct Arguments {
  std::vector<Value> values;
  std::vector<Oid> types;
  bool null_array = false;

  Arguments(CallContext& c, std::span<const Value> args, size_t from) {
    if (!c.site.is_variadic_array) {
      for (size_t i = from; i < args.size(); ++i) {
        values.push_back(args[i]);
        types.push_back(c.site.arg_types[i]);
      }
      return;
    }
    if (args.back().is_null) {
      null_array = true;
      return;
    }
    ArrayView view(args.back().datum.string.view());
    Value element;
    for (ArrayReader reader(view, TypeOf(view.element_type()).physical); reader.Next(&element);) {
      values.push_back(element);
      types.push_back(view.element_type());
    }
  }
};

void Put(CallContext& c, const std::string& text, Value* result) {
  result->datum = StringDatum(Keep(c, text));
  result->is_null = false;
}

void AppendPlain(CallContext& c, Oid type, const Datum& value, std::string* to) {
  if (type == type_oid::kBool)
    to->push_back(value.b ? 't' : 'f');
  else
    AppendText(c, type, value, to);
}

void Concat(CallContext& c, std::span<const Value> args, Value* result) {
  Arguments all(c, args, 0);
  if (all.null_array) return;
  std::string text;
  for (size_t i = 0; i < all.values.size(); ++i) {
    if (!all.values[i].is_null) AppendPlain(c, all.types[i], all.values[i].datum, &text);
  }
  Put(c, text, result);
}

void ConcatWs(CallContext& c, std::span<const Value> args, Value* result) {
  if (args[0].is_null) return;
  Arguments all(c, args, 1);
  if (all.null_array) return;
  std::string text;
  bool first = true;
  for (size_t i = 0; i < all.values.size(); ++i) {
    if (all.values[i].is_null) continue;
    if (!first) text += args[0].datum.string.view();
    first = false;
    AppendPlain(c, all.types[i], all.values[i].datum, &text);
  }
  Put(c, text, result);
}

// format(): %[position$][-][width]type, width may be * or *n$.
class Formatter {
 public:
  Formatter(CallContext& c, View format, const Arguments& arguments)
      : c_(c), format_(format), arguments_(arguments) {}

  std::string Run() {
    while (at_ < format_.size()) {
      char c = format_[at_++];
      if (c != '%') {
        out_.push_back(c);
      } else if (Current() == '%') {
        out_.push_back('%');
        ++at_;
      } else {
        Specifier();
      }
    }
    return std::move(out_);
  }

 private:
  static SqlError Fail(std::string text) {
    return SqlError(ErrorCode::kInvalidParameterValue, std::move(text));
  }
  char Current() {
    if (at_ >= format_.size()) {
      throw Fail("unterminated format() type specifier").WithHint("For a single \"%\" use \"%%\".");
    }
    return format_[at_];
  }
  bool Number(int32_t* value) {
    if (Current() < '0' || Current() > '9') return false;
    int64_t number = 0;
    for (; Current() >= '0' && Current() <= '9'; ++at_) {
      number = number * 10 + (format_[at_] - '0');
      if (number > INT32_MAX) throw SqlError(ErrorCode::kNumericValueOutOfRange, "number is out of range");
    }
    *value = static_cast<int32_t>(number);
    return true;
  }
  const Value* Argument(int32_t position, Oid* type) {  // 1-based; -1 = the next one
    if (position >= 0) next_ = static_cast<size_t>(position) - 1;
    if (next_ >= arguments_.values.size()) throw Fail("too few arguments for format()");
    *type = arguments_.types[next_];
    return &arguments_.values[next_++];
  }
  int32_t Position() {
    int32_t position = -1;
    size_t start = at_;
    if (Number(&position) && Current() == '$') {
      ++at_;
      if (position == 0) throw Fail("format specifies argument 0, but arguments are numbered from 1");
      return position;
    }
    at_ = start;
    return -1;
  }

  void Specifier() {
    int32_t position = Position();
    bool left = false;
    int32_t width = 0;
    for (; Current() == '-'; ++at_) left = true;
    if (Current() == '*') {
      ++at_;
      int32_t width_position = Position();
      Oid type;
      const Value* value = Argument(width_position, &type);
      if (!value->is_null) {
        std::string text;
        AppendText(c_, type, value->datum, &text);
        width = ParseInt32(text);
      }
      if (width < 0) {
        left = true;
        width = -width;
      }
    } else {
      Number(&width);
    }
    char kind = Current();
    if (kind != 's' && kind != 'I' && kind != 'L') {
      throw Fail(
          fmt::format("unrecognized format() type specifier \"{}\"",
                      format_.substr(at_, static_cast<size_t>(Utf8Length(static_cast<unsigned char>(kind))))))
          .WithHint("For a single \"%\" use \"%%\".");
    }
    ++at_;
    Oid type;
    const Value* value = Argument(position, &type);
    std::string text;
    if (!value->is_null) {
      AppendPlain(c_, type, value->datum, &text);
      if (kind == 'I') text = QuoteIdentifier(text);
      if (kind == 'L') text = QuoteLiteral(text);
    } else if (kind == 'L') {
      text = "NULL";
    } else if (kind == 'I') {
      throw SqlError(ErrorCode::kNullValueNotAllowed, "null values cannot be formatted as an SQL identifier");
    }
    size_t length = Utf8Count(text);
    size_t padding = static_cast<size_t>(width) > length ? static_cast<size_t>(width) - length : 0;
    if (!left) out_.append(padding, ' ');
    out_ += text;
    if (left) out_.append(padding, ' ');
  }

  CallContext& c_;
  View format_;
  const Arguments& arguments_;
  size_t at_ = 0;
  size_t next_ = 0;
  std::string out_;
};

void Format(CallContext& c, std::span<const Value> args, Value* result) {
  if (args[0].is_null) return;
  Arguments all(c, args, 1);
  Put(c, Formatter(c, args[0].datum.string.view(), all).Run(), result);
}

View ParseIdent(CallContext& c, View text, bool strict) {
  std::vector<std::string> parts;
  size_t at = 0;
  auto skip = [&] {
    while (at < text.size() && IsSpace(text[at])) ++at;
  };
  auto fail = [&](const char* detail) {
    SqlError error(ErrorCode::kInvalidParameterValue, "string is not a valid identifier: \"{}\"", text);
    if (detail != nullptr) error.WithDetail(detail);
    return error;
  };
  auto is_start = [](unsigned char ch) {
    return ch == '_' || ((ch | 32) >= 'a' && (ch | 32) <= 'z') || ch >= 0x80;
  };
  skip();
  for (bool after_dot = false;;) {
    if (at < text.size() && text[at] == '"') {
      std::string part;
      ++at;
      while (true) {
        if (at >= text.size()) throw fail("String has unclosed double quotes.");
        if (text[at] == '"') {
          if (at + 1 < text.size() && text[at + 1] == '"')
            ++at;
          else
            break;
        }
        part.push_back(text[at++]);
      }
      ++at;
      if (part.empty()) throw fail("Quoted identifier must not be empty.");
      parts.push_back(std::move(part));
    } else if (at < text.size() && is_start(static_cast<unsigned char>(text[at]))) {
      size_t start = at;
      while (at < text.size() && (is_start(static_cast<unsigned char>(text[at])) || text[at] == '$' ||
                                  (text[at] >= '0' && text[at] <= '9'))) {
        ++at;
      }
      std::string part;
      AppendLower(&part, text.substr(start, at - start));
      parts.push_back(std::move(part));
    } else {
      if (at < text.size() && text[at] == '.') throw fail("No valid identifier before \".\".");
      if (after_dot) throw fail("No valid identifier after \".\".");
      throw fail(nullptr);
    }
    skip();
    if (at < text.size() && text[at] == '.') {
      after_dot = true;
      ++at;
      skip();
    } else if (at >= text.size()) {
      break;
    } else {
      if (strict) throw fail(nullptr);
      break;
    }
  }
  std::vector<View> views(parts.begin(), parts.end());
  return MakeTextArray(views, type_oid::kText, c.arena);
}

constexpr ScalarFunction kTable[] = {
    Scalar<&QuoteIdent>("quote_ident"),          RowForm<&Concat, false>("text_concat"),
    RowForm<&ConcatWs, false>("text_concat_ws"), RowForm<&Format, false>("text_format"),
    RowForm<&Format, false>("text_format_nv"),   Scalar<&ParseIdent>("parse_ident"),
};

}  // namespace

std::span<const ScalarFunction> FormatFunctions() { return kTable; }

}  // namespace walden

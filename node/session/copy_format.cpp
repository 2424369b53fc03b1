#include "node/session/copy_format.h"

#include <algorithm>

#include "node/base/error.h"

namespace walden {
namespace {

std::string TextOf(const ast::DefElem& option) {
  const ast::Node* arg = option.arg;
  if (const ast::String* text = ast::TryAs<ast::String>(arg)) return std::string(text->sval);
  if (const ast::Integer* number = ast::TryAs<ast::Integer>(arg)) return fmt::format("{}", number->ival);
  if (const ast::Boolean* truth = ast::TryAs<ast::Boolean>(arg)) return truth->boolval ? "true" : "false";
  if (arg == nullptr) return "true";
  throw SqlError(ErrorCode::kSyntaxError, "argument to option \"{}\" must be a string", option.defname);
}

bool FlagOf(const ast::DefElem& option) {
  std::string text = TextOf(option);
  if (text == "true" || text == "on" || text == "1") return true;
  if (text == "false" || text == "off" || text == "0") return false;
  throw SqlError(ErrorCode::kSyntaxError, "{} requires a Boolean value", option.defname);
}

char SingleByte(const ast::DefElem& option, std::string_view what) {
  std::string text = TextOf(option);
  if (text.size() != 1)
    throw SqlError(ErrorCode::kFeatureNotSupported, "COPY {} must be a single one-byte character", what);
  return text[0];
}

std::vector<std::string> ColumnsOf(const ast::DefElem& option) {
  std::vector<std::string> names;
  const ast::ListNode* list = ast::TryAs<ast::ListNode>(static_cast<const ast::Node*>(option.arg));
  if (list == nullptr)
    throw SqlError(ErrorCode::kInvalidParameterValue,
                   "argument to option \"{}\" must be a list of column names", option.defname);
  for (const ast::Node* item : list->items) names.emplace_back(ast::StringOf(item));
  return names;
}

}  // namespace

CopyOptions ParseCopyOptions(const ast::NodeList& list, bool is_from) {
  CopyOptions options;
  bool has_delimiter = false, has_null = false, has_quote = false, has_escape = false;
  for (const ast::Node* node : list) {
    const ast::DefElem& option = *ast::As<ast::DefElem>(node);
    std::string_view name = option.defname;
    if (name == "format") {
      std::string format = TextOf(option);
      if (format == "csv") {
        options.csv = true;
      } else if (format == "binary") {
        options.binary = true;
      } else if (format != "text") {
        throw SqlError(ErrorCode::kInvalidParameterValue, "COPY format \"{}\" not recognized", format);
      }
    } else if (name == "delimiter") {
      options.delimiter = SingleByte(option, "delimiter");
      has_delimiter = true;
    } else if (name == "null") {
      options.null = TextOf(option);
      has_null = true;
    } else if (name == "header") {
      if (option.arg != nullptr && TextOf(option) == "match") {
        options.header = options.match_header = true;
      } else {
        options.header = FlagOf(option);
      }
    } else if (name == "quote") {
      options.quote = SingleByte(option, "quote");
      has_quote = true;
    } else if (name == "escape") {
      options.escape = SingleByte(option, "escape");
      has_escape = true;
    } else if (name == "freeze") {
      options.freeze = FlagOf(option);
    } else if (name == "force_quote") {
      if (ast::Is<ast::AStar>(option.arg)) {
        options.force_quote_all = true;
      } else {
        options.force_quote = ColumnsOf(option);
      }
    } else if (name == "force_not_null") {
      options.force_not_null = ColumnsOf(option);
    } else if (name == "force_null") {
      options.force_null = ColumnsOf(option);
    } else if (name == "encoding") {
      std::string encoding = TextOf(option);
      if (encoding != "UTF8" && encoding != "utf8" && encoding != "UTF-8" && encoding != "utf-8")
        throw NotSupported("COPY in another encoding than UTF8");
    } else {
      throw SqlError(ErrorCode::kSyntaxError, "option \"{}\" not recognized", name);
    }
  }
  if (options.binary) {
    if (has_delimiter) throw SqlError(ErrorCode::kSyntaxError, "cannot specify DELIMITER in BINARY mode");
    if (has_null) throw SqlError(ErrorCode::kSyntaxError, "cannot specify NULL in BINARY mode");
    if (options.header)
      throw SqlError(ErrorCode::kFeatureNotSupported, "cannot specify HEADER in BINARY mode");
  }
  if (options.csv) {
    if (!has_delimiter) options.delimiter = ',';
    if (!has_null) options.null.clear();
    if (has_quote && !has_escape) options.escape = options.quote;
  } else {
    if (has_quote) throw SqlError(ErrorCode::kFeatureNotSupported, "COPY quote available only in CSV mode");
    if (has_escape) throw SqlError(ErrorCode::kFeatureNotSupported, "COPY escape available only in CSV mode");
  }
  if (options.delimiter == '\n' || options.delimiter == '\r') {
    throw SqlError(ErrorCode::kInvalidParameterValue, "COPY delimiter cannot be newline or carriage return");
  }
  if (!is_from && options.match_header)
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot use \"match\" with HEADER in COPY TO");
  return options;
}

namespace {

// Bytes of text that need a backslash.
constexpr char EscapeLetter(char c) {
  switch (c) {
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '\v': return 'v';
    case '\\': return '\\';
    default: return '\0';
  }
}

void WriteEscaped(std::string_view value, char delimiter, std::string* to) {
  size_t done = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    char c = value[i];
    if (static_cast<unsigned char>(c) > '\\' || (c >= ' ' && c != '\\' && c != delimiter)) {
      if (c != delimiter) continue;
    }
    char letter = EscapeLetter(c);
    if (letter == '\0' && c != delimiter) continue;
    to->append(value, done, i - done);
    *to += '\\';
    *to += letter != '\0' ? letter : c;
    done = i + 1;
  }
  to->append(value, done, value.size() - done);
}

void WriteQuoted(const CopyOptions& options, std::string_view value, std::string* to) {
  *to += options.quote;
  for (char c : value) {
    if (c == options.quote || c == options.escape) *to += options.escape;
    *to += c;
  }
  *to += options.quote;
}

}  // namespace

void WriteCopyField(const CopyOptions& options, const std::optional<std::string_view>& value,
                    bool force_quote, bool only_field, std::string* to) {
  if (!value) {
    *to += options.null;
    return;
  }
  if (!options.csv) {
    WriteEscaped(*value, options.delimiter, to);
    return;
  }
  bool quote = force_quote || *value == options.null || (only_field && *value == "\\.");
  for (char c : *value) quote |= c == options.delimiter || c == options.quote || c == '\n' || c == '\r';
  if (quote) {
    WriteQuoted(options, *value, to);
  } else {
    to->append(*value);
  }
}

}  // namespace walden

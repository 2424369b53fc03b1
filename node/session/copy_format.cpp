#include "node/session/copy_format.h"

#include <algorithm>
#include <cstring>

#include "node/base/error.h"
#include "node/types/utf8.h"

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
  if (text.size() != 1) throw SqlError(ErrorCode::kFeatureNotSupported, "COPY {} must be a single one-byte character", what);
  return text[0];
}

std::vector<std::string> ColumnsOf(const ast::DefElem& option) {
  std::vector<std::string> names;
  const ast::ListNode* list = ast::TryAs<ast::ListNode>(static_cast<const ast::Node*>(option.arg));
  if (list == nullptr) throw SqlError(ErrorCode::kInvalidParameterValue, "argument to option \"{}\" must be a list of column names", option.defname);
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
      if (encoding != "UTF8" && encoding != "utf8" && encoding != "UTF-8" && encoding != "utf-8") throw NotSupported("COPY in another encoding than UTF8");
    } else {
      throw SqlError(ErrorCode::kSyntaxError, "option \"{}\" not recognized", name);
    }
  }
  if (options.binary) {
    if (has_delimiter) throw SqlError(ErrorCode::kSyntaxError, "cannot specify DELIMITER in BINARY mode");
    if (has_null) throw SqlError(ErrorCode::kSyntaxError, "cannot specify NULL in BINARY mode");
    if (options.header) throw SqlError(ErrorCode::kFeatureNotSupported, "cannot specify HEADER in BINARY mode");
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
  if (!is_from && options.match_header) throw SqlError(ErrorCode::kFeatureNotSupported, "cannot use \"match\" with HEADER in COPY TO");
  return options;
}

void CopyReader::Feed(std::string_view bytes, bool last) {
  if (at_ > 0) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  buffer_.append(bytes);
  last_ = last;
}

// Where the line that begins at at_ ends. In csv a quoted field may hold line ends.
bool CopyReader::FindLine(size_t* length, size_t* terminator) {
  // Most lines have nothing special before their line feed.
  const char* from = buffer_.data() + at_;
  if (const void* feed = std::memchr(from, '\n', buffer_.size() - at_)) {
    size_t size = static_cast<size_t>(static_cast<const char*>(feed) - from);
    if (!IsSpecial({from, size}) && std::memchr(from, '\r', size) == nullptr) {
      *length = size;
      *terminator = 1;
      return true;
    }
  }
  bool quoted = false;
  for (size_t i = at_; i < buffer_.size(); ++i) {
    char c = buffer_[i];
    if (options_.csv) {
      if (quoted && c == options_.escape && options_.escape != options_.quote && i + 1 < buffer_.size()) {
        ++i;
        continue;
      }
      if (c == options_.quote) quoted = !quoted;
      if (quoted) continue;
    } else if (c == '\\') {
      if (i + 1 >= buffer_.size() && !last_) return false;
      ++i;  // an escaped character never ends the line
      continue;
    }
    if (c != '\n' && c != '\r') continue;
    if (c == '\r' && i + 1 >= buffer_.size() && !last_) return false;
    *length = i - at_;
    *terminator = c == '\r' && i + 1 < buffer_.size() && buffer_[i + 1] == '\n' ? 2 : 1;
    return true;
  }
  if (!last_ || at_ >= buffer_.size()) return false;
  if (quoted) throw SqlError(ErrorCode::kBadCopyFileFormat, "unterminated CSV quoted field");
  *length = buffer_.size() - at_;
  *terminator = 0;
  return true;
}

bool CopyReader::NextRow(std::vector<CopyField>* fields) {
  if (ended_) return false;
  size_t length, terminator;
  if (!FindLine(&length, &terminator)) return false;
  line_.assign(buffer_, at_, length);
  at_ += length + terminator;
  ++line_number_;
  Utf8Validate(line_);
  if (line_ == "\\.") {
    ended_ = true;
    return false;
  }
  field_count_ = 0;
  if (!IsSpecial(line_)) {
    SplitPlain(fields);
  } else if (options_.csv) {
    SplitCsv(fields);
  } else {
    SplitText(fields);
  }
  fields->resize(field_count_);
  return true;
}

// Does it need more than cutting at delimiters?
bool CopyReader::IsSpecial(std::string_view text) const {
  char special = options_.csv ? options_.quote : '\\';
  return !text.empty() && std::memchr(text.data(), special, text.size()) != nullptr;
}

// The next field, empty; those of earlier rows are used again.
CopyField& CopyReader::AddField(std::vector<CopyField>* fields) {
  if (field_count_ == fields->size()) fields->emplace_back();
  CopyField& field = (*fields)[field_count_++];
  field.text.clear();
  field.is_null = field.was_quoted = false;
  return field;
}

void CopyReader::SplitPlain(std::vector<CopyField>* fields) {
  size_t from = 0;
  while (true) {
    size_t end = std::min(line_.find(options_.delimiter, from), line_.size());
    CopyField& field = AddField(fields);
    field.text.assign(line_, from, end - from);
    field.is_null = field.text == options_.null;
    if (end == line_.size()) return;
    from = end + 1;
  }
}

void CopyReader::SplitText(std::vector<CopyField>* fields) {
  size_t i = 0;
  while (true) {
    CopyField& field = AddField(fields);
    size_t start = i;
    bool has_escaped_bytes = false;  // they could be anything
    while (i < line_.size() && line_[i] != options_.delimiter) {
      char c = line_[i++];
      if (c != '\\' || i >= line_.size()) {
        field.text += c;
        continue;
      }
      c = line_[i++];
      switch (c) {
        case 'b': field.text += '\b'; break;
        case 'f': field.text += '\f'; break;
        case 'n': field.text += '\n'; break;
        case 'r': field.text += '\r'; break;
        case 't': field.text += '\t'; break;
        case 'v': field.text += '\v'; break;
        case 'x': {
          int value = 0, digits = 0;
          while (digits < 2 && i < line_.size() && std::isxdigit(static_cast<unsigned char>(line_[i]))) {
            char d = line_[i++];
            value = value * 16 + (d <= '9' ? d - '0' : (d | 0x20) - 'a' + 10);
            ++digits;
          }
          has_escaped_bytes = true;
          field.text += digits == 0 ? 'x' : static_cast<char>(value);
          break;
        }
        default:
          if (c >= '0' && c <= '7') {
            int value = c - '0';
            for (int digits = 1; digits < 3 && i < line_.size() && line_[i] >= '0' && line_[i] <= '7'; ++digits) value = value * 8 + (line_[i++] - '0');
            has_escaped_bytes = true;
            field.text += static_cast<char>(value);
          } else {
            field.text += c;
          }
      }
    }
    if (has_escaped_bytes) Utf8Validate(field.text);
    field.is_null = std::string_view(line_).substr(start, i - start) == options_.null;
    if (i >= line_.size()) return;
    ++i;
  }
}

void CopyReader::SplitCsv(std::vector<CopyField>* fields) {
  size_t i = 0;
  while (true) {
    CopyField& field = AddField(fields);
    bool quoted = false;
    while (i < line_.size()) {
      char c = line_[i];
      if (!quoted) {
        if (c == options_.delimiter) break;
        if (c == options_.quote) {
          quoted = true;
          field.was_quoted = true;
          ++i;
          continue;
        }
      } else if (c == options_.escape && i + 1 < line_.size() && (line_[i + 1] == options_.quote || line_[i + 1] == options_.escape)) {
        field.text += line_[i + 1];
        i += 2;
        continue;
      } else if (c == options_.quote) {
        quoted = false;
        ++i;
        continue;
      }
      field.text += c;
      ++i;
    }
    field.is_null = !field.was_quoted && field.text == options_.null;
    if (i >= line_.size()) return;
    ++i;
  }
}

void WriteCopyField(const CopyOptions& options, const std::optional<std::string_view>& value, bool force_quote, bool only_field,
                    std::string* to) {
  if (!value) {
    *to += options.null;
    return;
  }
  if (options.csv) {
    bool quote = force_quote || *value == options.null || (only_field && *value == "\\.");
    for (char c : *value) quote |= c == options.delimiter || c == options.quote || c == '\n' || c == '\r';
    if (!quote) {
      to->append(*value);
      return;
    }
    *to += options.quote;
    for (char c : *value) {
      if (c == options.quote || c == options.escape) *to += options.escape;
      *to += c;
    }
    *to += options.quote;
    return;
  }
  for (char c : *value) {
    switch (c) {
      case '\b': *to += "\\b"; break;
      case '\f': *to += "\\f"; break;
      case '\n': *to += "\\n"; break;
      case '\r': *to += "\\r"; break;
      case '\t': *to += "\\t"; break;
      case '\v': *to += "\\v"; break;
      case '\\': *to += "\\\\"; break;
      default:
        if (c == options.delimiter) *to += '\\';
        *to += c;
    }
  }
}

}  // namespace walden

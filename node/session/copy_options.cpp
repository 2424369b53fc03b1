// COPY's options: each at most once, and those that do not go together refused, in PostgreSQL's order.
#include <algorithm>
#include <set>

#include "node/base/error.h"
#include "node/session/copy_format.h"
#include "node/sql/commands/command_names.h"

namespace walden {
namespace {

class OptionReader {
 public:
  OptionReader(bool is_from, std::string_view source) : is_from_(is_from), source_(source) {}

  CopyOptions Read(const ast::NodeList& list) {
    for (const ast::Node* node : list) ReadOne(*ast::As<ast::DefElem>(node));
    CheckBinary();
    if (options_.csv) {
      if (!delimiter_) delimiter_ = ",";
      if (!null_) null_ = "";
      if (!escape_) escape_ = quote_;
    }
    if (delimiter_) options_.delimiter = SingleByte(*delimiter_, "delimiter");
    if (null_) options_.null = *null_;
    CheckDelimiterAndNull();
    CheckQuoting();
    CheckForced();
    CheckNullIsDistinct();
    return std::move(options_);
  }

 private:
  using Text = std::optional<std::string>;

  [[noreturn]] static void Refuse(ErrorCode code, std::string_view message) {
    throw SqlError(code, "{}", message);
  }
  static void Unsupported(bool wrong, std::string_view message) {
    if (wrong) Refuse(ErrorCode::kFeatureNotSupported, message);
  }

  SqlError At(const ast::DefElem& option, SqlError error) const {
    return std::move(error.WithPosition(CharacterPosition(source_, option.location)));
  }

  void ReadOne(const ast::DefElem& option) {
    std::string_view name = option.defname;
    if (name == "format") {
      ReadFormat(option);
    } else if (name == "freeze") {
      Once(option);
      options_.freeze = OptionBoolean(option);
    } else if (name == "delimiter") {
      ReadText(option, &delimiter_);
    } else if (name == "null") {
      ReadText(option, &null_);
    } else if (name == "header") {
      Once(option);
      ReadHeader(option);
    } else if (name == "quote") {
      ReadText(option, &quote_);
    } else if (name == "escape") {
      ReadText(option, &escape_);
    } else if (name == "force_quote") {
      Once(option);
      options_.force_quote_all = option.arg != nullptr && ast::Is<ast::AStar>(option.arg);
      if (!options_.force_quote_all) options_.force_quote = ColumnsOf(option);
    } else if (name == "force_not_null") {
      Once(option);
      options_.force_not_null = ColumnsOf(option);
    } else if (name == "force_null") {
      Once(option);
      options_.force_null = ColumnsOf(option);
    } else if (name == "encoding") {
      Once(option);
      options_.encoding = FindEncoding(OptionString(option));
      if (options_.encoding == nullptr) {
        throw At(option, SqlError(ErrorCode::kInvalidParameterValue,
                                  "argument to option \"{}\" must be a valid encoding name", name));
      }
    } else {
      throw At(option, SqlError(ErrorCode::kSyntaxError, "option \"{}\" not recognized", name));
    }
  }

  void Once(const ast::DefElem& option) {
    if (seen_.insert(option.defname).second) return;
    throw At(option, SqlError(ErrorCode::kSyntaxError, "conflicting or redundant options"));
  }

  void ReadText(const ast::DefElem& option, Text* to) {
    Once(option);
    *to = OptionString(option);
  }

  void ReadFormat(const ast::DefElem& option) {
    std::string format = OptionString(option);
    Once(option);
    options_.csv = format == "csv";
    options_.binary = format == "binary";
    if (options_.csv || options_.binary || format == "text") return;
    throw At(option,
             SqlError(ErrorCode::kInvalidParameterValue, "COPY format \"{}\" not recognized", format));
  }

  void ReadHeader(const ast::DefElem& option) {
    try {
      options_.header = OptionBoolean(option);
    } catch (const SqlError&) {
      std::string text = OptionString(option), folded = text;
      std::transform(folded.begin(), folded.end(), folded.begin(),
                     [](unsigned char c) { return std::tolower(c); });
      if (folded != "match")
        throw SqlError(ErrorCode::kSyntaxError, "{} requires a Boolean value or \"match\"", option.defname);
      if (!is_from_)
        throw SqlError(ErrorCode::kFeatureNotSupported, "cannot use \"{}\" with HEADER in COPY TO", text);
      options_.header = options_.match_header = true;
    }
  }

  std::vector<std::string> ColumnsOf(const ast::DefElem& option) const {
    const ast::ListNode* list = option.arg == nullptr ? nullptr : ast::TryAs<ast::ListNode>(option.arg);
    if (list == nullptr) {
      throw At(option, SqlError(ErrorCode::kInvalidParameterValue,
                                "argument to option \"{}\" must be a list of column names", option.defname));
    }
    std::vector<std::string> names;
    for (const ast::Node* item : list->items) names.emplace_back(ast::StringOf(item));
    return names;
  }

  static char SingleByte(const std::string& text, std::string_view what) {
    if (text.size() != 1) {
      throw SqlError(ErrorCode::kFeatureNotSupported, "COPY {} must be a single one-byte character", what);
    }
    return text[0];
  }

  void CheckBinary() const {
    if (!options_.binary) return;
    if (delimiter_) Refuse(ErrorCode::kSyntaxError, "cannot specify DELIMITER in BINARY mode");
    if (null_) Refuse(ErrorCode::kSyntaxError, "cannot specify NULL in BINARY mode");
  }

  void CheckDelimiterAndNull() const {
    char delimiter = options_.delimiter;
    if (delimiter == '\n' || delimiter == '\r')
      Refuse(ErrorCode::kInvalidParameterValue, "COPY delimiter cannot be newline or carriage return");
    if (options_.null.find_first_of("\r\n") != std::string::npos) {
      Refuse(ErrorCode::kInvalidParameterValue,
             "COPY null representation cannot use newline or carriage return");
    }
    // What follows a backslash in text, and the end-of-data mark.
    constexpr std::string_view kTaken = "\\.abcdefghijklmnopqrstuvwxyz0123456789";
    if (!options_.csv && kTaken.find(delimiter) != std::string_view::npos)
      throw SqlError(ErrorCode::kInvalidParameterValue, "COPY delimiter cannot be \"{}\"", delimiter);
    Unsupported(options_.binary && options_.header, "cannot specify HEADER in BINARY mode");
  }

  void CheckQuoting() {
    Unsupported(!options_.csv && quote_.has_value(), "COPY quote available only in CSV mode");
    if (quote_) options_.quote = SingleByte(*quote_, "quote");
    if (options_.csv && options_.delimiter == options_.quote)
      Refuse(ErrorCode::kInvalidParameterValue, "COPY delimiter and quote must be different");
    Unsupported(!options_.csv && escape_.has_value(), "COPY escape available only in CSV mode");
    if (escape_) options_.escape = SingleByte(*escape_, "escape");
  }

  void CheckForced() const {
    bool quote = options_.force_quote_all || !options_.force_quote.empty();
    bool not_null = !options_.force_not_null.empty(), null = !options_.force_null.empty();
    Unsupported(!options_.csv && quote, "COPY force quote available only in CSV mode");
    Unsupported(quote && is_from_, "COPY force quote only available using COPY TO");
    Unsupported(!options_.csv && not_null, "COPY force not null available only in CSV mode");
    Unsupported(not_null && !is_from_, "COPY force not null only available using COPY FROM");
    Unsupported(!options_.csv && null, "COPY force null available only in CSV mode");
    Unsupported(null && !is_from_, "COPY force null only available using COPY FROM");
  }

  void CheckNullIsDistinct() const {
    Unsupported(options_.null.find(options_.delimiter) != std::string::npos,
                "COPY delimiter must not appear in the NULL specification");
    Unsupported(options_.csv && options_.null.find(options_.quote) != std::string::npos,
                "CSV quote character must not appear in the NULL specification");
  }

  const bool is_from_;
  const std::string_view source_;
  CopyOptions options_;
  std::set<std::string_view> seen_;
  Text delimiter_, null_, quote_, escape_;
};

}  // namespace

CopyOptions ParseCopyOptions(const ast::NodeList& options, bool is_from, std::string_view source) {
  return OptionReader(is_from, source).Read(options);
}

}  // namespace walden

// The grammar of synchronous_standby_names: [FIRST | ANY] num (name, ...) | num (name, ...) | name, ...
#include <cctype>
#include <charconv>

#include "node/base/error.h"
#include "node/txn/sender_slots.h"

namespace walden {
namespace {

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(a[i])) != std::tolower(static_cast<unsigned char>(b[i])))
      return false;
  }
  return true;
}

class NamesParser {
 public:
  explicit NamesParser(std::string_view text) : text_(text) { Advance(); }

  SyncStandbyConfig Parse() {
    SyncStandbyConfig config;
    if (token_.empty() && !quoted_) return config;
    Token first{token_, quoted_};
    Advance();
    bool keyword =
        !first.quoted && (EqualsIgnoringCase(first.text, "first") || EqualsIgnoringCase(first.text, "any"));
    if (keyword && IsNumber(token_)) {
      config.any = EqualsIgnoringCase(first.text, "any");
      first = {token_, false};
      Advance();
      ParseCounted(first.text, &config);
    } else if (!first.quoted && IsNumber(first.text) && token_ == "(") {
      ParseCounted(first.text, &config);
    } else {
      config.required = 1;
      config.names.push_back(Name(first));
      ParseRest(&config);
    }
    if (!token_.empty()) Fail();
    return config;
  }

 private:
  struct Token {
    std::string text;
    bool quoted;
  };

  [[noreturn]] void Fail() const {
    auto error = SqlError(ErrorCode::kSyntaxError,
                          "invalid value for parameter \"synchronous_standby_names\": \"{}\"", text_);
    if (token_.empty())
      error.WithDetail("syntax error at end of input");
    else
      error.WithDetail(fmt::format("syntax error at or near \"{}\"", token_));
    throw error;
  }

  static bool IsNumber(std::string_view text) {
    if (text.empty()) return false;
    for (char c : text) {
      if (!std::isdigit(static_cast<unsigned char>(c))) return false;
    }
    return true;
  }

  std::string Name(const Token& token) const {
    if (token.quoted) return token.text;
    if (token.text.empty() || token.text == "(" || token.text == ")" || token.text == ",") Fail();
    return token.text;
  }

  void ParseCounted(const std::string& number, SyncStandbyConfig* config) {
    std::from_chars(number.data(), number.data() + number.size(), config->required);
    if (config->required <= 0) {
      throw SqlError(ErrorCode::kInvalidParameterValue,
                     "number of synchronous standbys ({}) must be greater than zero", config->required);
    }
    if (token_ != "(") Fail();
    Advance();
    config->names.push_back(Name({token_, quoted_}));
    Advance();
    ParseRest(config);
    if (token_ != ")") Fail();
    Advance();
  }

  void ParseRest(SyncStandbyConfig* config) {
    while (token_ == "," && !quoted_) {
      Advance();
      config->names.push_back(Name({token_, quoted_}));
      Advance();
    }
  }

  void Advance() {
    token_.clear();
    quoted_ = false;
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    if (at_ == text_.size()) return;
    if (text_[at_] == '"') return Quoted();
    if (std::string_view("(),").find(text_[at_]) != std::string_view::npos) {
      token_ = text_[at_++];
      return;
    }
    while (at_ < text_.size() && !std::isspace(static_cast<unsigned char>(text_[at_])) &&
           std::string_view("(),\"").find(text_[at_]) == std::string_view::npos) {
      token_ += text_[at_++];
    }
  }

  void Quoted() {
    quoted_ = true;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != '"') {
        token_ += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        token_ += text_[at_++];
      } else {
        ++at_;
        return;
      }
    }
    quoted_ = false;
    Fail();
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string token_;
  bool quoted_ = false;
};

}  // namespace

SyncStandbyConfig ParseSyncStandbyNames(std::string_view text) { return NamesParser(text).Parse(); }

int SyncStandbyConfig::PriorityOf(std::string_view application_name) const {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "*" || EqualsIgnoringCase(names[i], application_name))
      return any ? 1 : static_cast<int>(i) + 1;
  }
  return 0;
}

}  // namespace walden

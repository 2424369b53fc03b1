// DateStyle: "ISO, MDY" as text, two enumerations inside.
#include <cctype>
#include <optional>
#include <utility>

#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/session/text_format_settings.h"

namespace walden {
namespace {

// One key word of DateStyle; false if it is none or contradicts an earlier one.
struct DateStyleWords {
  std::optional<DateStyle> style;
  std::optional<DateOrder> order;

  bool Style(DateStyle wanted) { return Take(style, wanted); }
  bool Order(DateOrder wanted) { return Take(order, wanted); }

 private:
  template <class T>
  static bool Take(std::optional<T>& known, T wanted) {
    bool agrees = !known || *known == wanted;
    known = wanted;
    return agrees;
  }
};

std::string LowerWord(std::string_view word) {
  size_t first = word.find_first_not_of(" \t\""), last = word.find_last_not_of(" \t\"");
  std::string lower(first == std::string_view::npos ? std::string_view()
                                                    : word.substr(first, last - first + 1));
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

constexpr std::pair<const char*, DateStyle> kStyleWords[] = {{"iso", DateStyle::kIso},
                                                             {"sql", DateStyle::kSql},
                                                             {"postgres", DateStyle::kPostgres},
                                                             {"german", DateStyle::kGerman}};
constexpr const char* kStyleNames[] = {"ISO", "Postgres", "SQL", "German"};  // as the enumeration
constexpr const char* kOrderNames[] = {"YMD", "DMY", "MDY"};

bool ReadDateStyleWord(const std::string& word, DateStyleWords* words) {
  for (const auto& [name, style] : kStyleWords) {
    if (word == name) return words->Style(style);
  }
  if (word == "ymd") return words->Order(DateOrder::kYmd);
  if (word == "dmy" || word.starts_with("euro")) return words->Order(DateOrder::kDmy);
  if (word == "mdy" || word == "us" || word.starts_with("noneuro")) return words->Order(DateOrder::kMdy);
  return false;
}

}  // namespace

// What the value leaves open stays as it is; German alone means day first. The canonical form names both.
void CheckDateStyle(ProposedValue& proposed) {
  DateStyleWords words;
  std::string_view rest = proposed.text;
  bool fallback = false;
  for (bool more = true; more;) {
    size_t comma = rest.find(',');
    std::string word = LowerWord(rest.substr(0, comma));
    if (word == "default") {
      fallback = true;
    } else if (!ReadDateStyleWord(word, &words)) {
      throw SqlError(ErrorCode::kInvalidParameterValue, "invalid value for parameter \"DateStyle\": \"{}\"",
                     proposed.text)
          .WithDetail(fmt::format("Unrecognized key word: \"{}\".", word));
    }
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  TextFormat now;
  AssignDateStyle(fallback ? "ISO, MDY" : GetString(Setting::kDateStyle), &now);
  if (!words.order && words.style == DateStyle::kGerman) words.order = DateOrder::kDmy;
  DateStyle style = words.style.value_or(now.date_style);
  DateOrder order = words.order.value_or(now.date_order);
  proposed.text =
      fmt::format("{}, {}", kStyleNames[static_cast<size_t>(style)], kOrderNames[static_cast<size_t>(order)]);
}

void AssignDateStyle(std::string_view text, TextFormat* format) {
  auto mentions = [&](std::string_view word) {
    for (size_t at = 0; at + word.size() <= text.size(); ++at) {
      bool same = true;
      for (size_t i = 0; i < word.size() && same; ++i) same = std::tolower(text[at + i]) == word[i];
      if (same) return true;
    }
    return false;
  };
  if (mentions("iso")) format->date_style = DateStyle::kIso;
  if (mentions("postgres")) format->date_style = DateStyle::kPostgres;
  if (mentions("sql")) format->date_style = DateStyle::kSql;
  if (mentions("german")) format->date_style = DateStyle::kGerman;
  if (mentions("ymd")) format->date_order = DateOrder::kYmd;
  if (mentions("dmy") || mentions("euro")) format->date_order = DateOrder::kDmy;
  if (mentions("mdy") || mentions("us")) format->date_order = DateOrder::kMdy;
}

}  // namespace walden

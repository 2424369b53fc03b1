#include "node/types/time_units.h"

#include <span>

namespace walden {
namespace {

constexpr size_t kLettersThatCount = 10;

struct Row {
  std::string_view word;
  TimeUnit unit;
};
constexpr Row kUnits[] = {{"c", TimeUnit::kCentury},
                          {"cent", TimeUnit::kCentury},
                          {"centuries", TimeUnit::kCentury},
                          {"century", TimeUnit::kCentury},
                          {"d", TimeUnit::kDay},
                          {"day", TimeUnit::kDay},
                          {"days", TimeUnit::kDay},
                          {"dec", TimeUnit::kDecade},
                          {"decade", TimeUnit::kDecade},
                          {"decades", TimeUnit::kDecade},
                          {"decs", TimeUnit::kDecade},
                          {"h", TimeUnit::kHour},
                          {"hour", TimeUnit::kHour},
                          {"hours", TimeUnit::kHour},
                          {"hr", TimeUnit::kHour},
                          {"hrs", TimeUnit::kHour},
                          {"m", TimeUnit::kMinute},
                          {"min", TimeUnit::kMinute},
                          {"mins", TimeUnit::kMinute},
                          {"minute", TimeUnit::kMinute},
                          {"minutes", TimeUnit::kMinute},
                          {"microsecon", TimeUnit::kMicrosecond},
                          {"us", TimeUnit::kMicrosecond},
                          {"usec", TimeUnit::kMicrosecond},
                          {"usecond", TimeUnit::kMicrosecond},
                          {"useconds", TimeUnit::kMicrosecond},
                          {"usecs", TimeUnit::kMicrosecond},
                          {"mil", TimeUnit::kMillennium},
                          {"millennia", TimeUnit::kMillennium},
                          {"millennium", TimeUnit::kMillennium},
                          {"mils", TimeUnit::kMillennium},
                          {"millisecon", TimeUnit::kMillisecond},
                          {"ms", TimeUnit::kMillisecond},
                          {"msec", TimeUnit::kMillisecond},
                          {"msecond", TimeUnit::kMillisecond},
                          {"mseconds", TimeUnit::kMillisecond},
                          {"msecs", TimeUnit::kMillisecond},
                          {"mon", TimeUnit::kMonth},
                          {"mons", TimeUnit::kMonth},
                          {"month", TimeUnit::kMonth},
                          {"months", TimeUnit::kMonth},
                          {"qtr", TimeUnit::kQuarter},
                          {"quarter", TimeUnit::kQuarter},
                          {"s", TimeUnit::kSecond},
                          {"sec", TimeUnit::kSecond},
                          {"second", TimeUnit::kSecond},
                          {"seconds", TimeUnit::kSecond},
                          {"secs", TimeUnit::kSecond},
                          {"timezone", TimeUnit::kTimezone},
                          {"timezone_h", TimeUnit::kTimezoneHour},
                          {"timezone_m", TimeUnit::kTimezoneMinute},
                          {"w", TimeUnit::kWeek},
                          {"week", TimeUnit::kWeek},
                          {"weeks", TimeUnit::kWeek},
                          {"y", TimeUnit::kYear},
                          {"year", TimeUnit::kYear},
                          {"years", TimeUnit::kYear},
                          {"yr", TimeUnit::kYear},
                          {"yrs", TimeUnit::kYear}};
constexpr Row kFields[] = {{"epoch", TimeUnit::kEpoch}, {"julian", TimeUnit::kJulian},
                           {"jd", TimeUnit::kJulian},   {"isoyear", TimeUnit::kIsoYear},
                           {"dow", TimeUnit::kDow},     {"isodow", TimeUnit::kIsoDow},
                           {"doy", TimeUnit::kDoy}};

TimeUnit Find(std::span<const Row> rows, std::string_view word) {
  word = word.substr(0, kLettersThatCount);
  for (const Row& row : rows) {
    if (row.word == word) return row.unit;
  }
  return TimeUnit::kUnknown;
}

}  // namespace

TimeUnit TimeUnitOf(std::string_view word) { return Find(kUnits, word); }

TimeUnit DateFieldOf(std::string_view word) {
  TimeUnit unit = TimeUnitOf(word);
  return unit != TimeUnit::kUnknown ? unit : Find(kFields, word);
}

}  // namespace walden

// Time zones: the IANA database as installed under /usr/share/zoneinfo, fixed offsets, and POSIX rules.
// Zones are loaded once per process and live as long as it does.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace walden {

struct ZoneOffset {
  int32_t seconds_east = 0;
  bool is_dst = false;
  std::string_view abbreviation;
};

class TimeZone {
 public:
  // Names are case-insensitive; null if there is no such zone. Also takes POSIX specifications ("EST5EDT", "<+03>-3").
  static const TimeZone* Find(std::string_view name);
  // The value of the TimeZone setting: a zone as Find takes it, hours east of UTC as a number, or INTERVAL '...'. Null if it is
  // none of them; throws 22023 for an interval with months or days.
  static const TimeZone* FromSetting(std::string_view text);
  static const TimeZone* Fixed(int32_t seconds_east);
  static const TimeZone* Utc();
  // An abbreviation of the default set (in lower case) whose meaning has changed over time: the zone in which every
  // time has the meaning that it had then, or last before, else first after. Null for other words.
  static const TimeZone* OfChangingAbbreviation(std::string_view lower);

  const std::string& name() const { return name_; }
  // Whether its offset is the same at all times.
  bool is_fixed() const { return transitions_.empty() && !(rule_.present && rule_.has_dst); }
  // Times are seconds since 1970 (UTC).
  ZoneOffset At(int64_t unix_seconds) const;
  // The offset that applies to a local time. A time that a forward jump skipped is taken by the clock before the jump,
  // one that a backward jump repeats by the clock after it.
  ZoneOffset AtLocal(int64_t local_unix_seconds) const;

 private:
  friend class TimeZoneLoader;
  struct Transition {
    int64_t at;
    uint8_t type;
  };
  struct Type {
    int32_t seconds_east;
    bool is_dst;
    std::string abbreviation;
  };
  struct RuleDate {
    char kind = 'M';  // M month.week.day, J day without leap day, N zero-based day
    int month = 0, week = 0, day = 0;
    int32_t time = 7200;
  };
  struct Rule {  // what holds after the last transition
    bool present = false, has_dst = false;
    Type standard, daylight;
    RuleDate start, end;
  };
  ZoneOffset FromRule(int64_t unix_seconds) const;
  bool KeepOnly(std::string_view abbreviation);
  static int64_t RuleInstant(const RuleDate& date, int32_t year);
  static bool ParseRule(std::string_view text, Rule* rule);
  static ZoneOffset Offset(const Type& type) { return {type.seconds_east, type.is_dst, type.abbreviation}; }

  std::string name_;
  std::vector<Transition> transitions_;
  std::vector<Type> types_;
  size_t first_type_ = 0;
  Rule rule_;
  const TimeZone* whole_ = nullptr;  // an abbreviation's: tells which moment a local time is
};

// An abbreviation of the default set, in lower case: seconds east.
bool FindZoneAbbreviation(std::string_view lower, int32_t* seconds_east, bool* is_dst);
struct ZoneAbbreviation {
  std::string_view word;  // lower case
  int32_t seconds_east;
  bool is_dst;
};
std::span<const ZoneAbbreviation> ZoneAbbreviations();
// All zone names found on disk (pg_timezone_names).
std::vector<std::string> TimeZoneNames();

// Microseconds since 2000: UTC to local and back.
int64_t UtcToLocal(int64_t timestamp, const TimeZone* zone, ZoneOffset* offset = nullptr);
int64_t LocalToUtc(int64_t timestamp, const TimeZone* zone);

}  // namespace walden

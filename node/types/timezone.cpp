#include "node/types/timezone.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

#include "node/base/bytes.h"
#include "node/base/error.h"
#include "node/types/calendar.h"
#include "node/types/interval.h"

namespace walden {
namespace {

constexpr const char* kZoneRoot = "/usr/share/zoneinfo";
constexpr int64_t kUnixToPostgresSeconds = 946684800;

constexpr ZoneAbbreviation kAbbreviations[] = {
#define X(word, seconds, dst) {word, seconds, dst},
#include "node/types/timezone_abbreviations.def"
#undef X
};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return lower;
}

std::string ReadFile(const std::string& path) {
  std::string bytes;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return bytes;
  char buffer[4096];
  for (size_t n; (n = std::fread(buffer, 1, sizeof(buffer), file)) > 0;) bytes.append(buffer, n);
  std::fclose(file);
  return bytes;
}

// The path below the zone root that equals `lower` but for case; empty if there is none.
std::string FindPath(std::string_view lower) {
  std::string path;
  while (!lower.empty()) {
    size_t slash = lower.find('/');
    std::string_view part = lower.substr(0, slash);
    lower = slash == lower.npos ? std::string_view() : lower.substr(slash + 1);
    if (part.empty() || part[0] == '.') return "";
    std::string directory = std::string(kZoneRoot) + path;
    DIR* stream = opendir(directory.c_str());
    if (stream == nullptr) return "";
    std::string found;
    while (dirent* entry = readdir(stream)) {
      if (Lower(entry->d_name) == part) found = entry->d_name;
    }
    closedir(stream);
    if (found.empty()) return "";
    path += "/" + found;
  }
  return path;
}

}  // namespace

class TimeZoneLoader {
 public:
  // False if the bytes are not a TZif file (RFC 8536).
  static bool Parse(std::string_view bytes, TimeZone* zone) {
    Header header;
    if (!ReadHeader(bytes, &header)) return false;
    size_t body = 44;
    int width = 4;
    if (header.version >= '2') {  // the second block has 64-bit times
      body += DataSize(header, 4);
      if (bytes.size() < body + 44 || !ReadHeader(bytes.substr(body), &header)) return false;
      body += 44;
      width = 8;
    }
    if (bytes.size() < body + DataSize(header, width)) return false;
    const char* at = bytes.data() + body;
    const char* indexes = at + header.times * static_cast<size_t>(width);
    for (uint32_t i = 0; i < header.times; ++i) {
      int64_t when = width == 8 ? static_cast<int64_t>(LoadBig<uint64_t>(at + 8 * i))
                                : static_cast<int32_t>(LoadBig<uint32_t>(at + 4 * i));
      zone->transitions_.push_back({when, static_cast<uint8_t>(indexes[i])});
    }
    const char* types = indexes + header.times;
    const char* names = types + 6 * header.types;
    for (uint32_t i = 0; i < header.types; ++i) {
      zone->types_.push_back({static_cast<int32_t>(LoadBig<uint32_t>(types + 6 * i)), types[6 * i + 4] != 0,
                              names + static_cast<uint8_t>(types[6 * i + 5])});
    }
    for (const auto& transition : zone->transitions_) {
      if (transition.type >= zone->types_.size()) return false;
    }
    if (zone->types_.empty()) return false;
    if (width == 8) {
      std::string_view footer = bytes.substr(body + DataSize(header, 8));
      if (footer.size() > 2 && footer[0] == '\n') {
        TimeZone::ParseRule(footer.substr(1, footer.find('\n', 1) - 1), &zone->rule_);
      }
    }
    return true;
  }
  static bool FromPosix(std::string_view text, TimeZone* zone) {
    if (!TimeZone::ParseRule(text, &zone->rule_)) return false;
    zone->types_.push_back(zone->rule_.standard);
    return true;
  }
  static std::unique_ptr<TimeZone> Load(std::string_view name, const std::string& lower) {
    auto zone = std::make_unique<TimeZone>();
    std::string path = FindPath(lower);
    if (!path.empty() && Parse(ReadFile(kZoneRoot + path), zone.get())) {
      zone->name_ = path.substr(1);
      return zone;
    }
    *zone = TimeZone();
    if (!FromPosix(name, zone.get())) return nullptr;
    zone->name_ = name;
    return zone;
  }
  static std::unique_ptr<TimeZone> MakeFixed(int32_t seconds_east) {
    auto zone = std::make_unique<TimeZone>();
    char sign = seconds_east < 0 ? '-' : '+', opposite = seconds_east < 0 ? '+' : '-';
    int magnitude = std::abs(seconds_east);
    char text[24];
    if (magnitude % 3600 == 0)
      std::snprintf(text, sizeof(text), "%02d", magnitude / 3600);
    else if (magnitude % 60 == 0)
      std::snprintf(text, sizeof(text), "%02d:%02d", magnitude / 3600, magnitude / 60 % 60);
    else
      std::snprintf(text, sizeof(text), "%02d:%02d:%02d", magnitude / 3600, magnitude / 60 % 60,
                    magnitude % 60);
    zone->name_ = std::string("<") + sign + text + ">" + opposite + text;
    zone->types_.push_back({seconds_east, false, std::string(1, sign) + text});
    return zone;
  }

 private:
  struct Header {
    char version;
    uint32_t ut_indicators, standard_indicators, leaps, times, types, name_bytes;
  };
  static bool ReadHeader(std::string_view bytes, Header* to) {
    if (bytes.size() < 44 || bytes.substr(0, 4) != "TZif") return false;
    to->version = bytes[4];
    uint32_t* fields[] = {&to->ut_indicators, &to->standard_indicators, &to->leaps, &to->times,
                          &to->types,         &to->name_bytes};
    for (size_t i = 0; i < 6; ++i) *fields[i] = LoadBig<uint32_t>(bytes.data() + 20 + 4 * i);
    return true;
  }
  static size_t DataSize(const Header& h, int width) {
    auto w = static_cast<size_t>(width);
    return h.times * w + h.times + h.types * 6ul + h.name_bytes + h.leaps * (w + 4) + h.standard_indicators +
           h.ut_indicators;
  }
};

namespace {

// Pieces of a POSIX TZ string; each advances *at.
bool TakeName(std::string_view text, size_t* at, std::string* name) {
  size_t start = *at;
  if (start < text.size() && text[start] == '<') {
    size_t end = text.find('>', start);
    if (end == text.npos) return false;
    *name = text.substr(start + 1, end - start - 1);
    *at = end + 1;
    return true;
  }
  while (*at < text.size() && ((text[*at] | 32) >= 'a' && (text[*at] | 32) <= 'z')) ++*at;
  *name = text.substr(start, *at - start);
  return name->size() >= 3 || (name->empty() && *at < text.size());  // "+05:30" is a zone without a name
}
bool TakeNumber(std::string_view text, size_t* at, int* number) {
  size_t start = *at;
  *number = 0;
  while (*at < text.size() && text[*at] >= '0' && text[*at] <= '9' && *at - start < 6)
    *number = *number * 10 + (text[(*at)++] - '0');
  return *at > start;
}
bool TakeTime(std::string_view text, size_t* at, int32_t* seconds) {
  int sign = 1;
  if (*at < text.size() && (text[*at] == '-' || text[*at] == '+')) sign = text[(*at)++] == '-' ? -1 : 1;
  int part = 0;
  if (!TakeNumber(text, at, &part) || part > 167) return false;
  *seconds = part * 3600;
  for (int unit : {60, 1}) {
    if (*at >= text.size() || text[*at] != ':') break;
    ++*at;
    if (!TakeNumber(text, at, &part)) return false;
    *seconds += part * unit;
  }
  *seconds *= sign;
  return true;
}

}  // namespace

bool TimeZone::ParseRule(std::string_view text, Rule* rule) {
  size_t at = 0;
  Rule result;
  if (!TakeName(text, &at, &result.standard.abbreviation) ||
      !TakeTime(text, &at, &result.standard.seconds_east))
    return false;
  result.standard.seconds_east = -result.standard.seconds_east;
  result.standard.is_dst = false;
  result.present = true;
  if (at < text.size()) {
    if (!TakeName(text, &at, &result.daylight.abbreviation)) return false;
    result.daylight.is_dst = result.has_dst = true;
    result.daylight.seconds_east = result.standard.seconds_east + 3600;
    if (at < text.size() && text[at] != ',') {
      if (!TakeTime(text, &at, &result.daylight.seconds_east)) return false;
      result.daylight.seconds_east = -result.daylight.seconds_east;
    }
    std::string_view dates = at < text.size() ? text.substr(at) : std::string_view(",M3.2.0,M11.1.0");
    size_t position = 0;
    for (RuleDate* date : {&result.start, &result.end}) {
      if (position >= dates.size() || dates[position] != ',') return false;
      ++position;
      if (position < dates.size() && dates[position] == 'M') {
        ++position;
        date->kind = 'M';
        if (!TakeNumber(dates, &position, &date->month)) return false;
        ++position;
        if (!TakeNumber(dates, &position, &date->week)) return false;
        ++position;
        if (!TakeNumber(dates, &position, &date->day)) return false;
        if (date->month < 1 || date->month > 12) return false;
      } else {
        date->kind = 'N';
        if (position < dates.size() && dates[position] == 'J') {
          date->kind = 'J';
          ++position;
        }
        if (!TakeNumber(dates, &position, &date->day)) return false;
      }
      if (position < dates.size() && dates[position] == '/') {
        ++position;
        if (!TakeTime(dates, &position, &date->time)) return false;
      }
    }
    if (position != dates.size()) return false;
  }
  *rule = std::move(result);
  return true;
}

// Local seconds since 1970 of the change in `year`, by the clock before it.
int64_t TimeZone::RuleInstant(const RuleDate& date, int32_t year) {
  int32_t days;
  if (date.kind == 'M') {
    int32_t first = DaysFromCivil(year, date.month, 1);
    days = first + (date.day - DayOfWeek(first) + 7) % 7 + (date.week - 1) * 7;
    if (days >= first + DaysInMonth(year, date.month)) days -= 7;
  } else if (date.kind == 'J') {
    days = DaysFromCivil(year, 1, 1) + date.day - 1 + (IsLeapYear(year) && date.day >= 60 ? 1 : 0);
  } else {
    days = DaysFromCivil(year, 1, 1) + date.day;
  }
  return int64_t{days} * 86400 + kUnixToPostgresSeconds + date.time;
}

ZoneOffset TimeZone::FromRule(int64_t t) const {
  if (!rule_.has_dst) return Offset(rule_.standard);
  int64_t local_days = (t + rule_.standard.seconds_east - kUnixToPostgresSeconds) / 86400;
  int32_t year =
      CivilFromDays(static_cast<int32_t>(std::clamp<int64_t>(local_days, kDateMin, kDateEnd))).year;
  int64_t start = RuleInstant(rule_.start, year) - rule_.standard.seconds_east;
  int64_t end = RuleInstant(rule_.end, year) - rule_.daylight.seconds_east;
  bool daylight = start < end ? t >= start && t < end : t >= start || t < end;
  return Offset(daylight ? rule_.daylight : rule_.standard);
}

ZoneOffset TimeZone::At(int64_t t) const {
  if (transitions_.empty() || (rule_.present && t >= transitions_.back().at)) {
    return rule_.present ? FromRule(t) : Offset(types_[first_type_]);
  }
  auto after =
      std::upper_bound(transitions_.begin(), transitions_.end(), t,
                       [](int64_t value, const Transition& transition) { return value < transition.at; });
  if (after == transitions_.begin()) {
    for (const Type& type : types_) {
      if (!type.is_dst) return Offset(type);
    }
    return Offset(types_[0]);
  }
  return Offset(types_[std::prev(after)->type]);
}

ZoneOffset TimeZone::AtLocal(int64_t local) const {
  if (whole_ != nullptr) return At(local - whole_->AtLocal(local).seconds_east);
  // Offsets a day before and after bracket any change near this time.
  ZoneOffset before = At(local - 86400), after = At(local + 86400);
  if (before.seconds_east == after.seconds_east) {
    // Either no change or two that cancel out within two days; ask directly.
    ZoneOffset direct = At(local - before.seconds_east);
    return direct;
  }
  bool before_fits = At(local - before.seconds_east).seconds_east == before.seconds_east;
  bool after_fits = At(local - after.seconds_east).seconds_east == after.seconds_east;
  if (before_fits && !after_fits) return At(local - before.seconds_east);
  if (after_fits) return At(local - after.seconds_east);
  return before;  // skipped by a forward jump
}

const TimeZone* TimeZone::Find(std::string_view name) {
  static auto& zones = *new std::map<std::string, std::unique_ptr<TimeZone>>;
  std::string lower = Lower(name);
  auto found = zones.find(lower);
  if (found == zones.end()) {
    if (name.empty() || name.size() > 255) return nullptr;
    auto zone = TimeZoneLoader::Load(name, lower);
    if (zone == nullptr) return nullptr;
    found = zones.emplace(lower, std::move(zone)).first;
  }
  return found->second.get();
}

const TimeZone* TimeZone::FromSetting(std::string_view text) {
  constexpr std::string_view kInterval = "interval";
  if (Lower(text.substr(0, kInterval.size())) == kInterval) {
    size_t open = text.find('\''), close = text.rfind('\'');
    if (open == text.npos || close == open) return nullptr;
    IntervalValue interval = ParseInterval(text.substr(open + 1, close - open - 1), -1);
    for (auto [present, unit] : {std::pair(interval.months, "months"), std::pair(interval.days, "days")}) {
      if (present == 0) continue;
      throw SqlError(ErrorCode::kInvalidParameterValue, "invalid value for parameter \"TimeZone\": \"{}\"",
                     text)
          .WithDetail(fmt::format("Cannot specify {} in time zone interval.", unit));
    }
    return Fixed(static_cast<int32_t>(interval.microseconds / 1'000'000));
  }
  std::string copy(text);
  char* end = nullptr;
  double hours = std::strtod(copy.c_str(), &end);
  if (end != copy.c_str() && *end == '\0') {
    return std::abs(hours) <= 167 ? Fixed(static_cast<int32_t>(hours * 3600)) : nullptr;
  }
  return Find(text);
}

const TimeZone* TimeZone::Fixed(int32_t seconds_east) {
  static auto& zones = *new std::map<int32_t, std::unique_ptr<TimeZone>>;
  auto& zone = zones[seconds_east];
  if (zone == nullptr) zone = TimeZoneLoader::MakeFixed(seconds_east);
  return zone.get();
}

const TimeZone* TimeZone::Utc() {
  static const TimeZone* utc = [] {
    const TimeZone* zone = Find("UTC");
    return zone != nullptr ? zone : Fixed(0);
  }();
  return utc;
}

// Leaves the times at which the abbreviation began to mean something. False, and all are left, if it never did.
bool TimeZone::KeepOnly(std::string_view abbreviation) {
  std::vector<Transition> kept;
  for (const Transition& transition : transitions_) {
    if (types_[transition.type].abbreviation == abbreviation) kept.push_back(transition);
  }
  if (kept.empty()) return false;
  // (Before the first of them it means what it means then.)
  kept.front().at = INT64_MIN;
  transitions_ = std::move(kept);
  rule_.present = false;
  return true;
}

const TimeZone* TimeZone::OfChangingAbbreviation(std::string_view lower) {
  static constexpr std::pair<std::string_view, std::string_view> kZones[] = {
#include "node/types/changing_abbreviations.def"
  };
  static std::map<std::string_view, std::unique_ptr<TimeZone>> made;
  for (const auto& [word, zone_name] : kZones) {
    if (word != lower) continue;
    std::unique_ptr<TimeZone>& zone = made[word];
    const TimeZone* whole = Find(zone_name);
    if (zone != nullptr || whole == nullptr) return zone.get();
    zone = std::make_unique<TimeZone>(*whole);
    std::string upper;
    for (char c : word) upper.push_back(static_cast<char>(c - 32));
    if (zone->KeepOnly(upper)) zone->whole_ = whole;
    return zone.get();
  }
  return nullptr;
}

std::span<const ZoneAbbreviation> ZoneAbbreviations() { return kAbbreviations; }

bool FindZoneAbbreviation(std::string_view lower, int32_t* seconds_east, bool* is_dst) {
  for (const ZoneAbbreviation& entry : kAbbreviations) {
    if (entry.word == lower) {
      *seconds_east = entry.seconds_east;
      *is_dst = entry.is_dst;
      return true;
    }
  }
  return false;
}

namespace {

void CollectZones(const std::string& path, std::vector<std::string>* names) {
  DIR* stream = opendir((std::string(kZoneRoot) + path).c_str());
  if (stream == nullptr) return;
  while (dirent* entry = readdir(stream)) {
    std::string name = entry->d_name;
    if (name[0] == '.' || name == "posix" || name == "right" || name == "localtime") continue;
    std::string child = path + "/" + name;
    struct stat status;
    if (stat((std::string(kZoneRoot) + child).c_str(), &status) != 0) continue;
    if (S_ISDIR(status.st_mode))
      CollectZones(child, names);
    else if (ReadFile(kZoneRoot + child).starts_with("TZif"))
      names->push_back(child.substr(1));
  }
  closedir(stream);
}

}  // namespace

std::vector<std::string> TimeZoneNames() {
  std::vector<std::string> names;
  CollectZones("", &names);
  std::sort(names.begin(), names.end());
  return names;
}

namespace {
int64_t FloorSeconds(int64_t us) {
  return us >= 0 ? us / kUsPerSecond : -((-us + kUsPerSecond - 1) / kUsPerSecond);
}
}  // namespace

int64_t UtcToLocal(int64_t timestamp, const TimeZone* zone, ZoneOffset* offset) {
  if (zone == nullptr) zone = TimeZone::Utc();
  ZoneOffset at = zone->At(FloorSeconds(timestamp) + kUnixToPostgresSeconds);
  if (offset != nullptr) *offset = at;
  return timestamp + at.seconds_east * kUsPerSecond;
}

int64_t LocalToUtc(int64_t timestamp, const TimeZone* zone) {
  if (zone == nullptr) zone = TimeZone::Utc();
  return timestamp -
         zone->AtLocal(FloorSeconds(timestamp) + kUnixToPostgresSeconds).seconds_east * kUsPerSecond;
}

}  // namespace walden

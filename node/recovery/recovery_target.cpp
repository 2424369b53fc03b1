#include "node/recovery/recovery_target.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/recovery/xlog_records.h"
#include "node/txn/txn_records.h"

namespace walden {
namespace {

// ISO 8601 with an optional numeric zone; what is not understood is left to the bound parser.
TimestampUs ParseIsoTimestamp(const std::string& text) {
  std::tm tm{};
  double seconds = 0;
  int consumed = 0;
  int fields = std::sscanf(text.c_str(), "%d-%d-%d%*1[ T]%d:%d:%lf%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                           &tm.tm_hour, &tm.tm_min, &seconds, &consumed);
  if (fields < 6) {
    throw SqlError(ErrorCode::kInvalidDatetimeFormat,
                   "invalid value for parameter \"recovery_target_time\": \"{}\"", text);
  }
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  int64_t unix_us = static_cast<int64_t>(timegm(&tm)) * 1000000 + static_cast<int64_t>(seconds * 1e6);
  const char* rest = text.c_str() + consumed;
  while (*rest == ' ') ++rest;
  int hours = 0, minutes = 0;
  if (*rest == '+' || *rest == '-') {
    std::sscanf(rest + 1, "%2d%*1[:]%2d", &hours, &minutes);
    unix_us += (*rest == '+' ? -1 : 1) * (hours * 3600LL + minutes * 60LL) * 1000000;
  }
  return unix_us - kUnixEpochToPostgresUs;
}

TimestampParser timestamp_parser = ParseIsoTimestamp;

std::string FormatTime(TimestampUs time) {
  std::time_t seconds = static_cast<std::time_t>((time + kUnixEpochToPostgresUs) / 1000000);
  std::tm tm;
  gmtime_r(&seconds, &tm);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
  return fmt::format("{}.{:06}+00", text, (time + kUnixEpochToPostgresUs) % 1000000);
}

SqlError BadTarget(const char* name, const std::string& value) {
  return SqlError(ErrorCode::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"", name,
                  value);
}

}  // namespace

void BindTimestampParser(TimestampParser parser) { timestamp_parser = parser; }

RecoveryTarget RecoveryTarget::FromSettings() {
  RecoveryTarget target;
  target.inclusive = GetBool(Setting::kRecoveryTargetInclusive);
  auto choose = [&](Setting setting, TargetKind kind) {
    if (GetString(setting).empty()) return false;
    if (target.kind != TargetKind::kNone) {
      throw SqlError(ErrorCode::kInvalidParameterValue, "multiple recovery targets specified")
          .WithDetail(
              "At most one of recovery_target, recovery_target_lsn, recovery_target_name, "
              "recovery_target_time, "
              "recovery_target_xid may be set.");
    }
    target.kind = kind;
    return true;
  };
  if (choose(Setting::kRecoveryTarget, TargetKind::kImmediate) &&
      GetString(Setting::kRecoveryTarget) != "immediate") {
    throw BadTarget("recovery_target", GetString(Setting::kRecoveryTarget));
  }
  if (choose(Setting::kRecoveryTargetTime, TargetKind::kTime))
    target.time = timestamp_parser(GetString(Setting::kRecoveryTargetTime));
  if (choose(Setting::kRecoveryTargetXid, TargetKind::kXid)) {
    target.xid = Xid{std::strtoull(GetString(Setting::kRecoveryTargetXid).c_str(), nullptr, 0)};
    if (!target.xid.IsValid()) throw BadTarget("recovery_target_xid", GetString(Setting::kRecoveryTargetXid));
  }
  if (choose(Setting::kRecoveryTargetLsn, TargetKind::kLsn)) {
    unsigned high, low;
    if (std::sscanf(GetString(Setting::kRecoveryTargetLsn).c_str(), "%X/%X", &high, &low) != 2) {
      throw BadTarget("recovery_target_lsn", GetString(Setting::kRecoveryTargetLsn));
    }
    target.lsn = Lsn{uint64_t{high} << 32 | low};
  }
  if (choose(Setting::kRecoveryTargetName, TargetKind::kName))
    target.name = GetString(Setting::kRecoveryTargetName);
  return target;
}

bool TransactionEndTime(const DecodedRecord& record, TimestampUs* time) {
  if (record.kind != RecordKind::kTransactionCommit && record.kind != RecordKind::kTransactionAbort)
    return false;
  *time = record.Struct<TransactionRecord>().wall_time;
  return true;
}

bool RecoveryTarget::StopsBefore(const DecodedRecord& record) {
  if (kind == TargetKind::kLsn && !inclusive && record.start >= lsn) {
    reached = fmt::format("before WAL location (LSN) \"{}\"", record.start.ToString());
    return true;
  }
  TimestampUs time_of_record;
  if (!TransactionEndTime(record, &time_of_record)) return false;
  bool stop = false;
  if (kind == TargetKind::kXid && !inclusive) stop = record.xid == xid;
  if (kind == TargetKind::kTime) stop = inclusive ? time_of_record > time : time_of_record >= time;
  if (stop) {
    reached = fmt::format("before {} of transaction {}, time {}",
                          record.kind == RecordKind::kTransactionCommit ? "commit" : "abort",
                          record.xid.value, FormatTime(time_of_record));
  }
  return stop;
}

bool RecoveryTarget::StopsAfter(const DecodedRecord& record) {
  if (kind == TargetKind::kName && record.kind == RecordKind::kRestorePoint) {
    auto body = record.Struct<RestorePointRecord>();
    std::string_view point(body.name, strnlen(body.name, sizeof body.name));
    if (point != name) return false;
    reached = fmt::format("at restore point \"{}\", time {}", name, FormatTime(body.wall_time_us));
    return true;
  }
  if (kind == TargetKind::kLsn && inclusive && record.start >= lsn) {
    reached = fmt::format("after WAL location (LSN) \"{}\"", record.start.ToString());
    return true;
  }
  TimestampUs time_of_record;
  if (kind == TargetKind::kXid && inclusive && record.xid == xid &&
      TransactionEndTime(record, &time_of_record)) {
    reached = fmt::format("after {} of transaction {}, time {}",
                          record.kind == RecordKind::kTransactionCommit ? "commit" : "abort",
                          record.xid.value, FormatTime(time_of_record));
    return true;
  }
  return false;
}

}  // namespace walden

// Vocabulary of settings: contexts, sources, flags, and the enumerations behind enum settings.
#pragma once

#include <cstdint>
#include <string_view>

namespace walden {

// When a setting may change, as pg_settings.context; lowest = strictest.
enum class SettingContext : uint8_t {
  kInternal,
  kPostmaster,
  kSighup,
  kSuperuserBackend,
  kBackend,
  kSuperuser,
  kUser
};
std::string_view SettingContextName(SettingContext context);

// Where a value came from; a higher source overrides a lower one.
enum class SettingSource : uint8_t {
  kDefault,
  kDynamicDefault,
  kEnvironment,
  kFile,
  kCommandLine,
  kGlobal,
  kDatabase,
  kUser,
  kDatabaseUser,
  kClient,
  kOverride,
  kInteractive,
  kTest,
  kSession,
};
std::string_view SettingSourceName(SettingSource source);

namespace setting_flag {
inline constexpr uint32_t kReport = 1;     // sent to clients as ParameterStatus
inline constexpr uint32_t kListInput = 2;  // SET x TO a, b
inline constexpr uint32_t kListQuote = 4;  // items are identifiers, quoted
inline constexpr uint32_t kNoShowAll = 8;
inline constexpr uint32_t kNoReset = 16;  // RESET ALL skips it; transaction-scoped
inline constexpr uint32_t kExplain = 32;
inline constexpr uint32_t kSuperuserOnly = 64;  // hidden from others
inline constexpr uint32_t kIsName = 128;        // truncated to 63 bytes
inline constexpr uint32_t kPlaceholder = 256;
inline constexpr uint32_t kDisallowInFile = 512;
inline constexpr uint32_t kOctal = 1024;  // file permissions: shown as 0700
}  // namespace setting_flag

enum class SettingUnit : uint8_t {
  kNone,
  kByte,
  kKilobyte,
  kMegabyte,
  kBlock,
  kWalBlock,
  kMillisecond,
  kSecond,
  kMinute
};

struct EnumOption {
  const char* name;
  int value;
  bool hidden;
};

// Values of enum settings. Names follow the options' text.
enum class SynchronousCommit : int { kOff, kLocal, kRemoteWrite, kOn, kRemoteApply };
enum class DateOutput : int { kIso, kPostgres, kSql, kGerman };
enum class IntervalOutput : int { kPostgres, kPostgresVerbose, kSqlStandard, kIso8601 };
enum class ByteaForm : int { kEscape, kHex };
enum class IsolationLevel : int { kReadUncommitted, kReadCommitted, kRepeatableRead, kSerializable };
enum class ArchiveMode : int { kOff, kOn, kAlways };
enum class WalLevel : int { kMinimal, kReplica, kLogical };
enum class HugePagesMode : int { kOff, kOn, kTry };
enum class LogStatement : int { kNone, kDdl, kMod, kAll };
enum class LogVerbosity : int { kTerse, kDefault, kVerbose };
enum class PasswordEncryption : int { kMd5, kScramSha256 };
enum class PlanCacheMode : int { kAuto, kForceGenericPlan, kForceCustomPlan };
enum class ConstraintExclusion : int { kOff, kOn, kPartition };
enum class WalCompression : int { kOff, kLz4 = 2, kZstd };
enum class ToastCompression : int { kPglz, kLz4 };
enum class RecoveryTargetAction : int { kPause, kPromote, kShutdown };
enum class TlsVersion : int { kAny, kTls1, kTls1_1, kTls1_2, kTls1_3 };
enum class ReplicationRole : int { kOrigin, kReplica, kLocal };
enum class TrackFunctions : int { kNone, kPl, kAll };
enum class BackslashQuote : int { kOff, kOn, kSafeEncoding };
enum class WalSyncMethod : int { kFsync, kFdatasync, kOpenSync, kOpenDatasync };

}  // namespace walden

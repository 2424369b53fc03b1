// Options of enum settings, in the order in which pg_settings.enumvals and hints list them. Hidden ones are
// accepted, not listed.
#pragma once

#include "node/config/setting_types.h"

namespace walden {

inline constexpr EnumOption kIntervalStyleOptions[] = {
    {"postgres", 0, false},
    {"postgres_verbose", 1, false},
    {"sql_standard", 2, false},
    {"iso_8601", 3, false},
};
inline constexpr EnumOption kByteaOutputOptions[] = {
    {"escape", 0, false},
    {"hex", 1, false},
};
inline constexpr EnumOption kClientLevels[] = {
    {"debug5", 0, false}, {"debug4", 1, false}, {"debug3", 2, false}, {"debug2", 3, false},
    {"debug1", 4, false}, {"log", 5, false},    {"notice", 7, false}, {"warning", 8, false},
    {"error", 9, false},  {"debug", 3, true},   {"info", 6, true},
};
inline constexpr EnumOption kToastCompressionOptions[] = {
    {"pglz", 0, false},
    {"lz4", 1, false},
};
inline constexpr EnumOption kIsolationOptions[] = {
    {"serializable", 3, false},
    {"repeatable read", 2, false},
    {"read committed", 1, false},
    {"read uncommitted", 0, false},
};
inline constexpr EnumOption kReplicationRoleOptions[] = {
    {"origin", 0, false},
    {"replica", 1, false},
    {"local", 2, false},
};
inline constexpr EnumOption kXmlOptionOptions[] = {
    {"content", 0, false},
    {"document", 1, false},
};
inline constexpr EnumOption kPasswordEncryptionOptions[] = {
    {"md5", 0, false},
    {"scram-sha-256", 1, false},
};
inline constexpr EnumOption kTlsMaxOptions[] = {
    {"", 0, false}, {"TLSv1", 1, false}, {"TLSv1.1", 2, false}, {"TLSv1.2", 3, false}, {"TLSv1.3", 4, false},
};
inline constexpr EnumOption kTlsMinOptions[] = {
    {"TLSv1", 1, false},
    {"TLSv1.1", 2, false},
    {"TLSv1.2", 3, false},
    {"TLSv1.3", 4, false},
};
inline constexpr EnumOption kConstraintExclusionOptions[] = {
    {"partition", 2, false}, {"on", 1, false}, {"off", 0, false}, {"true", 1, true}, {"false", 0, true},
    {"yes", 1, true},        {"no", 0, true},  {"1", 1, true},    {"0", 0, true},
};
inline constexpr EnumOption kPlanCacheModeOptions[] = {
    {"auto", 0, false},
    {"force_generic_plan", 1, false},
    {"force_custom_plan", 2, false},
};
inline constexpr EnumOption kLogVerbosityOptions[] = {
    {"terse", 0, false},
    {"default", 1, false},
    {"verbose", 2, false},
};
inline constexpr EnumOption kLogStatementOptions[] = {
    {"none", 0, false},
    {"ddl", 1, false},
    {"mod", 2, false},
    {"all", 3, false},
};
inline constexpr EnumOption kServerLevels[] = {
    {"debug5", 0, false}, {"debug4", 1, false}, {"debug3", 2, false}, {"debug2", 3, false},
    {"debug1", 4, false}, {"info", 6, false},   {"notice", 7, false}, {"warning", 8, false},
    {"error", 9, false},  {"log", 5, false},    {"fatal", 10, false}, {"panic", 11, false},
    {"debug", 3, true},
};
inline constexpr EnumOption kHugePagesOptions[] = {
    {"off", 0, false}, {"on", 1, false}, {"try", 2, false}, {"true", 1, true}, {"false", 0, true},
    {"yes", 1, true},  {"no", 0, true},  {"1", 1, true},    {"0", 0, true},
};
inline constexpr EnumOption kStatsFetchOptions[] = {
    {"none", 0, false},
    {"cache", 1, false},
    {"snapshot", 2, false},
};
inline constexpr EnumOption kTrackFunctionsOptions[] = {
    {"none", 0, false},
    {"pl", 1, false},
    {"all", 2, false},
};
inline constexpr EnumOption kComputeQueryIdOptions[] = {
    {"auto", 2, false}, {"regress", 3, false}, {"on", 1, false}, {"off", 0, false}, {"true", 1, true},
    {"false", 0, true}, {"yes", 1, true},      {"no", 0, true},  {"1", 1, true},    {"0", 0, true},
};
inline constexpr EnumOption kBackslashQuoteOptions[] = {
    {"safe_encoding", 2, false},
    {"on", 1, false},
    {"off", 0, false},
    {"true", 1, true},
    {"false", 0, true},
    {"yes", 1, true},
    {"no", 0, true},
    {"1", 1, true},
    {"0", 0, true},
};
inline constexpr EnumOption kArchiveModeOptions[] = {
    {"always", 2, false}, {"on", 1, false}, {"off", 0, false}, {"true", 1, true}, {"false", 0, true},
    {"yes", 1, true},     {"no", 0, true},  {"1", 1, true},    {"0", 0, true},
};
inline constexpr EnumOption kRecoveryTargetActionOptions[] = {
    {"pause", 0, false},
    {"promote", 1, false},
    {"shutdown", 2, false},
};
inline constexpr EnumOption kSynchronousCommitOptions[] = {
    {"local", 1, false},
    {"remote_write", 2, false},
    {"remote_apply", 4, false},
    {"on", 3, false},
    {"off", 0, false},
    {"true", 3, true},
    {"false", 0, true},
    {"yes", 3, true},
    {"no", 0, true},
    {"1", 3, true},
    {"0", 0, true},
};
inline constexpr EnumOption kWalCompressionOptions[] = {
    {"lz4", 2, false},  {"zstd", 3, false}, {"on", 2, false}, {"off", 0, false}, {"true", 2, true},
    {"false", 0, true}, {"yes", 2, true},   {"no", 0, true},  {"1", 2, true},    {"0", 0, true},
};
inline constexpr EnumOption kWalLevelOptions[] = {
    {"minimal", 0, false},    {"replica", 1, false}, {"archive", 1, true},
    {"hot_standby", 1, true}, {"logical", 2, false},
};
inline constexpr EnumOption kWalSyncMethodOptions[] = {
    {"fsync", 0, false},
    {"fdatasync", 1, false},
    {"open_sync", 2, false},
    {"open_datasync", 3, false},
};

}  // namespace walden

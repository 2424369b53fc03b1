// What the node as a whole knows: since when it runs, its log, its kinds of WAL records, what it has none of.
#include <set>

#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/shm/postmaster_link.h"
#include "node/shm/server_state.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/record_rows.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/wal/record_kind.h"

namespace walden {
namespace {

using View = std::string_view;
using Maybe = std::optional<View>;
using Values = std::span<const Value>;

int64_t StartTime() { return TheServerState()->start_time_us.load(); }
int64_t ReloadTime() { return TheServerState()->reload_time_us.load(); }

// --- The log -----------------------------------------------------------------------------------------------

// The logger keeps "format path" lines of the files that it writes. An empty format: any.
Maybe LogFileOf(CallContext& c, View format) {
  std::string listing;
  if (!TryReadWholeFile("current_logfiles", &listing)) return std::nullopt;
  for (View rest = listing; !rest.empty();) {
    View line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    size_t space = line.find(' ');
    if (space == View::npos) continue;
    if (format.empty() || line.substr(0, space) == format) return Keep(c, line.substr(space + 1));
  }
  return std::nullopt;
}
Maybe CurrentLogFile(CallContext& c) { return LogFileOf(c, {}); }
Maybe CurrentLogFileOfFormat(CallContext& c, Maybe format) {
  if (!format) return LogFileOf(c, {});
  if (*format == "stderr" || *format == "csvlog" || *format == "jsonlog") return LogFileOf(c, *format);
  throw SqlError(ErrorCode::kInvalidParameterValue, "log format \"{}\" is not supported", *format)
      .WithHint("The supported log formats are \"stderr\", \"csvlog\", and \"jsonlog\".");
}

bool RotateLog(CallContext& c) {
  if (!GetBool(Setting::kLoggingCollector)) {
    ErrorFields warning;
    warning.severity = Severity::kWarning;
    warning.code = ErrorCode::kWarning;
    warning.message = "rotation not possible because log collection not active";
    if (c.session != nullptr) c.session->Report(warning);
    return false;
  }
  NotifyPostmaster(PostmasterRequest::kRotateLog);
  return true;
}

// --- Kinds of WAL records ----------------------------------------------------------------------------------

// A family of record kinds is what PostgreSQL calls a resource manager.
std::unique_ptr<TableFunction> StartFamilies(CallContext&, Values) {
  auto rows = std::make_unique<RowSet>();
  std::set<int32_t> known;
  for (const RecordKindInfo& kind : RecordKinds()) {
    int32_t family = static_cast<int32_t>(kind.kind) >> 8;
    if (known.insert(family).second) rows->Add(rows->NewRow().Int4(family).Text(kind.family).Bool(true));
  }
  return rows;
}

// --- What there is none of ---------------------------------------------------------------------------------

// Extensions, prepared transactions, replication origins, subscriptions: nothing here makes any.
std::unique_ptr<TableFunction> StartNothing(CallContext&, Values) { return std::make_unique<RowSet>(); }
// Calls are counted of functions that users define.
std::optional<int64_t> CallsOfFunction(Oid) { return std::nullopt; }
std::optional<double> TimeOfFunction(Oid) { return std::nullopt; }

constexpr ScalarFunction kTable[] = {
    Volatile<&StartTime>("pg_postmaster_start_time"),
    Volatile<&ReloadTime>("pg_conf_load_time"),
    Volatile<&CurrentLogFile>("pg_current_logfile"),
    Volatile<&CurrentLogFileOfFormat>("pg_current_logfile_1arg"),
    Volatile<&RotateLog>("pg_rotate_logfile_v2"),
    Volatile<&CallsOfFunction>("pg_stat_get_function_calls"),
    Volatile<&TimeOfFunction>("pg_stat_get_function_total_time"),
    Volatile<&TimeOfFunction>("pg_stat_get_function_self_time"),
    Volatile<&CallsOfFunction>("pg_stat_get_xact_function_calls"),
    Volatile<&TimeOfFunction>("pg_stat_get_xact_function_total_time"),
    Volatile<&TimeOfFunction>("pg_stat_get_xact_function_self_time"),
};
constexpr SetFunction kSets[] = {
    {"pg_get_wal_resource_managers", true, &StartFamilies},
    {"pg_available_extensions", true, &StartNothing},
    {"pg_available_extension_versions", true, &StartNothing},
    {"pg_prepared_xact", true, &StartNothing},
    {"pg_show_replication_origin_status", false, &StartNothing},
    {"pg_stat_get_subscription", false, &StartNothing},
};

}  // namespace

std::span<const ScalarFunction> NodeFunctions() { return kTable; }
std::span<const SetFunction> NodeSetFunctions() { return kSets; }

}  // namespace walden

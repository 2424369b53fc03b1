#include "node/server/autovacuum_tables.h"

#include <charconv>
#include <unordered_map>

#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/relation.h"
#include "node/catalog/syscache.h"
#include "node/config/settings.h"
#include "node/txn/id_counters.h"
#include "node/txn/txn_state.h"

namespace walden {
namespace {

std::optional<std::string_view> Option(const PgClassRow& row, std::string_view name) {
  if (!row.reloptions) return std::nullopt;
  for (const std::string& option : *row.reloptions) {
    std::string_view text = option;
    if (text.size() > name.size() && text.starts_with(name) && text[name.size()] == '=')
      return text.substr(name.size() + 1);
  }
  return std::nullopt;
}

bool IsOff(const PgClassRow& options) {
  std::optional<std::string_view> enabled = Option(options, "autovacuum_enabled");
  return enabled && (*enabled == "false" || *enabled == "off" || *enabled == "no" || *enabled == "0");
}

// base + scale * rows, of the table's own parameters or the settings.
double Threshold(const PgClassRow& row, const PgClassRow& options, std::string_view base_name, Setting base,
                 std::string_view scale_name, Setting scale) {
  double rows = row.reltuples > 0 ? static_cast<double>(row.reltuples) : 0;
  return NumberOption(options, base_name).value_or(static_cast<double>(GetInt(base))) +
         NumberOption(options, scale_name).value_or(GetReal(scale)) * rows;
}

double Count(const RelationSums& sums, RelationCounter counter) {
  return static_cast<double>(static_cast<int64_t>(sums[counter]));
}

bool HoldsRows(const PgClassRow& row) {
  return row.relkind == relkind::kTable || row.relkind == relkind::kMaterializedView ||
         row.relkind == relkind::kToast;
}

}  // namespace

std::optional<double> NumberOption(const PgClassRow& row, std::string_view name) {
  std::optional<std::string_view> text = Option(row, name);
  double value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc())
    return std::nullopt;
  return value;
}

TableNeeds NeedsOf(const PgClassRow& row, const PgClassRow& options, const RelationSums& sums) {
  if (IsOff(options)) return {};
  double dead = Threshold(row, options, "autovacuum_vacuum_threshold", Setting::kAutovacuumVacuumThreshold,
                          "autovacuum_vacuum_scale_factor", Setting::kAutovacuumVacuumScaleFactor);
  double inserts =
      Threshold(row, options, "autovacuum_vacuum_insert_threshold", Setting::kAutovacuumVacuumInsertThreshold,
                "autovacuum_vacuum_insert_scale_factor", Setting::kAutovacuumVacuumInsertScaleFactor);
  bool by_inserts =
      NumberOption(options, "autovacuum_vacuum_insert_threshold")
          .value_or(static_cast<double>(GetInt(Setting::kAutovacuumVacuumInsertThreshold))) >= 0;
  double changes =
      Threshold(row, options, "autovacuum_analyze_threshold", Setting::kAutovacuumAnalyzeThreshold,
                "autovacuum_analyze_scale_factor", Setting::kAutovacuumAnalyzeScaleFactor);
  TableNeeds needs;
  needs.vacuum = Count(sums, RelationCounter::kDeadTuples) > dead ||
                 (by_inserts && Count(sums, RelationCounter::kInsertsSinceVacuum) > inserts);
  // Statistics about pg_statistic serve nobody.
  bool may_analyze = row.relkind != relkind::kToast && row.oid != catalog_oid::kPgStatistic;
  needs.analyze = may_analyze && Count(sums, RelationCounter::kChangesSinceAnalyze) > changes;
  return needs;
}

std::vector<TableTask> ChooseTasks(bool settle, bool* temporary) {
  std::vector<PgClassRow> rows = ReadRows<PgClassRow>(Oid::kInvalid, {});
  std::unordered_map<uint32_t, const PgClassRow*> owner_of_toast;
  for (const PgClassRow& row : rows) {
    if (IsValid(row.reltoastrelid)) owner_of_toast[OidNumber(row.reltoastrelid)] = &row;
  }
  std::vector<TableTask> tasks;
  for (const PgClassRow& row : rows) {
    if (!HoldsRows(row)) continue;
    if (row.relpersistence == 't') {
      *temporary = true;
      continue;
    }
    auto owner = owner_of_toast.find(OidNumber(row.oid));
    const PgClassRow& options = owner == owner_of_toast.end() || row.reloptions ? row : *owner->second;
    RelationSums sums;
    bool known =
        ReadRelationSums(row.relisshared ? Oid::kInvalid : session_identity().database, row.oid, &sums);
    TableNeeds needs = known ? NeedsOf(row, options, sums) : TableNeeds{};
    if (!settle && !needs.vacuum && !needs.analyze) continue;
    tasks.push_back({row.oid, SchemaName(row.relnamespace) + "." + row.relname, row.relisshared,
                     row.relkind == relkind::kToast, options});
  }
  return tasks;
}

AutovacuumBudget BudgetOf(const PgClassRow& options) {
  auto first = [](double own, double general) { return own >= 0 ? own : general; };
  std::optional<double> delay = NumberOption(options, "autovacuum_vacuum_cost_delay"),
                        limit = NumberOption(options, "autovacuum_vacuum_cost_limit");
  VacuumCost cost;
  cost.delay_ms =
      delay.value_or(first(GetReal(Setting::kAutovacuumVacuumCostDelay), GetReal(Setting::kVacuumCostDelay)));
  double general_limit = first(static_cast<double>(GetInt(Setting::kAutovacuumVacuumCostLimit)),
                               static_cast<double>(GetInt(Setting::kVacuumCostLimit)));
  cost.limit = static_cast<int64_t>(limit.value_or(general_limit));
  return {cost, !delay && !limit};
}

bool SettlingIsDue() {
  return NextXid().value - OldestClogXid().value >
         static_cast<uint64_t>(GetInt(Setting::kAutovacuumFreezeMaxAge));
}

}  // namespace walden

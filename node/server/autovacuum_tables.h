// Which tables want VACUUM or ANALYZE, by their statistics, the settings and the tables' own parameters. Private to autovacuum.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/catalog/rows/pg_class.h"
#include "node/server/autovacuum.h"
#include "node/stats/counter_tables.h"

namespace walden {

// "name=value" among reloptions, as a number.
std::optional<double> NumberOption(const PgClassRow& row, std::string_view name);

struct TableNeeds {
  bool vacuum = false;
  bool analyze = false;
};
// `options`: of the table; of a TOAST table's main table if it has none of its own. False for a table with autovacuum_enabled=off.
TableNeeds NeedsOf(const PgClassRow& row, const PgClassRow& options, const RelationSums& sums);

struct TableTask {
  Oid relation;
  std::string name;  // "schema.table"
  bool is_shared;
  bool is_toast;
  PgClassRow options;
};
// Tables of the own database that need something; all that can hold rows when `settle`. `temporary`: there are temporary tables,
// which nobody else can work on. Requires: a transaction.
std::vector<TableTask> ChooseTasks(bool settle, bool* temporary);

AutovacuumBudget BudgetOf(const PgClassRow& options);

// Whether the commit log reaches so far back that all tables should be settled.
bool SettlingIsDue();

}  // namespace walden

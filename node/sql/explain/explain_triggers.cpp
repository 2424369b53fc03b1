// The triggers that a statement fired: those of foreign keys.
#include <algorithm>

#include "node/catalog/catalog_info.h"
#include "node/catalog/namespace.h"
#include "node/catalog/relation.h"
#include "node/catalog/rows/pg_constraint.h"
#include "node/catalog/rows/pg_trigger.h"
#include "node/catalog/syscache.h"
#include "node/sql/executor/referential.h"
#include "node/sql/explain/explain_plan.h"
#include "node/sql/parser/node_enums.h"

namespace walden {
namespace {

// RI_FKey_check_ins and RI_FKey_check_upd.
constexpr Oid kCheckInsert{1644}, kCheckUpdate{1645};

bool Serves(const PgTriggerRow& trigger, const TriggerCalls& calls) {
  if (trigger.tgrelid != calls.table) return false;
  bool is_check = trigger.tgfoid == kCheckInsert || trigger.tgfoid == kCheckUpdate;
  switch (calls.kind) {
    case ReferentialEvent::Kind::kCheckReferencing:
      return trigger.tgfoid == (calls.is_insert ? kCheckInsert : kCheckUpdate);
    case ReferentialEvent::Kind::kReferencedDeleted:
      return !is_check && (trigger.tgtype & trigger_type::kDelete) != 0;
    case ReferentialEvent::Kind::kReferencedUpdated:
      return !is_check && (trigger.tgtype & trigger_type::kUpdate) != 0;
  }
  return false;
}

struct FiredTrigger {
  std::string name, constraint, table;
  size_t table_order;  // the statement's own tables come first
  uint64_t calls;
  int64_t us;
};

// Tables that the statement itself changes, as the executor begins on them.
std::vector<Oid> ChangedTables(const PlannedStatement& statement) {
  std::vector<Oid> tables;
  auto add = [&](const Plan* plan) {
    if (Is<ModifyTablePlan>(plan)) tables.push_back(As<ModifyTablePlan>(plan)->relation);
  };
  for (const Subplan* subplan : statement.subplans) add(subplan->plan);
  add(statement.plan);
  return tables;
}

size_t PlaceOf(Oid table, std::vector<Oid>* tables) {
  auto at = std::find(tables->begin(), tables->end(), table);
  if (at == tables->end()) at = tables->insert(tables->end(), table);
  return static_cast<size_t>(at - tables->begin());
}

std::vector<FiredTrigger> FiredTriggers(std::span<const TriggerCalls> all, std::vector<Oid>* tables) {
  std::vector<FiredTrigger> fired;
  for (const TriggerCalls& calls : all) {
    RowRef<PgConstraintRow> constraint = ConstraintRow(calls.constraint);
    auto triggers = FindRows<PgTriggerRow>(catalog_index::kPgTriggerTgconstraintIndex, {calls.constraint});
    for (const auto& trigger : *triggers) {
      if (!Serves(*trigger, calls)) continue;
      size_t place = PlaceOf(calls.table, tables);
      fired.push_back({trigger->tgname, constraint->conname, ClassRow(calls.table)->relname, place,
                       calls.calls, calls.us});
    }
  }
  std::sort(fired.begin(), fired.end(), [](const FiredTrigger& a, const FiredTrigger& b) {
    return a.table_order != b.table_order ? a.table_order < b.table_order : a.name < b.name;
  });
  return fired;
}

void WriteLine(const FiredTrigger& trigger, const ExplainOptions& options, bool show_table,
               ExplainWriter* out) {
  out->text += options.verbose ? "Trigger " + trigger.name : "Trigger";
  out->text += " for constraint " + trigger.constraint;
  if (show_table) out->text += " on " + trigger.table;
  if (options.timing)
    out->text +=
        fmt::format(": time={:.3f} calls={}\n", static_cast<double>(trigger.us) / 1000, trigger.calls);
  else
    out->text += fmt::format(": calls={}\n", trigger.calls);
}

void WriteGroup(const FiredTrigger& trigger, const ExplainOptions& options, ExplainWriter* out) {
  out->OpenGroup("Trigger", {}, true);
  out->Text("Trigger Name", trigger.name);
  out->Text("Constraint Name", trigger.constraint);
  out->Text("Relation", trigger.table);
  if (options.timing) out->Float("Time", static_cast<double>(trigger.us) / 1000, 3);
  out->Integer("Calls", static_cast<int64_t>(trigger.calls));
  out->CloseGroup("Trigger", true);
}

}  // namespace

void WriteTriggers(const ExplainOptions& options, const PlannedStatement& statement,
                   std::span<const TriggerCalls> calls, ExplainWriter* out) {
  std::vector<Oid> tables = ChangedTables(statement);
  size_t own_tables = tables.size();
  std::vector<FiredTrigger> fired = FiredTriggers(calls, &tables);
  bool show_table = own_tables > 1 || tables.size() > own_tables;
  out->OpenGroup("Triggers", "Triggers", false);
  for (const FiredTrigger& trigger : fired) {
    if (out->is_text())
      WriteLine(trigger, options, show_table, out);
    else
      WriteGroup(trigger, options, out);
  }
  out->CloseGroup("Triggers", false);
}

}  // namespace walden

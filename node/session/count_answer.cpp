#include "node/session/count_answer.h"

#include <algorithm>

#include "node/catalog/builtin.h"
#include "node/catalog/relation.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/plan/plan.h"

namespace walden {
namespace {

bool IsEqualityOf(const IndexKeyColumn& key, Oid opno) {
  auto is_equality = [&](const BuiltinAmop* amop) {
    return amop->family == key.opfamily && static_cast<Strategy>(amop->strategy) == Strategy::kEqual;
  };
  return std::ranges::any_of(BuiltinAmopsOf(opno), is_equality);
}

// The table's column that a condition compares with a constant or a parameter; 0: it is of another kind.
AttrNumber ComparedColumn(const ScanPlan& scan, const OpExpr& condition) {
  if (condition.args.size() != 2) return 0;
  const Var* var = TryAs<Var>(static_cast<const Node*>(condition.args[0]));
  const Node* other = condition.args[1];
  if (var == nullptr || var->varno != kInputVar || var->varattno < 1 ||
      !(Is<Const>(other) || Is<Param>(other)))
    return 0;
  return static_cast<AttrNumber>(scan.columns[var->varattno - 1]);
}

bool IndexScanFixes(const IndexScanPlan& scan, Oid index, int column) {
  return scan.index == index && std::ranges::any_of(scan.conditions, [&](const IndexCondition* condition) {
           return condition->index_column == column + 1 && condition->kind == ScanKey::Kind::kCompare &&
                  condition->strategy == Strategy::kEqual;
         });
}

// Of types without a collation: only the index's own could be relied on to find one row.
bool FilterFixes(const ScanPlan& scan, const Relation& index, int column) {
  return std::ranges::any_of(scan.quals, [&](const Expr* qual) {
    const OpExpr* condition = TryAs<OpExpr>(static_cast<const Node*>(qual));
    return condition != nullptr && !IsValid(condition->inputcollid) &&
           ComparedColumn(scan, *condition) == index.index->indkey[column] &&
           IsEqualityOf(index.index_desc.keys[column], condition->opno);
  });
}

// Finds one row at most, whatever the rows hold besides their key, and cannot fail over any.
bool FindsByKeyAlone(const Plan* plan, const Relation& table) {
  const IndexScanPlan* by_index = Is<IndexScanPlan>(plan) ? As<IndexScanPlan>(plan) : nullptr;
  if (by_index == nullptr && !Is<SeqScanPlan>(plan)) return false;
  const ScanPlan& scan = static_cast<const ScanPlan&>(*plan);
  if (scan.relation != table.oid || (by_index != nullptr && (by_index->index_only || !scan.quals.empty())))
    return false;
  for (const RelationRef& index : table.indexes) {
    const PgIndexRow& row = *index->index;
    if (!row.indisunique || !row.indimmediate || !row.indisvalid || row.indpred) continue;
    size_t fixed = 0;
    for (int column = 0; column < row.indnkeyatts; ++column) {
      fixed += by_index != nullptr ? IndexScanFixes(*by_index, index->oid, column)
                                   : FilterFixes(scan, *index, column);
    }
    size_t conditions = by_index != nullptr ? by_index->conditions.size() : scan.quals.size();
    if (fixed == static_cast<size_t>(row.indnkeyatts) && conditions == fixed) return true;
  }
  return false;
}

// Whether evaluating it once more would do nothing and see nothing else.
bool IsRepeatable(const Plan& plan) {
  return std::ranges::none_of(plan.target,
                              [](const TargetEntry* entry) { return VolatilityOf(entry->expr) == 'v'; });
}

}  // namespace

bool AnswersWithCount(const PlannedStatement& statement) {
  if (!Is<ModifyTablePlan>(statement.plan) || !statement.subplans.empty()) return false;
  const ModifyTablePlan& plan = *As<ModifyTablePlan>(statement.plan);
  if (plan.has_returning || !plan.sets_tag || plan.on_conflict != OnConflictAction::kNone ||
      !plan.marks.empty())
    return false;
  if (plan.command == CmdType::kInsert)
    return (Is<ResultPlan>(plan.left) && plan.left->left == nullptr) || Is<ValuesScanPlan>(plan.left);
  if (plan.command != CmdType::kUpdate || !plan.check_options.empty()) return false;
  RelationRef table = OpenRelation(plan.relation, LockMode::kNone);
  return FindsByKeyAlone(plan.left, *table) && IsRepeatable(*plan.left);
}

}  // namespace walden

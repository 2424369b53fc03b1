#include "node/session/plan_history.h"

#include "node/catalog/relation.h"
#include "node/config/settings.h"
#include "node/sql/plan/plan.h"

namespace walden {
namespace {

constexpr uint64_t kCustomPlansFirst = 5;

// What planning costs, in the planner's own unit.
double PlanningCost(const PlannedStatement& statement) {
  return 1000.0 * GetReal(Setting::kCpuOperatorCost) * (static_cast<double>(statement.relations.size()) + 1);
}

double CostOf(const PlannedStatement& statement) { return statement.plan->total_cost; }

bool FindsOneRow(const IndexScanPlan& scan) {
  RelationRef index = TryOpenRelation(scan.index, LockMode::kAccessShare);
  if (index == nullptr || !index->index->indisunique) return false;
  for (int column = 1; column <= index->index->indnkeyatts; ++column) {
    bool equal = false;
    for (const IndexCondition* condition : scan.conditions) {
      equal |= condition->index_column == column && condition->kind == ScanKey::Kind::kCompare &&
               condition->strategy == Strategy::kEqual;
    }
    if (!equal) return false;
  }
  return true;
}

bool IsIndependent(const Plan* plan) {
  if (plan == nullptr) return true;
  switch (plan->kind) {
    case PlanKind::kIndexScan: return FindsOneRow(*As<IndexScanPlan>(plan));
    case PlanKind::kResult:
    case PlanKind::kValuesScan:
    case PlanKind::kSubqueryScan:
    case PlanKind::kNestLoop:
    case PlanKind::kMaterial:
    case PlanKind::kSort:
    case PlanKind::kLockRows:
    case PlanKind::kLimit:
    case PlanKind::kModifyTable: return IsIndependent(plan->left) && IsIndependent(plan->right);
    default: return false;
  }
}

}  // namespace

bool PlanHistory::PrefersGeneric() const {
  switch (GetEnum<PlanCacheMode>(Setting::kPlanCacheMode)) {
    case PlanCacheMode::kForceGenericPlan: return true;
    case PlanCacheMode::kForceCustomPlan: return false;
    case PlanCacheMode::kAuto: break;
  }
  if (value_independent) return true;
  if (custom_plans < kCustomPlansFirst) return false;
  return generic_cost < custom_cost / static_cast<double>(custom_plans);
}

void PlanHistory::NoteGeneric(const PlannedStatement& statement) {
  generic_cost = CostOf(statement);
  value_independent = IsValueIndependent(statement);
}

void PlanHistory::NoteCustom(const PlannedStatement& statement) {
  ++custom_plans;
  custom_cost += CostOf(statement) + PlanningCost(statement);
}

bool IsValueIndependent(const PlannedStatement& statement) {
  for (const Subplan* subplan : statement.subplans) {
    if (!IsIndependent(subplan->plan)) return false;
  }
  return IsIndependent(statement.plan);
}

}  // namespace walden

#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/recheck.h"

namespace walden {
namespace {

template <class P>
const P& PlanAs(const Plan& plan) {
  return *As<P>(&plan);
}

bool ScansTable(const Plan& plan) {
  return plan.kind == PlanKind::kSeqScan || plan.kind == PlanKind::kIndexScan ||
         plan.kind == PlanKind::kBitmapScan || plan.kind == PlanKind::kTidScan;
}

}  // namespace

std::unique_ptr<Operator> MakeOperator(Executor& executor, const Plan& plan) {
  // A relation whose row is not named is read as in the statement itself.
  if (const RecheckRows* rows = executor.recheck_rows(); rows != nullptr && ScansTable(plan)) {
    const ScanPlan& scan = static_cast<const ScanPlan&>(plan);
    if (rows->rows.contains(scan.rtindex)) return MakeRecheckScan(executor, scan);
  }
  switch (plan.kind) {
    case PlanKind::kResult: return MakeResult(executor, PlanAs<ResultPlan>(plan));
    case PlanKind::kProjectSet: return MakeProjectSet(executor, PlanAs<ProjectSetPlan>(plan));
    case PlanKind::kSeqScan: return MakeSeqScan(executor, PlanAs<SeqScanPlan>(plan));
    case PlanKind::kIndexScan: return MakeIndexScan(executor, PlanAs<IndexScanPlan>(plan));
    case PlanKind::kTidScan: return MakeTidScan(executor, PlanAs<TidScanPlan>(plan));
    case PlanKind::kFunctionScan: return MakeFunctionScan(executor, PlanAs<FunctionScanPlan>(plan));
    case PlanKind::kValuesScan: return MakeValuesScan(executor, PlanAs<ValuesScanPlan>(plan));
    case PlanKind::kSubqueryScan: return MakeSubqueryScan(executor, PlanAs<SubqueryScanPlan>(plan));
    case PlanKind::kCteScan: return MakeCteScan(executor, PlanAs<CteScanPlan>(plan));
    case PlanKind::kWorkTableScan: return MakeWorkTableScan(executor, PlanAs<WorkTableScanPlan>(plan));
    case PlanKind::kNestLoop: return MakeNestLoop(executor, PlanAs<NestLoopPlan>(plan));
    case PlanKind::kHashJoin: return MakeHashJoin(executor, PlanAs<HashJoinPlan>(plan));
    case PlanKind::kMaterial: return MakeMaterial(executor, PlanAs<MaterialPlan>(plan));
    case PlanKind::kSort: return MakeSort(executor, PlanAs<SortPlan>(plan));
    case PlanKind::kAgg: return MakeAgg(executor, PlanAs<AggPlan>(plan));
    case PlanKind::kUnique: return MakeUnique(executor, PlanAs<UniquePlan>(plan));
    case PlanKind::kSetOp: return MakeSetOp(executor, PlanAs<SetOpPlan>(plan));
    case PlanKind::kAppend: return MakeAppend(executor, PlanAs<AppendPlan>(plan));
    case PlanKind::kRecursiveUnion: return MakeRecursiveUnion(executor, PlanAs<RecursiveUnionPlan>(plan));
    case PlanKind::kLockRows: return MakeLockRows(executor, PlanAs<LockRowsPlan>(plan));
    case PlanKind::kLimit: return MakeLimit(executor, PlanAs<LimitPlan>(plan));
    case PlanKind::kModifyTable: return MakeModifyTable(executor, PlanAs<ModifyTablePlan>(plan));
    case PlanKind::kWindowAgg: return MakeWindowAgg(executor, PlanAs<WindowAggPlan>(plan));
    case PlanKind::kBitmapScan: return MakeBitmapScan(executor, PlanAs<BitmapScanPlan>(plan));
    case PlanKind::kMergeJoin: return MakeMergeJoin(executor, PlanAs<MergeJoinPlan>(plan));
    case PlanKind::kMergeAppend: throw NotSupported(PlanKindName(plan.kind));
  }
  throw SqlError(ErrorCode::kInternalError, "unrecognized plan kind");
}

}  // namespace walden

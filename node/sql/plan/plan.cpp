#include "node/sql/plan/plan.h"

namespace walden {

std::string_view PlanKindName(PlanKind kind) {
  switch (kind) {
    case PlanKind::kResult: return "Result";
    case PlanKind::kProjectSet: return "ProjectSet";
    case PlanKind::kSeqScan: return "Seq Scan";
    case PlanKind::kIndexScan: return "Index Scan";
    case PlanKind::kBitmapScan: return "Bitmap Heap Scan";
    case PlanKind::kTidScan: return "Tid Scan";
    case PlanKind::kFunctionScan: return "Function Scan";
    case PlanKind::kValuesScan: return "Values Scan";
    case PlanKind::kSubqueryScan: return "Subquery Scan";
    case PlanKind::kCteScan: return "CTE Scan";
    case PlanKind::kWorkTableScan: return "WorkTable Scan";
    case PlanKind::kNestLoop: return "Nested Loop";
    case PlanKind::kHashJoin: return "Hash Join";
    case PlanKind::kMergeJoin: return "Merge Join";
    case PlanKind::kMaterial: return "Materialize";
    case PlanKind::kSort: return "Sort";
    case PlanKind::kAgg: return "Aggregate";
    case PlanKind::kWindowAgg: return "WindowAgg";
    case PlanKind::kUnique: return "Unique";
    case PlanKind::kSetOp: return "SetOp";
    case PlanKind::kAppend: return "Append";
    case PlanKind::kMergeAppend: return "Merge Append";
    case PlanKind::kRecursiveUnion: return "Recursive Union";
    case PlanKind::kLockRows: return "LockRows";
    case PlanKind::kLimit: return "Limit";
    case PlanKind::kModifyTable: return "ModifyTable";
  }
  return "";
}

}  // namespace walden

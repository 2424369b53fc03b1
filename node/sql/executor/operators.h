// Constructors of the operators, one a file; MakeOperator (make_operator.cpp) dispatches on the plan's kind.
#pragma once

#include "node/sql/executor/operator.h"

namespace walden {

using OperatorPtr = std::unique_ptr<Operator>;

OperatorPtr MakeResult(Executor& executor, const ResultPlan& plan);
OperatorPtr MakeProjectSet(Executor& executor, const ProjectSetPlan& plan);
OperatorPtr MakeSeqScan(Executor& executor, const SeqScanPlan& plan);
OperatorPtr MakeIndexScan(Executor& executor, const IndexScanPlan& plan);
OperatorPtr MakeBitmapScan(Executor& executor, const BitmapScanPlan& plan);
OperatorPtr MakeTidScan(Executor& executor, const TidScanPlan& plan);
OperatorPtr MakeRecheckScan(Executor& executor, const ScanPlan& plan);
OperatorPtr MakeFunctionScan(Executor& executor, const FunctionScanPlan& plan);
OperatorPtr MakeValuesScan(Executor& executor, const ValuesScanPlan& plan);
OperatorPtr MakeSubqueryScan(Executor& executor, const SubqueryScanPlan& plan);
OperatorPtr MakeCteScan(Executor& executor, const CteScanPlan& plan);
OperatorPtr MakeWorkTableScan(Executor& executor, const WorkTableScanPlan& plan);
OperatorPtr MakeNestLoop(Executor& executor, const NestLoopPlan& plan);
OperatorPtr MakeHashJoin(Executor& executor, const HashJoinPlan& plan);
OperatorPtr MakeMergeJoin(Executor& executor, const MergeJoinPlan& plan);
OperatorPtr MakeMaterial(Executor& executor, const MaterialPlan& plan);
OperatorPtr MakeSort(Executor& executor, const SortPlan& plan);
OperatorPtr MakeAgg(Executor& executor, const AggPlan& plan);
OperatorPtr MakeWindowAgg(Executor& executor, const WindowAggPlan& plan);
OperatorPtr MakeUnique(Executor& executor, const UniquePlan& plan);
OperatorPtr MakeSetOp(Executor& executor, const SetOpPlan& plan);
OperatorPtr MakeAppend(Executor& executor, const AppendPlan& plan);
OperatorPtr MakeMergeAppend(Executor& executor, const MergeAppendPlan& plan);
OperatorPtr MakeRecursiveUnion(Executor& executor, const RecursiveUnionPlan& plan);
OperatorPtr MakeLockRows(Executor& executor, const LockRowsPlan& plan);
OperatorPtr MakeLimit(Executor& executor, const LimitPlan& plan);
OperatorPtr MakeModifyTable(Executor& executor, const ModifyTablePlan& plan);

// Sort keys over a row layout whose columns are the child's output.
std::vector<struct SortKey> SortKeysOf(const List<OrderKey>& keys);

}  // namespace walden

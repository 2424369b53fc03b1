// Plans: what the optimizer hands to the executor. A plan is immutable once made and may be executed many times; it
// lives in an arena together with its expressions, owned by a PlannedStatement.
//
// Expressions in a plan are executor-ready: every column reference is a Var with varno == kInputVar whose varattno
// is the position (from 1) in the node's *input row*:
//   scans        the columns listed in ScanPlan::columns, in that order
//   joins        the outer (left) child's output columns, then the inner (right) child's
//   aggregation  in `target` and `quals`: the group columns, then the aggregates' results; elsewhere the child's output
//   others       the child's output columns
// varnosyn/varattnosyn keep what the reference was in the query, for EXPLAIN. Correlation and nest-loop parameters
// are Params of kind kExec. Every node outputs `target`, computed over the input rows that pass `quals`. When the
// target is just the input columns in order, `project` is false and the columns are passed through uncopied.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "node/access/index.h"
#include "node/base/arena.h"
#include "node/sql/query/query.h"

namespace walden {

enum class PlanKind : uint8_t {
  kResult,      // no child: one row; with child: filters and projects; one-time filter
  kProjectSet,  // target list with set-returning functions
  kSeqScan,
  kIndexScan,   // also index-only
  kBitmapScan,  // bitmap heap scan over a tree of index conditions
  kTidScan,
  kFunctionScan,
  kValuesScan,
  kSubqueryScan,  // filters and projects a subquery's rows; kept for EXPLAIN and security barriers
  kCteScan,
  kWorkTableScan,
  kNestLoop,
  kHashJoin,
  kMergeJoin,
  kMaterial,
  kSort,
  kAgg,
  kWindowAgg,
  kUnique,  // adjacent duplicates of sorted input
  kSetOp,   // INTERSECT, EXCEPT
  kAppend,
  kMergeAppend,
  kRecursiveUnion,
  kLockRows,
  kLimit,
  kModifyTable,
};
std::string_view PlanKindName(PlanKind kind);  // as EXPLAIN prints it: "Seq Scan"

struct Plan {
  PlanKind kind;
  int32_t node_id = 0;
  double startup_cost = 0;
  double total_cost = 0;
  double rows = 0;
  int32_t width = 0;
  List<TargetEntry*> target;  // output columns, junk ones included
  bool project = true;
  ExprList quals;            // ANDed
  Plan* left = nullptr;      // outer child
  Plan* right = nullptr;     // inner child
  List<int32_t> init_plans;  // subplan ids evaluated at most once per (re)start, on demand
  List<int32_t> params;      // exec parameters whose change invalidates this subtree's rows (rescan)
  explicit Plan(PlanKind plan_kind) : kind(plan_kind) {}
};
template <PlanKind kPlanKind>
struct PlanOf : Plan {
  static constexpr PlanKind kKind = kPlanKind;
  PlanOf() : Plan(kPlanKind) {}
};

struct ResultPlan : PlanOf<PlanKind::kResult> {
  ExprList one_time_quals;  // no column references: false = no rows at all
};
struct ProjectSetPlan : PlanOf<PlanKind::kProjectSet> {};

struct ScanPlan : Plan {
  using Plan::Plan;
  int32_t rtindex = 0;  // in PlannedStatement::rtable
  Oid relation = Oid::kInvalid;
  List<int32_t> columns;  // attribute numbers of the input row; negative = system columns
};
struct SeqScanPlan : ScanPlan {
  static constexpr PlanKind kKind = PlanKind::kSeqScan;
  SeqScanPlan() : ScanPlan(kKind) {}
};

// One condition of an index scan: "index column <strategy> value".
struct IndexCondition {
  ScanKey::Kind kind = ScanKey::Kind::kCompare;
  int32_t index_column = 1;  // 1-based key column
  Strategy strategy = Strategy::kEqual;
  Expr* value = nullptr;  // kCompare: scalar; kArray: array; no input columns (Params and Consts only)
  Oid left_type =
      Oid::kInvalid;  // the operator's declared types, for the comparator of a cross-type condition
  Oid right_type = Oid::kInvalid;
  List<Expr*> row_values;  // kRow
  // The whole condition over the scan's input row, for EXPLAIN and for re-checks after a lock wait; its columns are
  // among ScanPlan::columns whenever the statement locks or changes rows.
  Expr* original = nullptr;
};
struct IndexScanPlan : ScanPlan {
  static constexpr PlanKind kKind = PlanKind::kIndexScan;
  IndexScanPlan() : ScanPlan(kKind) {}
  Oid index = Oid::kInvalid;
  List<IndexCondition*> conditions;
  ScanDirection direction = ScanDirection::kForward;
  bool index_only = false;  // values come from the index where the visibility map allows
  // index_only: for each of `columns` the index column (from 1) that delivers it.
  List<int32_t> index_columns;
};

// Tree of index conditions whose row identities are combined before the heap is read in physical order.
struct BitmapNode {
  enum class Kind : uint8_t { kIndex, kAnd, kOr };
  Kind kind = Kind::kIndex;
  Oid index = Oid::kInvalid;
  List<IndexCondition*> conditions;
  List<BitmapNode*> children;
  double startup_cost = 0, total_cost = 0, rows = 0;
  int32_t node_id = 0;
};
struct BitmapScanPlan : ScanPlan {
  static constexpr PlanKind kKind = PlanKind::kBitmapScan;
  BitmapScanPlan() : ScanPlan(kKind) {}
  BitmapNode* bitmap = nullptr;
  ExprList recheck;  // for lossy pages
};
struct TidScanPlan : ScanPlan {
  static constexpr PlanKind kKind = PlanKind::kTidScan;
  TidScanPlan() : ScanPlan(kKind) {}
  ExprList tids;               // each a tid, or a tid array when in tid_arrays; ORed
  List<int32_t> tid_is_array;  // parallel, 0 or 1
  ExprList shown;              // the whole conditions over the scan's input row, for EXPLAIN
  CurrentOfExpr* current_of = nullptr;
};
struct FunctionScanPlan : ScanPlan {
  static constexpr PlanKind kKind = PlanKind::kFunctionScan;
  FunctionScanPlan() : ScanPlan(kKind) {}
  List<RangeTblFunction*> functions;
  bool ordinality = false;
};
struct ValuesScanPlan : ScanPlan {
  static constexpr PlanKind kKind = PlanKind::kValuesScan;
  ValuesScanPlan() : ScanPlan(kKind) {}
  List<RowExpr*> values;
};
struct SubqueryScanPlan : ScanPlan {  // child: left
  static constexpr PlanKind kKind = PlanKind::kSubqueryScan;
  SubqueryScanPlan() : ScanPlan(kKind) {}
};
struct CteScanPlan : ScanPlan {
  static constexpr PlanKind kKind = PlanKind::kCteScan;
  CteScanPlan() : ScanPlan(kKind) {}
  int32_t subplan_id = 0;  // the CTE's plan, shared by all scans of it
};
struct WorkTableScanPlan : ScanPlan {
  static constexpr PlanKind kKind = PlanKind::kWorkTableScan;
  WorkTableScanPlan() : ScanPlan(kKind) {}
  int32_t work_table_id = 0;  // of the RecursiveUnionPlan above
};

// A value of the outer row that the inner side reads as an exec parameter.
struct NestLoopParam {
  int32_t param_id = 0;
  Expr* value = nullptr;  // over the outer row
};
// kSemi and kAnti: only the outer columns are output, but join_quals see both. kRight is made kLeft by swapping,
// except in hash joins. Semantics of join_quals against quals as in PostgreSQL: join_quals decide a match, quals filter after.
struct JoinPlan : Plan {
  using Plan::Plan;
  JoinType join_type = JoinType::kInner;
  ExprList join_quals;
  bool inner_unique = false;  // at most one match per outer row
};
struct NestLoopPlan : JoinPlan {
  static constexpr PlanKind kKind = PlanKind::kNestLoop;
  NestLoopPlan() : JoinPlan(kKind) {}
  List<NestLoopParam*> nest_params;
};
struct HashJoinPlan : JoinPlan {  // builds on the inner (right) side
  static constexpr PlanKind kKind = PlanKind::kHashJoin;
  HashJoinPlan() : JoinPlan(kKind) {}
  ExprList outer_keys;  // over the outer child's row
  ExprList inner_keys;  // over the inner child's row, same types as outer_keys
  List<Oid> equal_operators;
};
struct MergeJoinPlan : JoinPlan {  // both children sorted on the keys
  static constexpr PlanKind kKind = PlanKind::kMergeJoin;
  MergeJoinPlan() : JoinPlan(kKind) {}
  ExprList outer_keys;
  ExprList inner_keys;
  List<Oid> equal_operators;
  List<Oid> compare_types;  // the common type whose order both sides have
  List<int32_t> descending;
  List<int32_t> nulls_first;
};

struct MaterialPlan : PlanOf<PlanKind::kMaterial> {};

// Order by output columns of the child.
struct OrderKey {
  int32_t column = 1;  // 1-based output column of the child
  Oid type = Oid::kInvalid;
  Oid collation = Oid::kInvalid;
  bool descending = false;
  bool nulls_first = false;
};
struct SortPlan : PlanOf<PlanKind::kSort> {
  List<OrderKey> keys;
  int32_t presorted = 0;  // leading keys that the input is already sorted by (incremental sort)
  double bound = -1;      // rows that LIMIT above will take, when known at plan time
};

enum class AggStrategy : uint8_t { kPlain, kSorted, kHashed, kMixed };
// Input row of `target` and `quals`: one column per group expression, then one per aggregate (Vars), then for
// grouping sets the set number (int4) for GROUPING().
struct AggPlan : PlanOf<PlanKind::kAgg> {
  AggStrategy strategy = AggStrategy::kPlain;
  ExprList group_keys;       // over the child's row
  List<Aggref*> aggregates;  // arguments over the child's row
  // Grouping sets: each a list of indexes into group_keys; empty = one set of all keys.
  List<List<int32_t>> grouping_sets;
  // GROUPING() calls (arguments over the child's row), and the expressions in `target` and `quals` that compute them: for EXPLAIN.
  ExprList groupings;
  ExprList grouping_values;
  double groups = 1;
};

struct WindowAggPlan : PlanOf<PlanKind::kWindowAgg> {
  // Input sorted by partition, then order keys. Output: the child's columns, then one per window function.
  WindowClause* clause = nullptr;
  List<OrderKey> partition_keys;
  List<OrderKey> order_keys;
  List<WindowFunc*> functions;  // arguments over the child's row
  Expr* start_offset = nullptr;
  Expr* end_offset = nullptr;
};

struct UniquePlan : PlanOf<PlanKind::kUnique> {
  List<OrderKey> keys;
};
// Counts rows of both children (left, right) by all columns, hashed.
struct SetOpPlan : PlanOf<PlanKind::kSetOp> {
  SetOperation op = SetOperation::kIntersect;
  bool all = false;
  List<OrderKey> keys;  // one per column, for types and collations
};
struct AppendPlan : PlanOf<PlanKind::kAppend> {
  List<Plan*> children;
};
struct MergeAppendPlan : PlanOf<PlanKind::kMergeAppend> {
  List<Plan*> children;
  List<OrderKey> keys;
};
struct RecursiveUnionPlan
    : PlanOf<PlanKind::kRecursiveUnion> {  // left: non-recursive term, right: recursive term
  int32_t work_table_id = 0;
  bool distinct = false;
  List<OrderKey> keys;
};

// One lockable relation of a FOR UPDATE/SHARE or of an UPDATE's re-check.
struct RowMark {
  int32_t rtindex = 0;
  Oid relation = Oid::kInvalid;
  LockClauseStrength strength =
      LockClauseStrength::kNone;  // kNone: only needed to find the row again for re-checks
  LockWaitPolicy wait_policy = LockWaitPolicy::kBlock;
  int32_t ctid_column = 0;  // input column with the row's identity; 0 when whole_row_column is used
};
struct LockRowsPlan : PlanOf<PlanKind::kLockRows> {
  List<RowMark*> marks;
};
struct LimitPlan : PlanOf<PlanKind::kLimit> {
  Expr* offset = nullptr;  // int8
  Expr* count = nullptr;   // int8; null = all
  bool with_ties = false;
  List<OrderKey> ties_keys;
};

// Child (left) delivers: INSERT: one column per table attribute, in attribute order (dropped ones as nulls);
// UPDATE: new values of update_columns in order, then the ctid; DELETE: the ctid. Further columns serve RETURNING and re-checks.
// target = RETURNING list over the input row [new row's attributes (old row's for DELETE) ..., ctid, tableoid, returned_system, then
// the child's columns].
struct ModifyTablePlan : PlanOf<PlanKind::kModifyTable> {
  CmdType command = CmdType::kInsert;
  int32_t rtindex = 0;
  Oid relation = Oid::kInvalid;
  List<int32_t> update_columns;  // attribute numbers
  int32_t ctid_column = 0;       // child's column with the target row's identity
  List<RowMark*> marks;          // other relations, for re-checks
  bool has_returning = false;
  List<int32_t> returned_system;  // xmin, xmax, cmin, cmax: those that RETURNING names
  bool sets_tag = true;           // its rows count for the command tag (not those of WITH)
  // ON CONFLICT
  OnConflictAction on_conflict = OnConflictAction::kNone;
  List<Oid> arbiter_indexes;  // empty: any unique index
  // DO UPDATE: over [existing row's attributes..., ctid, tableoid, excluded row's attributes...].
  List<int32_t> conflict_columns;
  ExprList conflict_values;
  ExprList conflict_where;
  int32_t excluded_rtindex = 0;
  ExprList conflict_where_shown;         // over the flat range table, for EXPLAIN
  List<WithCheckOption*> check_options;  // quals over the new row's attributes
};

// A subquery's plan, referenced by SubPlan::plan_id, CteScanPlan::subplan_id, or as an init plan.
struct Subplan {
  Plan* plan = nullptr;
  bool is_init_plan = false;
  bool is_cte = false;
  SubLinkType link_type = SubLinkType::kExpr;  // init plans: kExpr (one row, its columns), kExists, kArray
  std::string_view name;                       // "InitPlan 1 (returns $0)", "CTE x"
  List<int32_t> output_params;                 // init plan: exec parameters that receive the result
  List<int32_t> input_params;
};

// A result column (junk) that holds the identity of the row a relation contributed.
struct RowIdentity {
  Oid relation = Oid::kInvalid;
  int32_t column = 0;  // from 1
};

struct PlannedStatement {
  Arena arena;  // owns all below
  // Asked for before planning (cursors): where the query is simple enough, its rows carry the identity of what they were made of.
  bool keep_row_identity = false;
  List<RowIdentity> row_identities;
  CmdType command = CmdType::kSelect;
  Plan* plan = nullptr;
  List<Subplan*> subplans;  // id n is subplans[n - 1]
  int32_t exec_param_count = 0;
  int32_t node_count = 0;
  List<RangeTblEntry*> rtable;   // flat, of all query levels
  List<Oid> relations;           // every relation that must be locked and checked: plan invalidation
  List<int32_t> relation_locks;  // parallel: lock mode
  List<TargetEntry*> result;     // names and types of the result's columns (without junk)
  bool has_returning = false;
  List<int32_t> modifying_ctes;  // subplans that change data: run to their end whether they are read or not
  bool is_read_only = true;
  bool has_row_marks = false;
  // Depends on the current role, or on row security, or was planned with parameter values (custom).
  bool is_custom = false;

  explicit PlannedStatement(MemoryAccount* account = &ProcessMemory()) : arena(account) {}
};

template <class T>
bool Is(const Plan* plan) {
  return plan != nullptr && plan->kind == T::kKind;
}
template <class T>
const T* As(const Plan* plan) {
  DCHECK(Is<T>(plan));
  return static_cast<const T*>(plan);
}
template <class T>
T* As(Plan* plan) {
  DCHECK(Is<T>(plan));
  return static_cast<T*>(plan);
}

}  // namespace walden

// Ways to read one item of FROM: sequential and index scans of tables (also with parameters from other relations), functions,
// VALUES, subqueries, CTEs. Costs follow PostgreSQL's cost model and settings.
#include <algorithm>
#include <cmath>

#include "node/catalog/builtin.h"
#include "node/config/settings.h"
#include "node/sql/optimizer/cost.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/optimizer/index_paths.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/optimizer/refutation.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"
#include "node/types/array.h"

namespace walden {
Path QueryPlanner::FinishScan(BaseRel& base, ScanPlan* plan, const std::vector<Qual>& filters, double rows) {
  Path path;
  path.plan = plan;
  path.rels.Add(base.rtindex);
  plan->rtindex = flat(base.rtindex);
  for (const Qual& filter : filters) path.required |= filter.rels;
  path.required = path.required - path.rels;
  path.rows = std::max(1.0, rows);
  plan->rows = path.rows;
  plan->target = TargetsFor(path.columns);
  plan->project = false;
  return path;
}

ExprList ScanColumnsOf(const BaseRel& base, const std::vector<Qual>& filters, bool all_conditions,
                       Arena& arena, List<int32_t>* attnos) {
  std::vector<int32_t> wanted = base.output;
  struct Collector {
    static void Collect(const Node* node, int32_t rtindex, std::vector<int32_t>* to) {
      if (const Var* var = TryAs<Var>(node)) {
        if (var->varlevelsup == 0 && var->varno == rtindex &&
            std::find(to->begin(), to->end(), var->varattno) == to->end()) {
          to->push_back(var->varattno);
        }
        return;
      }
      AnyChild(node, [&](const Node* child) {
        Collect(child, rtindex, to);
        return false;
      });
    }
  };
  for (const Qual& filter : filters) Collector::Collect(filter.expr, base.rtindex, &wanted);
  if (all_conditions) {
    for (const Qual& qual : base.quals) Collector::Collect(qual.expr, base.rtindex, &wanted);
  }
  ExprList columns;
  for (int32_t attno : wanted) {
    if (attno == 0) throw NotSupported("whole-row reference");
    attnos->Append(arena, attno);
    if (attno < 0) {
      const SystemColumn* system = FindSystemColumn(static_cast<AttrNumber>(attno));
      columns.Append(arena, MakeVar(arena, base.rtindex, static_cast<AttrNumber>(attno), system->type, -1,
                                    Oid::kInvalid));
      continue;
    }
    const PgAttributeRow& column = base.relation->columns[attno - 1];
    columns.Append(arena, MakeVar(arena, base.rtindex, static_cast<AttrNumber>(attno), column.atttypid,
                                  column.atttypmod, column.attcollation));
  }
  return columns;
}

// The identities that one condition on ctid allows, added to the plan's: ctid = value, ctid = ANY (array), or an OR of such.
bool QueryPlanner::AddTids(const BaseRel& base, const Expr* condition, TidScanPlan* plan) {
  if (const BoolExpr* either = TryAs<BoolExpr>(static_cast<const Node*>(condition))) {
    return either->boolop == BoolExprType::kOr &&
           std::all_of(either->args.begin(), either->args.end(),
                       [&](const Expr* arm) { return AddTids(base, arm, plan); });
  }
  const OpExpr* op = TryAs<OpExpr>(static_cast<const Node*>(condition));
  const ScalarArrayOpExpr* any = TryAs<ScalarArrayOpExpr>(static_cast<const Node*>(condition));
  const ExprList* args = op != nullptr ? &op->args : any != nullptr && any->use_or ? &any->args : nullptr;
  if (args == nullptr || args->size() != 2) return false;
  const BuiltinOperator* row = FindBuiltinOperator(op != nullptr ? op->opno : any->opno);
  if (row == nullptr || row->name != "=") return false;
  Expr* value = (*args)[1];
  if (!IsColumn((*args)[0], base.rtindex, kSelfItemPointerAttr)) {
    if (op == nullptr || !IsColumn(value, base.rtindex, kSelfItemPointerAttr)) return false;
    value = (*args)[0];
  }
  if (!RelsOf(value).empty() || VolatilityOf(value) == 'v') return false;
  plan->tids.Append(arena(), value);
  plan->tid_is_array.Append(arena(), op == nullptr ? 1 : 0);
  return true;
}

namespace {

// As many elements as a constant array has; ten where it is not known.
double ElementsOf(const Expr* array) {
  const Const* constant = TryAs<Const>(array);
  if (constant != nullptr && !constant->IsNull())
    return ArrayView(constant->value.datum.string.view()).count();
  const ArrayExpr* list = TryAs<ArrayExpr>(array);
  return list != nullptr ? list->elements.size() : 10;
}

}  // namespace

// Rows by their identity. The row of WHERE CURRENT OF can be found in no other way.
bool QueryPlanner::TidPath(BaseRel& base, const std::vector<Qual>& quals, Path* path) {
  for (const Qual& qual : quals) {
    TidScanPlan* plan = arena().New<TidScanPlan>();
    plan->current_of = TryAs<CurrentOfExpr>(static_cast<Node*>(qual.expr));
    if (plan->current_of == nullptr && !AddTids(base, qual.expr, plan)) continue;
    plan->relation = base.relation->oid;
    path->columns = ScanColumnsOf(base, quals, false, arena(), &plan->columns);
    plan->shown.Append(arena(), BindToInput(qual.expr, path->columns));
    std::vector<Qual> filters;
    for (const Qual& other : quals) {
      if (&other != &qual) filters.push_back(other);  // a re-check's row has another identity
    }
    plan->quals = BindList(filters, path->columns);
    plan->rtindex = flat(base.rtindex);
    plan->target = TargetsFor(path->columns);
    plan->project = false;
    path->plan = plan;
    path->rels.Add(base.rtindex);
    double fetched = 0;
    for (uint32_t i = 0; i < plan->tids.size(); ++i)
      fetched += plan->tid_is_array[i] != 0 ? ElementsOf(plan->tids[i]) : 1;
    fetched = std::max(1.0, fetched);
    path->rows = plan->rows = plan->current_of != nullptr ? 1 : std::min(fetched, base.rows);
    path->total_cost = fetched * (GetReal(Setting::kRandomPageCost) + CpuTupleCost() +
                                  CpuOperatorCost() * static_cast<double>(filters.size() + 1));
    if (!GetBool(Setting::kEnableTidscan) && plan->current_of == nullptr) path->total_cost += kDisabledCost;
    plan->width = WidthOf(path->columns);
    plan->total_cost = path->total_cost;
    return true;
  }
  return false;
}

// No row can be wanted: an empty Result in place of the scan.
Path QueryPlanner::PlanExcluded(BaseRel& base) {
  ResultPlan* plan = arena().New<ResultPlan>();
  plan->one_time_quals.Append(arena(), MakeBoolConst(arena(), false));
  List<int32_t> attnos;
  Path path;
  path.columns = ScanColumnsOf(base, {}, false, arena(), &attnos);
  plan->target = TargetsFor(path.columns);
  plan->project = false;
  plan->width = WidthOf(path.columns);
  path.plan = plan;
  path.rels.Add(base.rtindex);
  path.rows = base.rows = 1;
  return path;
}

Path QueryPlanner::PlanTable(BaseRel& base, const std::vector<Qual>& quals) {
  SeqScanPlan* plan = arena().New<SeqScanPlan>();
  plan->relation = base.relation->oid;
  Path path;
  path.columns = ScanColumnsOf(base, quals, false, arena(), &plan->columns);
  plan->quals = BindList(quals, path.columns);
  plan->rtindex = flat(base.rtindex);
  plan->target = TargetsFor(path.columns);
  plan->project = false;
  path.plan = plan;
  path.rels.Add(base.rtindex);
  path.rows = base.rows;
  path.total_cost = base.pages * GetReal(Setting::kSeqPageCost) +
                    base.tuples * (CpuTupleCost() + CpuOperatorCost() * static_cast<double>(quals.size()));
  if (!GetBool(Setting::kEnableSeqscan)) path.total_cost += kDisabledCost;
  plan->rows = path.rows;
  plan->width = WidthOf(path.columns);
  plan->total_cost = path.total_cost;
  return path;
}

Path QueryPlanner::PlanBase(BaseRel& base) {
  double selectivity = 1;
  for (const Qual& qual : base.quals) selectivity *= Selectivity(*this, qual.expr);
  base.rows = std::max(1.0, std::rint(base.tuples * selectivity));
  switch (base.rte->rtekind) {
    case RteKind::kRelation: {
      if (IsExcluded(base, arena(), global_.options)) return PlanExcluded(base);
      Path tid;
      bool by_tid = TidPath(base, base.quals, &tid);
      if (by_tid && As<TidScanPlan>(tid.plan)->current_of != nullptr) return tid;
      Path best = PlanTable(base, base.quals);
      auto consider = [&](const Path& path) {
        if (CostOfWanted(path) < CostOfWanted(best)) best = path;
      };
      if (by_tid) consider(tid);
      for (const Path& path : BasePaths(base, {}, RelSet(), 1)) consider(path);
      Path bitmap;
      if (BitmapPath(base, base.quals, RelSet(), 1, &bitmap)) consider(bitmap);
      return best;
    }
    case RteKind::kSubquery: return PlanSubqueryScan(base);
    case RteKind::kFunction: return PlanFunction(base);
    case RteKind::kValues: return PlanValues(base);
    case RteKind::kCte: return PlanCte(base);
    case RteKind::kResult: return PlanResultRel(base);
    case RteKind::kTableFunc: throw NotSupported("XMLTABLE");
    default: throw NotSupported("this kind of FROM item");
  }
}

namespace {

// Output columns of a scan that delivers all columns of a range table entry.
ExprList AllColumns(Arena& arena, int32_t rtindex, const std::vector<OutputType>& types) {
  ExprList columns;
  for (size_t i = 0; i < types.size(); ++i) {
    columns.Append(arena, MakeVar(arena, rtindex, static_cast<AttrNumber>(i + 1), types[i].type,
                                  types[i].typmod, types[i].collation));
  }
  return columns;
}

}  // namespace

Path QueryPlanner::PlanSubqueryScan(BaseRel& base) {
  Query* sub = base.rte->subquery;
  // LATERAL references become parameters of a nested loop above.
  if (!base.lateral.empty()) {
    struct Replacer {
      QueryPlanner* planner;
      Node* Replace(Node* node, uint32_t level) {
        if (const Var* var = TryAs<Var>(node)) {
          if (var->varlevelsup != level || level == 0) return node;
          Var* outer = static_cast<Var*>(CopyShallow(node, planner->arena()));
          outer->varlevelsup = 0;
          return planner->NestParamFor(outer);
        }
        uint32_t below = Is<Query>(node) ? level + 1 : level;
        ReplaceChildren(node, [&](Node* child) { return Replace(child, below); });
        return node;
      }
    };
    Replacer{this}.Replace(sub, 0);
  }
  QueryPlanner planner(global_, this, sub);
  Path inner = planner.PlanSelect(0);
  std::vector<OutputType> types;
  for (const TargetEntry* entry : sub->target_list) {
    types.push_back({ExprType(entry->expr), ExprTypmod(entry->expr), ExprCollation(entry->expr)});
  }
  Path path;
  path.columns = AllColumns(arena(), base.rtindex, types);
  path.rels.Add(base.rtindex);
  path.required = base.lateral;
  base.tuples = inner.rows;
  double selectivity = 1;
  for (const Qual& qual : base.quals) selectivity *= Selectivity(*this, qual.expr);
  base.rows = path.rows = std::max(1.0, inner.rows * selectivity);
  path.startup_cost = inner.startup_cost;
  path.total_cost = inner.total_cost;
  if (base.quals.empty()) {
    path.plan = inner.plan;
    return path;
  }
  SubqueryScanPlan* plan = arena().New<SubqueryScanPlan>();
  plan->left = inner.plan;
  plan->rtindex = flat(base.rtindex);
  plan->quals = BindList(base.quals, path.columns);
  plan->target = TargetsFor(path.columns);
  plan->project = false;
  path.total_cost += inner.rows * CpuOperatorCost() * static_cast<double>(base.quals.size());
  plan->rows = path.rows;
  plan->width = WidthOf(path.columns);
  plan->startup_cost = path.startup_cost;
  plan->total_cost = path.total_cost;
  path.plan = plan;
  return path;
}

namespace {

// A built-in function that returns a record by OUT parameters: its columns are theirs.
void AddOutColumns(RangeTblFunction* function, Arena& arena) {
  const FuncExpr* call = TryAs<FuncExpr>(static_cast<const Node*>(function->funcexpr));
  const BuiltinFunction* row = call == nullptr ? nullptr : FindBuiltinFunction(call->funcid);
  if (row == nullptr || row->return_type != type_oid::kRecord) return;
  for (size_t i = 0; i < row->arg_modes.size(); ++i) {
    char mode = row->arg_modes[i];
    if (mode != 'o' && mode != 'b' && mode != 't') continue;
    Oid type = row->all_arg_types()[i];
    const BuiltinType* type_row = FindBuiltinType(type);
    function->funccoltypes.Append(arena, type);
    function->funccoltypmods.Append(arena, -1);
    function->funccolcollations.Append(arena, type_row == nullptr ? Oid::kInvalid : type_row->collation);
  }
}

}  // namespace

Path QueryPlanner::PlanFunction(BaseRel& base) {
  FunctionScanPlan* plan = arena().New<FunctionScanPlan>();
  std::vector<OutputType> types;
  double rows = 1;
  for (RangeTblFunction* function : base.rte->functions) {
    RangeTblFunction* bound = static_cast<RangeTblFunction*>(CopyShallow(function, arena()));
    Expr* call = PlanSubLinks(function->funcexpr);
    bound->funcexpr = static_cast<Expr*>(ReplaceByNestParams(call, base.lateral));
    plan->functions.Append(arena(), bound);
    if (bound->funccoltypes.empty()) AddOutColumns(bound, arena());
    if (bound->funccoltypes.empty()) {
      types.push_back(
          {ExprType(function->funcexpr), ExprTypmod(function->funcexpr), ExprCollation(function->funcexpr)});
    }
    for (uint32_t i = 0; i < bound->funccoltypes.size(); ++i) {
      types.push_back({bound->funccoltypes[i], bound->funccoltypmods[i], bound->funccolcollations[i]});
    }
    if (const FuncExpr* set = TryAs<FuncExpr>(static_cast<const Node*>(function->funcexpr));
        set != nullptr && set->funcretset) {
      const BuiltinFunction* row = FindBuiltinFunction(set->funcid);
      rows = std::max(rows, row != nullptr && row->rows > 0 ? static_cast<double>(row->rows) : 1000);
    }
  }
  plan->ordinality = base.rte->funcordinality;
  if (plan->ordinality) types.push_back({type_oid::kInt8, -1, Oid::kInvalid});
  Path path;
  path.columns = AllColumns(arena(), base.rtindex, types);
  base.tuples = rows;
  double selectivity = 1;
  for (const Qual& qual : base.quals) selectivity *= Selectivity(*this, qual.expr);
  base.rows = rows * selectivity;
  ExprList columns = path.columns;
  plan->quals = BindList(base.quals, columns);
  path = FinishScan(base, plan, {}, base.rows);
  path.columns = columns;
  plan->target = TargetsFor(columns);
  path.required = base.lateral;
  path.total_cost = plan->total_cost = rows * CpuTupleCost();
  plan->width = WidthOf(columns);
  return path;
}

Path QueryPlanner::PlanValues(BaseRel& base) {
  ValuesScanPlan* plan = arena().New<ValuesScanPlan>();
  std::vector<OutputType> types;
  for (RowExpr* row : base.rte->values_lists) {
    RowExpr* bound = static_cast<RowExpr*>(CopyShallow(row, arena()));
    bound->args = row->args.Clone(arena());
    for (uint32_t i = 0; i < bound->args.size(); ++i) {
      bound->args[i] = static_cast<Expr*>(ReplaceByNestParams(PlanSubLinks(bound->args[i]), base.lateral));
    }
    plan->values.Append(arena(), bound);
  }
  for (const Expr* expr : base.rte->values_lists[0]->args)
    types.push_back({ExprType(expr), ExprTypmod(expr), ExprCollation(expr)});
  for (uint32_t i = 0; i < base.rte->coltypes.size() && i < types.size(); ++i) {
    types[i] = {base.rte->coltypes[i], base.rte->coltypmods[i], base.rte->colcollations[i]};
  }
  base.tuples = base.rte->values_lists.size();
  ExprList columns = AllColumns(arena(), base.rtindex, types);
  plan->quals = BindList(base.quals, columns);
  double selectivity = 1;
  for (const Qual& qual : base.quals) selectivity *= Selectivity(*this, qual.expr);
  Path path = FinishScan(base, plan, {}, base.tuples * selectivity);
  path.columns = columns;
  plan->target = TargetsFor(columns);
  path.required = base.lateral;
  path.total_cost = plan->total_cost = base.tuples * CpuTupleCost();
  plan->width = WidthOf(columns);
  base.rows = path.rows;
  return path;
}

QueryPlanner::PlannedCte* QueryPlanner::FindCte(const RangeTblEntry& rte) {
  QueryPlanner* level = this;
  for (uint32_t i = 0; i < rte.ctelevelsup && level != nullptr; ++i) level = level->parent_;
  if (level == nullptr) throw SqlError(ErrorCode::kInternalError, "bad levelsup for CTE \"{}\"", rte.ctename);
  for (PlannedCte& cte : level->ctes_) {
    if (cte.name == rte.ctename) return &cte;
  }
  throw SqlError(ErrorCode::kInternalError, "could not find CTE \"{}\"", rte.ctename);
}

Path QueryPlanner::PlanCte(BaseRel& base) {
  PlannedCte& cte = *FindCte(*base.rte);
  std::vector<OutputType> types;
  for (uint32_t i = 0; i < base.rte->coltypes.size(); ++i) {
    types.push_back({base.rte->coltypes[i], base.rte->coltypmods[i], base.rte->colcollations[i]});
  }
  ExprList columns = AllColumns(arena(), base.rtindex, types);
  ScanPlan* plan;
  if (cte.work_table_id != 0) {
    WorkTableScanPlan* scan = arena().New<WorkTableScanPlan>();
    scan->work_table_id = cte.work_table_id;
    plan = scan;
  } else {
    CteScanPlan* scan = arena().New<CteScanPlan>();
    scan->subplan_id = cte.subplan_id;
    plan = scan;
  }
  base.tuples = cte.rows;
  double selectivity = 1;
  for (const Qual& qual : base.quals) selectivity *= Selectivity(*this, qual.expr);
  plan->quals = BindList(base.quals, columns);
  Path path = FinishScan(base, plan, {}, cte.rows * selectivity);
  path.columns = columns;
  plan->target = TargetsFor(columns);
  path.total_cost = plan->total_cost = cte.rows * CpuTupleCost();
  plan->width = WidthOf(columns);
  base.rows = path.rows;
  return path;
}

Path QueryPlanner::PlanResultRel(BaseRel& base) {
  ResultPlan* plan = arena().New<ResultPlan>();
  plan->project = false;
  plan->rows = 1;
  Path path;
  path.plan = plan;
  path.rels.Add(base.rtindex);
  return path;
}

}  // namespace walden

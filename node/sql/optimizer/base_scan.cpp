// Ways to read one item of FROM: sequential and index scans of tables (also with parameters from other relations), functions,
// VALUES, subqueries, CTEs. Costs follow PostgreSQL's cost model and settings.
#include <algorithm>
#include <cmath>

#include "node/catalog/builtin.h"
#include "node/config/settings.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

constexpr double kDisabledCost = 1e10;

double CpuTupleCost() { return GetReal(Setting::kCpuTupleCost); }
double CpuOperatorCost() { return GetReal(Setting::kCpuOperatorCost); }

// An index column compared with a value that does not depend on the table.
struct IndexMatch {
  const Qual* qual;
  IndexCondition* condition;
  int column;  // 0-based
};

const Expr* StripForIndex(const Expr* expr) {
  while (const RelabelType* relabel = TryAs<RelabelType>(expr)) expr = relabel->arg;
  return expr;
}

bool IsColumn(const Expr* expr, int32_t rtindex, AttrNumber attno) {
  const Var* var = TryAs<Var>(StripForIndex(expr));
  return var != nullptr && var->varlevelsup == 0 && var->varno == rtindex && var->varattno == attno;
}

bool RefersTo(const Expr* expr, int32_t rtindex) { return RelsOf(expr).Contains(rtindex); }

// The comparator of (left, right) exists: same physical form, or integers of different width.
bool CanCompare(Oid left, Oid right) {
  auto is_integer = [](PhysicalType type) {
    return type == PhysicalType::kInt16 || type == PhysicalType::kInt32 || type == PhysicalType::kInt64;
  };
  if (left == right) return true;
  PhysicalType a = TypeOf(left).physical, b = TypeOf(right).physical;
  bool integer_types = (left == type_oid::kInt2 || left == type_oid::kInt4 || left == type_oid::kInt8) &&
                       (right == type_oid::kInt2 || right == type_oid::kInt4 || right == type_oid::kInt8);
  if (integer_types) return is_integer(a) && is_integer(b);
  bool string_types = (left == type_oid::kText || left == type_oid::kName || left == type_oid::kVarchar) &&
                      (right == type_oid::kText || right == type_oid::kName || right == type_oid::kVarchar);
  return string_types;
}

class IndexMatcher {
 public:
  IndexMatcher(const BaseRel& base, const Relation& index, Arena& arena) : base_(base), index_(index), arena_(arena) {}

  // The condition that `qual` puts on key column `column`, or null.
  IndexCondition* Match(const Qual& qual, int column) {
    AttrNumber attno = index_.index->indkey[column];
    if (attno == 0) return nullptr;
    if (const OpExpr* op = TryAs<OpExpr>(static_cast<const Node*>(qual.expr))) return MatchOperator(*op, column, attno);
    if (const ScalarArrayOpExpr* op = TryAs<ScalarArrayOpExpr>(static_cast<const Node*>(qual.expr))) {
      return MatchArray(*op, column, attno);
    }
    if (const NullTest* test = TryAs<NullTest>(static_cast<const Node*>(qual.expr))) {
      if (test->argisrow || !IsColumn(test->arg, base_.rtindex, attno)) return nullptr;
      IndexCondition* condition = New(column);
      condition->kind = test->nulltesttype == NullTestType::kIsNull ? ScanKey::Kind::kIsNull : ScanKey::Kind::kIsNotNull;
      return condition;
    }
    // A boolean column as a condition of its own.
    if (IsColumn(qual.expr, base_.rtindex, attno)) return BooleanCondition(column, true);
    if (const BoolExpr* expr = TryAs<BoolExpr>(static_cast<const Node*>(qual.expr));
        expr != nullptr && expr->boolop == BoolExprType::kNot && IsColumn(expr->args[0], base_.rtindex, attno)) {
      return BooleanCondition(column, false);
    }
    return nullptr;
  }

 private:
  IndexCondition* New(int column) {
    IndexCondition* condition = arena_.New<IndexCondition>();
    condition->index_column = column + 1;
    return condition;
  }
  IndexCondition* BooleanCondition(int column, bool truth) {
    if (index_.opclass_types[column] != type_oid::kBool) return nullptr;
    IndexCondition* condition = New(column);
    condition->value = MakeBoolConst(arena_, truth);
    return condition;
  }

  IndexCondition* MatchOperator(const OpExpr& op, int column, AttrNumber attno) {
    if (op.args.size() != 2) return nullptr;
    Oid opno = op.opno;
    const Expr* value = op.args[1];
    Expr* shown = nullptr;
    if (!IsColumn(op.args[0], base_.rtindex, attno)) {
      if (!IsColumn(op.args[1], base_.rtindex, attno)) return nullptr;
      const BuiltinOperator* row = FindBuiltinOperator(opno);
      if (row == nullptr || !IsValid(row->commutator)) return nullptr;
      opno = row->commutator;
      value = op.args[0];
      const BuiltinOperator* commuted = FindBuiltinOperator(opno);
      shown = MakeOpExpr(arena_, opno, commuted->function, op.opresulttype, op.opcollid, op.inputcollid,
                         ExprList(arena_, {op.args[1], op.args[0]}));
    }
    if (RefersTo(value, base_.rtindex) || VolatilityOf(value) == 'v') return nullptr;
    const BuiltinAmop* amop = FindStrategy(opno, column);
    if (amop == nullptr || !CanCompare(amop->left, amop->right)) return nullptr;
    IndexCondition* condition = New(column);
    condition->strategy = static_cast<Strategy>(amop->strategy);
    condition->original = shown;
    condition->value = const_cast<Expr*>(value);
    condition->left_type = amop->left;
    condition->right_type = amop->right;
    return condition;
  }

  IndexCondition* MatchArray(const ScalarArrayOpExpr& op, int column, AttrNumber attno) {
    if (!op.use_or || !IsColumn(op.args[0], base_.rtindex, attno)) return nullptr;
    if (RefersTo(op.args[1], base_.rtindex) || VolatilityOf(op.args[1]) == 'v') return nullptr;
    const BuiltinAmop* amop = FindStrategy(op.opno, column);
    if (amop == nullptr || amop->strategy != 3 || !CanCompare(amop->left, amop->right)) return nullptr;
    IndexCondition* condition = New(column);
    condition->kind = ScanKey::Kind::kArray;
    condition->value = op.args[1];
    condition->left_type = amop->left;
    condition->right_type = amop->right;
    return condition;
  }

  const BuiltinAmop* FindStrategy(Oid opno, int column) const {
    Oid family = index_.index_desc.keys[column].opfamily;
    for (const BuiltinAmop* amop : BuiltinAmopsOf(opno)) {
      if (amop->family == family) return amop;
    }
    return nullptr;
  }

  const BaseRel& base_;
  const Relation& index_;
  Arena& arena_;
};

}  // namespace

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

// The columns that a table scan reads: what is needed above, then what its own conditions need.
static ExprList ScanColumnsOf(const BaseRel& base, const std::vector<Qual>& filters, bool all_conditions, Arena& arena,
                              List<int32_t>* attnos) {
  std::vector<int32_t> wanted = base.output;
  struct Collector {
    static void Collect(const Node* node, int32_t rtindex, std::vector<int32_t>* to) {
      if (const Var* var = TryAs<Var>(node)) {
        if (var->varlevelsup == 0 && var->varno == rtindex && std::find(to->begin(), to->end(), var->varattno) == to->end()) {
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
      columns.Append(arena, MakeVar(arena, base.rtindex, static_cast<AttrNumber>(attno), system->type, -1, Oid::kInvalid));
      continue;
    }
    const PgAttributeRow& column = base.relation->columns[attno - 1];
    columns.Append(arena, MakeVar(arena, base.rtindex, static_cast<AttrNumber>(attno), column.atttypid, column.atttypmod,
                                  column.attcollation));
  }
  return columns;
}

// All of `quals` must hold in the end: those of the table alone, and join clauses whose other side is in `outer`.
bool QueryPlanner::TryIndex(BaseRel& base, const RelationRef& index, const std::vector<Qual>& quals,
                            const RelSet& outer, Path* result) {
  const PgIndexRow& row = *index->index;
  if (!row.indisvalid || !row.indislive || index->index_desc.method == nullptr) return false;
  if (row.indpred) return false;  // proving that the conditions imply the predicate is not done
  IndexMatcher matcher(base, *index, arena());
  std::vector<IndexMatch> matches;
  std::vector<bool> used(quals.size(), false);
  double selectivity = 1;
  bool unique_match = row.indisunique;
  for (int column = 0; column < row.indnkeyatts; ++column) {
    bool any = false, equal = false;
    for (size_t i = 0; i < quals.size(); ++i) {
      if (used[i]) continue;
      RelSet others = quals[i].rels - RelSet::Of(base.rtindex);
      if (!others.IsSubsetOf(outer)) continue;
      IndexCondition* condition = matcher.Match(quals[i], column);
      if (condition == nullptr) continue;
      used[i] = true;
      any = true;
      equal |= condition->kind == ScanKey::Kind::kCompare && condition->strategy == Strategy::kEqual;
      matches.push_back({&quals[i], condition, column});
      selectivity *= Selectivity(*this, quals[i].expr);
    }
    unique_match &= equal;
    if (!any && column == 0) break;  // conditions on later columns alone would read the whole index
  }
  bool ordered_useful = !wanted_order_.empty() && wanted_order_[0].expr->tag == NodeTag::kVar && row.indkey[0] != 0 &&
                        IsColumn(wanted_order_[0].expr, base.rtindex, row.indkey[0]);
  if (matches.empty() && !ordered_useful) return false;

  IndexScanPlan* plan = arena().New<IndexScanPlan>();
  plan->relation = base.relation->oid;
  plan->index = index->oid;
  std::vector<Qual> filters;
  for (size_t i = 0; i < quals.size(); ++i) {
    if (!used[i]) filters.push_back(quals[i]);
  }
  Path path;
  path.columns = ScanColumnsOf(base, filters, locks_rows_, arena(), &plan->columns);
  // Index-only: every column that is read is stored in the index.
  bool index_only = GetBool(Setting::kEnableIndexonlyscan) && !locks_rows_;
  for (int32_t attno : plan->columns) {
    auto at = std::find(row.indkey.begin(), row.indkey.end(), static_cast<int16_t>(attno));
    if (attno <= 0 || at == row.indkey.end()) {
      index_only = false;
      break;
    }
    plan->index_columns.Append(arena(), static_cast<int32_t>(at - row.indkey.begin()) + 1);
  }
  plan->index_only = index_only && !plan->columns.empty();
  if (!plan->index_only) plan->index_columns.Clear();

  double rows = unique_match ? 1 : std::max(1.0, base.tuples * selectivity);
  double filtered = rows;
  for (const Qual& filter : filters) filtered *= Selectivity(*this, filter.expr);
  ExprList scan_columns = path.columns;
  path.plan = plan;
  path.rels.Add(base.rtindex);
  for (const Qual& qual : quals) path.required |= qual.rels;
  path.required = path.required - path.rels;
  for (IndexMatch& match : matches) {
    if (match.condition->value != nullptr) {
      match.condition->value = static_cast<Expr*>(ReplaceByNestParams(match.condition->value, outer));
    }
    Expr* whole = match.condition->original != nullptr ? match.condition->original : match.qual->expr;
    Expr* original = static_cast<Expr*>(ReplaceByNestParams(whole, outer));
    match.condition->original = locks_rows_ ? BindToInput(original, scan_columns) : FlatCopy(original);
    plan->conditions.Append(arena(), match.condition);
  }
  for (Qual& filter : filters) filter.expr = static_cast<Expr*>(ReplaceByNestParams(filter.expr, outer));
  plan->quals = BindList(filters, scan_columns);
  plan->rtindex = flat(base.rtindex);
  plan->target = TargetsFor(scan_columns);
  plan->project = false;
  path.rows = std::max(1.0, filtered);
  plan->rows = path.rows;
  plan->width = WidthOf(scan_columns);

  double index_pages = std::max(1.0, std::ceil(static_cast<double>(RelationBlocks(index->index_desc.locator, Fork::kMain, true)) * rows / std::max(1.0, base.tuples)));
  double height = std::log2(std::max(2.0, base.tuples));
  double random_page = GetReal(Setting::kRandomPageCost), seq_page = GetReal(Setting::kSeqPageCost);
  path.startup_cost = height * CpuOperatorCost();
  double cpu = rows * (GetReal(Setting::kCpuIndexTupleCost) + CpuTupleCost() + CpuOperatorCost() * static_cast<double>(quals.size()));
  // Heap pages: as many as rows when they lie scattered, the table's share when it is in index order.
  double scattered = std::min(rows, base.pages), clustered = std::ceil(base.pages * rows / std::max(1.0, base.tuples));
  double heap = (scattered * random_page + clustered * seq_page) / 2;
  // A table that fits in the cache is read from disk once, not for each row.
  double cache_pages = static_cast<double>(GetInt(Setting::kEffectiveCacheSize));
  if (base.pages < cache_pages && rows > base.pages) heap = base.pages * seq_page + rows * CpuTupleCost();
  if (plan->index_only) heap *= 1 - base.all_visible_fraction;
  path.total_cost = path.startup_cost + index_pages * random_page + cpu + heap;
  if (!GetBool(Setting::kEnableIndexscan) && !plan->index_only) path.total_cost += kDisabledCost;

  for (int column = 0; column < row.indnkeyatts && row.indkey[column] != 0; ++column) {
    const PgAttributeRow& attribute = base.relation->columns[row.indkey[column] - 1];
    const IndexKeyColumn& key = index->index_desc.keys[column];
    path.order.push_back({MakeVar(arena(), base.rtindex, row.indkey[column], attribute.atttypid, attribute.atttypmod, attribute.attcollation),
                          key.descending, key.nulls_first});
  }
  // Read backwards when that is the order wanted.
  if (!wanted_order_.empty() && !path.order.empty() && EqualNodes(wanted_order_[0].expr, path.order[0].expr) &&
      wanted_order_[0].descending != path.order[0].descending) {
    plan->direction = ScanDirection::kBackward;
    for (OrderElement& element : path.order) {
      element.descending = !element.descending;
      element.nulls_first = !element.nulls_first;
    }
  }
  plan->startup_cost = path.startup_cost;
  plan->total_cost = path.total_cost;
  *result = path;
  return true;
}

std::vector<Path> QueryPlanner::BasePaths(BaseRel& base, const std::vector<Qual>& extra, const RelSet& outer) {
  std::vector<Qual> quals = base.quals;
  quals.insert(quals.end(), extra.begin(), extra.end());
  std::vector<Path> paths;
  for (const RelationRef& index : base.relation->indexes) {
    Path path;
    if (TryIndex(base, index, quals, outer, &path)) paths.push_back(path);
  }
  return paths;
}

Path QueryPlanner::PlanTable(BaseRel& base, const std::vector<Qual>& quals) {
  // ctid = value
  for (const Qual& qual : quals) {
    if (Is<CurrentOfExpr>(static_cast<const Node*>(qual.expr))) throw NotSupported("WHERE CURRENT OF");
    const OpExpr* op = TryAs<OpExpr>(static_cast<const Node*>(qual.expr));
    const ScalarArrayOpExpr* any = TryAs<ScalarArrayOpExpr>(static_cast<const Node*>(qual.expr));
    const ExprList* args = op != nullptr && op->args.size() == 2 ? &op->args : any != nullptr && any->use_or ? &any->args : nullptr;
    if (args == nullptr || !IsColumn((*args)[0], base.rtindex, kSelfItemPointerAttr) || !RelsOf((*args)[1]).empty()) continue;
    const BuiltinOperator* row = FindBuiltinOperator(op != nullptr ? op->opno : any->opno);
    if (row == nullptr || row->name != "=") continue;
    TidScanPlan* plan = arena().New<TidScanPlan>();
    plan->relation = base.relation->oid;
    plan->tids.Append(arena(), (*args)[1]);
    plan->tid_is_array.Append(arena(), op == nullptr ? 1 : 0);
    Path path;
    path.columns = ScanColumnsOf(base, quals, false, arena(), &plan->columns);
    ExprList columns = path.columns;
    plan->shown.Append(arena(), BindToInput(qual.expr, columns));
    std::vector<Qual> filters;
    for (const Qual& other : quals) {
      if (&other != &qual) filters.push_back(other);  // a re-check's row has another identity
    }
    plan->quals = BindList(filters, columns);
    path.plan = plan;
    path.rels.Add(base.rtindex);
    plan->rtindex = flat(base.rtindex);
    plan->target = TargetsFor(columns);
    plan->project = false;
    path.rows = plan->rows = 1;
    path.total_cost = plan->total_cost = GetReal(Setting::kRandomPageCost) + CpuTupleCost();
    return path;
  }
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
  base.rows = std::max(1.0, base.tuples * selectivity);
  switch (base.rte->rtekind) {
    case RteKind::kRelation: {
      Path best = PlanTable(base, base.quals);
      for (Path& path : BasePaths(base, {}, RelSet())) {
        if (path.total_cost < best.total_cost) best = path;
      }
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
    columns.Append(arena, MakeVar(arena, rtindex, static_cast<AttrNumber>(i + 1), types[i].type, types[i].typmod, types[i].collation));
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
      types.push_back({ExprType(function->funcexpr), ExprTypmod(function->funcexpr), ExprCollation(function->funcexpr)});
    }
    for (uint32_t i = 0; i < bound->funccoltypes.size(); ++i) {
      types.push_back({bound->funccoltypes[i], bound->funccoltypmods[i], bound->funccolcollations[i]});
    }
    if (const FuncExpr* set = TryAs<FuncExpr>(static_cast<const Node*>(function->funcexpr)); set != nullptr && set->funcretset) {
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
  for (const Expr* expr : base.rte->values_lists[0]->args) types.push_back({ExprType(expr), ExprTypmod(expr), ExprCollation(expr)});
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

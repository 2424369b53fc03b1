// Index paths: which conditions an index can check, and what an index scan costs (PostgreSQL's cost model).
#include <algorithm>
#include <cmath>

#include "node/catalog/builtin.h"
#include "node/config/settings.h"
#include "node/sql/optimizer/cost.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/optimizer/index_paths.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/query_text.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

// The comparator of (left, right) exists: same physical form, or integers of different width.
bool CanCompare(Oid left, Oid right) {
  if (left == right) return true;
  auto is_integer = [](Oid type) {
    return type == type_oid::kInt2 || type == type_oid::kInt4 || type == type_oid::kInt8;
  };
  auto is_string = [](Oid type) {
    return type == type_oid::kText || type == type_oid::kName || type == type_oid::kVarchar;
  };
  return (is_integer(left) && is_integer(right)) || (is_string(left) && is_string(right));
}

// btree strategy of an operator in any family, 0 if none.
int StrategyOf(Oid opno, Oid* family) {
  for (const BuiltinAmop* amop : BuiltinAmopsOf(opno)) {
    if (amop->strategy < 1 || amop->strategy > 5) continue;
    *family = amop->family;
    return amop->strategy;
  }
  return 0;
}

// Does "x op1 c1" follow from "x op2 c2"?
bool ComparisonImplied(const OpExpr& wanted, const OpExpr& given) {
  if (wanted.args.size() != 2 || given.args.size() != 2 || !EqualNodes(wanted.args[0], given.args[0]))
    return false;
  const Const* a = TryAs<Const>(static_cast<const Node*>(wanted.args[1]));
  const Const* b = TryAs<Const>(static_cast<const Node*>(given.args[1]));
  if (a == nullptr || b == nullptr || a->IsNull() || b->IsNull() || a->consttype != b->consttype)
    return false;
  const TypeDescriptor& type = TypeOf(a->consttype);
  if (type.compare == nullptr) return false;
  Oid wanted_family, given_family;
  int want = StrategyOf(wanted.opno, &wanted_family), have = StrategyOf(given.opno, &given_family);
  if (want == 0 || have == 0 || wanted_family != given_family) return false;
  int order = type.compare(b->value.datum, a->value.datum, nullptr);  // given constant against the wanted one
  switch (want) {
    case 1: return (have == 1 && order <= 0) || ((have == 2 || have == 3) && order < 0);
    case 2: return (have == 1 || have == 2 || have == 3) && order <= 0;
    case 3: return have == 3 && order == 0;
    case 4: return (have == 5 || have == 4 || have == 3) && order >= 0;
    default: return (have == 5 && order >= 0) || ((have == 4 || have == 3) && order > 0);
  }
}

bool Implied(const Expr* wanted, const std::vector<Qual>& given) {
  for (const Qual& qual : given) {
    if (EqualNodes(wanted, qual.expr)) return true;
    const OpExpr* a = TryAs<OpExpr>(static_cast<const Node*>(wanted));
    const OpExpr* b = TryAs<OpExpr>(static_cast<const Node*>(qual.expr));
    if (a != nullptr && b != nullptr && ComparisonImplied(*a, *b)) return true;
    const NullTest* test = TryAs<NullTest>(static_cast<const Node*>(wanted));
    if (test != nullptr && test->nulltesttype == NullTestType::kIsNotNull && b != nullptr &&
        b->args.size() == 2 && !NonNullableRels(qual.expr).empty() &&
        (EqualNodes(test->arg, b->args[0]) || EqualNodes(test->arg, b->args[1]))) {
      return true;
    }
  }
  const BoolExpr* either = TryAs<BoolExpr>(static_cast<const Node*>(wanted));
  if (either != nullptr && either->boolop == BoolExprType::kOr) {
    return std::any_of(either->args.begin(), either->args.end(),
                       [&](const Expr* arm) { return Implied(arm, given); });
  }
  return false;
}

}  // namespace

void SetRelation(Node* node, int32_t rtindex) {
  if (Var* var = TryAs<Var>(node)) var->varno = rtindex;
  AnyChild(node, [&](const Node* child) {
    SetRelation(const_cast<Node*>(child), rtindex);
    return false;
  });
}

bool IsColumn(const Expr* expr, int32_t rtindex, AttrNumber attno) {
  const Var* var = TryAs<Var>(StripRelabel(expr));
  return var != nullptr && var->varlevelsup == 0 && var->varno == rtindex && var->varattno == attno;
}

IndexMatcher::IndexMatcher(const BaseRel& base, const Relation& index, Arena& arena)
    : base_(base), index_(index), arena_(arena) {
  const PgIndexRow& row = *index.index;
  std::vector<Node*> expressions;
  if (row.indexprs) {
    for (Node* node : ReadNodeList(*row.indexprs, arena)) expressions.push_back(node);
  }
  size_t next = 0;
  for (int column = 0; column < row.indnatts; ++column) {
    Expr* key = nullptr;
    if (row.indkey[column] != 0) {
      const PgAttributeRow& attribute = base.relation->columns[row.indkey[column] - 1];
      key = MakeVar(arena, base.rtindex, row.indkey[column], attribute.atttypid, attribute.atttypmod,
                    attribute.attcollation);
    } else {
      key = static_cast<Expr*>(expressions[next++]);
      SetRelation(key, base.rtindex);
    }
    keys_.push_back(key);
  }
}

bool IndexMatcher::PredicateHolds(const std::vector<Qual>& quals) {
  const PgIndexRow& row = *index_.index;
  if (!row.indpred) return true;
  Expr* predicate = static_cast<Expr*>(ReadNode(*row.indpred, arena_));
  SetRelation(predicate, base_.rtindex);
  predicate_ = Conjuncts(arena_, predicate);
  return std::all_of(predicate_.begin(), predicate_.end(),
                     [&](const Expr* wanted) { return Implied(wanted, quals); });
}

bool IndexMatcher::IsPredicate(const Expr* expr) const {
  return std::any_of(predicate_.begin(), predicate_.end(),
                     [&](const Expr* part) { return EqualNodes(part, expr); });
}

bool IndexMatcher::IsKey(const Expr* expr, int column) const {
  AttrNumber attno = index_.index->indkey[column];
  return attno != 0 ? IsColumn(expr, base_.rtindex, attno)
                    : EqualNodes(StripRelabel(expr), StripRelabel(keys_[column]));
}

bool IndexMatcher::RefersToTable(const Expr* expr) const { return RelsOf(expr).Contains(base_.rtindex); }

// The condition that `qual` puts on key column `column`, or null.
IndexCondition* IndexMatcher::Match(const Qual& qual, int column) {
  const Node* node = qual.expr;
  if (const OpExpr* op = TryAs<OpExpr>(node)) {
    if (IndexCondition* condition = MatchOperator(*op, column)) return condition;
  }
  if (const ScalarArrayOpExpr* op = TryAs<ScalarArrayOpExpr>(node)) return MatchArray(*op, column);
  if (const NullTest* test = TryAs<NullTest>(node)) {
    if (test->argisrow || !IsKey(test->arg, column)) return nullptr;
    IndexCondition* condition = New(column);
    condition->kind =
        test->nulltesttype == NullTestType::kIsNull ? ScanKey::Kind::kIsNull : ScanKey::Kind::kIsNotNull;
    return condition;
  }
  // A boolean column as a condition of its own.
  if (IsKey(qual.expr, column)) return BooleanCondition(column, true);
  if (const BoolExpr* expr = TryAs<BoolExpr>(node);
      expr != nullptr && expr->boolop == BoolExprType::kNot && IsKey(expr->args[0], column)) {
    return BooleanCondition(column, false);
  }
  return nullptr;
}

IndexCondition* IndexMatcher::New(int column) {
  IndexCondition* condition = arena_.New<IndexCondition>();
  condition->index_column = column + 1;
  return condition;
}

IndexCondition* IndexMatcher::BooleanCondition(int column, bool truth) {
  if (index_.opclass_types[column] != type_oid::kBool) return nullptr;
  IndexCondition* condition = New(column);
  condition->value = MakeBoolConst(arena_, truth);
  // bool = bool
  condition->original = MakeOpExpr(arena_, Oid{91}, Oid{60}, type_oid::kBool, Oid::kInvalid, Oid::kInvalid,
                                   ExprList(arena_, {keys_[column], condition->value}));
  return condition;
}

IndexCondition* IndexMatcher::MatchOperator(const OpExpr& op, int column) {
  if (op.args.size() != 2) return nullptr;
  Oid opno = op.opno;
  const Expr* value = op.args[1];
  Expr* shown = nullptr;
  if (!IsKey(op.args[0], column)) {
    if (!IsKey(op.args[1], column)) return nullptr;
    const BuiltinOperator* row = FindBuiltinOperator(opno);
    if (row == nullptr || !IsValid(row->commutator)) return nullptr;
    opno = row->commutator;
    value = op.args[0];
    const BuiltinOperator* commuted = FindBuiltinOperator(opno);
    shown = MakeOpExpr(arena_, opno, commuted->function, op.opresulttype, op.opcollid, op.inputcollid,
                       ExprList(arena_, {op.args[1], op.args[0]}));
  }
  if (RefersToTable(value) || VolatilityOf(value) == 'v') return nullptr;
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

IndexCondition* IndexMatcher::MatchArray(const ScalarArrayOpExpr& op, int column) {
  if (!op.use_or || !IsKey(op.args[0], column)) return nullptr;
  if (RefersToTable(op.args[1]) || VolatilityOf(op.args[1]) == 'v') return nullptr;
  const BuiltinAmop* amop = FindStrategy(op.opno, column);
  if (amop == nullptr || amop->strategy != 3 || !CanCompare(amop->left, amop->right)) return nullptr;
  IndexCondition* condition = New(column);
  condition->kind = ScanKey::Kind::kArray;
  condition->value = op.args[1];
  condition->left_type = amop->left;
  condition->right_type = amop->right;
  return condition;
}

const BuiltinAmop* IndexMatcher::FindStrategy(Oid opno, int column) const {
  Oid family = index_.index_desc.keys[column].opfamily;
  for (const BuiltinAmop* amop : BuiltinAmopsOf(opno)) {
    if (amop->family == family) return amop;
  }
  return nullptr;
}

// Pages that `tuples` fetches at random touch, with a cache of effective_cache_size (Mackert and Lohman).
double IndexPagesFetched(double tuples, double pages) {
  double T = std::max(1.0, pages);
  double b = std::max(1.0, std::ceil(static_cast<double>(GetInt(Setting::kEffectiveCacheSize))));
  if (T <= b) {
    double fetched = 2 * T * tuples / (2 * T + tuples);
    return fetched >= T ? T : std::ceil(fetched);
  }
  double limit = 2 * T * b / (2 * T - b);
  double fetched = tuples <= limit ? 2 * T * tuples / (2 * T + tuples) : b + (tuples - limit) * (T - b) / T;
  return std::ceil(fetched);
}

IndexCost CostOfIndex(const Relation& index, double table_tuples, double selectivity, size_t conditions,
                      double loops) {
  IndexCost cost;
  double pages = std::max<double>(1, RelationBlocks(index.index_desc.locator, Fork::kMain, true));
  double tuples = std::max(1.0, std::rint(selectivity * table_tuples));
  tuples = std::min(tuples, std::max(1.0, table_tuples));
  cost.tuples = tuples;
  double index_pages = pages > 1 && table_tuples > 1 ? std::ceil(tuples * pages / table_tuples) : 1;
  double random_page = GetReal(Setting::kRandomPageCost);
  if (loops > 1) {
    cost.total = IndexPagesFetched(index_pages * loops, pages) * random_page / loops;
  } else {
    cost.total = index_pages * random_page;
  }
  cost.total +=
      tuples * (GetReal(Setting::kCpuIndexTupleCost) + CpuOperatorCost() * static_cast<double>(conditions));
  // The descent: comparisons, and the processing of each level's page.
  if (table_tuples > 1) {
    double descent = std::ceil(std::log2(table_tuples)) * CpuOperatorCost();
    cost.startup += descent;
    cost.total += descent;
  }
  double height = pages <= 2 ? 0 : 1 + std::floor(std::log(std::max(1.0, pages - 2)) / std::log(300.0));
  double levels = (height + 1) * 50 * CpuOperatorCost();
  cost.startup += levels;
  cost.total += levels;
  return cost;
}

bool QueryPlanner::MatchIndex(BaseRel& base, const RelationRef& index, const std::vector<Qual>& quals,
                              const RelSet& outer, IndexUse* use) {
  const PgIndexRow& row = *index->index;
  if (!row.indisvalid || !row.indislive || index->index_desc.method == nullptr) return false;
  use->index = index;
  use->matcher = std::make_shared<IndexMatcher>(base, *index, arena());
  if (!use->matcher->PredicateHolds(base.quals)) return false;
  use->used.assign(quals.size(), false);
  use->unique_match = row.indisunique && !row.indpred;
  for (int column = 0; column < row.indnkeyatts; ++column) {
    bool any = false, equal = false;
    for (size_t i = 0; i < quals.size(); ++i) {
      if (use->used[i]) continue;
      RelSet others = quals[i].rels - RelSet::Of(base.rtindex);
      if (!others.IsSubsetOf(outer)) continue;
      IndexCondition* condition = use->matcher->Match(quals[i], column);
      if (condition == nullptr) continue;
      use->used[i] = true;
      any = true;
      equal |= condition->kind == ScanKey::Kind::kCompare && condition->strategy == Strategy::kEqual;
      use->matches.push_back({&quals[i], condition, column});
      use->selectivity *= Selectivity(*this, quals[i].expr);
    }
    use->unique_match &= equal;
    if (!any && column == 0) break;  // conditions on later columns alone would read the whole index
  }
  return true;
}

// Finishes the conditions of a use: what they take from other relations becomes parameters.
List<IndexCondition*> QueryPlanner::BindIndexConditions(const IndexUse& use, const RelSet& outer,
                                                        const ExprList* scan_columns) {
  List<IndexCondition*> conditions;
  for (const IndexMatch& match : use.matches) {
    IndexCondition* condition = match.condition;
    if (condition->value != nullptr)
      condition->value = static_cast<Expr*>(ReplaceByNestParams(condition->value, outer));
    Expr* whole = condition->original != nullptr ? condition->original : match.qual->expr;
    Expr* original = static_cast<Expr*>(ReplaceByNestParams(whole, outer));
    condition->original = scan_columns != nullptr ? BindToInput(original, *scan_columns) : FlatCopy(original);
    conditions.Append(arena(), condition);
  }
  return conditions;
}

// All of `quals` must hold in the end: those of the table alone, and join clauses whose other side is in `outer`.
bool QueryPlanner::TryIndex(BaseRel& base, const RelationRef& index, const std::vector<Qual>& quals,
                            const RelSet& outer, double loops, Path* result) {
  IndexUse use;
  if (!MatchIndex(base, index, quals, outer, &use)) return false;
  const PgIndexRow& row = *index->index;
  const IndexMatcher& matcher = *use.matcher;
  bool ordered_useful = !wanted_order_.empty() && matcher.IsKey(wanted_order_[0].expr, 0);
  if (use.matches.empty() && !ordered_useful && !row.indpred) return false;

  IndexScanPlan* plan = arena().New<IndexScanPlan>();
  plan->relation = base.relation->oid;
  plan->index = index->oid;
  std::vector<Qual> filters;
  for (size_t i = 0; i < quals.size(); ++i) {
    if (!use.used[i] && (locks_rows_ || !matcher.IsPredicate(quals[i].expr))) filters.push_back(quals[i]);
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

  double selectivity =
      use.unique_match ? std::min(use.selectivity, 1 / std::max(1.0, base.tuples)) : use.selectivity;
  double rows = std::max(1.0, std::rint(base.tuples * selectivity));
  double filtered = rows;
  for (const Qual& filter : filters) filtered *= Selectivity(*this, filter.expr);
  ExprList scan_columns = path.columns;
  path.plan = plan;
  path.rels.Add(base.rtindex);
  for (const Qual& qual : quals) path.required |= qual.rels;
  path.required = path.required - path.rels;
  plan->conditions = BindIndexConditions(use, outer, locks_rows_ ? &scan_columns : nullptr);
  for (Qual& filter : filters) filter.expr = static_cast<Expr*>(ReplaceByNestParams(filter.expr, outer));
  plan->quals = BindList(filters, scan_columns);
  plan->rtindex = flat(base.rtindex);
  plan->target = TargetsFor(scan_columns);
  plan->project = false;
  path.rows = std::max(1.0, filtered);
  plan->rows = path.rows;
  plan->width = WidthOf(scan_columns);

  IndexCost index_cost = CostOfIndex(*index, base.tuples, selectivity, use.matches.size(), loops);
  double random_page = GetReal(Setting::kRandomPageCost), seq_page = GetReal(Setting::kSeqPageCost);
  double visible = plan->index_only ? 1 - base.all_visible_fraction : 1;
  double max_io, min_io;
  if (loops > 1) {
    max_io =
        std::ceil(IndexPagesFetched(index_cost.tuples * loops, base.pages) * visible) * random_page / loops;
    double clustered = std::ceil(selectivity * base.pages);
    min_io = std::ceil(IndexPagesFetched(clustered * loops, base.pages) * visible) * random_page / loops;
  } else {
    max_io = std::ceil(IndexPagesFetched(index_cost.tuples, base.pages) * visible) * random_page;
    double clustered = std::ceil(std::ceil(selectivity * base.pages) * visible);
    min_io = clustered > 0 ? random_page + (clustered - 1) * seq_page : 0;
  }
  double correlation = ColumnCorrelation(*this, matcher.key(0)) * (row.indnkeyatts > 1 ? 0.75 : 1);
  double heap = max_io + correlation * correlation * (min_io - max_io);
  path.startup_cost = index_cost.startup;
  path.total_cost =
      index_cost.total + heap +
      index_cost.tuples * (CpuTupleCost() + CpuOperatorCost() * static_cast<double>(filters.size()));
  if (!GetBool(Setting::kEnableIndexscan)) {
    path.startup_cost += kDisabledCost;
    path.total_cost += kDisabledCost;
  }
  for (int column = 0; column < row.indnkeyatts; ++column) {
    const IndexKeyColumn& key = index->index_desc.keys[column];
    path.order.push_back({matcher.key(column), key.descending, key.nulls_first});
  }
  // Read backwards when that is the order wanted.
  if (!wanted_order_.empty() && EqualNodes(wanted_order_[0].expr, path.order[0].expr) &&
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

std::vector<Path> QueryPlanner::BasePaths(BaseRel& base, const std::vector<Qual>& extra, const RelSet& outer,
                                          double loops) {
  std::vector<Qual> quals = base.quals;
  quals.insert(quals.end(), extra.begin(), extra.end());
  std::vector<Path> paths;
  for (const RelationRef& index : base.relation->indexes) {
    Path path;
    if (TryIndex(base, index, quals, outer, loops, &path)) paths.push_back(path);
  }
  return paths;
}

}  // namespace walden

// Subqueries in expressions: EXISTS and IN of WHERE become semi and anti joins where that is the same; the others become
// subplans, with exec parameters for what they take from the query around them.
#include "node/catalog/builtin.h"
#include "node/config/settings.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/optimizer/qual_cost.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

// Turns references to the query `level` levels up into parameters; remembers what each stands for.
class OuterReferences {
 public:
  OuterReferences(PlannerGlobal& global, SubPlan* plan) : global_(global), plan_(plan) {}

  Node* Replace(Node* node, uint32_t level) {
    if (const Var* var = TryAs<Var>(node)) {
      if (var->varlevelsup != level) return node;
      return ParamFor(static_cast<Expr*>(node), level);
    }
    if (const Aggref* aggref = TryAs<Aggref>(node); aggref != nullptr && aggref->agglevelsup == level) {
      return ParamFor(static_cast<Expr*>(node), level);
    }
    if (const GroupingFunc* grouping = TryAs<GroupingFunc>(node);
        grouping != nullptr && grouping->agglevelsup == level) {
      return ParamFor(static_cast<Expr*>(node), level);
    }
    uint32_t below = Is<Query>(node) ? level + 1 : level;
    ReplaceChildren(node, [&](Node* child) { return Replace(child, below); });
    return node;
  }

 private:
  Node* ParamFor(Expr* expr, uint32_t level) {
    Expr* outer = Copy(expr, global_.arena());
    IncrementVarLevels(outer, -static_cast<int>(level), 0);
    for (uint32_t i = 0; i < plan_->args.size(); ++i) {
      if (EqualNodes(plan_->args[i], outer)) return MakeParam(outer, plan_->par_param[i]);
    }
    Param* param = global_.NewParam(ExprType(outer), ExprTypmod(outer), ExprCollation(outer));
    plan_->args.Append(global_.arena(), outer);
    plan_->par_param.Append(global_.arena(), param->paramid);
    return param;
  }
  Param* MakeParam(Expr* outer, int32_t id) {
    Param* param = global_.arena().New<Param>();
    param->paramkind = ParamKind::kExec;
    param->paramid = id;
    param->paramtype = ExprType(outer);
    param->paramtypmod = ExprTypmod(outer);
    param->paramcollid = ExprCollation(outer);
    return param;
  }
  PlannerGlobal& global_;
  SubPlan* plan_;
};

// Replaces the Params that stand for the subquery's columns in an ANY/ALL test.
Node* ReplaceSubLinkParams(Node* node, Arena& arena, CallableRef<Node*(const Param&)> replacement) {
  if (const Param* param = TryAs<Param>(node); param != nullptr && param->paramkind == ParamKind::kSubLink) {
    return replacement(*param);
  }
  return MutateChildren(node, arena,
                        [&](Node* child) { return ReplaceSubLinkParams(child, arena, replacement); });
}

Plan* MaterialOver(Plan* plan, Arena& arena) {
  MaterialPlan* material = arena.New<MaterialPlan>();
  material->left = plan;
  material->target = plan->target;
  material->project = false;
  material->rows = plan->rows;
  material->width = plan->width;
  material->startup_cost = plan->startup_cost;
  material->total_cost = plan->total_cost;
  return material;
}

}  // namespace

Node* QueryPlanner::PlanSubLink(SubLink* link) {
  SubPlan* plan = arena().New<SubPlan>();
  plan->sub_link_type = link->sub_link_type;
  plan->array_type = link->array_type;
  if (link->sub_link_type == SubLinkType::kMultiExpr) throw NotSupported("multi-column subquery assignment");
  Query* sub = link->subselect;
  if (link->sub_link_type == SubLinkType::kExists) SimplifyExists(sub);
  OuterReferences(global_, plan).Replace(sub, 0);
  QueryPlanner planner(global_, this, sub);
  double fraction = link->sub_link_type == SubLinkType::kExists ? 1 : 0;
  Path path = planner.PlanSelect(fraction);
  bool correlated = !plan->args.empty();
  Subplan* subplan = arena().New<Subplan>();
  subplan->link_type = link->sub_link_type;
  subplan->plan = path.plan;
  // Restarting an uncorrelated subplan for each row must not run it again.
  bool as_init_plan = !correlated && (link->sub_link_type == SubLinkType::kExpr ||
                                      link->sub_link_type == SubLinkType::kExists ||
                                      link->sub_link_type == SubLinkType::kArray);
  subplan->is_init_plan = as_init_plan;
  plan->plan_id = global_.AddSubplan(subplan);
  const TargetEntry* first = sub->target_list.empty() ? nullptr : sub->target_list[0];
  if (first != nullptr) {
    plan->first_col_type = ExprType(first->expr);
    plan->first_col_typmod = ExprTypmod(first->expr);
    plan->first_col_collation = ExprCollation(first->expr);
  }
  if (as_init_plan) {
    Oid type = link->sub_link_type == SubLinkType::kExists ? type_oid::kBool : ExprType(link);
    Param* param = global_.NewParam(type, ExprTypmod(link), ExprCollation(link));
    subplan->output_params.Append(arena(), param->paramid);
    subplan->name = arena().Copy(fmt::format("InitPlan {} (returns ${})", plan->plan_id, param->paramid));
    init_plans_.push_back(plan->plan_id);
    return param;
  }
  subplan->name = arena().Copy(fmt::format("SubPlan {}", plan->plan_id));
  plan->plan_name = subplan->name;
  for (int32_t id : plan->par_param) subplan->input_params.Append(arena(), id);
  if (link->testexpr != nullptr) {
    for (const TargetEntry* entry : sub->target_list) {
      if (entry->resjunk) continue;
      plan->param_ids.Append(
          arena(),
          global_.NewParam(ExprType(entry->expr), ExprTypmod(entry->expr), ExprCollation(entry->expr))
              ->paramid);
    }
    Node* test = ReplaceSubLinkParams(link->testexpr, arena(), [&](const Param& param) -> Node* {
      Param* exec = static_cast<Param*>(CopyShallow(&param, arena()));
      exec->paramkind = ParamKind::kExec;
      exec->paramid = plan->param_ids[param.paramid - 1];
      return exec;
    });
    plan->testexpr = PlanSubLinks(static_cast<Expr*>(test));
  }
  for (uint32_t i = 0; i < plan->args.size(); ++i) plan->args[i] = PlanSubLinks(plan->args[i]);
  if (correlated) {
    SetSubPlanCosts(plan, *subplan->plan, false);
    return plan;
  }
  if (CanHashSubPlan(*plan, path)) {
    plan->use_hash_table = true;
    plan->plan_name = subplan->name = arena().Copy(fmt::format("SubPlan {}", plan->plan_id));
    plan->plan_name = arena().Copy(fmt::format("hashed SubPlan {}", plan->plan_id));
  } else {
    subplan->plan = MaterialOver(path.plan, arena());
  }
  SetSubPlanCosts(plan, *subplan->plan, true);
  return plan;
}

// x = ANY (uncorrelated subquery) whose rows fit into memory, by equality of columns that can be hashed.
bool QueryPlanner::CanHashSubPlan(const SubPlan& plan, const Path& path) {
  if (plan.sub_link_type != SubLinkType::kAny || plan.testexpr == nullptr) return false;
  double bytes = path.rows * (path.plan->width + 32.0);
  if (bytes > static_cast<double>(GetInt(Setting::kWorkMem)) * 1024) return false;
  ExprList tests(arena(), {plan.testexpr});
  if (const BoolExpr* all = TryAs<BoolExpr>(static_cast<const Node*>(plan.testexpr))) {
    if (all->boolop != BoolExprType::kAnd) return false;
    tests = all->args;
  }
  if (tests.size() != plan.param_ids.size()) return false;
  for (uint32_t i = 0; i < tests.size(); ++i) {
    const OpExpr* op = TryAs<OpExpr>(static_cast<const Node*>(tests[i]));
    if (op == nullptr || op->args.size() != 2) return false;
    const BuiltinOperator* row = FindBuiltinOperator(op->opno);
    if (row == nullptr || !row->can_hash) return false;
    const Param* column = TryAs<Param>(static_cast<const Node*>(StripRelabel(op->args[1])));
    if (column == nullptr || column->paramkind != ParamKind::kExec || column->paramid != plan.param_ids[i])
      return false;
    const TypeDescriptor& left = TypeOf(ExprType(op->args[0]));
    const TypeDescriptor& right = TypeOf(ExprType(op->args[1]));
    if (left.hash == nullptr || left.hash != right.hash || left.physical != right.physical ||
        right.compare == nullptr)
      return false;
  }
  return true;
}

Node* QueryPlanner::ReplaceSubLinks(Node* node) {
  if (SubLink* link = TryAs<SubLink>(node)) return PlanSubLink(link);
  return MutateChildren(node, arena(), [this](Node* child) { return ReplaceSubLinks(child); });
}

Expr* QueryPlanner::PlanSubLinks(Expr* expr) {
  if (expr == nullptr || !ContainsSubLink(expr)) return expr;
  return static_cast<Expr*>(ReplaceSubLinks(expr));
}

// Conjuncts of WHERE that are EXISTS, NOT EXISTS or IN become joins.
void QueryPlanner::PullUpSubLinks() {
  if (!query_->has_sub_links || query_->jointree == nullptr || query_->jointree->quals == nullptr) return;
  ExprList kept;
  for (Expr* conjunct : Conjuncts(arena(), query_->jointree->quals)) {
    SubLink* link = TryAs<SubLink>(static_cast<Node*>(conjunct));
    bool negated = false;
    if (BoolExpr* expr = TryAs<BoolExpr>(static_cast<Node*>(conjunct));
        expr != nullptr && expr->boolop == BoolExprType::kNot) {
      link = TryAs<SubLink>(static_cast<Node*>(expr->args[0]));
      negated = true;
    }
    bool pulled = false;
    if (link != nullptr && link->sub_link_type == SubLinkType::kExists)
      pulled = TryPullUpExists(link, negated);
    if (link != nullptr && link->sub_link_type == SubLinkType::kAny && !negated) pulled = TryPullUpAny(link);
    if (!pulled) kept.Append(arena(), conjunct);
  }
  query_->jointree->quals = MakeBoolExpr(arena(), BoolExprType::kAnd, kept);
}

// Whether there is a row does not depend on what it shows, on order or on how equal rows are put together. False if it may depend on
// more than FROM and WHERE: the query is then as it was.
bool QueryPlanner::SimplifyExists(Query* sub) {
  if (sub->command_type != CmdType::kSelect || sub->set_operations != nullptr || sub->has_aggs ||
      sub->has_window_funcs || sub->has_target_srfs || sub->has_modifying_cte ||
      sub->having_qual != nullptr || !sub->grouping_sets.empty() || sub->limit_offset != nullptr ||
      !sub->row_marks.empty())
    return false;
  if (sub->limit_count != nullptr) {
    Node* limit = FoldConstants(sub->limit_count, arena(), global_.options);
    const Const* count = TryAs<Const>(limit);
    if (count == nullptr || (!count->IsNull() && count->value.datum.i64 <= 0)) return false;
    sub->limit_count = nullptr;
  }
  sub->target_list = {};
  sub->group_clause = {};
  sub->window_clause = {};
  sub->distinct_clause = {};
  sub->sort_clause = {};
  sub->has_distinct_on = false;
  return true;
}

// EXISTS (SELECT ... FROM f WHERE c): a semi (anti) join with f on c, when nothing but c refers to the outer query.
bool QueryPlanner::TryPullUpExists(SubLink* link, bool negated) {
  Query* sub = link->subselect;
  if (!sub->cte_list.empty() || !SimplifyExists(sub) || sub->jointree->fromlist.empty() ||
      sub->jointree->quals == nullptr)
    return false;
  Expr* quals = sub->jointree->quals;
  if (!ContainsVarOfLevel(quals, 1) || VolatilityOf(quals) == 'v' || ContainsSubLink(quals)) return false;
  sub->jointree->quals = nullptr;
  bool refers_outside = false;
  for (Node* item : sub->jointree->fromlist) refers_outside |= ContainsVarOfLevel(item, 1);
  for (RangeTblEntry* rte : sub->rtable) refers_outside |= rte->lateral || ContainsVarOfLevel(rte, 1);
  if (refers_outside) {
    sub->jointree->quals = quals;
    return false;
  }
  QueryPlanner inner(global_, parent_, sub);
  sub->jointree->quals = quals;
  inner.FlattenJoinAliases();
  inner.PullUpSubqueries();
  quals = sub->jointree->quals;
  int offset = static_cast<int>(query_->rtable.size());
  OffsetVarNumbers(sub, offset);
  IncrementVarLevels(sub, -1, 1);
  for (RangeTblEntry* rte : sub->rtable) query_->rtable.Append(arena(), rte);
  JoinExpr* join = arena().New<JoinExpr>();
  join->jointype = negated ? JoinType::kAnti : JoinType::kSemi;
  FromExpr* right = arena().New<FromExpr>();
  right->fromlist = sub->jointree->fromlist;
  join->rarg = right;
  join->quals = quals;
  FromExpr* left = arena().New<FromExpr>();
  left->fromlist = query_->jointree->fromlist;
  join->larg = left;
  query_->jointree->fromlist = List<Node*>(arena(), {join});
  return true;
}

// x IN (SELECT y ...), uncorrelated: a semi join with the subquery as an item of FROM.
bool QueryPlanner::TryPullUpAny(SubLink* link) {
  Query* sub = link->subselect;
  if (ContainsVarOfLevel(sub, 1) || link->testexpr == nullptr || VolatilityOf(link->testexpr) == 'v' ||
      ContainsSubLink(link->testexpr) || sub->command_type != CmdType::kSelect) {
    return false;
  }
  if (RelsOf(link->testexpr).empty()) return false;
  RangeTblEntry* rte = arena().New<RangeTblEntry>();
  rte->rtekind = RteKind::kSubquery;
  rte->subquery = sub;
  rte->eref = arena().New<Alias>();
  rte->eref->aliasname = "ANY_subquery";
  query_->rtable.Append(arena(), rte);
  int32_t rtindex = static_cast<int32_t>(query_->rtable.size());
  List<TargetEntry*> targets = sub->target_list;
  Node* test = ReplaceSubLinkParams(link->testexpr, arena(), [&](const Param& param) -> Node* {
    return MakeVarFromTarget(arena(), rtindex, *targets[param.paramid - 1]);
  });
  RangeTblRef* ref = arena().New<RangeTblRef>();
  ref->rtindex = rtindex;
  JoinExpr* join = arena().New<JoinExpr>();
  join->jointype = JoinType::kSemi;
  FromExpr* left = arena().New<FromExpr>();
  left->fromlist = query_->jointree->fromlist;
  join->larg = left;
  join->rarg = ref;
  join->quals = static_cast<Expr*>(test);
  query_->jointree->fromlist = List<Node*>(arena(), {join});
  return true;
}

}  // namespace walden

// From expressions over the query's Vars to positions in an input row.
#include "node/sql/optimizer/qual_cost.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

Node* BindNode(Node* node, const ExprList& input, Arena& arena) {
  for (uint32_t i = 0; i < input.size(); ++i) {
    if (input[i] == nullptr || input[i]->tag != node->tag || !EqualNodes(node, input[i])) continue;
    Expr* expr = static_cast<Expr*>(node);
    Var* position = MakeVar(arena, kInputVar, static_cast<AttrNumber>(i + 1), ExprType(expr),
                            ExprTypmod(expr), ExprCollation(expr));
    if (const Var* var = TryAs<Var>(node)) {
      position->varnosyn = static_cast<uint32_t>(var->varno);
      position->varattnosyn = var->varattno;
    }
    return position;
  }
  if (const Var* var = TryAs<Var>(node)) {
    throw SqlError(ErrorCode::kInternalError, "variable not found in subplan target list ({}.{})", var->varno,
                   var->varattno);
  }
  return MutateChildren(node, arena, [&](Node* child) { return BindNode(child, input, arena); });
}

void CollectRels(const Node* node, uint32_t level, RelSet* rels) {
  if (const Var* var = TryAs<Var>(node)) {
    if (var->varlevelsup == level && var->varno > 0) rels->Add(var->varno);
    return;
  }
  if (const CurrentOfExpr* current = TryAs<CurrentOfExpr>(node)) {
    if (level == 0) rels->Add(static_cast<int>(current->cvarno));
    return;
  }
  uint32_t below = Is<Query>(node) ? level + 1 : level;
  AnyChild(node, [&](const Node* child) {
    CollectRels(child, below, rels);
    return false;
  });
}

}  // namespace

RelSet RelsOf(const Node* node) {
  RelSet rels;
  if (node != nullptr) CollectRels(node, 0, &rels);
  return rels;
}

Expr* QueryPlanner::BindToInput(const Expr* expr, const ExprList& input) {
  return static_cast<Expr*>(BindNode(const_cast<Expr*>(expr), input, arena()));
}

ExprList QueryPlanner::BindList(const std::vector<Qual>& quals, const ExprList& input) {
  ExprList bound;
  for (const Qual& qual : InCostOrder(quals)) bound.Append(arena(), BindToInput(qual.expr, input));
  return bound;
}

// Target entries that pass an input row through: for nodes without a target list of their own.
List<TargetEntry*> QueryPlanner::TargetsFor(const ExprList& columns) {
  List<TargetEntry*> targets;
  for (uint32_t i = 0; i < columns.size(); ++i) {
    targets.Append(arena(), MakeTargetEntry(arena(), BindToInput(columns[i], columns),
                                            static_cast<AttrNumber>(i + 1), {}, false));
    // Equal columns may stand twice in a row: the position must be its own.
    if (Var* var = TryAs<Var>(static_cast<Node*>(targets[i]->expr)))
      var->varattno = static_cast<AttrNumber>(i + 1);
  }
  return targets;
}

Expr* QueryPlanner::FlatCopy(const Expr* expr) {
  Expr* copy = Copy(expr, arena());
  struct Renumber {
    static void Visit(Node* node, int32_t offset) {
      if (Var* var = TryAs<Var>(node)) {
        if (var->varlevelsup == 0 && var->varno > 0) var->varno += offset;
        return;
      }
      AnyChild(node, [&](const Node* child) {
        Visit(const_cast<Node*>(child), offset);
        return false;
      });
    }
  };
  Renumber::Visit(copy, rt_offset_);
  return copy;
}

int32_t QueryPlanner::WidthOf(const ExprList& columns) {
  int32_t width = 0;
  for (const Expr* column : columns) {
    const Var* var = TryAs<Var>(column);
    const Relation* relation = var == nullptr || var->varno <= 0 ? nullptr : RelationOf(var->varno);
    width += relation != nullptr ? ColumnWidth(*relation, var->varattno)
                                 : TypeWidth(ExprType(column), ExprTypmod(column));
  }
  return width;
}

Param* PlannerGlobal::NewParam(Oid type, int32_t typmod, Oid collation) {
  Param* param = arena().New<Param>();
  param->paramkind = ParamKind::kExec;
  param->paramid = statement->exec_param_count++;
  param->paramtype = type;
  param->paramtypmod = typmod;
  param->paramcollid = collation;
  return param;
}

int32_t PlannerGlobal::AddSubplan(Subplan* subplan) {
  statement->subplans.Append(arena(), subplan);
  return static_cast<int32_t>(statement->subplans.size());
}

Param* QueryPlanner::NestParamFor(Expr* value) {
  for (const NestParam& known : nest_params_) {
    if (EqualNodes(known.value, value)) return known.param;
  }
  nest_params_.push_back({value, global_.NewParam(ExprType(value), ExprTypmod(value), ExprCollation(value))});
  return nest_params_.back().param;
}

Node* QueryPlanner::ReplaceByNestParams(Node* node, const RelSet& outer) {
  if (const Var* var = TryAs<Var>(node)) {
    if (var->varlevelsup == 0 && var->varno > 0 && outer.Contains(var->varno))
      return NestParamFor(static_cast<Expr*>(node));
    return node;
  }
  return MutateChildren(node, arena(), [&](Node* child) { return ReplaceByNestParams(child, outer); });
}

}  // namespace walden

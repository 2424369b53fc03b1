#include "node/sql/binder/rewrite_parts.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

void Renumber(Node* node, int32_t from, int32_t to, uint32_t level) {
  if (node == nullptr) return;
  if (auto* var = TryAs<Var>(node)) {
    if (var->varlevelsup == level && var->varno == from) {
      var->varno = to;
      if (var->varnosyn == static_cast<uint32_t>(from)) var->varnosyn = static_cast<uint32_t>(to);
    }
    return;
  }
  if (level == 0) {
    if (auto* reference = TryAs<RangeTblRef>(node); reference != nullptr && reference->rtindex == from) {
      reference->rtindex = to;
    }
    if (auto* join = TryAs<JoinExpr>(node); join != nullptr && join->rtindex == from) join->rtindex = to;
    if (auto* mark = TryAs<RowMarkClause>(node); mark != nullptr && static_cast<int32_t>(mark->rti) == from) {
      mark->rti = static_cast<uint32_t>(to);
    }
    if (auto* current = TryAs<CurrentOfExpr>(node);
        current != nullptr && static_cast<int32_t>(current->cvarno) == from) {
      current->cvarno = static_cast<uint32_t>(to);
    }
  }
  uint32_t inner = level + (Is<Query>(node) ? 1 : 0);
  AnyChild(node, [&](const Node* child) {
    Renumber(const_cast<Node*>(child), from, to, inner);
    return false;
  });
}

struct VarReplacer {
  int32_t varno;
  const List<TargetEntry*>& targets;
  Arena& arena;
  uint32_t level = 0;

  Expr* Column(const TargetEntry& target) const {
    Expr* copy = Copy(target.expr, arena);
    if (level > 0) IncrementVarLevels(copy, static_cast<int>(level), 0);
    return copy;
  }

  Node* Replace(Node* node) {
    if (node == nullptr) return nullptr;
    if (auto* var = TryAs<Var>(node)) {
      if (var->varlevelsup != level || var->varno != varno) return node;
      if (var->varattno > 0) {
        const TargetEntry* target = FindTarget(targets, var->varattno);
        return target == nullptr ? node : Column(*target);
      }
      auto* row = arena.New<RowExpr>();
      row->row_typeid = var->vartype;
      row->row_format = CoercionForm::kImplicitCast;
      row->location = var->location;
      for (const TargetEntry* target : targets) {
        if (target->resjunk) continue;
        row->args.Append(arena, Column(*target));
        row->colnames.Append(arena, target->resname);
      }
      return row;
    }
    bool is_query = Is<Query>(node);
    level += is_query ? 1 : 0;
    Node* result = MutateChildren(node, arena, [this](Node* child) { return Replace(child); });
    level -= is_query ? 1 : 0;
    return result;
  }
};

}  // namespace

void RenumberRelation(Node* tree, int32_t from, int32_t to) { Renumber(tree, from, to, 0); }

Node* ReplaceRelationVars(Node* tree, int32_t varno, const List<TargetEntry*>& targets, Arena& arena) {
  return VarReplacer{varno, targets, arena}.Replace(tree);
}

}  // namespace walden

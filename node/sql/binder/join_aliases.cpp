#include "node/sql/binder/join_aliases.h"

#include "node/sql/query/expr_facts.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

class Flattener {
 public:
  Flattener(const Query& query, Arena& arena) : query_(query), arena_(arena) {}

  Node* Flatten(Node* node) {
    if (node == nullptr) return nullptr;
    if (auto* var = TryAs<Var>(node)) return FlattenVar(var);
    bool is_query = Is<Query>(node);
    level_ += is_query ? 1 : 0;
    Node* result = MutateChildren(node, arena_, [this](Node* child) { return Flatten(child); });
    level_ -= is_query ? 1 : 0;
    return result;
  }

 private:
  Expr* Source(Expr* source) {
    Expr* copy = Copy(source, arena_);
    if (level_ > 0) IncrementVarLevels(copy, static_cast<int>(level_), 0);
    return copy;
  }

  Node* FlattenVar(Var* var) {
    if (var->varlevelsup != level_ || var->varno < 1) return var;
    const RangeTblEntry& rte = *RteAt(query_, var->varno);
    if (rte.rtekind != RteKind::kJoin) return var;
    if (var->varattno > 0) {
      Node* source = Flatten(Source(rte.joinaliasvars[static_cast<uint32_t>(var->varattno - 1)]));
      if (auto* inner = TryAs<Var>(source)) inner->location = var->location;
      return source;
    }
    // The whole row of a join is the row of its columns.
    auto* row = arena_.New<RowExpr>();
    row->row_typeid = var->vartype;
    row->row_format = CoercionForm::kImplicitCast;
    row->location = var->location;
    for (uint32_t i = 0; i < rte.joinaliasvars.size(); ++i) {
      if (rte.joinaliasvars[i] == nullptr) continue;
      row->args.Append(arena_, static_cast<Expr*>(Flatten(Source(rte.joinaliasvars[i]))));
      row->colnames.Append(arena_, rte.eref->colnames[i]);
    }
    return row;
  }

  const Query& query_;
  Arena& arena_;
  uint32_t level_ = 0;
};

}  // namespace

Node* FlattenJoinAliases(const Query& query, Node* tree, Arena& arena) {
  return Flattener(query, arena).Flatten(tree);
}

}  // namespace walden

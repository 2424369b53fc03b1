// WITH: binding each item and making it visible to the rest.
#include <algorithm>

#include "node/sql/binder/query_binding.h"
#include "node/sql/binder/recursion.h"

namespace walden {
namespace {

CommonTableExpr* NewCte(BindState& state, const ast::CommonTableExpr& item) {
  if (item.search_clause != nullptr) throw NotSupported("SEARCH clause");
  if (item.cycle_clause != nullptr) throw NotSupported("CYCLE clause");
  auto* cte = state.New<CommonTableExpr>();
  cte->ctename = item.ctename;
  for (const ast::Node* name : item.aliascolnames)
    cte->aliascolnames.Append(state.arena(), ast::StringOf(name));
  cte->ctematerialized = item.ctematerialized;
  cte->location = item.location;
  return cte;
}

const List<TargetEntry*>& OutputOf(const Query& query) {
  return query.command_type == CmdType::kSelect ? query.target_list : query.returning_list;
}

// The recursive query as a whole must deliver what its non-recursive term promised.
void CheckRecursiveTypes(BindState& state, const CommonTableExpr& cte) {
  uint32_t next = 0;
  for (const TargetEntry* target : OutputOf(*cte.ctequery)) {
    if (target->resjunk) continue;
    uint32_t column = next++;
    Oid type = ExprType(target->expr);
    int32_t typmod = ExprTypmod(target->expr);
    if (type != cte.ctecoltypes[column] || typmod != cte.ctecoltypmods[column]) {
      throw SqlError(ErrorCode::kDatatypeMismatch,
                     "recursive query \"{}\" column {} has type {} in non-recursive term but type {} overall",
                     cte.ctename, column + 1,
                     state.types().FormatWithTypmod(cte.ctecoltypes[column], cte.ctecoltypmods[column]),
                     state.types().FormatWithTypmod(type, typmod))
          .WithHint("Cast the output of the non-recursive term to the correct type.")
          .WithPosition(state.Position(ExprLocation(target->expr)));
    }
    Oid collation = ExprCollation(target->expr);
    if (collation != cte.ctecolcollations[column]) {
      throw SqlError(
          ErrorCode::kCollationMismatch,
          "recursive query \"{}\" column {} has collation \"{}\" in non-recursive term but collation \"{}\" "
          "overall",
          cte.ctename, column + 1, state.catalog().CollationName(cte.ctecolcollations[column]),
          state.catalog().CollationName(collation))
          .WithHint("Use the COLLATE clause to set the collation of the non-recursive term.")
          .WithPosition(state.Position(ExprLocation(target->expr)));
    }
  }
}

void BindItem(BindState& state, const ast::CommonTableExpr& item, CommonTableExpr* cte) {
  Query* query = BindSubquery(state, *item.ctequery, cte, false, true);
  cte->ctequery = query;
  if (query->command_type != CmdType::kSelect && state.parent != nullptr) {
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "WITH clause containing a data-modifying statement must be at the top level")
        .WithPosition(state.Position(cte->location));
  }
  query->can_set_tag = false;
  if (cte->cterecursive) {
    CheckRecursiveTypes(state, *cte);
  } else {
    SetCteColumns(state, cte, OutputOf(*query));
  }
}

void CheckDuplicates(BindState& state, const ast::WithClause& with) {
  for (uint32_t i = 0; i < with.ctes.size(); ++i) {
    const auto& item = *ast::As<ast::CommonTableExpr>(with.ctes[i]);
    for (uint32_t j = i + 1; j < with.ctes.size(); ++j) {
      const auto& other = *ast::As<ast::CommonTableExpr>(with.ctes[j]);
      if (item.ctename != other.ctename) continue;
      throw SqlError(ErrorCode::kDuplicateAlias, "WITH query name \"{}\" specified more than once",
                     other.ctename)
          .WithPosition(state.Position(other.location));
    }
    if (!ast::Is<ast::SelectStmt>(item.ctequery)) state.has_modifying_cte = true;
  }
}

}  // namespace

void SetCteColumns(BindState& state, CommonTableExpr* cte, const List<TargetEntry*>& targets) {
  cte->ctecolnames = cte->aliascolnames.Clone(state.arena());
  uint32_t given = cte->aliascolnames.size(), count = 0;
  for (const TargetEntry* target : targets) {
    if (target->resjunk) continue;
    if (++count > given) cte->ctecolnames.Append(state.arena(), target->resname);
    Oid type = ExprType(target->expr);
    int32_t typmod = ExprTypmod(target->expr);
    Oid collation = ExprCollation(target->expr);
    // A literal in the non-recursive term: the recursive one will see it as text.
    if (cte->cterecursive && type == type_oid::kUnknown) {
      type = type_oid::kText;
      typmod = -1;
      collation = state.types().CollationOf(type);
    }
    cte->ctecoltypes.Append(state.arena(), type);
    cte->ctecoltypmods.Append(state.arena(), typmod);
    cte->ctecolcollations.Append(state.arena(), collation);
  }
  if (given > count) {
    throw SqlError(ErrorCode::kInvalidColumnReference,
                   "WITH query \"{}\" has {} columns available but {} columns specified", cte->ctename, count,
                   given)
        .WithPosition(state.Position(cte->location));
  }
}

void BindWith(BindState& state, const ast::WithClause* with, Query* query) {
  if (with == nullptr) return;
  CheckDuplicates(state, *with);
  query->has_recursive = with->recursive;
  if (with->recursive) {
    std::vector<RecursiveItem> items = OrderRecursiveItems(state, *with);
    std::vector<CommonTableExpr*> ctes;
    for (const RecursiveItem& item : items) {
      ctes.push_back(NewCte(state, *item.cte));
      ctes.back()->cterecursive = item.recursive;
      state.ctes.push_back(ctes.back());
      query->cte_list.Append(state.arena(), ctes.back());
    }
    for (size_t i = 0; i < items.size(); ++i) BindItem(state, *items[i].cte, ctes[i]);
  } else {
    for (const ast::Node* node : with->ctes) state.future_ctes.push_back(ast::As<ast::CommonTableExpr>(node));
    for (const ast::Node* node : with->ctes) {
      const auto& item = *ast::As<ast::CommonTableExpr>(node);
      CommonTableExpr* cte = NewCte(state, item);
      BindItem(state, item, cte);
      state.ctes.push_back(cte);
      query->cte_list.Append(state.arena(), cte);
      state.future_ctes.erase(state.future_ctes.begin());
    }
  }
  query->has_modifying_cte = state.has_modifying_cte;
}

}  // namespace walden

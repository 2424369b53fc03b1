#include "node/sql/binder/rewriter.h"

#include "node/base/error.h"
#include "node/sql/binder/function_defaults.h"
#include "node/sql/binder/rewrite_parts.h"

namespace walden {
namespace {

void CheckTargetKind(const RelationInfo& relation) {
  const char* what = relation.kind == 'S'   ? "sequence"
                     : relation.kind == 't' ? "TOAST relation"
                     : relation.kind == 'm' ? "materialized view"
                                            : nullptr;
  if (what == nullptr) return;
  throw SqlError(ErrorCode::kWrongObjectType, "cannot change {} \"{}\"", what, relation.name);
}

void RewriteModification(Query* query, const BindOptions& options) {
  constexpr int kMaxViewDepth = 200;  // a cycle of views cannot be made; damaged catalogs could hold one
  for (int depth = 0; depth < kMaxViewDepth; ++depth) {
    const RangeTblEntry& target = *RteAt(*query, query->result_relation);
    const RelationInfo* relation = options.catalog.GetRelation(target.relid, RelationLockNeed::kNone);
    if (relation == nullptr) {
      throw SqlError(ErrorCode::kInternalError, "could not open relation with OID {}",
                     OidNumber(target.relid));
    }
    CheckTargetKind(*relation);
    RewriteTargets(query, *relation, options);
    if (relation->kind != 'v') return SplitMultiAssignments(query, options);
    RewriteViewTarget(query, *relation, options);
  }
  throw SqlError(ErrorCode::kInvalidObjectDefinition,
                 "infinite recursion detected in rules for relation \"{}\"",
                 RteAt(*query, query->result_relation)->eref->aliasname);
}

void RewriteOne(Query* query, const BindOptions& options) {
  if (query->command_type == CmdType::kUtility) {
    if (query->utility_query != nullptr) RewriteOne(query->utility_query, options);
    return;
  }
  for (CommonTableExpr* cte : query->cte_list) {
    if (cte->ctequery->command_type != CmdType::kSelect) RewriteModification(cte->ctequery, options);
  }
  if (query->command_type != CmdType::kSelect) RewriteModification(query, options);
  ExpandViews(query, options);
  ArrangeAllArguments(query, options);
}

}  // namespace

List<Query*> Rewrite(Query* query, const BindOptions& options) {
  RewriteOne(query, options);
  return List<Query*>(options.arena, {query});
}

}  // namespace walden

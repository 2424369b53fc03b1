// The rewriter's steps. Internal to sql/binder.
#pragma once

#include "node/sql/binder/binder.h"

namespace walden {

// ---- target_defaults.cpp: the target lists of INSERT and UPDATE
// Applies defaults, merges several assignments to parts of one column, enforces identity and generated columns.
void RewriteTargets(Query* query, const RelationInfo& relation, const BindOptions& options);

// ---- multi_assign.cpp
// Replaces SET (a, b) = (SELECT ...) by one scalar subquery a column.
void SplitMultiAssignments(Query* query, const BindOptions& options);

// ---- view_update.cpp
// Turns the write to view `view` (the query's target) into one to the relation below it. Throws 55000 when the view is
// not simple enough.
void RewriteViewTarget(Query* query, const RelationInfo& view, const BindOptions& options);

// ---- view_expansion.cpp
// Expands all views that the query reads, at all levels.
void ExpandViews(Query* query, const BindOptions& options);
// A view's query, in the arena, its relations locked and marked to be checked as the view's owner.
Query* OpenViewQuery(const RelationInfo& view, const BindOptions& options);

// ---- tree_edit.cpp: changes to Vars of the query level that `tree` belongs to
// Range table index `from` becomes `to`, in Vars, join trees and row marks.
void RenumberRelation(Node* tree, int32_t from, int32_t to);
// Vars of entry `varno` become the expressions of `targets` (by column number).
Node* ReplaceRelationVars(Node* tree, int32_t varno, const List<TargetEntry*>& targets, Arena& arena);

// Why a view's column cannot be assigned; null when it can. `base_index`: of its one relation in the view's query.
const char* WhyColumnNotUpdatable(const TargetEntry& target, int32_t base_index);

}  // namespace walden

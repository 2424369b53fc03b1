// What can be said of an expression without looking at the catalog.
#pragma once

#include "node/sql/query/query.h"

namespace walden {

// Result type, type modifier (-1 unknown) and collation. For the types that an expression carries in itself;
// a SubLink's comes from its subquery. Null expressions give kInvalid and -1.
Oid ExprType(const Node* expr);
int32_t ExprTypmod(const Node* expr);
Oid ExprCollation(const Node* expr);
// The collation that its operator or function uses.
Oid ExprInputCollation(const Node* expr);
// Where it starts in the source text: the leftmost of its own and its arguments' locations.
Location ExprLocation(const Node* expr);
// Does it return a set, at its top node (ExprReturnsSet) or anywhere (ContainsSetReturning)?
bool ExprReturnsSet(const Node* expr);
bool ContainsSetReturning(const Node* expr);

bool ContainsAggregate(const Node* expr);  // of the query that the expression stands in
bool ContainsWindowFunc(const Node* expr);
bool ContainsSubLink(const Node* expr);
// Is there a Var of the query `levels_up` out?
bool ContainsVarOfLevel(const Node* expr, uint32_t levels_up);
// Is there a Var of any level from 0 of the tree it stands in, at most 0..: false means a pseudo-constant.
bool ContainsVar(const Node* expr);

// Changes by `delta` the level of Vars, Aggrefs and CTE references whose level is at least `min_level`, in
// place.
void IncrementVarLevels(Node* tree, int delta, uint32_t min_level);
// Adds `offset` to every range table index of query level `level`, in place.
void OffsetVarNumbers(Node* tree, int offset, uint32_t level = 0);

// Strips RelabelTypes at the top.
Expr* StripRelabel(Expr* expr);
const Expr* StripRelabel(const Expr* expr);

// The target entry with this sort group reference or resno; null when there is none.
TargetEntry* FindSortGroupTarget(const List<TargetEntry*>& targets, uint32_t ref);
TargetEntry* FindTarget(const List<TargetEntry*>& targets, AttrNumber resno);
// The entry that a SortGroupClause refers to; it must exist.
TargetEntry* SortGroupTarget(const SortGroupClause& clause, const List<TargetEntry*>& targets);
// Is its sort operator the type's ">"?
bool IsDescending(const SortGroupClause& clause);

// "UNION", "INTERSECT", "EXCEPT".
const char* SetOperationName(SetOperation op);

}  // namespace walden

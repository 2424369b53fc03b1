// Target lists: output columns of SELECT and RETURNING, assigned columns of INSERT and UPDATE.
#pragma once

#include <vector>

#include "node/sql/binder/bind_state.h"

namespace walden {

// With `bound`, the expression is already bound and `node` only names it.
TargetEntry* BindTarget(BindState& state, const ast::Node* node, Expr* bound, ExprKind kind,
                        std::string_view name, bool junk);
List<TargetEntry*> BindTargetList(BindState& state, const ast::NodeList& list, ExprKind kind);
// Notes which table columns the outputs are, for the row description.
void MarkTargetOrigins(BindState& state, const List<TargetEntry*>& targets);

// "*", "t.*", "(row).*".
bool IsStarReference(const ast::Node* node);
List<TargetEntry*> ExpandStar(BindState& state, const ast::Node* node, ExprKind kind);

// The column name that PostgreSQL gives an expression without AS.
std::string_view FigureColumnName(BindState& state, const ast::Node* node);

// The columns an INSERT names (all, when `list` is empty), in order; 42703, 42701.
struct InsertColumn {
  std::string_view name;
  const ast::NodeList* indirection = nullptr;  // null: none
  Location location;
  AttrNumber number = 0;
};
std::vector<InsertColumn> BindInsertColumns(BindState& state, const ast::NodeList& list);
// Coerces `expr` to a column of the target relation, applying subscripts and field selections.
Expr* BindAssigned(BindState& state, Expr* expr, ExprKind kind, std::string_view column, AttrNumber number,
                   const ast::NodeList* indirection, Location location);
// SET clause of UPDATE and ON CONFLICT: entries numbered by column.
List<TargetEntry*> BindUpdateTargets(BindState& state, const ast::NodeList& list);
Expr* BindMultiAssign(BindState& state, const ast::MultiAssignRef& reference);

// The number of a column of a relation; 0 when there is none. System columns are negative.
AttrNumber ColumnNumber(const RelationInfo& relation, std::string_view name, bool system_too);

}  // namespace walden

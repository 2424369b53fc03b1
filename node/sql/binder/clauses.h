// ORDER BY, GROUP BY, DISTINCT, LIMIT and WINDOW.
#pragma once

#include "node/sql/binder/bind_state.h"

namespace walden {

using SortList = List<SortGroupClause*>;
using TargetList = List<TargetEntry*>;

// `sql99`: no output names or positions, only expressions. May add junk entries to the target list.
SortList BindSort(BindState& state, const ast::NodeList& items, TargetList* targets, ExprKind kind,
                  bool sql99);
// `sets` receives GROUPING SETS and kin (null where they cannot be written).
SortList BindGroup(BindState& state, const ast::NodeList& items, List<GroupingSet*>* sets,
                   TargetList* targets, const SortList& sort, ExprKind kind, bool sql99);
SortList BindDistinct(BindState& state, TargetList* targets, const SortList& sort, bool is_aggregate);
SortList BindDistinctOn(BindState& state, const ast::NodeList& items, TargetList* targets,
                        const SortList& sort);
Expr* BindLimit(BindState& state, const ast::Node* node, ExprKind kind, const char* construct,
                LimitOption option);
List<WindowClause*> BindWindows(BindState& state, TargetList* targets);

// Adds `target` to a sort list by the rules of one ORDER BY item.
void AddToSortList(BindState& state, TargetEntry* target, SortList* list, TargetList* targets,
                   const ast::SortBy& item);
void AddToGroupList(BindState& state, TargetEntry* target, SortList* list, TargetList* targets,
                    Location location);

}  // namespace walden

// Aggregate and window function calls: where they may stand and which query level they belong to.
#pragma once

#include "node/sql/binder/bind_state.h"

namespace walden {

// Fills args, order, distinct and the level of an Aggref whose call fields are set.
void FinishAggregate(BindState& state, Aggref* aggregate, const ExprList& arguments,
                     const ast::NodeList& order, bool distinct);
void FinishWindowFunction(BindState& state, WindowFunc* call, const ast::WindowDef& over);
// GROUPING(...): level and placement.
void FinishGroupingFunction(BindState& state, GroupingFunc* grouping);

// After the whole query is bound: every column is grouped or aggregated, else 42803.
void CheckGrouping(BindState& state, Query* query);

}  // namespace walden

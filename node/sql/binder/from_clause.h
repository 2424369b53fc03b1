// FROM: tables, subqueries, functions, joins and what they make visible.
#pragma once

#include "node/sql/binder/bind_state.h"

namespace walden {

void BindFrom(BindState& state, const ast::NodeList& from);
// The target of INSERT, UPDATE, DELETE; `also_source`: its columns can be read by name. Returns its index.
int32_t BindTargetTable(BindState& state, const ast::RangeVar& name, bool inherit, bool also_source,
                        uint32_t permissions);
// Will this table be locked by FOR UPDATE or FOR SHARE of this query or of one around it?
bool IsLockedName(const BindState& state, std::string_view name);

}  // namespace walden

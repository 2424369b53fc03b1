// JOIN: its columns, merged ones, and what it makes visible.
#pragma once

#include <vector>

#include "node/sql/binder/bind_state.h"

namespace walden {

// A bound FROM item: its place in the join tree, the item for its own columns, and all names it offers.
struct FromItem {
  Node* tree = nullptr;
  NamespaceItem* item = nullptr;
  std::vector<NamespaceItem*> names;
};

FromItem BindFromItem(BindState& state, const ast::Node* node);
FromItem BindJoin(BindState& state, const ast::JoinExpr& join);
void SetLateralState(const std::vector<NamespaceItem*>& names, bool lateral_only, bool lateral_ok);

}  // namespace walden

// Calls: function, aggregate, window function, cast in functional notation, or field selection written as a call.
#pragma once

#include "node/sql/binder/bind_state.h"

namespace walden {

struct CallRequest {
  const ast::NodeList* names = nullptr;  // String nodes
  ExprList arguments;                    // bound
  Node* last_srf = nullptr;              // BindState::last_srf before the arguments were bound
  const ast::FuncCall* call = nullptr;   // null: "a.b" that may be a function of the row a
  bool is_procedure = false;             // CALL
  Location location;
};

// Null only for call == null when there is no such column or function.
Expr* BindCallOrColumn(BindState& state, const CallRequest& request);
// (row).field, or null when the row has no such field.
Expr* BindFieldSelection(BindState& state, std::string_view field, Expr* row, Location location);
// "f(integer, text)" for messages.
std::string CallSignature(BindState& state, const std::string& name,
                          const std::vector<std::string_view>& names, std::span<const Oid> types);

}  // namespace walden

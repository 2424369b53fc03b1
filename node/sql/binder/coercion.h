// Building conversions: PostgreSQL's coerce_* rules over expression trees.
#pragma once

#include "node/sql/binder/bind_state.h"

namespace walden {

// Everything a conversion needs besides the expression.
struct CoercionRequest {
  Oid type{};
  int32_t typmod = -1;
  CoercionContext context = CoercionContext::kImplicit;
  CoercionForm form = CoercionForm::kImplicitCast;
  Location location;  // of the cast
};

// Converts to type and typmod; null when there is no way.
Expr* CoerceToTarget(BindState& state, Expr* expr, Oid from, const CoercionRequest& to);
// Converts to the type alone. The caller knows that TypeRules::CanCoerce holds.
Expr* CoerceType(BindState& state, Expr* expr, Oid from, const CoercionRequest& to);
// Applies length or precision.
Expr* CoerceTypmod(BindState& state, Expr* expr, const CoercionRequest& to, bool hide_input);
// Wraps `expr`, of the domain's base type, with the domain's checks.
Expr* CoerceToDomainType(BindState& state, Expr* expr, Oid base, int32_t base_typmod,
                         const CoercionRequest& to, bool hide_input);

// 42804 "argument of <construct> must be type boolean, not type ...".
Expr* CoerceToBoolean(BindState& state, Expr* expr, const char* construct);
Expr* CoerceToSpecific(BindState& state, Expr* expr, Oid type, int32_t typmod, const char* construct);
// To the type CommonType chose; 42846 when that fails after all.
Expr* CoerceToCommon(BindState& state, Expr* expr, Oid type, const char* construct);

// The type that all agree on; see TypeRules::CommonType. `which` receives the deciding expression.
Oid CommonTypeOf(BindState& state, const ExprList& exprs, const char* construct, Expr** which = nullptr);
// Their modifier if all have the same type and modifier, else -1.
int32_t CommonTypmodOf(const ExprList& exprs, Oid type);

// A constant of the type, from text; errors carry the position of `location`.
Const* ConstFromText(BindState& state, Oid type, int32_t typmod, std::string_view text, Location location);
PhysicalType ConstPhysicalType(Oid type);

// Replaces literals whose type is still unknown by text.
Expr* ResolveUnknown(BindState& state, Expr* expr);
void ResolveTargetUnknowns(BindState& state, const List<TargetEntry*>& targets);

}  // namespace walden

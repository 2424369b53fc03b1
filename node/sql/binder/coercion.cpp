#include "node/sql/binder/coercion.h"

#include "node/sql/binder/range_table.h"

namespace walden {
namespace {

using type_oid::kUnknown;

// Casts inside a cast are not shown when the tree is printed.
void HideCast(Expr* expr) {
  constexpr CoercionForm kHidden = CoercionForm::kImplicitCast;
  if (auto* call = TryAs<FuncExpr>(expr)) call->funcformat = kHidden;
  if (auto* relabel = TryAs<RelabelType>(expr)) relabel->relabelformat = kHidden;
  if (auto* via_io = TryAs<CoerceViaIo>(expr)) via_io->coerceformat = kHidden;
  if (auto* array = TryAs<ArrayCoerceExpr>(expr)) array->coerceformat = kHidden;
  if (auto* rowtype = TryAs<ConvertRowtypeExpr>(expr)) rowtype->convertformat = kHidden;
  if (auto* row = TryAs<RowExpr>(expr)) row->row_format = kHidden;
  if (auto* domain = TryAs<CoerceToDomain>(expr)) domain->coercionformat = kHidden;
}

// Changes the type that is exposed, without a node where a constant or an earlier relabel can carry it.
Expr* Relabel(BindState& state, Expr* expr, const CoercionRequest& to, Oid collation) {
  while (auto* inner = TryAs<RelabelType>(expr)) expr = inner->arg;
  if (auto* constant = TryAs<Const>(expr)) {
    auto* copy = state.arena().New<Const>(*constant);
    copy->consttype = to.type;
    copy->consttypmod = to.typmod;
    copy->constcollid = collation;
    return copy;
  }
  if (ExprType(expr) == to.type && ExprTypmod(expr) == to.typmod && ExprCollation(expr) == collation)
    return expr;
  RelabelType* relabel = MakeRelabelType(state.arena(), expr, to.type, to.typmod, collation, to.form);
  relabel->location = to.location;
  return relabel;
}

Expr* BuildCast(BindState& state, Expr* expr, CoercionPath path, Oid function, const CoercionRequest& to) {
  Arena& arena = state.arena();
  if (path == CoercionPath::kFunction) {
    const FunctionInfo* info = state.catalog().GetFunction(function);
    if (info == nullptr)
      throw SqlError(ErrorCode::kInternalError, "cache lookup failed for function {}", OidNumber(function));
    ExprList arguments(arena, {expr});
    if (info->arguments.size() >= 2) arguments.Append(arena, MakeInt4Const(arena, to.typmod));
    if (info->arguments.size() == 3) {
      arguments.Append(arena, MakeBoolConst(arena, to.context == CoercionContext::kExplicit));
    }
    FuncExpr* call = MakeFuncExpr(arena, function, to.type, arguments, Oid{}, Oid{}, to.form);
    call->location = to.location;
    return call;
  }
  if (path == CoercionPath::kArray) {
    auto* cast = state.New<ArrayCoerceExpr>();
    auto* element = state.New<CaseTestExpr>();
    element->type_id = state.types().ArrayElement(state.types().BaseType(ExprType(expr)));
    element->type_mod = ExprTypmod(expr);
    CoercionRequest element_to = to;
    element_to.type = state.types().ArrayElement(to.type);
    cast->arg = expr;
    cast->elemexpr = CoerceToTarget(state, element, element->type_id, element_to);
    if (cast->elemexpr == nullptr) {
      throw SqlError(ErrorCode::kInternalError, "failed to coerce array element type as expected");
    }
    cast->resulttype = to.type;
    cast->resulttypmod = ExprTypmod(cast->elemexpr);
    cast->coerceformat = to.form;
    cast->location = to.location;
    return cast;
  }
  auto* cast = state.New<CoerceViaIo>();
  cast->arg = expr;
  cast->resulttype = to.type;
  cast->coerceformat = to.form;
  cast->location = to.location;
  return cast;
}

Expr* CoerceUnknownConst(BindState& state, const Const& literal, const CoercionRequest& to) {
  int32_t base_typmod = to.typmod;
  Oid base = state.types().BaseType(to.type, &base_typmod);
  // Interval's input function needs the modifier to know what a bare number means; for all other types the
  // modifier is applied afterwards, so that an explicit cast may truncate.
  int32_t input_typmod = base == type_oid::kInterval ? base_typmod : -1;
  Const* constant;
  if (literal.IsNull()) {
    constant = MakeNullConst(state.arena(), base, input_typmod, state.types().CollationOf(base),
                             ConstPhysicalType(base));
    constant->location = literal.location;
  } else {
    constant = ConstFromText(state, base, input_typmod, literal.value.datum.string.view(), literal.location);
  }
  if (base == to.type) return constant;
  return CoerceToDomainType(state, constant, base, base_typmod, to, false);
}

// $n whose type is being inferred: its first use decides.
Expr* CoerceUnknownParam(BindState& state, Param& param, const CoercionRequest& to) {
  ParameterTypes* parameters = state.context.options.parameters;
  if (parameters == nullptr || !parameters->variable || param.paramkind != ParamKind::kExtern) return nullptr;
  Oid& type = parameters->types[static_cast<size_t>(param.paramid - 1)];
  if (!IsValid(type) || type == kUnknown) {
    type = to.type;
  } else if (type != to.type) {
    throw SqlError(ErrorCode::kAmbiguousParameter, "inconsistent types deduced for parameter ${}",
                   param.paramid)
        .WithDetail(state.types().Format(type) + " versus " + state.types().Format(to.type))
        .WithPosition(state.Position(param.location));
  }
  param.paramtype = to.type;
  param.paramtypmod = -1;
  param.paramcollid = state.types().CollationOf(to.type);
  if (to.location.IsKnown() && (!param.location.IsKnown() || to.location < param.location)) {
    param.location = to.location;
  }
  return &param;
}

SqlError CannotCast(BindState& state, const CoercionRequest& to, std::string detail, int position) {
  SqlError error(ErrorCode::kCannotCoerce, "cannot cast type {} to {}", "record",
                 state.types().Format(to.type));
  error.WithPosition(position);
  if (!detail.empty()) error.WithDetail(std::move(detail));
  return error;
}

// ROW(...) or a whole row of unnamed type to a composite type, column by column.
Expr* CoerceRecordToComposite(BindState& state, Expr* expr, const CoercionRequest& to) {
  ExprList arguments;
  if (auto* row = TryAs<RowExpr>(expr)) {
    arguments = row->args;
  } else if (auto* var = TryAs<Var>(expr); var != nullptr && var->varattno == 0) {
    arguments = ExpandRangeTableVars(state, var->varno, static_cast<int>(var->varlevelsup), var->location);
  } else {
    throw CannotCast(state, to, "", state.Position(to.location));
  }
  int32_t base_typmod = -1;
  Oid base = state.types().BaseType(to.type, &base_typmod);
  const RelationInfo* relation =
      state.catalog().GetRelation(state.types().RowRelation(base), RelationLockNeed::kNone);
  auto* row = state.New<RowExpr>();
  uint32_t next = 0, column_number = 0;
  for (const ColumnInfo& column : relation->columns) {
    if (column.dropped) {
      row->args.Append(state.arena(),
                       MakeNullConst(state.arena(), type_oid::kInt4, -1, Oid{}, PhysicalType::kInt32));
      continue;
    }
    ++column_number;
    if (next >= arguments.size())
      throw CannotCast(state, to, "Input has too few columns.", state.Position(to.location));
    Expr* argument = arguments[next++];
    Oid from = ExprType(argument);
    Expr* cast =
        CoerceToTarget(state, argument, from,
                       {column.type, column.typmod, to.context, CoercionForm::kImplicitCast, Location{}});
    if (cast == nullptr) {
      throw CannotCast(state, to,
                       fmt::format("Cannot cast type {} to {} in column {}.", state.types().Format(from),
                                   state.types().Format(column.type), column_number),
                       state.Position(ExprLocation(argument)));
    }
    row->args.Append(state.arena(), cast);
  }
  if (next < arguments.size())
    throw CannotCast(state, to, "Input has too many columns.", state.Position(to.location));
  row->row_typeid = base;
  row->row_format = to.form;
  row->location = to.location;
  if (base == to.type) return row;
  row->row_format = CoercionForm::kImplicitCast;
  return CoerceToDomainType(state, row, base, base_typmod, to, false);
}

bool IsOpenPolymorphic(Oid type) {
  using namespace type_oid;
  return type == kAny || type == kAnyElement || type == kAnyNonArray || type == kAnyCompatible ||
         type == kAnyCompatibleNonArray;
}

}  // namespace

PhysicalType ConstPhysicalType(Oid type) {
  const TypeDescriptor* descriptor = FindType(type);
  return descriptor == nullptr ? PhysicalType::kString : descriptor->physical;
}

Const* ConstFromText(BindState& state, Oid type, int32_t typmod, std::string_view text, Location location) {
  const TypeDescriptor* descriptor = FindType(type);
  if (descriptor == nullptr || descriptor->input == nullptr) {
    throw NotSupported("a literal of type " + state.types().Format(type));
  }
  walden::Value value;
  value.is_null = false;
  TypeIo io{state.arena(), state.context.options.format, state.context.options.names, descriptor, typmod};
  try {
    descriptor->input(text, io, &value.datum);
  } catch (SqlError& error) {
    if (error.fields().position == 0) error.WithPosition(state.Position(location));
    throw;
  }
  return MakeConst(state.arena(), type, typmod, state.types().CollationOf(type), descriptor->physical, value,
                   location);
}

Expr* CoerceToTarget(BindState& state, Expr* expr, Oid from, const CoercionRequest& to) {
  if (!state.types().CanCoerce({{from}}, {{to.type}}, to.context)) return nullptr;
  // COLLATE stays outermost: collation is a property of the converted value.
  Expr* inner = expr;
  while (auto* collate = TryAs<CollateExpr>(inner)) inner = collate->arg;
  Expr* result = CoerceType(state, inner, from, to);
  result = CoerceTypmod(state, result, to, result != inner && !Is<Const>(result));
  if (inner == expr || !IsValid(state.types().CollationOf(to.type))) return result;
  auto* collate = state.arena().New<CollateExpr>(*As<CollateExpr>(expr));
  collate->arg = result;
  return collate;
}

Expr* CoerceType(BindState& state, Expr* expr, Oid from, const CoercionRequest& to) {
  using namespace type_oid;
  const TypeRules& types = state.types();
  if (to.type == from || IsOpenPolymorphic(to.type)) return expr;
  if (TypeRules::IsPolymorphic(to.type) && from != kUnknown) {
    Oid base = types.BaseType(from);
    if (base == from) return expr;
    return MakeRelabelType(state.arena(), expr, base, -1, Oid{}, to.form);
  }
  if (from == kUnknown) {
    if (auto* literal = TryAs<Const>(expr)) return CoerceUnknownConst(state, *literal, to);
    if (auto* param = TryAs<Param>(expr)) {
      if (Expr* typed = CoerceUnknownParam(state, *param, to)) return typed;
    }
  }
  if (auto* collate = TryAs<CollateExpr>(expr)) {
    Expr* inner = CoerceType(state, collate->arg, from, to);
    if (!IsValid(types.CollationOf(to.type))) return inner;
    auto* copy = state.arena().New<CollateExpr>(*collate);
    copy->arg = inner;
    return copy;
  }
  Oid function;
  CoercionPath path = types.FindPath(to.type, from, to.context, &function);
  if (path == CoercionPath::kRelabel) {
    Expr* result = CoerceToDomainType(state, expr, Oid{}, -1, to, false);
    if (result != expr) return result;
    RelabelType* relabel = MakeRelabelType(state.arena(), expr, to.type, -1, Oid{}, to.form);
    relabel->location = to.location;
    return relabel;
  }
  if (path != CoercionPath::kNone) {
    CoercionRequest base_to = to;
    base_to.type = types.BaseType(to.type, &base_to.typmod);
    Expr* result = BuildCast(state, expr, path, function, base_to);
    if (base_to.type == to.type) return result;
    return CoerceToDomainType(state, result, base_to.type, base_to.typmod, to, true);
  }
  Oid from_row = types.RowRelation(from), to_row = types.RowRelation(to.type);
  if (from == kRecord && IsValid(to_row)) return CoerceRecordToComposite(state, expr, to);
  if ((to.type == kRecord && IsValid(from_row)) || to.type == kRecordArray) return expr;
  if (IsValid(from_row) && IsValid(to_row) && state.catalog().InheritsFrom(from_row, to_row)) {
    auto* convert = state.New<ConvertRowtypeExpr>();
    convert->arg = expr;
    convert->resulttype = to.type;
    convert->convertformat = to.form;
    convert->location = to.location;
    return convert;
  }
  throw SqlError(ErrorCode::kInternalError, "failed to find conversion function from {} to {}",
                 types.Format(from), types.Format(to.type));
}

Expr* CoerceTypmod(BindState& state, Expr* expr, const CoercionRequest& to, bool hide_input) {
  if (to.typmod == ExprTypmod(expr)) return expr;
  if (hide_input) HideCast(expr);
  Oid function;
  CoercionPath path =
      to.typmod < 0 ? CoercionPath::kNone : state.types().FindTypmodCoercion(to.type, &function);
  if (path == CoercionPath::kNone) return Relabel(state, expr, to, ExprCollation(expr));
  return BuildCast(state, expr, path, function, to);
}

Expr* CoerceToDomainType(BindState& state, Expr* expr, Oid base, int32_t base_typmod,
                         const CoercionRequest& to, bool hide_input) {
  if (!IsValid(base)) base = state.types().BaseType(to.type, &base_typmod);
  if (base == to.type) return expr;
  if (hide_input) HideCast(expr);
  expr = CoerceTypmod(state, expr, {base, base_typmod, to.context, CoercionForm::kImplicitCast, to.location},
                      false);
  auto* domain = state.New<CoerceToDomain>();
  domain->arg = expr;
  domain->resulttype = to.type;
  domain->coercionformat = to.form;
  domain->location = to.location;
  return domain;
}

Expr* CoerceToSpecific(BindState& state, Expr* expr, Oid type, int32_t typmod, const char* construct) {
  Oid from = ExprType(expr);
  int position = state.Position(ExprLocation(expr));
  if (from != type) {
    Expr* cast =
        CoerceToTarget(state, expr, from,
                       {type, typmod, CoercionContext::kAssignment, CoercionForm::kImplicitCast, Location{}});
    if (cast == nullptr) {
      throw SqlError(ErrorCode::kDatatypeMismatch, "argument of {} must be type {}, not type {}", construct,
                     state.types().Format(type), state.types().Format(from))
          .WithPosition(position);
    }
    expr = cast;
  }
  if (ExprReturnsSet(expr)) {
    throw SqlError(ErrorCode::kDatatypeMismatch, "argument of {} must not return a set", construct)
        .WithPosition(position);
  }
  return expr;
}

Expr* CoerceToBoolean(BindState& state, Expr* expr, const char* construct) {
  return CoerceToSpecific(state, expr, type_oid::kBool, -1, construct);
}

Expr* CoerceToCommon(BindState& state, Expr* expr, Oid type, const char* construct) {
  Oid from = ExprType(expr);
  if (from == type) return expr;
  if (!state.types().CanCoerce({{from}}, {{type}}, CoercionContext::kImplicit)) {
    throw SqlError(ErrorCode::kCannotCoerce, "{} could not convert type {} to {}", construct,
                   state.types().Format(from), state.types().Format(type))
        .WithPosition(state.Position(ExprLocation(expr)));
  }
  return CoerceType(state, expr, from, {type});
}

Oid CommonTypeOf(BindState& state, const ExprList& exprs, const char* construct, Expr** which) {
  std::vector<TypedAt> arguments;
  for (const Expr* expr : exprs) arguments.push_back({ExprType(expr), ExprLocation(expr)});
  size_t chosen = 0;
  Oid type = state.types().CommonType(arguments, construct, &chosen);
  if (which != nullptr) *which = exprs[static_cast<uint32_t>(chosen)];
  return type;
}

int32_t CommonTypmodOf(const ExprList& exprs, Oid type) {
  int32_t typmod = -1;
  bool first = true;
  for (const Expr* expr : exprs) {
    if (ExprType(expr) != type) return -1;
    if (!first && ExprTypmod(expr) != typmod) return -1;
    typmod = ExprTypmod(expr);
    first = false;
  }
  return typmod;
}

Expr* ResolveUnknown(BindState& state, Expr* expr) {
  if (ExprType(expr) != kUnknown) return expr;
  return CoerceType(state, expr, kUnknown, {type_oid::kText});
}

void ResolveTargetUnknowns(BindState& state, const List<TargetEntry*>& targets) {
  for (TargetEntry* target : targets) target->expr = ResolveUnknown(state, target->expr);
}

}  // namespace walden

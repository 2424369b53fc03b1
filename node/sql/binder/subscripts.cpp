// ARRAY[...], subscripts and slices, field selection with dots.
#include "node/sql/binder/coercion.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/binder/function_result.h"
#include "node/sql/binder/functions.h"
#include "node/sql/binder/range_table.h"

namespace walden {
namespace {

constexpr size_t kMaxDimensions = 6;

// The container type that a type is subscripted as.
Oid ContainerType(BindState& state, Oid type, int32_t* typmod) {
  constexpr Oid kInt2Array{1005};
  type = state.types().BaseType(type, typmod);
  if (type == type_oid::kInt2Vector) return kInt2Array;
  if (type == type_oid::kOidVector) return type_oid::kOidArray;
  return type;
}

Expr* BindArraySubscript(BindState& state, const ast::Node* node) {
  Expr* subscript = BindNested(state, node);
  Expr* integer = CoerceToTarget(state, subscript, ExprType(subscript),
                                 {type_oid::kInt4, -1, CoercionContext::kAssignment});
  if (integer == nullptr) {
    throw SqlError(ErrorCode::kDatatypeMismatch, "array subscript must have type integer")
        .WithPosition(state.Position(ExprLocation(subscript)));
  }
  return integer;
}

void BindArraySubscripts(BindState& state, SubscriptingRef* ref,
                         const std::vector<const ast::AIndices*>& indices, bool is_slice) {
  if (indices.size() > kMaxDimensions) {
    throw SqlError(ErrorCode::kProgramLimitExceeded,
                   "number of array dimensions ({}) exceeds the maximum allowed ({})", indices.size(),
                   kMaxDimensions);
  }
  for (const ast::AIndices* index : indices) {
    if (is_slice) {
      Expr* lower = nullptr;
      if (index->lidx != nullptr) {
        lower = BindArraySubscript(state, index->lidx);
      } else if (!index->is_slice) {
        lower = MakeInt4Const(state.arena(), 1);  // a plain subscript among slices means [1:n]
      }
      ref->reflowerindexpr.Append(state.arena(), lower);
    }
    ref->refupperindexpr.Append(state.arena(),
                                index->uidx == nullptr ? nullptr : BindArraySubscript(state, index->uidx));
  }
  if (!is_slice) ref->refrestype = ref->refelemtype;
}

void BindJsonbSubscripts(BindState& state, SubscriptingRef* ref,
                         const std::vector<const ast::AIndices*>& indices) {
  for (const ast::AIndices* index : indices) {
    if (index->is_slice) {
      const ast::Node* at = index->uidx != nullptr ? index->uidx : index->lidx;
      (void)at;
      throw SqlError(ErrorCode::kDatatypeMismatch, "jsonb subscript does not support slices")
          .WithPosition(state.Position(ExprLocation(ref->refexpr)));
    }
    Expr* subscript = BindNested(state, index->uidx);
    Oid from = ExprType(subscript);
    Oid to = type_oid::kText;
    if (from != type_oid::kUnknown) {
      bool as_int = state.types().CanCoerce({{from}}, {{type_oid::kInt4}}, CoercionContext::kImplicit);
      bool as_text = state.types().CanCoerce({{from}}, {{type_oid::kText}}, CoercionContext::kImplicit);
      if (as_int == as_text) {
        throw SqlError(ErrorCode::kDatatypeMismatch, "subscript type {} is not supported",
                       state.types().Format(from))
            .WithHint(as_int ? "jsonb subscript must be coercible to only one type, integer or text."
                             : "jsonb subscript must be coercible to either integer or text.")
            .WithPosition(state.Position(ExprLocation(subscript)));
      }
      if (as_int) to = type_oid::kInt4;
    }
    ref->refupperindexpr.Append(state.arena(), CoerceType(state, subscript, from, {to}));
  }
}

}  // namespace

SubscriptingRef* BindSubscripts(BindState& state, Expr* base, Oid container, int32_t typmod,
                                const std::vector<const ast::AIndices*>& indices, bool is_assignment) {
  Oid written = container;
  if (!is_assignment) container = ContainerType(state, container, &typmod);
  const TypeInfo& type = state.types().Get(container);
  if (!type.is_true_array && !type.is_raw_subscriptable && !type.is_jsonb_subscriptable) {
    throw SqlError(ErrorCode::kDatatypeMismatch,
                   "cannot subscript type {} because it does not support subscripting",
                   state.types().Format(written))
        .WithPosition(state.Position(ExprLocation(base)));
  }
  bool is_slice = false;
  for (const ast::AIndices* index : indices) is_slice = is_slice || index->is_slice;
  auto* ref = state.New<SubscriptingRef>();
  ref->refcontainertype = container;
  ref->refelemtype = type.element;
  ref->refrestype = container;
  ref->reftypmod = typmod;
  ref->refexpr = base;
  if (type.is_jsonb_subscriptable) {
    BindJsonbSubscripts(state, ref, indices);
  } else {
    BindArraySubscripts(state, ref, indices, is_slice);
  }
  return ref;
}

Expr* BindIndirection(BindState& state, const ast::AIndirection& indirection) {
  Node* last_srf = state.last_srf;
  Expr* result = BindNested(state, indirection.arg);
  Location location = ExprLocation(result);
  std::vector<const ast::AIndices*> subscripts;
  auto apply_subscripts = [&] {
    if (subscripts.empty()) return;
    result = BindSubscripts(state, result, ExprType(result), ExprTypmod(result), subscripts, false);
    subscripts.clear();
  };
  for (const ast::Node* node : indirection.indirection) {
    if (const auto* index = ast::TryAs<ast::AIndices>(node)) {
      subscripts.push_back(index);
      continue;
    }
    if (ast::Is<ast::AStar>(node)) {
      throw SqlError(ErrorCode::kFeatureNotSupported, "row expansion via \"*\" is not supported here")
          .WithPosition(state.Position(location));
    }
    apply_subscripts();
    ast::NodeList names(state.arena(), {const_cast<ast::Node*>(node)});
    CallRequest request;
    request.names = &names;
    request.arguments = ExprList(state.arena(), {result});
    request.last_srf = last_srf;
    request.location = location;
    Expr* selected = BindCallOrColumn(state, request);
    if (selected == nullptr) ThrowUnknownAttribute(state, result, ast::StringOf(node), location);
    result = selected;
  }
  apply_subscripts();
  return result;
}

void ThrowUnknownAttribute(BindState& state, Expr* row, std::string_view attribute, Location location) {
  int position = state.Position(location);
  if (const auto* var = TryAs<Var>(row); var != nullptr && var->varattno == 0) {
    BindState* level = &state;
    for (uint32_t i = 0; i < var->varlevelsup; ++i) level = level->parent;
    throw SqlError(ErrorCode::kUndefinedColumn, "column {}.{} does not exist",
                   level->Rte(var->varno)->eref->aliasname, attribute)
        .WithPosition(position);
  }
  Oid type = ExprType(row);
  if (IsValid(state.types().RowRelation(type))) {
    throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" not found in data type {}", attribute,
                   state.types().Format(type))
        .WithPosition(position);
  }
  if (type == type_oid::kRecord) {
    throw SqlError(ErrorCode::kUndefinedColumn, "could not identify column \"{}\" in record data type",
                   attribute)
        .WithPosition(position);
  }
  throw SqlError(ErrorCode::kWrongObjectType,
                 "column notation .{} applied to type {}, which is not a composite type", attribute,
                 state.types().Format(type))
      .WithPosition(position);
}

Expr* BindArray(BindState& state, const ast::AArrayExpr& array, Oid array_type, Oid element_type,
                int32_t typmod) {
  auto* result = state.New<ArrayExpr>();
  for (const ast::Node* node : array.elements) {
    Expr* element;
    if (const auto* inner = ast::TryAs<ast::AArrayExpr>(node)) {
      // ARRAY[[1,2],[3,4]]: the inner brackets are of the same type.
      element = BindArray(state, *inner, array_type, element_type, typmod);
      result->multidims = true;
    } else {
      element = BindNested(state, node);
      Oid type = ExprType(element);
      if (!result->multidims && type != type_oid::kInt2Vector && type != type_oid::kOidVector &&
          IsValid(state.types().ArrayElement(type))) {
        result->multidims = true;
      }
    }
    result->elements.Append(state.arena(), element);
  }
  Oid coerce_type;
  bool hard = IsValid(array_type);
  if (hard) {
    coerce_type = result->multidims ? array_type : element_type;
  } else {
    if (result->elements.empty()) {
      throw SqlError(ErrorCode::kIndeterminateDatatype, "cannot determine type of empty array")
          .WithHint("Explicitly cast to the desired type, for example ARRAY[]::integer[].")
          .WithPosition(state.Position(array.location));
    }
    coerce_type = CommonTypeOf(state, result->elements, "ARRAY");
    if (result->multidims) {
      array_type = coerce_type;
      element_type = state.types().ArrayElement(array_type);
      if (!IsValid(element_type)) {
        throw SqlError(ErrorCode::kUndefinedObject, "could not find element type for data type {}",
                       state.types().Format(array_type))
            .WithPosition(state.Position(array.location));
      }
    } else {
      element_type = coerce_type;
      array_type = state.types().ArrayOf(element_type);
      if (!IsValid(array_type)) {
        throw SqlError(ErrorCode::kUndefinedObject, "could not find array type for data type {}",
                       state.types().Format(element_type))
            .WithPosition(state.Position(array.location));
      }
    }
  }
  for (Expr*& element : result->elements) {
    if (!hard) {
      element = CoerceToCommon(state, element, coerce_type, "ARRAY");
      continue;
    }
    Oid from = ExprType(element);
    Expr* cast = CoerceToTarget(
        state, element, from, {coerce_type, typmod, CoercionContext::kExplicit, CoercionForm::kExplicitCast});
    if (cast == nullptr) {
      throw SqlError(ErrorCode::kCannotCoerce, "cannot cast type {} to {}", state.types().Format(from),
                     state.types().Format(coerce_type))
          .WithPosition(state.Position(ExprLocation(element)));
    }
    element = cast;
  }
  result->array_typeid = array_type;
  result->element_typeid = element_type;
  result->location = array.location;
  return result;
}

std::vector<ColumnInfo> RecordVarColumns(BindState& state, const Var& var) {
  std::vector<ColumnInfo> columns;
  BindState* level = &state;
  for (uint32_t i = 0; i < var.varlevelsup && level != nullptr; ++i) level = level->parent;
  if (level == nullptr || var.varno < 1 || static_cast<uint32_t>(var.varno) > level->rtable.size())
    return columns;
  const RangeTblEntry& rte = *level->Rte(var.varno);
  if (var.varattno == 0) {
    for (const RteColumn& column : RteColumns(state.context, rte)) {
      ColumnInfo info;
      info.name = column.name;
      info.type = column.type;
      info.typmod = column.typmod;
      info.collation = column.collation;
      info.dropped = column.name.empty();
      columns.push_back(std::move(info));
    }
    return columns;
  }
  auto from_expr = [&](const Expr* expr) {
    if (const auto* inner = TryAs<Var>(expr)) return RecordVarColumns(*level, *inner);
    return ResultOf(state.context, expr).columns;
  };
  if (rte.rtekind == RteKind::kJoin)
    return from_expr(rte.joinaliasvars[static_cast<uint32_t>(var.varattno - 1)]);
  const Query* query = rte.rtekind == RteKind::kSubquery ? rte.subquery : nullptr;
  if (rte.rtekind == RteKind::kCte && !rte.self_reference) {
    BindState* cte_level = level;
    for (uint32_t i = 0; i < rte.ctelevelsup; ++i) cte_level = cte_level->parent;
    for (const CommonTableExpr* cte : cte_level->ctes) {
      if (cte->ctename == rte.ctename) query = cte->ctequery;
    }
  }
  if (query == nullptr) return columns;
  const TargetEntry* target = FindTarget(query->target_list, var.varattno);
  if (target == nullptr) return columns;
  // A Var inside the subquery refers to that subquery's range table.
  BindState inner(state.context, level);
  inner.rtable = query->rtable;
  if (const auto* inner_var = TryAs<Var>(target->expr)) return RecordVarColumns(inner, *inner_var);
  return ResultOf(state.context, target->expr).columns;
}

}  // namespace walden

#include "node/sql/binder/operators.h"

#include "node/sql/binder/coercion.h"
#include "node/sql/binder/type_names.h"

namespace walden {
namespace {

using type_oid::kUnknown;

std::string Signature(BindState& state, const WrittenName& name, Oid left, Oid right) {
  std::string text;
  if (IsValid(left)) text = state.types().Format(left) + " ";
  return text + name.ToString() + " " + state.types().Format(right);
}

}  // namespace

WrittenName OperatorName(BindState& state, const ast::NodeList& names) {
  return SplitName(names, state.catalog());
}

const OperatorInfo& RequireOperator(BindState& state, const WrittenName& name, Oid left, Oid right,
                                    Location location) {
  const OperatorInfo* found = nullptr;
  OverloadResult result = state.context.overloads.FindOperator(name, left, right, &found);
  if (result == OverloadResult::kFound) return *found;
  if (result == OverloadResult::kAmbiguous) {
    throw SqlError(ErrorCode::kAmbiguousFunction, "operator is not unique: {}",
                   Signature(state, name, left, right))
        .WithHint("Could not choose a best candidate operator. You might need to add explicit type casts.")
        .WithPosition(state.Position(location));
  }
  throw SqlError(ErrorCode::kUndefinedFunction, "operator does not exist: {}",
                 Signature(state, name, left, right))
      .WithHint(IsValid(left)
                    ? "No operator matches the given name and argument types. You might need to add explicit "
                      "type casts."
                    : "No operator matches the given name and argument type. You might need to add an "
                      "explicit type cast.")
      .WithPosition(state.Position(location));
}

void CoerceArguments(BindState& state, ExprList* arguments, std::span<const Oid> actual,
                     std::span<const Oid> declared) {
  for (uint32_t i = 0; i < arguments->size(); ++i) {
    if (actual[i] == declared[i]) continue;
    Expr*& argument = (*arguments)[i];
    if (auto* named = TryAs<NamedArgExpr>(argument)) {
      named->arg = CoerceType(state, named->arg, actual[i], {declared[i]});
    } else {
      argument = CoerceType(state, argument, actual[i], {declared[i]});
    }
  }
}

void CheckSrfPlacement(BindState& state, Node* last_srf, Location location) {
  switch (state.expr_kind) {
    case ExprKind::kFromFunction:
      // Only the function itself, not its arguments; a set inside would have become last_srf.
      if (state.last_srf == last_srf) return;
      throw SqlError(ErrorCode::kFeatureNotSupported,
                     "set-returning functions must appear at top level of FROM")
          .WithPosition(state.Position(ExprLocation(state.last_srf)));
    case ExprKind::kSelectTarget:
    case ExprKind::kInsertTarget:
    case ExprKind::kWindowPartition:
    case ExprKind::kWindowOrder:
    case ExprKind::kGroupBy:
    case ExprKind::kOrderBy:
    case ExprKind::kDistinctOn: state.has_target_srfs = true; return;
    case ExprKind::kOther:
    case ExprKind::kValuesSingle: return;
    default: break;
  }
  throw SqlError(ErrorCode::kFeatureNotSupported, "set-returning functions are not allowed in {}",
                 ExprKindPhrase(state.expr_kind))
      .WithPosition(state.Position(location));
}

Expr* MakeOperator(BindState& state, const WrittenName& name, Expr* left, Expr* right, Node* last_srf,
                   Location location) {
  if (right == nullptr) {
    throw SqlError(ErrorCode::kSyntaxError, "postfix operators are not supported")
        .WithPosition(state.Position(location));
  }
  std::vector<Oid> actual;
  ExprList arguments;
  if (left != nullptr) {
    actual.push_back(ExprType(left));
    arguments.Append(state.arena(), left);
  }
  actual.push_back(ExprType(right));
  arguments.Append(state.arena(), right);
  const OperatorInfo& op =
      RequireOperator(state, name, left == nullptr ? Oid{} : actual[0], actual.back(), location);
  std::vector<Oid> declared;
  if (left != nullptr) declared.push_back(op.left);
  declared.push_back(op.right);
  Oid result = state.types().ResolvePolymorphic(actual, declared, op.result, false);
  CoerceArguments(state, &arguments, actual, declared);
  OpExpr* expr = MakeOpExpr(state.arena(), op.oid, op.function, result, Oid{}, Oid{}, arguments);
  const FunctionInfo* function = state.catalog().GetFunction(op.function);
  expr->opretset = function != nullptr && function->returns_set;
  expr->location = location;
  if (expr->opretset) {
    CheckSrfPlacement(state, last_srf, location);
    state.last_srf = expr;
  }
  return expr;
}

Expr* MakeArrayOperator(BindState& state, const WrittenName& name, bool use_or, Expr* left, Expr* array,
                        Location location) {
  Oid left_type = ExprType(left), array_type = ExprType(array);
  Oid element = kUnknown;
  int position = state.Position(location);
  if (array_type != kUnknown) {
    element = state.types().ArrayElement(state.types().BaseType(array_type));
    if (!IsValid(element)) {
      throw SqlError(ErrorCode::kWrongObjectType, "op ANY/ALL (array) requires array on right side")
          .WithPosition(position);
    }
  }
  const OperatorInfo& op = RequireOperator(state, name, left_type, element, location);
  std::vector<Oid> actual = {left_type, element};
  std::vector<Oid> declared = {op.left, op.right};
  Oid result = state.types().ResolvePolymorphic(actual, declared, op.result, false);
  if (result != type_oid::kBool) {
    throw SqlError(ErrorCode::kWrongObjectType, "op ANY/ALL (array) requires operator to yield boolean")
        .WithPosition(position);
  }
  const FunctionInfo* function = state.catalog().GetFunction(op.function);
  if (function != nullptr && function->returns_set) {
    throw SqlError(ErrorCode::kWrongObjectType, "op ANY/ALL (array) requires operator not to return a set")
        .WithPosition(position);
  }
  Oid declared_array = state.types().ArrayOf(declared[1]);
  if (!IsValid(declared_array)) {
    throw SqlError(ErrorCode::kUndefinedObject, "could not find array type for data type {}",
                   state.types().Format(declared[1]))
        .WithPosition(position);
  }
  actual[1] = array_type;
  declared[1] = declared_array;
  auto* expr = state.New<ScalarArrayOpExpr>();
  expr->args = ExprList(state.arena(), {left, array});
  CoerceArguments(state, &expr->args, actual, declared);
  expr->opno = op.oid;
  expr->opfuncid = op.function;
  expr->use_or = use_or;
  expr->location = location;
  return expr;
}

TypeOperators SortOperators(BindState& state, Oid type, bool need_less, bool need_equal, bool need_greater) {
  TypeOperators operators = state.catalog().DefaultOperators(type);
  if ((need_less && !IsValid(operators.less)) || (need_greater && !IsValid(operators.greater))) {
    throw SqlError(ErrorCode::kUndefinedFunction, "could not identify an ordering operator for type {}",
                   state.types().Format(type))
        .WithHint("Use an explicit ordering operator or modify the query.");
  }
  if (need_equal && !IsValid(operators.equal)) {
    throw SqlError(ErrorCode::kUndefinedFunction, "could not identify an equality operator for type {}",
                   state.types().Format(type));
  }
  return operators;
}

}  // namespace walden

#include "node/sql/binder/expressions.h"

#include <charconv>

#include "node/base/stack_depth.h"
#include "node/sql/binder/aggregates.h"
#include "node/sql/binder/coercion.h"
#include "node/sql/binder/collations.h"
#include "node/sql/binder/functions.h"
#include "node/sql/binder/operators.h"
#include "node/sql/binder/range_table.h"
#include "node/sql/binder/target_list.h"
#include "node/sql/binder/type_names.h"

namespace walden {
namespace {

using type_oid::kUnknown;
constexpr uint32_t kMaxRowColumns = 1664;

Const* IntegerConst(BindState& state, int32_t value, Location location) {
  Const* constant = MakeInt4Const(state.arena(), value);
  constant->location = location;
  return constant;
}

Const* NumberConst(BindState& state, std::string_view text, Location location) {
  int64_t value;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return ConstFromText(state, type_oid::kNumeric, -1, text, location);
  }
  if (value == static_cast<int32_t>(value)) return IntegerConst(state, static_cast<int32_t>(value), location);
  Const* constant = MakeInt8Const(state.arena(), value);
  constant->location = location;
  return constant;
}

Const* UnknownConst(BindState& state, std::string_view text, bool is_null, Location location) {
  Value value;
  value.is_null = is_null;
  if (!is_null) value.datum = StringDatum(text);
  return MakeConst(state.arena(), kUnknown, -1, Oid{}, PhysicalType::kString, value, location);
}

Expr* BindParamRef(BindState& state, const ast::ParamRef& reference) {
  const BindOptions& options = state.context.options;
  if (options.variables != nullptr) {
    if (Expr* variable = options.variables->ResolveParameter(reference)) return variable;
  }
  ParameterTypes* parameters = options.parameters;
  constexpr int32_t kMaxParameter = 65535;
  int32_t number = reference.number;
  bool known = parameters != nullptr && number > 0 && number <= kMaxParameter;
  if (known && static_cast<size_t>(number) > parameters->types.size()) {
    known = parameters->variable;
    if (known) parameters->types.resize(static_cast<size_t>(number), Oid{});
  }
  Oid type{};
  if (known) {
    Oid& slot = parameters->types[static_cast<size_t>(number - 1)];
    if (!IsValid(slot) && parameters->variable) slot = kUnknown;
    type = slot;
  }
  if (!IsValid(type)) {
    throw SqlError(ErrorCode::kUndefinedParameter, "there is no parameter ${}", number)
        .WithPosition(state.Position(reference.location));
  }
  auto* param = state.New<Param>();
  param->paramid = number;
  param->paramtype = type;
  param->paramcollid = state.types().CollationOf(type);
  param->location = reference.location;
  return param;
}

Expr* BindCast(BindState& state, const ast::TypeCast& cast) {
  ResolvedType target = ResolveTypeName(*cast.type_name, state.types());
  Expr* expr;
  if (const auto* array = ast::TryAs<ast::AArrayExpr>(cast.arg)) {
    // ARRAY[...]::type[]: elements are converted one by one, so that their literals get the element type.
    int32_t base_typmod = target.typmod;
    Oid base = state.types().BaseType(target.type, &base_typmod);
    Oid element = state.types().ArrayElement(base);
    expr = IsValid(element) ? BindArray(state, *array, base, element, base_typmod) : BindNested(state, array);
  } else {
    expr = BindNested(state, cast.arg);
  }
  Oid from = ExprType(expr);
  if (!IsValid(from)) return expr;
  Location location = cast.location.IsKnown() ? cast.location : cast.type_name->location;
  Expr* result = CoerceToTarget(
      state, expr, from,
      {target.type, target.typmod, CoercionContext::kExplicit, CoercionForm::kExplicitCast, location});
  if (result != nullptr) return result;
  throw SqlError(ErrorCode::kCannotCoerce, "cannot cast type {} to {}", state.types().Format(from),
                 state.types().Format(target.type))
      .WithPosition(state.Position(location.IsKnown() ? location : ExprLocation(expr)));
}

Expr* BindCollate(BindState& state, const ast::CollateClause& clause) {
  auto* collate = state.New<CollateExpr>();
  collate->arg = BindNested(state, clause.arg);
  Oid type = ExprType(collate->arg);
  if (type != kUnknown && !IsValid(state.types().CollationOf(type))) {
    throw SqlError(ErrorCode::kDatatypeMismatch, "collations are not supported by type {}",
                   state.types().Format(type))
        .WithPosition(state.Position(clause.location));
  }
  collate->coll_oid = ResolveCollation(clause.collname, clause.location, state.types());
  collate->location = clause.location;
  return collate;
}

Expr* BindBool(BindState& state, const ast::BoolExpr& expr) {
  const char* construct = expr.boolop == BoolExprType::kAnd  ? "AND"
                          : expr.boolop == BoolExprType::kOr ? "OR"
                                                             : "NOT";
  auto* result = state.New<BoolExpr>();
  result->boolop = expr.boolop;
  for (const ast::Node* argument : expr.args) {
    result->args.Append(state.arena(), CoerceToBoolean(state, BindNested(state, argument), construct));
  }
  result->location = expr.location;
  return result;
}

// SETs cannot be expanded lazily, so they are refused where evaluation is conditional.
void RefuseSrf(BindState& state, Node* last_srf, const char* construct) {
  if (state.last_srf == last_srf) return;
  throw SqlError(ErrorCode::kFeatureNotSupported, "set-returning functions are not allowed in {}", construct)
      .WithHint("You might be able to move the set-returning function into a LATERAL FROM item.")
      .WithPosition(state.Position(ExprLocation(state.last_srf)));
}

Expr* BindCase(BindState& state, const ast::CaseExpr& expr) {
  Node* last_srf = state.last_srf;
  auto* result = state.New<CaseExpr>();
  CaseTestExpr* placeholder = nullptr;
  if (expr.arg != nullptr) {
    result->arg = ResolveUnknown(state, BindNested(state, expr.arg));
    AssignExprCollations(state, result->arg);
    placeholder = state.New<CaseTestExpr>();
    placeholder->type_id = ExprType(result->arg);
    placeholder->type_mod = ExprTypmod(result->arg);
    placeholder->collation = ExprCollation(result->arg);
  }
  ExprList results;
  results.Append(state.arena(), nullptr);  // ELSE counts first when types are compared
  for (const ast::Node* node : expr.args) {
    const auto& when = *ast::As<ast::CaseWhen>(node);
    auto* branch = state.New<CaseWhen>();
    Node* branch_srf = state.last_srf;
    Expr* condition = BindNested(state, when.expr);
    if (placeholder != nullptr) {
      condition = MakeOperator(state, {{}, "="}, placeholder, condition, branch_srf, when.location);
    }
    branch->expr = CoerceToBoolean(state, condition, "CASE/WHEN");
    branch->result = BindNested(state, when.result);
    branch->location = when.location;
    results.Append(state.arena(), branch->result);
    result->args.Append(state.arena(), branch);
  }
  result->defresult = expr.defresult != nullptr ? BindNested(state, expr.defresult)
                                                : UnknownConst(state, "", true, Location{});
  results[0] = result->defresult;
  result->casetype = CommonTypeOf(state, results, "CASE");
  result->defresult = CoerceToCommon(state, result->defresult, result->casetype, "CASE/ELSE");
  for (CaseWhen* branch : result->args) {
    branch->result = CoerceToCommon(state, branch->result, result->casetype, "CASE/WHEN");
  }
  RefuseSrf(state, last_srf, "CASE");
  result->location = expr.location;
  return result;
}

ExprList BindCommonTypeList(BindState& state, const ast::NodeList& list, const char* construct, Oid* type) {
  ExprList args;
  for (const ast::Node* node : list) args.Append(state.arena(), BindNested(state, node));
  *type = CommonTypeOf(state, args, construct);
  for (Expr*& arg : args) arg = CoerceToCommon(state, arg, *type, construct);
  return args;
}

Expr* BindCoalesce(BindState& state, const ast::CoalesceExpr& expr) {
  Node* last_srf = state.last_srf;
  auto* result = state.New<CoalesceExpr>();
  result->args = BindCommonTypeList(state, expr.args, "COALESCE", &result->coalescetype);
  RefuseSrf(state, last_srf, "COALESCE");
  result->location = expr.location;
  return result;
}

Expr* BindMinMax(BindState& state, const ast::MinMaxExpr& expr) {
  auto* result = state.New<MinMaxExpr>();
  result->op = expr.op;
  result->args = BindCommonTypeList(state, expr.args, expr.op == MinMaxOp::kGreatest ? "GREATEST" : "LEAST",
                                    &result->minmaxtype);
  result->location = expr.location;
  return result;
}

Expr* BindRow(BindState& state, const ast::RowExpr& expr, bool allow_default) {
  auto* row = state.New<RowExpr>();
  row->args = BindExprList(state, expr.args, state.expr_kind, allow_default);
  if (row->args.size() > kMaxRowColumns) {
    throw SqlError(ErrorCode::kTooManyColumns, "ROW expressions can have at most {} entries", kMaxRowColumns)
        .WithPosition(state.Position(expr.location));
  }
  row->row_typeid = type_oid::kRecord;
  row->row_format = CoercionForm::kImplicitCast;
  for (uint32_t i = 0; i < row->args.size(); ++i) {
    row->colnames.Append(state.arena(), state.arena().Copy(fmt::format("f{}", i + 1)));
  }
  row->location = expr.location;
  return row;
}

// Precision of CURRENT_TIME(n) and kin, as the types' own modifiers check it.
int32_t CheckedPrecision(BindState& state, Oid type, int32_t precision) {
  const TypeDescriptor* descriptor = FindType(type);
  std::string text = std::to_string(precision);
  std::string_view modifier = text;
  (void)state;
  return descriptor->typmod_in(std::span(&modifier, 1));
}

Expr* BindSqlValueFunction(BindState& state, const ast::SqlValueFunction& expr) {
  using Op = SqlValueFunctionOp;
  auto* result = state.New<SqlValueFunction>();
  result->op = expr.op;
  result->location = expr.location;
  bool precise = false;
  switch (expr.op) {
    case Op::kCurrentDate: result->type = type_oid::kDate; break;
    case Op::kCurrentTimeN: precise = true; [[fallthrough]];
    case Op::kCurrentTime: result->type = type_oid::kTimeTz; break;
    case Op::kCurrentTimestampN: precise = true; [[fallthrough]];
    case Op::kCurrentTimestamp: result->type = type_oid::kTimestampTz; break;
    case Op::kLocalTimeN: precise = true; [[fallthrough]];
    case Op::kLocalTime: result->type = type_oid::kTime; break;
    case Op::kLocalTimestampN: precise = true; [[fallthrough]];
    case Op::kLocalTimestamp: result->type = type_oid::kTimestamp; break;
    default: result->type = type_oid::kName; break;
  }
  if (precise) result->typmod = CheckedPrecision(state, result->type, expr.typmod);
  return result;
}

Expr* BindNullTest(BindState& state, const ast::NullTest& expr) {
  auto* test = state.New<NullTest>();
  test->arg = BindNested(state, expr.arg);
  test->nulltesttype = expr.nulltesttype;
  Oid type = ExprType(test->arg);
  test->argisrow = type == type_oid::kRecord || IsValid(state.types().RowRelation(type));
  test->location = expr.location;
  return test;
}

Expr* BindBooleanTest(BindState& state, const ast::BooleanTest& expr) {
  static constexpr const char* kNames[] = {"IS TRUE",      "IS NOT TRUE", "IS FALSE",
                                           "IS NOT FALSE", "IS UNKNOWN",  "IS NOT UNKNOWN"};
  auto* test = state.New<BooleanTest>();
  test->arg =
      CoerceToBoolean(state, BindNested(state, expr.arg), kNames[static_cast<size_t>(expr.booltesttype)]);
  test->booltesttype = expr.booltesttype;
  test->location = expr.location;
  return test;
}

Expr* BindCurrentOf(BindState& state, const ast::CurrentOfExpr& expr) {
  auto* result = state.New<CurrentOfExpr>();
  if (state.target == nullptr) {
    throw SqlError(ErrorCode::kInternalError, "CURRENT OF is only allowed in UPDATE and DELETE");
  }
  result->cvarno = static_cast<uint32_t>(state.target->rtindex);
  result->cursor_name = expr.cursor_name;
  return result;
}

Expr* BindFuncCall(BindState& state, const ast::FuncCall& call) {
  CallRequest request;
  request.names = &call.funcname;
  request.last_srf = state.last_srf;
  request.call = &call;
  request.location = call.location;
  for (const ast::Node* argument : call.args)
    request.arguments.Append(state.arena(), BindNested(state, argument));
  if (call.agg_within_group) {
    // The ordering columns of an ordered-set aggregate are arguments too.
    for (const ast::Node* node : call.agg_order) {
      request.arguments.Append(state.arena(),
                               BindExpr(state, ast::As<ast::SortBy>(node)->node, ExprKind::kOrderBy));
    }
  }
  return BindCallOrColumn(state, request);
}

Expr* BindGroupingFunc(BindState& state, const ast::GroupingFunc& expr) {
  if (expr.args.size() > 31) {
    throw SqlError(ErrorCode::kTooManyArguments, "GROUPING must have fewer than 32 arguments")
        .WithPosition(state.Position(expr.location));
  }
  auto* result = state.New<GroupingFunc>();
  for (const ast::Node* argument : expr.args) result->args.Append(state.arena(), BindNested(state, argument));
  result->location = expr.location;
  FinishGroupingFunction(state, result);
  return result;
}

Expr* BindNamedArgument(BindState& state, const ast::NamedArgExpr& expr) {
  auto* result = state.New<NamedArgExpr>();
  result->arg = BindNested(state, expr.arg);
  result->name = expr.name;
  result->location = expr.location;
  return result;
}

Expr* BindOperator(BindState& state, const ast::AExpr& expr) {
  Node* last_srf = state.last_srf;
  const auto* left_row = ast::TryAs<ast::RowExpr>(expr.lexpr);
  if (left_row != nullptr) {
    const auto* link = ast::TryAs<ast::SubLink>(expr.rexpr);
    if (link != nullptr && link->sub_link_type == SubLinkType::kExpr) {
      ast::SubLink comparison = *link;
      comparison.sub_link_type = SubLinkType::kRowCompare;
      comparison.testexpr = expr.lexpr;
      comparison.oper_name = expr.name;
      comparison.location = expr.location;
      return BindSubLink(state, comparison);
    }
    if (ast::Is<ast::RowExpr>(expr.rexpr)) {
      Expr* left = BindNested(state, expr.lexpr);
      Expr* right = BindNested(state, expr.rexpr);
      return MakeRowComparison(state, expr.name, As<RowExpr>(left)->args, As<RowExpr>(right)->args,
                               expr.location);
    }
  }
  Expr* left = expr.lexpr == nullptr ? nullptr : BindNested(state, expr.lexpr);
  Expr* right = expr.rexpr == nullptr ? nullptr : BindNested(state, expr.rexpr);
  return MakeOperator(state, OperatorName(state, expr.name), left, right, last_srf, expr.location);
}

Expr* BindNullIf(BindState& state, const ast::AExpr& expr) {
  Node* last_srf = state.last_srf;
  Expr* left = BindNested(state, expr.lexpr);
  Expr* right = BindNested(state, expr.rexpr);
  auto* op =
      As<OpExpr>(MakeOperator(state, OperatorName(state, expr.name), left, right, last_srf, expr.location));
  if (op->opresulttype != type_oid::kBool) {
    throw SqlError(ErrorCode::kDatatypeMismatch, "NULLIF requires = operator to yield boolean")
        .WithPosition(state.Position(expr.location));
  }
  auto* result = state.New<NullIfExpr>();
  static_cast<OpExprFields&>(*result) = static_cast<const OpExprFields&>(*op);
  result->tag = NullIfExpr::kTag;
  // The operator may have coerced its operands; the result has the type of the first one.
  result->opresulttype = ExprType(result->args[0]);
  return result;
}

Expr* BindAExpr(BindState& state, const ast::AExpr& expr) {
  switch (expr.kind) {
    case AExprKind::kOpAny:
    case AExprKind::kOpAll: {
      Expr* left = BindNested(state, expr.lexpr);
      Expr* right = BindNested(state, expr.rexpr);
      return MakeArrayOperator(state, OperatorName(state, expr.name), expr.kind == AExprKind::kOpAny, left,
                               right, expr.location);
    }
    case AExprKind::kDistinct:
    case AExprKind::kNotDistinct: return BindDistinct(state, expr);
    case AExprKind::kNullif: return BindNullIf(state, expr);
    case AExprKind::kIn: return BindIn(state, expr);
    case AExprKind::kBetween:
    case AExprKind::kNotBetween:
    case AExprKind::kBetweenSym:
    case AExprKind::kNotBetweenSym: return BindBetween(state, expr);
    default: return BindOperator(state, expr);
  }
}

}  // namespace

Const* BindConstant(BindState& state, const ast::AConst& constant) {
  Location location = constant.location;
  if (constant.isnull) return UnknownConst(state, "", true, location);
  switch (constant.val->tag) {
    case ast::Tag::kInteger: return IntegerConst(state, ast::As<ast::Integer>(constant.val)->ival, location);
    case ast::Tag::kFloat: return NumberConst(state, ast::As<ast::Float>(constant.val)->fval, location);
    case ast::Tag::kBoolean: {
      Const* result = MakeBoolConst(state.arena(), ast::As<ast::Boolean>(constant.val)->boolval);
      result->location = location;
      return result;
    }
    case ast::Tag::kString:
      return UnknownConst(state, ast::As<ast::String>(constant.val)->sval, false, location);
    case ast::Tag::kBitString:
      return ConstFromText(state, type_oid::kBit, -1, ast::As<ast::BitString>(constant.val)->bsval, location);
    default: throw SqlError(ErrorCode::kInternalError, "unrecognized constant");
  }
}

ExprList BindExprList(BindState& state, const ast::NodeList& list, ExprKind kind, bool allow_default) {
  ExprList result;
  for (const ast::Node* node : list) {
    if (IsStarReference(node)) {
      // These are no columns of the query's result.
      AttrNumber saved = state.next_resno;
      for (TargetEntry* target : ExpandStar(state, node, kind)) result.Append(state.arena(), target->expr);
      state.next_resno = saved;
      continue;
    }
    if (allow_default && ast::Is<ast::SetToDefault>(node)) {
      auto* placeholder = state.New<SetToDefault>();
      placeholder->type_id = kUnknown;
      placeholder->location = ast::As<ast::SetToDefault>(node)->location;
      result.Append(state.arena(), placeholder);
      continue;
    }
    result.Append(state.arena(), BindExpr(state, node, kind));
  }
  return result;
}

Expr* BindExpr(BindState& state, const ast::Node* node, ExprKind kind) {
  ExprKindScope scope(state, kind);
  return BindNested(state, node);
}

Expr* BindWhere(BindState& state, const ast::Node* node, ExprKind kind, const char* construct) {
  if (node == nullptr) return nullptr;
  return CoerceToBoolean(state, BindExpr(state, node, kind), construct);
}

Expr* BindNested(BindState& state, const ast::Node* node) {
  if (node == nullptr) return nullptr;
  CheckStackDepth();
  using ast::Tag;
  switch (node->tag) {
    case Tag::kColumnRef: return BindColumnRef(state, *ast::As<ast::ColumnRef>(node));
    case Tag::kParamRef: return BindParamRef(state, *ast::As<ast::ParamRef>(node));
    case Tag::kAConst: return BindConstant(state, *ast::As<ast::AConst>(node));
    case Tag::kAIndirection: return BindIndirection(state, *ast::As<ast::AIndirection>(node));
    case Tag::kAArrayExpr: return BindArray(state, *ast::As<ast::AArrayExpr>(node), Oid{}, Oid{}, -1);
    case Tag::kTypeCast: return BindCast(state, *ast::As<ast::TypeCast>(node));
    case Tag::kCollateClause: return BindCollate(state, *ast::As<ast::CollateClause>(node));
    case Tag::kAExpr: return BindAExpr(state, *ast::As<ast::AExpr>(node));
    case Tag::kBoolExpr: return BindBool(state, *ast::As<ast::BoolExpr>(node));
    case Tag::kFuncCall: return BindFuncCall(state, *ast::As<ast::FuncCall>(node));
    case Tag::kGroupingFunc: return BindGroupingFunc(state, *ast::As<ast::GroupingFunc>(node));
    case Tag::kMultiAssignRef: return BindMultiAssign(state, *ast::As<ast::MultiAssignRef>(node));
    case Tag::kNamedArgExpr: return BindNamedArgument(state, *ast::As<ast::NamedArgExpr>(node));
    case Tag::kSubLink: return BindSubLink(state, *ast::As<ast::SubLink>(node));
    case Tag::kCaseExpr: return BindCase(state, *ast::As<ast::CaseExpr>(node));
    case Tag::kRowExpr: return BindRow(state, *ast::As<ast::RowExpr>(node), false);
    case Tag::kCoalesceExpr: return BindCoalesce(state, *ast::As<ast::CoalesceExpr>(node));
    case Tag::kMinMaxExpr: return BindMinMax(state, *ast::As<ast::MinMaxExpr>(node));
    case Tag::kSqlValueFunction: return BindSqlValueFunction(state, *ast::As<ast::SqlValueFunction>(node));
    case Tag::kNullTest: return BindNullTest(state, *ast::As<ast::NullTest>(node));
    case Tag::kBooleanTest: return BindBooleanTest(state, *ast::As<ast::BooleanTest>(node));
    case Tag::kCurrentOfExpr: return BindCurrentOf(state, *ast::As<ast::CurrentOfExpr>(node));
    case Tag::kSetToDefault:
      throw SqlError(ErrorCode::kSyntaxError, "DEFAULT is not allowed in this context")
          .WithPosition(state.Position(ast::As<ast::SetToDefault>(node)->location));
    case Tag::kXmlExpr:
    case Tag::kXmlSerialize: throw NotSupported("XML");
    default:
      throw SqlError(ErrorCode::kInternalError, "unrecognized expression node {}", ast::TagName(node->tag));
  }
}

namespace {

// What a reference's parts are, and the errors that each failure gives.
struct ReferenceParts {
  std::string_view schema, table, column;
};

ReferenceParts SplitReference(BindState& state, const ast::ColumnRef& reference) {
  const ast::NodeList& fields = reference.fields;
  auto text = [&](uint32_t i) {
    return ast::Is<ast::String>(fields[i]) ? ast::StringOf(fields[i]) : std::string_view();
  };
  switch (fields.size()) {
    case 1: return {{}, {}, text(0)};
    case 2: return {{}, text(0), text(1)};
    case 3: return {text(0), text(1), text(2)};
    case 4:
      if (text(0) != state.catalog().DatabaseName()) {
        throw SqlError(ErrorCode::kFeatureNotSupported, "cross-database references are not implemented: {}",
                       JoinNames(fields))
            .WithPosition(state.Position(reference.location));
      }
      return {text(1), text(2), text(3)};
    default:
      throw SqlError(ErrorCode::kSyntaxError, "improper qualified name (too many dotted names): {}",
                     JoinNames(fields))
          .WithPosition(state.Position(reference.location));
  }
}

// `field` may be a function of the row.
Expr* FunctionOfRow(BindState& state, std::string_view field, Expr* row, Location location) {
  ast::String name;
  name.sval = field;
  ast::NodeList names(state.arena(), {&name});
  CallRequest request;
  request.names = &names;
  request.arguments = ExprList(state.arena(), {row});
  request.last_srf = state.last_srf;
  request.location = location;
  return BindCallOrColumn(state, request);
}

Expr* FindReferenced(BindState& state, const ast::ColumnRef& reference, const ReferenceParts& parts,
                     bool* missing_table) {
  *missing_table = false;
  uint32_t levels_up = 0;
  Location location = reference.location;
  if (reference.fields.size() == 1) {
    if (Expr* column = FindColumn(state, parts.column, false, location)) return column;
    // A table's name alone is its whole row.
    NamespaceItem* item = FindTableName(state, {}, parts.column, location, &levels_up);
    return item == nullptr ? nullptr : WholeRow(state, *item, levels_up, location);
  }
  NamespaceItem* item = FindTableName(state, parts.schema, parts.table, location, &levels_up);
  if (item == nullptr) {
    *missing_table = true;
    return nullptr;
  }
  if (ast::Is<ast::AStar>(reference.fields.back())) return WholeRow(state, *item, levels_up, location);
  if (Expr* column = FindColumnOfItem(state, *item, levels_up, parts.column, location)) return column;
  return FunctionOfRow(state, parts.column, WholeRow(state, *item, levels_up, location), location);
}

}  // namespace

Expr* BindColumnRef(BindState& state, const ast::ColumnRef& reference) {
  if (state.expr_kind == ExprKind::kColumnDefault || state.expr_kind == ExprKind::kPartitionBound) {
    throw SqlError(
        ErrorCode::kFeatureNotSupported, "cannot use column reference in {}",
        state.expr_kind == ExprKind::kColumnDefault ? "DEFAULT expression" : "partition bound expression")
        .WithPosition(state.Position(reference.location));
  }
  if (state.domain_value != nullptr && reference.fields.size() == 1 &&
      ast::Is<ast::String>(reference.fields[0]) && ast::StringOf(reference.fields[0]) == "value") {
    auto* value = state.arena().New<CoerceToDomainValue>(*state.domain_value);
    value->location = reference.location;
    return value;
  }
  ReferenceParts parts = SplitReference(state, reference);
  bool missing_table = false;
  Expr* found = FindReferenced(state, reference, parts, &missing_table);
  if (VariableHook* hook = state.context.options.variables) {
    if (Expr* resolved = hook->ResolveColumn(reference, found)) return resolved;
  }
  if (found != nullptr) return found;
  if (missing_table) ThrowMissingTable(state, parts.schema, parts.table, reference.location);
  ThrowMissingColumn(state, parts.table, parts.column, reference.location);
}

}  // namespace walden

// Comparisons of rows, IN, BETWEEN, IS DISTINCT FROM and subqueries in expressions.
#include <algorithm>

#include "node/sql/binder/coercion.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/binder/operators.h"
#include "node/sql/binder/query_binding.h"

namespace walden {
namespace {

constexpr int kEqual = 3, kNotEqual = 6;

bool IsNullConstant(const ast::Node* node) {
  const auto* constant = ast::TryAs<ast::AConst>(node);
  return constant != nullptr && constant->isnull;
}

// The B-tree meaning that every column's operator has in common; 0 when there is none.
int CommonStrategy(BindState& state, const std::vector<OpExpr*>& ops,
                   std::vector<std::vector<BtreeInterpretation>>* meanings) {
  unsigned common = ~0u;
  for (const OpExpr* op : ops) {
    meanings->push_back(state.catalog().BtreeInterpretations(op->opno));
    unsigned own = 0;
    for (const BtreeInterpretation& meaning : meanings->back()) own |= 1u << meaning.strategy;
    common &= own;
  }
  for (int strategy = 1; strategy <= kNotEqual; ++strategy) {
    if ((common & (1u << strategy)) != 0) return strategy;
  }
  return 0;
}

std::vector<OpExpr*> CompareColumns(BindState& state, const ast::NodeList& names, const ExprList& left,
                                    const ExprList& right, Location location) {
  std::vector<OpExpr*> ops;
  for (uint32_t i = 0; i < left.size(); ++i) {
    Expr* expr = MakeOperator(state, OperatorName(state, names), left[i], right[i], state.last_srf, location);
    auto* op = As<OpExpr>(expr);
    if (op->opresulttype != type_oid::kBool) {
      throw SqlError(ErrorCode::kDatatypeMismatch,
                     "row comparison operator must yield type boolean, not type {}",
                     state.types().Format(op->opresulttype))
          .WithPosition(state.Position(location));
    }
    if (ContainsSetReturning(op)) {
      throw SqlError(ErrorCode::kDatatypeMismatch, "row comparison operator must not return a set")
          .WithPosition(state.Position(location));
    }
    ops.push_back(op);
  }
  return ops;
}

SqlError NoInterpretation(BindState& state, const ast::NodeList& names, Location location) {
  SqlError error(ErrorCode::kFeatureNotSupported,
                 "could not determine interpretation of row comparison operator {}",
                 ast::StringOf(names.back()));
  error.WithHint("Row comparison operators must be associated with btree operator families.")
      .WithPosition(state.Position(location));
  return error;
}

SqlError UnequalRows(BindState& state, Location location) {
  SqlError error(ErrorCode::kSyntaxError, "unequal number of entries in row expressions");
  error.WithPosition(state.Position(location));
  return error;
}

Expr* MakeDistinct(BindState& state, const ast::NodeList& names, Expr* left, Expr* right, Location location) {
  auto* op =
      As<OpExpr>(MakeOperator(state, OperatorName(state, names), left, right, state.last_srf, location));
  if (op->opresulttype != type_oid::kBool) {
    throw SqlError(ErrorCode::kDatatypeMismatch, "IS DISTINCT FROM requires = operator to yield boolean")
        .WithPosition(state.Position(location));
  }
  if (op->opretset) {
    throw SqlError(ErrorCode::kDatatypeMismatch, "IS DISTINCT FROM must not return a set")
        .WithPosition(state.Position(location));
  }
  auto* result = state.New<DistinctExpr>();
  static_cast<OpExprFields&>(*result) = static_cast<const OpExprFields&>(*op);
  result->tag = DistinctExpr::kTag;
  return result;
}

Expr* MakeRowDistinct(BindState& state, const ast::NodeList& names, const ExprList& left,
                      const ExprList& right, Location location) {
  if (left.size() != right.size()) throw UnequalRows(state, location);
  Expr* result = nullptr;
  for (uint32_t i = 0; i < left.size(); ++i) {
    Expr* column = MakeDistinct(state, names, left[i], right[i], location);
    if (result == nullptr) {
      result = column;
      continue;
    }
    auto* either = state.New<BoolExpr>();
    either->boolop = BoolExprType::kOr;
    either->args = ExprList(state.arena(), {result, column});
    either->location = location;
    result = either;
  }
  return result != nullptr ? result : MakeBoolConst(state.arena(), false);
}

ast::AExpr* RawOperator(BindState& state, std::string_view op, ast::Node* left, ast::Node* right,
                        Location location) {
  auto* name = state.New<ast::String>();
  name->sval = op;
  auto* expr = state.New<ast::AExpr>();
  expr->name = ast::NodeList(state.arena(), {name});
  expr->lexpr = left;
  expr->rexpr = right;
  expr->location = location;
  return expr;
}

ast::BoolExpr* RawBool(BindState& state, BoolExprType op, ast::Node* left, ast::Node* right,
                       Location location) {
  auto* expr = state.New<ast::BoolExpr>();
  expr->boolop = op;
  expr->args = ast::NodeList(state.arena(), {left, right});
  expr->location = location;
  return expr;
}

// The constants of an IN list as one array, when a common type allows.
Expr* InArray(BindState& state, const ast::AExpr& expr, bool use_or, Expr* left, const ExprList& constants) {
  ExprList all(state.arena(), {left});
  all.AppendAll(state.arena(), constants);
  Oid scalar = CommonTypeOf(state, all, nullptr);
  if (!IsValid(scalar) || scalar == type_oid::kRecord) return nullptr;
  std::vector<TypedAt> typed;
  for (const Expr* item : all) typed.push_back({ExprType(item), -1});
  Oid array = state.types().ArrayOf(scalar);
  if (!IsValid(array) || !state.types().AllCoercible(scalar, typed)) return nullptr;
  auto* list = state.New<ArrayExpr>();
  list->array_typeid = array;
  list->element_typeid = scalar;
  for (Expr* item : constants)
    list->elements.Append(state.arena(), CoerceToCommon(state, item, scalar, "IN"));
  return MakeArrayOperator(state, OperatorName(state, expr.name), use_or, left, list, expr.location);
}

}  // namespace

Expr* MakeRowComparison(BindState& state, const ast::NodeList& names, const ExprList& left,
                        const ExprList& right, Location location) {
  if (left.size() != right.size()) throw UnequalRows(state, location);
  if (left.empty()) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot compare rows of zero length")
        .WithPosition(state.Position(location));
  }
  std::vector<OpExpr*> ops = CompareColumns(state, names, left, right, location);
  if (ops.size() == 1) return ops[0];
  std::vector<std::vector<BtreeInterpretation>> meanings;
  int strategy = CommonStrategy(state, ops, &meanings);
  if (strategy == 0) throw NoInterpretation(state, names, location);
  if (strategy == kEqual || strategy == kNotEqual) {
    auto* all = state.New<BoolExpr>();
    all->boolop = strategy == kEqual ? BoolExprType::kAnd : BoolExprType::kOr;
    for (OpExpr* op : ops) all->args.Append(state.arena(), op);
    all->location = location;
    return all;
  }
  auto* comparison = state.New<RowCompareExpr>();
  comparison->rctype = static_cast<RowCompareType>(strategy);
  for (size_t i = 0; i < ops.size(); ++i) {
    auto meaning = std::ranges::find(meanings[i], strategy, &BtreeInterpretation::strategy);
    if (meaning == meanings[i].end()) throw NoInterpretation(state, names, location);
    comparison->opnos.Append(state.arena(), ops[i]->opno);
    comparison->opfamilies.Append(state.arena(), meaning->family);
    comparison->inputcollids.Append(state.arena(), Oid{});
    comparison->largs.Append(state.arena(), ops[i]->args[0]);
    comparison->rargs.Append(state.arena(), ops[i]->args[1]);
  }
  return comparison;
}

Expr* BindDistinct(BindState& state, const ast::AExpr& expr) {
  bool left_null = IsNullConstant(expr.lexpr), right_null = IsNullConstant(expr.rexpr);
  if (left_null || right_null) {
    auto* test = state.New<NullTest>();
    test->arg = BindNested(state, right_null ? expr.lexpr : expr.rexpr);
    test->nulltesttype = expr.kind == AExprKind::kDistinct ? NullTestType::kIsNotNull : NullTestType::kIsNull;
    // Only whether the value as a whole is null: no look into its fields.
    test->argisrow = false;
    test->location = expr.location;
    return test;
  }
  Expr* left = BindNested(state, expr.lexpr);
  Expr* right = BindNested(state, expr.rexpr);
  Expr* result = Is<RowExpr>(left) && Is<RowExpr>(right)
                     ? MakeRowDistinct(state, expr.name, As<RowExpr>(left)->args, As<RowExpr>(right)->args,
                                       expr.location)
                     : MakeDistinct(state, expr.name, left, right, expr.location);
  if (expr.kind == AExprKind::kDistinct) return result;
  auto* negated = state.New<BoolExpr>();
  negated->boolop = BoolExprType::kNot;
  negated->args = ExprList(state.arena(), {result});
  negated->location = expr.location;
  return negated;
}

Expr* BindIn(BindState& state, const ast::AExpr& expr) {
  bool use_or = ast::StringOf(expr.name[0]) != "<>";
  Expr* left = BindNested(state, expr.lexpr);
  ExprList all, with_vars, constants;
  for (const ast::Node* node : ast::As<ast::ListNode>(expr.rexpr)->items) {
    Expr* item = BindNested(state, node);
    all.Append(state.arena(), item);
    (ContainsVarOfLevel(item, 0) ? with_vars : constants).Append(state.arena(), item);
  }
  Expr* result = nullptr;
  if (constants.size() > 1) {
    result = InArray(state, expr, use_or, left, constants);
    if (result != nullptr) all = with_vars;
  }
  for (Expr* item : all) {
    Expr* comparison;
    if (Is<RowExpr>(left) && Is<RowExpr>(item)) {
      comparison = MakeRowComparison(state, expr.name, Copy(As<RowExpr>(left), state.arena())->args,
                                     As<RowExpr>(item)->args, expr.location);
    } else {
      comparison = MakeOperator(state, OperatorName(state, expr.name), Copy(left, state.arena()), item,
                                state.last_srf, expr.location);
    }
    comparison = CoerceToBoolean(state, comparison, "IN");
    if (result == nullptr) {
      result = comparison;
      continue;
    }
    auto* combined = state.New<BoolExpr>();
    combined->boolop = use_or ? BoolExprType::kOr : BoolExprType::kAnd;
    combined->args = ExprList(state.arena(), {result, comparison});
    combined->location = expr.location;
    result = combined;
  }
  return result;
}

Expr* BindBetween(BindState& state, const ast::AExpr& expr) {
  const ast::NodeList& bounds = ast::As<ast::ListNode>(expr.rexpr)->items;
  ast::Node *value = expr.lexpr, *low = bounds[0], *high = bounds[1];
  Location location = expr.location;
  auto within = [&](ast::Node* from, ast::Node* to) {
    return RawBool(state, BoolExprType::kAnd, RawOperator(state, ">=", value, from, location),
                   RawOperator(state, "<=", value, to, location), location);
  };
  auto outside = [&](ast::Node* from, ast::Node* to) {
    return RawBool(state, BoolExprType::kOr, RawOperator(state, "<", value, from, location),
                   RawOperator(state, ">", value, to, location), location);
  };
  switch (expr.kind) {
    case AExprKind::kBetween: return BindNested(state, within(low, high));
    case AExprKind::kNotBetween: return BindNested(state, outside(low, high));
    case AExprKind::kBetweenSym:
      return BindNested(state,
                        RawBool(state, BoolExprType::kOr, within(low, high), within(high, low), location));
    default:
      return BindNested(state,
                        RawBool(state, BoolExprType::kAnd, outside(low, high), outside(high, low), location));
  }
}

namespace {

// The comparison of a subquery's columns with the left side: row comparison against Params.
Expr* SubLinkTest(BindState& state, const ast::SubLink& link, const ast::NodeList& names,
                  const Query& query) {
  Expr* left = BindNested(state, link.testexpr);
  ExprList left_list;
  if (auto* row = TryAs<RowExpr>(left)) {
    left_list = row->args;
  } else {
    left_list = ExprList(state.arena(), {left});
  }
  ExprList right_list;
  for (const TargetEntry* target : query.target_list) {
    if (target->resjunk) continue;
    auto* param = state.New<Param>();
    param->paramkind = ParamKind::kSubLink;
    param->paramid = target->resno;
    param->paramtype = ExprType(target->expr);
    param->paramtypmod = ExprTypmod(target->expr);
    param->paramcollid = ExprCollation(target->expr);
    right_list.Append(state.arena(), param);
  }
  if (left_list.size() != right_list.size()) {
    throw SqlError(ErrorCode::kSyntaxError, left_list.size() < right_list.size()
                                                ? "subquery has too many columns"
                                                : "subquery has too few columns")
        .WithPosition(state.Position(link.location));
  }
  return MakeRowComparison(state, names, left_list, right_list, link.location);
}

uint32_t VisibleColumns(const Query& query) {
  uint32_t count = 0;
  for (const TargetEntry* target : query.target_list) count += target->resjunk ? 0 : 1;
  return count;
}

// ARRAY(SELECT ...): arrays of the column's type; of arrays, one more dimension.
Oid CollectedArray(BindState& state, const Query& query, Location location) {
  Oid type = ExprType(query.target_list[0]->expr);
  Oid array = state.types().ArrayOf(type);
  if (!IsValid(array) && state.types().Get(type).is_true_array) array = type;
  if (!IsValid(array)) {
    throw SqlError(ErrorCode::kUndefinedObject, "could not find array type for data type {}",
                   state.types().Format(type))
        .WithPosition(state.Position(location));
  }
  return array;
}

}  // namespace

Expr* BindSubLink(BindState& state, const ast::SubLink& link) {
  const char* refused = ExprKindSubqueryPhrase(state.expr_kind);
  if (refused[0] != '\0') {
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot use subquery in {}", refused)
        .WithPosition(state.Position(link.location));
  }
  state.has_sub_links = true;
  Query* query = BindSubquery(state, *link.subselect, nullptr, false, true);
  if (query->command_type != CmdType::kSelect) {
    throw SqlError(ErrorCode::kInternalError, "unexpected non-SELECT command in SubLink");
  }
  auto* result = state.New<SubLink>();
  result->sub_link_type = link.sub_link_type;
  result->subselect = query;
  result->location = link.location;
  switch (link.sub_link_type) {
    case SubLinkType::kExists:
    case SubLinkType::kMultiExpr: break;
    case SubLinkType::kExpr:
      state.context.scalar_subqueries.emplace_back(link.subselect, query);
      [[fallthrough]];
    case SubLinkType::kArray:
      if (VisibleColumns(*query) != 1) {
        throw SqlError(ErrorCode::kSyntaxError, "subquery must return only one column")
            .WithPosition(state.Position(link.location));
      }
      if (link.sub_link_type == SubLinkType::kArray)
        result->array_type = CollectedArray(state, *query, link.location);
      break;
    default: {
      ast::NodeList names = link.oper_name;
      if (names.empty()) {
        auto* equal = state.New<ast::String>();
        equal->sval = "=";
        names.Append(state.arena(), equal);
      } else {
        for (const ast::Node* name : names) result->oper_name.Append(state.arena(), ast::StringOf(name));
      }
      if (result->oper_name.empty()) result->oper_name.Append(state.arena(), "=");
      result->testexpr = SubLinkTest(state, link, names, *query);
      break;
    }
  }
  return result;
}

}  // namespace walden

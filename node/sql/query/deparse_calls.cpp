// Function calls with a syntax of their own, aggregates, window functions, subqueries in expressions.
#include <algorithm>

#include "node/base/error.h"
#include "node/sql/query/deparser.h"
#include "node/sql/query/expr_facts.h"
#include "node/types/quote.h"

namespace walden {

namespace {

enum class Syntax : uint8_t {
  kAtTimeZone,
  kOverlaps,
  kExtract,
  kIsNormalized,
  kNormalize,
  kCollationFor,
  kOverlay,
  kPosition,
  kSubstring,
  kSubstringSimilar,
  kTrimBoth,
  kTrimLeading,
  kTrimTrailing,
  kXmlExists
};

// pg_proc OIDs of the functions that the grammar makes from special syntax, ascending.
struct SqlSyntaxFunction {
  uint32_t oid;
  Syntax syntax;
};
constexpr SqlSyntaxFunction kSqlSyntaxFunctions[] = {
    {749, Syntax::kOverlay},       {752, Syntax::kOverlay},           {849, Syntax::kPosition},
    {875, Syntax::kTrimLeading},   {876, Syntax::kTrimTrailing},      {881, Syntax::kTrimLeading},
    {882, Syntax::kTrimTrailing},  {884, Syntax::kTrimBoth},          {885, Syntax::kTrimBoth},
    {936, Syntax::kSubstring},     {937, Syntax::kSubstring},         {1026, Syntax::kAtTimeZone},
    {1159, Syntax::kAtTimeZone},   {1271, Syntax::kOverlaps},         {1304, Syntax::kOverlaps},
    {1305, Syntax::kOverlaps},     {1306, Syntax::kOverlaps},         {1307, Syntax::kOverlaps},
    {1308, Syntax::kOverlaps},     {1309, Syntax::kOverlaps},         {1310, Syntax::kOverlaps},
    {1311, Syntax::kOverlaps},     {1404, Syntax::kOverlay},          {1405, Syntax::kOverlay},
    {1680, Syntax::kSubstring},    {1698, Syntax::kPosition},         {1699, Syntax::kSubstring},
    {2012, Syntax::kSubstring},    {2013, Syntax::kSubstring},        {2014, Syntax::kPosition},
    {2015, Syntax::kTrimBoth},     {2037, Syntax::kAtTimeZone},       {2038, Syntax::kAtTimeZone},
    {2041, Syntax::kOverlaps},     {2042, Syntax::kOverlaps},         {2043, Syntax::kOverlaps},
    {2044, Syntax::kOverlaps},     {2069, Syntax::kAtTimeZone},       {2070, Syntax::kAtTimeZone},
    {2073, Syntax::kSubstring},    {2074, Syntax::kSubstringSimilar}, {2614, Syntax::kXmlExists},
    {3030, Syntax::kOverlay},      {3031, Syntax::kOverlay},          {3162, Syntax::kCollationFor},
    {4350, Syntax::kNormalize},    {4351, Syntax::kIsNormalized},     {6195, Syntax::kTrimLeading},
    {6196, Syntax::kTrimTrailing}, {6199, Syntax::kExtract},          {6200, Syntax::kExtract},
    {6201, Syntax::kExtract},      {6202, Syntax::kExtract},          {6203, Syntax::kExtract},
    {6204, Syntax::kExtract},
};

const SqlSyntaxFunction* FindSyntax(Oid function) {
  const auto* found =
      std::lower_bound(std::begin(kSqlSyntaxFunctions), std::end(kSqlSyntaxFunctions), OidNumber(function),
                       [](const SqlSyntaxFunction& row, uint32_t oid) { return row.oid < oid; });
  return found != std::end(kSqlSyntaxFunctions) && found->oid == OidNumber(function) ? found : nullptr;
}

// The text of a constant that is a keyword in the syntax; absent when it is not a plain text constant.
std::string_view KeywordOf(const Expr* expr) {
  const auto* constant = TryAs<Const>(expr);
  if (constant == nullptr || constant->IsNull() || constant->value.physical != PhysicalType::kString)
    return {};
  return constant->value.datum.string.view();
}

}  // namespace

bool Deparser::PutSqlSyntax(const FuncExpr& func) {
  const SqlSyntaxFunction* row = FindSyntax(func.funcid);
  if (row == nullptr) return false;
  const ExprList& args = func.args;
  auto put = [&](uint32_t arg) { PutExpr(args[arg], false); };
  auto put_with = [&](std::string_view word, uint32_t arg) {
    Put(word);
    put(arg);
  };
  auto put_trim = [&](std::string_view side) {
    Put("TRIM(");
    Put(side);
    if (args.size() == 2) put_with(" ", 1);
    put_with(" FROM ", 0);
    Put(")");
  };
  switch (row->syntax) {
    case Syntax::kAtTimeZone:
      Put("(");
      PutExprInParens(args[1], false, &func);
      Put(" AT TIME ZONE ");
      PutExprInParens(args[0], false, &func);
      break;
    case Syntax::kOverlaps:
      put_with("((", 0);
      put_with(", ", 1);
      put_with(") OVERLAPS (", 2);
      put_with(", ", 3);
      Put(")");
      break;
    case Syntax::kExtract:
      if (IsAbsent(KeywordOf(args[0]))) return false;
      Put("EXTRACT(");
      Put(KeywordOf(args[0]));
      put_with(" FROM ", 1);
      break;
    case Syntax::kIsNormalized:
      put_with("((", 0);
      Put(") IS");
      if (args.size() == 2) Put(" " + std::string(KeywordOf(args[1])));
      Put(" NORMALIZED");
      break;
    case Syntax::kNormalize:
      put_with("NORMALIZE(", 0);
      if (args.size() == 2) Put(", " + std::string(KeywordOf(args[1])));
      break;
    case Syntax::kCollationFor: put_with("COLLATION FOR (", 0); break;
    case Syntax::kOverlay:
      put_with("OVERLAY(", 0);
      put_with(" PLACING ", 1);
      put_with(" FROM ", 2);
      if (args.size() == 4) put_with(" FOR ", 3);
      break;
    case Syntax::kPosition:
      put_with("POSITION((", 1);
      put_with(") IN (", 0);
      Put(")");
      break;
    case Syntax::kSubstring:
      put_with("SUBSTRING(", 0);
      put_with(" FROM ", 1);
      if (args.size() == 3) put_with(" FOR ", 2);
      break;
    case Syntax::kSubstringSimilar:
      put_with("SUBSTRING(", 0);
      put_with(" SIMILAR ", 1);
      put_with(" ESCAPE ", 2);
      break;
    case Syntax::kTrimBoth: put_trim("BOTH"); return true;
    case Syntax::kTrimLeading: put_trim("LEADING"); return true;
    case Syntax::kTrimTrailing: put_trim("TRAILING"); return true;
    case Syntax::kXmlExists:
      put_with("XMLEXISTS((", 0);
      put_with(") PASSING (", 1);
      Put(")");
      break;
  }
  Put(")");
  return true;
}

std::string Deparser::FunctionName(Oid function, const ExprList& args, bool variadic) {
  Arena arena;
  List<Oid> types;
  List<std::string_view> argument_names;
  for (const Expr* arg : args) {
    types.Append(arena, ExprType(arg));
    if (const auto* named = TryAs<NamedArgExpr>(arg)) argument_names.Append(arena, named->name);
  }
  return names_.FunctionName(function, types, argument_names, variadic, in_group_by_);
}

void Deparser::PutAggregate(const Aggref& aggregate) {
  Arena arena;
  ExprList args;
  for (const TargetEntry* arg : aggregate.args) args.Append(arena, arg->expr);
  bool ordered_set = aggregate.aggkind != 'n';
  Put(names_.FunctionName(aggregate.aggfnoid, aggregate.aggargtypes, {}, aggregate.aggvariadic,
                          in_group_by_));
  Put("(");
  if (!aggregate.aggdistinct.empty()) Put("DISTINCT ");
  if (ordered_set) {
    PutExprList(aggregate.aggdirectargs, true);
    Put(") WITHIN GROUP (ORDER BY ");
    PutOrderBy(aggregate.aggorder, aggregate.args, false);
  } else if (aggregate.aggstar) {
    Put("*");
  } else {
    PutAggregateArguments(aggregate, aggregate.aggvariadic);
    if (!aggregate.aggorder.empty()) {
      Put(" ORDER BY ");
      PutOrderBy(aggregate.aggorder, aggregate.args, false);
    }
  }
  if (aggregate.aggfilter != nullptr) {
    Put(") FILTER (WHERE ");
    PutExpr(aggregate.aggfilter, false);
  }
  Put(")");
}

void Deparser::PutAggregateArguments(const Aggref& aggregate, bool variadic) {
  uint32_t shown = 0;
  for (const TargetEntry* arg : aggregate.args) {
    if (arg->resjunk) continue;
    if (shown++ > 0) Put(", ");
    if (variadic && shown == aggregate.aggargtypes.size()) Put("VARIADIC ");
    PutExpr(arg->expr, true);
  }
}

void Deparser::PutWindowFunc(const WindowFunc& func) {
  Put(FunctionName(func.winfnoid, func.args, false) + "(");
  if (func.winstar) {
    Put("*");
  } else {
    PutExprList(func.args, true);
  }
  if (func.aggfilter != nullptr) {
    Put(") FILTER (WHERE ");
    PutExpr(func.aggfilter, false);
  }
  Put(") OVER ");
  if (windows_ == nullptr) return Put("(?)");  // an expression of a plan: the window is the plan node's
  for (const WindowClause* window : *windows_) {
    if (window->winref != func.winref) continue;
    if (!IsAbsent(window->name)) return Put(QuoteIdentifier(window->name));
    return PutWindow(*window, *window_targets_);
  }
  throw SqlError(ErrorCode::kInternalError, "could not find window clause for winref {}", func.winref);
}

// Writes the left side of a comparison with a subquery; returns the operator's name.
std::string Deparser::PutSubLinkTest(const Node* test) {
  if (const auto* op = TryAs<OpExpr>(test)) {
    PutExpr(op->args[0], true);
    return names_.OperatorName(op->opno, ExprType(op->args[0]), ExprType(op->args[1]));
  }
  std::string name;
  Put("(");
  if (const auto* combined = TryAs<BoolExpr>(test)) {
    for (uint32_t i = 0; i < combined->args.size(); ++i) {
      const auto* op = As<OpExpr>(combined->args[i]);
      if (i > 0) Put(", ");
      PutExpr(op->args[0], true);
      // The syntax has one operator for all columns: the first one's name has to do.
      if (i == 0) name = names_.OperatorName(op->opno, ExprType(op->args[0]), ExprType(op->args[1]));
    }
  } else {
    const auto* compare = As<RowCompareExpr>(test);
    PutExprList(compare->largs, true);
    name = names_.OperatorName(compare->opnos[0], ExprType(compare->largs[0]), ExprType(compare->rargs[0]));
  }
  Put(")");
  return name;
}

void Deparser::PutSubLink(const SubLink& link) {
  Put(link.sub_link_type == SubLinkType::kArray ? "ARRAY(" : "(");
  std::string op;
  if (link.testexpr != nullptr) op = PutSubLinkTest(link.testexpr);
  bool parens = true;
  switch (link.sub_link_type) {
    case SubLinkType::kExists: Put("EXISTS "); break;
    case SubLinkType::kAny: Put(op == "=" ? " IN " : " " + op + " ANY "); break;
    case SubLinkType::kAll: Put(" " + op + " ALL "); break;
    case SubLinkType::kRowCompare: Put(" " + op + " "); break;
    default: parens = false; break;
  }
  if (parens) Put("(");
  PutQuery(*link.subselect, {}, /*names_visible=*/false);
  Put(parens ? "))" : ")");
}

}  // namespace walden

// Expressions, names and types as the grammar delivers them. Field names follow PostgreSQL's raw parse nodes.
// Everything lives in the arena of its ParseTree; see ast_node.h for ownership.
#pragma once

#include "node/sql/parser/ast_node.h"

namespace walden::ast {

struct WindowDef;

// A column or whole-row reference.
struct ColumnRef : NodeOf<Tag::kColumnRef> {
  NodeList fields;  // String, or AStar last
  Location location;
  FIELDS(fields, location)
};

// $n; number 0 is a bare "?".
struct ParamRef : NodeOf<Tag::kParamRef> {
  int32_t number = 0;
  Location location;
  FIELDS(number, location)
};

// Operator expression; the forms that share operator syntax are told apart by kind.
struct AExpr : NodeOf<Tag::kAExpr> {
  AExprKind kind = AExprKind::kOp;
  NodeList name;  // String: the possibly qualified operator name
  Node* lexpr = nullptr;
  Node* rexpr = nullptr;  // kIn and kBetween*: a ListNode
  Location location;
  FIELDS(kind, name, lexpr, rexpr, location)
};

// Literal: val is Integer, Float, Boolean, String or BitString; null when isnull.
struct AConst : NodeOf<Tag::kAConst> {
  Node* val = nullptr;
  bool isnull = false;
  Location location;
  FIELDS(val, isnull, location)
};

// A type as written.
struct TypeName : NodeOf<Tag::kTypeName> {
  NodeList names;  // String
  bool setof = false;
  bool pct_type = false;
  NodeList typmods;       // expressions
  int32_t typemod = 0;    // a prespecified type modifier, or -1
  NodeList array_bounds;  // Integer, -1 where no bound was given
  Location location;
  FIELDS(names, setof, pct_type, typmods, typemod, array_bounds, location)
};

// CAST(arg AS type_name), arg::type_name.
struct TypeCast : NodeOf<Tag::kTypeCast> {
  Node* arg = nullptr;
  TypeName* type_name = nullptr;
  Location location;
  FIELDS(arg, type_name, location)
};

// arg COLLATE collname; arg is null in column definitions.
struct CollateClause : NodeOf<Tag::kCollateClause> {
  Node* arg = nullptr;
  NodeList collname;  // String
  Location location;
  FIELDS(arg, collname, location)
};

// Function or aggregate call.
struct FuncCall : NodeOf<Tag::kFuncCall> {
  NodeList funcname;  // String
  NodeList args;
  NodeList agg_order;  // SortBy
  Node* agg_filter = nullptr;
  WindowDef* over = nullptr;
  bool agg_within_group = false;
  bool agg_star = false;
  bool agg_distinct = false;
  bool func_variadic = false;
  CoercionForm funcformat = CoercionForm::kExplicitCall;
  Location location;
  FIELDS(funcname, args, agg_order, agg_filter, over, agg_within_group, agg_star, agg_distinct, func_variadic,
         funcformat, location)
};

// The star of "t.*" and "SELECT *".
struct AStar : NodeOf<Tag::kAStar> {
  NO_FIELDS()
};

// Subscript [uidx] or slice [lidx:uidx]; either bound of a slice may be null.
struct AIndices : NodeOf<Tag::kAIndices> {
  bool is_slice = false;
  Node* lidx = nullptr;
  Node* uidx = nullptr;
  FIELDS(is_slice, lidx, uidx)
};

// arg followed by field selections and subscripts.
struct AIndirection : NodeOf<Tag::kAIndirection> {
  Node* arg = nullptr;
  NodeList indirection;  // String, AStar, AIndices
  FIELDS(arg, indirection)
};

// ARRAY[...].
struct AArrayExpr : NodeOf<Tag::kAArrayExpr> {
  NodeList elements;
  Location location;
  FIELDS(elements, location)
};

// AND, OR (n-ary), NOT.
struct BoolExpr : NodeOf<Tag::kBoolExpr> {
  BoolExprType boolop = BoolExprType::kAnd;
  NodeList args;
  Location location;
  FIELDS(boolop, args, location)
};

// Subquery in an expression.
struct SubLink : NodeOf<Tag::kSubLink> {
  SubLinkType sub_link_type = SubLinkType::kExists;
  Node* testexpr = nullptr;
  NodeList oper_name;  // String; empty means "IN" for kAny
  Node* subselect = nullptr;
  Location location;
  FIELDS(sub_link_type, testexpr, oper_name, subselect, location)
};

// CASE [arg] WHEN ... ELSE defresult END.
struct CaseExpr : NodeOf<Tag::kCaseExpr> {
  Node* arg = nullptr;
  NodeList args;  // CaseWhen
  Node* defresult = nullptr;
  Location location;
  FIELDS(arg, args, defresult, location)
};

struct CaseWhen : NodeOf<Tag::kCaseWhen> {
  Node* expr = nullptr;
  Node* result = nullptr;
  Location location;
  FIELDS(expr, result, location)
};

struct CoalesceExpr : NodeOf<Tag::kCoalesceExpr> {
  NodeList args;
  Location location;
  FIELDS(args, location)
};

// GREATEST, LEAST.
struct MinMaxExpr : NodeOf<Tag::kMinMaxExpr> {
  MinMaxOp op = MinMaxOp::kGreatest;
  NodeList args;
  Location location;
  FIELDS(op, args, location)
};

// ROW(...) or (a, b).
struct RowExpr : NodeOf<Tag::kRowExpr> {
  NodeList args;
  CoercionForm row_format = CoercionForm::kExplicitCall;
  Location location;
  FIELDS(args, row_format, location)
};

// GROUPING(...).
struct GroupingFunc : NodeOf<Tag::kGroupingFunc> {
  NodeList args;
  Location location;
  FIELDS(args, location)
};

// CURRENT_DATE and kin; typmod is the precision of the *N forms, else -1.
struct SqlValueFunction : NodeOf<Tag::kSqlValueFunction> {
  SqlValueFunctionOp op = SqlValueFunctionOp::kCurrentDate;
  int32_t typmod = 0;
  Location location;
  FIELDS(op, typmod, location)
};

struct NullTest : NodeOf<Tag::kNullTest> {
  Node* arg = nullptr;
  NullTestType nulltesttype = NullTestType::kIsNull;
  Location location;
  FIELDS(arg, nulltesttype, location)
};

struct BooleanTest : NodeOf<Tag::kBooleanTest> {
  Node* arg = nullptr;
  BoolTestType booltesttype = BoolTestType::kIsTrue;
  Location location;
  FIELDS(arg, booltesttype, location)
};

// DEFAULT as a value of INSERT or UPDATE.
struct SetToDefault : NodeOf<Tag::kSetToDefault> {
  Location location;
  FIELDS(location)
};

// WHERE CURRENT OF cursor.
struct CurrentOfExpr : NodeOf<Tag::kCurrentOfExpr> {
  std::string_view cursor_name;
  FIELDS(cursor_name)
};

// name => arg.
struct NamedArgExpr : NodeOf<Tag::kNamedArgExpr> {
  Node* arg = nullptr;
  std::string_view name;
  int32_t argnumber = 0;
  Location location;
  FIELDS(arg, name, argnumber, location)
};

struct XmlExpr : NodeOf<Tag::kXmlExpr> {
  XmlExprOp op = XmlExprOp::kConcat;
  std::string_view name;
  NodeList named_args;
  NodeList args;
  XmlOptionType xmloption = XmlOptionType::kDocument;
  Location location;
  FIELDS(op, name, named_args, args, xmloption, location)
};

struct XmlSerialize : NodeOf<Tag::kXmlSerialize> {
  XmlOptionType xmloption = XmlOptionType::kDocument;
  Node* expr = nullptr;
  TypeName* type_name = nullptr;
  Location location;
  FIELDS(xmloption, expr, type_name, location)
};

// Column colno of the ncolumns of the row-valued source in UPDATE ... SET (a, b) = source.
struct MultiAssignRef : NodeOf<Tag::kMultiAssignRef> {
  Node* source = nullptr;
  int32_t colno = 0;
  int32_t ncolumns = 0;
  FIELDS(source, colno, ncolumns)
};

}  // namespace walden::ast

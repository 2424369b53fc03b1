// Expression nodes of the bound query tree. See query_node.h for ownership; FIELDS is the one declaration of
// each node's fields. OIDs are resolved; implicit casts and calls are explicit nodes, as in PostgreSQL.
#pragma once

#include "node/sql/query/query_node.h"
#include "node/types/value.h"

namespace walden {

struct Query;
struct SortGroupClause;
struct TargetEntry;

// Special varno values of executor-ready trees.
inline constexpr int32_t kInnerVar = -1;
inline constexpr int32_t kOuterVar = -2;
inline constexpr int32_t kIndexVar = -3;
// In a plan: varattno is the position (from 1) in the node's input row, see sql/plan/plan.h.
inline constexpr int32_t kInputVar = -4;

// A column of a range table entry `varlevelsup` queries out. varattno: 1.. user columns, 0 the whole row,
// negative system columns. varnosyn/varattnosyn: the reference as written (joins), 0 when unknown; not
// compared.
struct Var : ExprOf<NodeTag::kVar> {
  int32_t varno = 0;
  AttrNumber varattno = 0;
  Oid vartype = Oid::kInvalid;
  int32_t vartypmod = -1;
  Oid varcollid = Oid::kInvalid;
  uint32_t varlevelsup = 0;
  uint32_t varnosyn = 0;
  AttrNumber varattnosyn = 0;
  Location location;
  FIELDS(varno, varattno, vartype, vartypmod, varcollid, varlevelsup, varnosyn, varattnosyn, location)
};

// A value with the physical form that its datum has. By-reference parts live in the tree's arena.
struct ConstValue : Value {
  PhysicalType physical = PhysicalType::kString;
};

struct Const : ExprOf<NodeTag::kConst> {
  Oid consttype = Oid::kInvalid;
  int32_t consttypmod = -1;
  Oid constcollid = Oid::kInvalid;
  ConstValue value;
  Location location;
  bool IsNull() const { return value.is_null; }
  FIELDS(consttype, consttypmod, constcollid, value, location)
};

// $n (kExtern) or a slot the executor fills (kExec, kSubLink, kMultiExpr).
struct Param : ExprOf<NodeTag::kParam> {
  ParamKind paramkind = ParamKind::kExtern;
  int32_t paramid = 0;
  Oid paramtype = Oid::kInvalid;
  int32_t paramtypmod = -1;
  Oid paramcollid = Oid::kInvalid;
  Location location;
  FIELDS(paramkind, paramid, paramtype, paramtypmod, paramcollid, location)
};

// How an aggregate's work is divided (partial aggregation), as PostgreSQL's AggSplit.
enum class AggSplit : uint8_t { kSimple, kInitialSerial, kFinalDeserial };

// Aggregate call. args are TargetEntry so that ORDER BY / DISTINCT can refer to them by sort group reference;
// aggdirectargs are an ordered-set aggregate's direct arguments.
struct Aggref : ExprOf<NodeTag::kAggref> {
  Oid aggfnoid = Oid::kInvalid;
  Oid aggtype = Oid::kInvalid;
  Oid aggcollid = Oid::kInvalid;
  Oid inputcollid = Oid::kInvalid;
  Oid aggtranstype = Oid::kInvalid;  // set by the planner
  List<Oid> aggargtypes;
  ExprList aggdirectargs;
  List<TargetEntry*> args;
  List<SortGroupClause*> aggorder;
  List<SortGroupClause*> aggdistinct;
  Expr* aggfilter = nullptr;
  bool aggstar = false;
  bool aggvariadic = false;
  char aggkind = 'n';  // pg_aggregate.aggkind
  uint32_t agglevelsup = 0;
  AggSplit aggsplit = AggSplit::kSimple;
  int32_t aggno = -1;       // set by the planner: index among the node's distinct aggregates
  int32_t aggtransno = -1;  // set by the planner: index among its distinct transition states
  Location location;
  FIELDS(aggfnoid, aggtype, aggcollid, inputcollid, aggtranstype, aggargtypes, aggdirectargs, args, aggorder,
         aggdistinct, aggfilter, aggstar, aggvariadic, aggkind, agglevelsup, aggsplit, aggno, aggtransno,
         location)
};

// GROUPING(args); refs are the arguments' sort group references, cols is filled by the planner.
struct GroupingFunc : ExprOf<NodeTag::kGroupingFunc> {
  ExprList args;
  List<int32_t> refs;
  List<int32_t> cols;
  uint32_t agglevelsup = 0;
  Location location;
  FIELDS(args, refs, cols, agglevelsup, location)
};

struct WindowFunc : ExprOf<NodeTag::kWindowFunc> {
  Oid winfnoid = Oid::kInvalid;
  Oid wintype = Oid::kInvalid;
  Oid wincollid = Oid::kInvalid;
  Oid inputcollid = Oid::kInvalid;
  ExprList args;
  Expr* aggfilter = nullptr;
  uint32_t winref = 0;  // WindowClause::winref
  bool winstar = false;
  bool winagg = false;  // a plain aggregate used as a window function
  Location location;
  FIELDS(winfnoid, wintype, wincollid, inputcollid, args, aggfilter, winref, winstar, winagg, location)
};

// Array element or slice; an assignment when refassgnexpr is set. A null lower bound list means "element",
// null entries mean an omitted slice bound.
struct SubscriptingRef : ExprOf<NodeTag::kSubscriptingRef> {
  Oid refcontainertype = Oid::kInvalid;
  Oid refelemtype = Oid::kInvalid;
  Oid refrestype = Oid::kInvalid;
  int32_t reftypmod = -1;
  Oid refcollid = Oid::kInvalid;
  ExprList refupperindexpr;
  ExprList reflowerindexpr;
  Expr* refexpr = nullptr;
  Expr* refassgnexpr = nullptr;
  FIELDS(refcontainertype, refelemtype, refrestype, reftypmod, refcollid, refupperindexpr, reflowerindexpr,
         refexpr, refassgnexpr)
};

struct FuncExpr : ExprOf<NodeTag::kFuncExpr> {
  Oid funcid = Oid::kInvalid;
  Oid funcresulttype = Oid::kInvalid;
  bool funcretset = false;
  bool funcvariadic = false;
  CoercionForm funcformat = CoercionForm::kExplicitCall;  // how to show it; not compared
  Oid funccollid = Oid::kInvalid;
  Oid inputcollid = Oid::kInvalid;
  ExprList args;
  Location location;
  FIELDS(funcid, funcresulttype, funcretset, funcvariadic, funcformat, funccollid, inputcollid, args,
         location)
};

// name => arg, before the planner puts arguments in order.
struct NamedArgExpr : ExprOf<NodeTag::kNamedArgExpr> {
  Expr* arg = nullptr;
  std::string_view name;
  int32_t argnumber = -1;  // 0-based position in the function's signature
  Location location;
  FIELDS(arg, name, argnumber, location)
};

// Shared by the three nodes that are an operator applied to arguments.
struct OpExprFields : Expr {
  using Expr::Expr;
  Oid opno = Oid::kInvalid;
  Oid opfuncid = Oid::kInvalid;
  Oid opresulttype = Oid::kInvalid;
  bool opretset = false;
  Oid opcollid = Oid::kInvalid;
  Oid inputcollid = Oid::kInvalid;
  ExprList args;
  Location location;
  FIELDS(opno, opfuncid, opresulttype, opretset, opcollid, inputcollid, args, location)
};
struct OpExpr : OpExprFields {
  static constexpr NodeTag kTag = NodeTag::kOpExpr;
  OpExpr() : OpExprFields(kTag) {}
};
// IS DISTINCT FROM; opno is the "=".
struct DistinctExpr : OpExprFields {
  static constexpr NodeTag kTag = NodeTag::kDistinctExpr;
  DistinctExpr() : OpExprFields(kTag) {}
};
// NULLIF; opno is the "=".
struct NullIfExpr : OpExprFields {
  static constexpr NodeTag kTag = NodeTag::kNullIfExpr;
  NullIfExpr() : OpExprFields(kTag) {}
};

// scalar op ANY (array) when use_or, else ALL.
struct ScalarArrayOpExpr : ExprOf<NodeTag::kScalarArrayOpExpr> {
  Oid opno = Oid::kInvalid;
  Oid opfuncid = Oid::kInvalid;
  Oid hashfuncid = Oid::kInvalid;  // set by the planner when hashing pays
  Oid negfuncid = Oid::kInvalid;
  bool use_or = false;
  Oid inputcollid = Oid::kInvalid;
  ExprList args;  // scalar, array
  Location location;
  FIELDS(opno, opfuncid, hashfuncid, negfuncid, use_or, inputcollid, args, location)
};

struct BoolExpr : ExprOf<NodeTag::kBoolExpr> {
  BoolExprType boolop = BoolExprType::kAnd;
  ExprList args;
  Location location;
  FIELDS(boolop, args, location)
};

// Subquery in an expression. testexpr compares the left side with Params of kind kSubLink numbered by the
// subquery's output column (1..); oper_name is the operator as written, for display.
struct SubLink : ExprOf<NodeTag::kSubLink> {
  SubLinkType sub_link_type = SubLinkType::kExists;
  int32_t sub_link_id = 0;  // kMultiExpr: number within the query, from 1
  Expr* testexpr = nullptr;
  List<std::string_view> oper_name;
  Query* subselect = nullptr;
  Oid array_type = Oid::kInvalid;  // kArray: the result type, an array of the subquery's column type
  Location location;
  FIELDS(sub_link_type, sub_link_id, testexpr, oper_name, subselect, array_type, location)
};

// What the planner makes of a SubLink that it did not unnest. plan_id indexes the plan's subplans (from 1).
struct SubPlan : ExprOf<NodeTag::kSubPlan> {
  SubLinkType sub_link_type = SubLinkType::kExists;
  Expr* testexpr = nullptr;
  List<int32_t> param_ids;
  int32_t plan_id = 0;
  std::string_view plan_name;
  Oid first_col_type = Oid::kInvalid;
  int32_t first_col_typmod = -1;
  Oid first_col_collation = Oid::kInvalid;
  Oid array_type = Oid::kInvalid;  // as in SubLink
  bool use_hash_table = false;
  bool unknown_eq_false = false;
  bool parallel_safe = false;
  List<int32_t> set_param;  // exec parameters that it sets (initplan)
  List<int32_t> par_param;  // exec parameters that it takes, values in args
  ExprList args;
  double startup_cost = 0;
  double per_call_cost = 0;
  FIELDS(sub_link_type, testexpr, param_ids, plan_id, plan_name, first_col_type, first_col_typmod,
         first_col_collation, array_type, use_hash_table, unknown_eq_false, parallel_safe, set_param,
         par_param, args, startup_cost, per_call_cost)
};

struct FieldSelect : ExprOf<NodeTag::kFieldSelect> {
  Expr* arg = nullptr;
  AttrNumber fieldnum = 0;
  Oid resulttype = Oid::kInvalid;
  int32_t resulttypmod = -1;
  Oid resultcollid = Oid::kInvalid;
  FIELDS(arg, fieldnum, resulttype, resulttypmod, resultcollid)
};

// A copy of the composite `arg` with some fields replaced.
struct FieldStore : ExprOf<NodeTag::kFieldStore> {
  Expr* arg = nullptr;
  ExprList newvals;
  List<int32_t> fieldnums;
  Oid resulttype = Oid::kInvalid;
  FIELDS(arg, newvals, fieldnums, resulttype)
};

// A cast that changes only the type's name.
struct RelabelType : ExprOf<NodeTag::kRelabelType> {
  Expr* arg = nullptr;
  Oid resulttype = Oid::kInvalid;
  int32_t resulttypmod = -1;
  Oid resultcollid = Oid::kInvalid;
  CoercionForm relabelformat = CoercionForm::kImplicitCast;
  Location location;
  FIELDS(arg, resulttype, resulttypmod, resultcollid, relabelformat, location)
};

// A cast by the source type's output and the target type's input function.
struct CoerceViaIo : ExprOf<NodeTag::kCoerceViaIo> {
  Expr* arg = nullptr;
  Oid resulttype = Oid::kInvalid;
  Oid resultcollid = Oid::kInvalid;
  CoercionForm coerceformat = CoercionForm::kImplicitCast;
  Location location;
  FIELDS(arg, resulttype, resultcollid, coerceformat, location)
};

// Casts each element by elemexpr, whose input is a CaseTestExpr.
struct ArrayCoerceExpr : ExprOf<NodeTag::kArrayCoerceExpr> {
  Expr* arg = nullptr;
  Expr* elemexpr = nullptr;
  Oid resulttype = Oid::kInvalid;
  int32_t resulttypmod = -1;
  Oid resultcollid = Oid::kInvalid;
  CoercionForm coerceformat = CoercionForm::kImplicitCast;
  Location location;
  FIELDS(arg, elemexpr, resulttype, resulttypmod, resultcollid, coerceformat, location)
};

struct ConvertRowtypeExpr : ExprOf<NodeTag::kConvertRowtypeExpr> {
  Expr* arg = nullptr;
  Oid resulttype = Oid::kInvalid;
  CoercionForm convertformat = CoercionForm::kImplicitCast;
  Location location;
  FIELDS(arg, resulttype, convertformat, location)
};

struct CollateExpr : ExprOf<NodeTag::kCollateExpr> {
  Expr* arg = nullptr;
  Oid coll_oid = Oid::kInvalid;
  Location location;
  FIELDS(arg, coll_oid, location)
};

// With `arg`, each CaseWhen's expr compares a CaseTestExpr with its value.
struct CaseWhen;
struct CaseExpr : ExprOf<NodeTag::kCaseExpr> {
  Oid casetype = Oid::kInvalid;
  Oid casecollid = Oid::kInvalid;
  Expr* arg = nullptr;
  List<CaseWhen*> args;
  Expr* defresult = nullptr;
  Location location;
  FIELDS(casetype, casecollid, arg, args, defresult, location)
};
struct CaseWhen : ExprOf<NodeTag::kCaseWhen> {
  Expr* expr = nullptr;
  Expr* result = nullptr;
  Location location;
  FIELDS(expr, result, location)
};
// The value of the enclosing CaseExpr's arg, or of the element in ArrayCoerceExpr.
struct CaseTestExpr : ExprOf<NodeTag::kCaseTestExpr> {
  Oid type_id = Oid::kInvalid;
  int32_t type_mod = -1;
  Oid collation = Oid::kInvalid;
  FIELDS(type_id, type_mod, collation)
};

struct ArrayExpr : ExprOf<NodeTag::kArrayExpr> {
  Oid array_typeid = Oid::kInvalid;
  Oid array_collid = Oid::kInvalid;
  Oid element_typeid = Oid::kInvalid;
  ExprList elements;
  bool multidims = false;  // elements are arrays of array_typeid themselves
  Location location;
  FIELDS(array_typeid, array_collid, element_typeid, elements, multidims, location)
};

struct RowExpr : ExprOf<NodeTag::kRowExpr> {
  ExprList args;
  Oid row_typeid = Oid::kInvalid;  // record, or a composite type
  CoercionForm row_format = CoercionForm::kImplicitCast;
  List<std::string_view> colnames;  // for record only
  Location location;
  FIELDS(args, row_typeid, row_format, colnames, location)
};

// (a, b) < (c, d); "=" and "<>" of rows become BoolExprs instead.
struct RowCompareExpr : ExprOf<NodeTag::kRowCompareExpr> {
  RowCompareType rctype = RowCompareType::kLt;
  List<Oid> opnos;
  List<Oid> opfamilies;
  List<Oid> inputcollids;
  ExprList largs;
  ExprList rargs;
  FIELDS(rctype, opnos, opfamilies, inputcollids, largs, rargs)
};

struct CoalesceExpr : ExprOf<NodeTag::kCoalesceExpr> {
  Oid coalescetype = Oid::kInvalid;
  Oid coalescecollid = Oid::kInvalid;
  ExprList args;
  Location location;
  FIELDS(coalescetype, coalescecollid, args, location)
};

struct MinMaxExpr : ExprOf<NodeTag::kMinMaxExpr> {
  Oid minmaxtype = Oid::kInvalid;
  Oid minmaxcollid = Oid::kInvalid;
  Oid inputcollid = Oid::kInvalid;
  MinMaxOp op = MinMaxOp::kGreatest;
  ExprList args;
  Location location;
  FIELDS(minmaxtype, minmaxcollid, inputcollid, op, args, location)
};

struct SqlValueFunction : ExprOf<NodeTag::kSqlValueFunction> {
  SqlValueFunctionOp op = SqlValueFunctionOp::kCurrentDate;
  Oid type = Oid::kInvalid;
  int32_t typmod = -1;
  Location location;
  FIELDS(op, type, typmod, location)
};

struct XmlExpr : ExprOf<NodeTag::kXmlExpr> {
  XmlExprOp op = XmlExprOp::kConcat;
  std::string_view name;
  ExprList named_args;
  List<std::string_view> arg_names;
  ExprList args;
  XmlOptionType xmloption = XmlOptionType::kDocument;
  Oid type = Oid::kInvalid;
  int32_t typmod = -1;
  Location location;
  FIELDS(op, name, named_args, arg_names, args, xmloption, type, typmod, location)
};

struct NullTest : ExprOf<NodeTag::kNullTest> {
  Expr* arg = nullptr;
  NullTestType nulltesttype = NullTestType::kIsNull;
  bool argisrow = false;  // field-by-field semantics
  Location location;
  FIELDS(arg, nulltesttype, argisrow, location)
};

struct BooleanTest : ExprOf<NodeTag::kBooleanTest> {
  Expr* arg = nullptr;
  BoolTestType booltesttype = BoolTestType::kIsTrue;
  Location location;
  FIELDS(arg, booltesttype, location)
};

struct CoerceToDomain : ExprOf<NodeTag::kCoerceToDomain> {
  Expr* arg = nullptr;
  Oid resulttype = Oid::kInvalid;
  int32_t resulttypmod = -1;
  Oid resultcollid = Oid::kInvalid;
  CoercionForm coercionformat = CoercionForm::kImplicitCast;
  Location location;
  FIELDS(arg, resulttype, resulttypmod, resultcollid, coercionformat, location)
};
// VALUE in a domain's check constraint.
struct CoerceToDomainValue : ExprOf<NodeTag::kCoerceToDomainValue> {
  Oid type_id = Oid::kInvalid;
  int32_t type_mod = -1;
  Oid collation = Oid::kInvalid;
  Location location;
  FIELDS(type_id, type_mod, collation, location)
};

// DEFAULT, until the rewriter replaces it.
struct SetToDefault : ExprOf<NodeTag::kSetToDefault> {
  Oid type_id = Oid::kInvalid;
  int32_t type_mod = -1;
  Oid collation = Oid::kInvalid;
  Location location;
  FIELDS(type_id, type_mod, collation, location)
};

struct CurrentOfExpr : ExprOf<NodeTag::kCurrentOfExpr> {
  uint32_t cvarno = 0;
  std::string_view cursor_name;
  int32_t cursor_param = 0;
  FIELDS(cvarno, cursor_name, cursor_param)
};

// nextval without a permission check (identity columns).
struct NextValueExpr : ExprOf<NodeTag::kNextValueExpr> {
  Oid seqid = Oid::kInvalid;
  Oid type_id = Oid::kInvalid;
  FIELDS(seqid, type_id)
};

// Element of ON CONFLICT's inference specification.
struct InferenceElem : ExprOf<NodeTag::kInferenceElem> {
  Expr* expr = nullptr;
  Oid infercollid = Oid::kInvalid;
  Oid inferopclass = Oid::kInvalid;
  FIELDS(expr, infercollid, inferopclass)
};

// Planner only: an expression to be computed below an outer join, at the relations in phrels.
struct PlaceHolderVar : ExprOf<NodeTag::kPlaceHolderVar> {
  Expr* phexpr = nullptr;
  List<int32_t> phrels;
  uint32_t phid = 0;
  uint32_t phlevelsup = 0;
  FIELDS(phexpr, phrels, phid, phlevelsup)
};

// Item of a target list. resno: output column from 1 (SELECT), target column (INSERT, UPDATE).
// ressortgroupref: nonzero when a SortGroupClause refers to it. resjunk: not part of the result.
struct TargetEntry : ExprOf<NodeTag::kTargetEntry> {
  Expr* expr = nullptr;
  AttrNumber resno = 0;
  std::string_view resname;
  uint32_t ressortgroupref = 0;
  Oid resorigtbl = Oid::kInvalid;
  AttrNumber resorigcol = 0;
  bool resjunk = false;
  FIELDS(expr, resno, resname, ressortgroupref, resorigtbl, resorigcol, resjunk)
};

}  // namespace walden

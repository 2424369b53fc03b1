#include "node/sql/query/node_build.h"

#include "node/sql/query/expr_facts.h"

namespace walden {

namespace {

constexpr Oid kBoolOid{16};
constexpr Oid kInt8Oid{20};
constexpr Oid kInt4Oid{23};
constexpr Oid kTextOid{25};
constexpr Oid kDefaultCollation{100};

void CollectConjuncts(Arena& arena, Expr* condition, ExprList* into) {
  auto* bool_expr = TryAs<BoolExpr>(condition);
  if (bool_expr == nullptr || bool_expr->boolop != BoolExprType::kAnd) {
    into->Append(arena, condition);
    return;
  }
  for (Expr* arg : bool_expr->args) CollectConjuncts(arena, arg, into);
}

}  // namespace

Const* MakeConst(Arena& arena, Oid type, int32_t typmod, Oid collation, PhysicalType physical, Value value,
                 Location location) {
  auto* node = arena.New<Const>();
  node->consttype = type;
  node->consttypmod = typmod;
  node->constcollid = collation;
  static_cast<Value&>(node->value) = value;
  node->value.physical = physical;
  node->location = location;
  return node;
}

Const* MakeNullConst(Arena& arena, Oid type, int32_t typmod, Oid collation, PhysicalType physical) {
  return MakeConst(arena, type, typmod, collation, physical, Value{});
}

Const* MakeBoolConst(Arena& arena, bool value, bool is_null) {
  Datum datum{.words = {0, 0}};
  datum.b = value;
  return MakeConst(arena, kBoolOid, -1, Oid::kInvalid, PhysicalType::kBool, Value{datum, is_null});
}

Const* MakeInt4Const(Arena& arena, int32_t value) {
  Datum datum{.words = {0, 0}};
  datum.i32 = value;
  return MakeConst(arena, kInt4Oid, -1, Oid::kInvalid, PhysicalType::kInt32, Value{datum, false});
}

Const* MakeInt8Const(Arena& arena, int64_t value) {
  Datum datum{.words = {0, 0}};
  datum.i64 = value;
  return MakeConst(arena, kInt8Oid, -1, Oid::kInvalid, PhysicalType::kInt64, Value{datum, false});
}

Const* MakeTextConst(Arena& arena, std::string_view value) {
  Value text{StringDatum(arena.Copy(value)), false};
  return MakeConst(arena, kTextOid, -1, kDefaultCollation, PhysicalType::kString, text);
}

Var* MakeVar(Arena& arena, int32_t varno, AttrNumber varattno, Oid type, int32_t typmod, Oid collation,
             uint32_t levelsup) {
  auto* node = arena.New<Var>();
  node->varno = varno;
  node->varattno = varattno;
  node->vartype = type;
  node->vartypmod = typmod;
  node->varcollid = collation;
  node->varlevelsup = levelsup;
  node->varnosyn = varno > 0 ? static_cast<uint32_t>(varno) : 0;
  node->varattnosyn = varattno;
  return node;
}

Var* MakeVarFromTarget(Arena& arena, int32_t varno, const TargetEntry& target) {
  return MakeVar(arena, varno, target.resno, ExprType(target.expr), ExprTypmod(target.expr),
                 ExprCollation(target.expr));
}

TargetEntry* MakeTargetEntry(Arena& arena, Expr* expr, AttrNumber resno, std::string_view resname,
                             bool resjunk) {
  auto* node = arena.New<TargetEntry>();
  node->expr = expr;
  node->resno = resno;
  node->resname = resname;
  node->resjunk = resjunk;
  return node;
}

OpExpr* MakeOpExpr(Arena& arena, Oid opno, Oid opfuncid, Oid result_type, Oid collation, Oid input_collation,
                   ExprList args) {
  auto* node = arena.New<OpExpr>();
  node->opno = opno;
  node->opfuncid = opfuncid;
  node->opresulttype = result_type;
  node->opcollid = collation;
  node->inputcollid = input_collation;
  node->args = args;
  return node;
}

FuncExpr* MakeFuncExpr(Arena& arena, Oid funcid, Oid result_type, ExprList args, Oid collation,
                       Oid input_collation, CoercionForm form) {
  auto* node = arena.New<FuncExpr>();
  node->funcid = funcid;
  node->funcresulttype = result_type;
  node->funcformat = form;
  node->funccollid = collation;
  node->inputcollid = input_collation;
  node->args = args;
  return node;
}

RelabelType* MakeRelabelType(Arena& arena, Expr* arg, Oid type, int32_t typmod, Oid collation,
                             CoercionForm form) {
  auto* node = arena.New<RelabelType>();
  node->arg = arg;
  node->resulttype = type;
  node->resulttypmod = typmod;
  node->resultcollid = collation;
  node->relabelformat = form;
  return node;
}

Expr* MakeBoolExpr(Arena& arena, BoolExprType op, ExprList args) {
  DCHECK(op != BoolExprType::kNot);
  if (args.empty()) return nullptr;
  if (args.size() == 1) return args[0];
  auto* node = arena.New<BoolExpr>();
  node->boolop = op;
  node->args = args;
  return node;
}

Expr* MakeNot(Arena& arena, Expr* arg) {
  auto* node = arena.New<BoolExpr>();
  node->boolop = BoolExprType::kNot;
  node->args.Append(arena, arg);
  return node;
}

Expr* AndConditions(Arena& arena, Expr* a, Expr* b) {
  if (a == nullptr) return b;
  if (b == nullptr) return a;
  return MakeBoolExpr(arena, BoolExprType::kAnd, ExprList(arena, {a, b}));
}

ExprList Conjuncts(Arena& arena, Expr* condition) {
  ExprList list;
  if (condition != nullptr) CollectConjuncts(arena, condition, &list);
  return list;
}

}  // namespace walden

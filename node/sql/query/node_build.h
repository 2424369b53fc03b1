// Short ways to make the common nodes.
#pragma once

#include "node/sql/query/query.h"

namespace walden {

Const* MakeConst(Arena& arena, Oid type, int32_t typmod, Oid collation, PhysicalType physical, Value value,
                 Location location = {});
Const* MakeNullConst(Arena& arena, Oid type, int32_t typmod, Oid collation, PhysicalType physical);
Const* MakeBoolConst(Arena& arena, bool value, bool is_null = false);
Const* MakeInt4Const(Arena& arena, int32_t value);
Const* MakeInt8Const(Arena& arena, int64_t value);
Const* MakeTextConst(Arena& arena, std::string_view value);  // copies the text
Var* MakeVar(Arena& arena, int32_t varno, AttrNumber varattno, Oid type, int32_t typmod, Oid collation,
             uint32_t levelsup = 0);
// A Var for what the target entry of a subquery delivers.
Var* MakeVarFromTarget(Arena& arena, int32_t varno, const TargetEntry& target);
TargetEntry* MakeTargetEntry(Arena& arena, Expr* expr, AttrNumber resno, std::string_view resname,
                             bool resjunk);
OpExpr* MakeOpExpr(Arena& arena, Oid opno, Oid opfuncid, Oid result_type, Oid collation, Oid input_collation,
                   ExprList args);
FuncExpr* MakeFuncExpr(Arena& arena, Oid funcid, Oid result_type, ExprList args, Oid collation,
                       Oid input_collation, CoercionForm form);
RelabelType* MakeRelabelType(Arena& arena, Expr* arg, Oid type, int32_t typmod, Oid collation,
                             CoercionForm form);
// AND/OR of the list: null for an empty list, the item itself for one. MakeNot does not simplify.
Expr* MakeBoolExpr(Arena& arena, BoolExprType op, ExprList args);
Expr* MakeNot(Arena& arena, Expr* arg);
// Conjunction of two optional conditions.
Expr* AndConditions(Arena& arena, Expr* a, Expr* b);
// The list of conjuncts of a condition (nested ANDs flattened); empty for null.
ExprList Conjuncts(Arena& arena, Expr* condition);

}  // namespace walden

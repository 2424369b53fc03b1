// Inside of the expression compiler: how the families of nodes (one .cpp each) share it.
#pragma once

#include "node/sql/expression/expression.h"
#include "node/sql/query/expr_facts.h"
#include "node/types/type_table.h"

namespace walden {

// State of one compilation: where CaseTestExpr and CoerceToDomainValue find their value.
class ExprCompiler {
 public:
  ExprStatePtr Compile(const Expr* expr);
  std::vector<ExprStatePtr> CompileList(const ExprList& list);

  // While set, CaseTestExpr (or CoerceToDomainValue) reads *slot, a vector that the enclosing node fills.
  Vector** case_slot = nullptr;
  Vector** domain_slot = nullptr;

 private:
  int depth_ = 0;
};

// Sets a slot for the duration of a scope.
class SlotScope {
 public:
  SlotScope(Vector*** slot, Vector** value) : slot_(slot), saved_(*slot) { *slot_ = value; }
  ~SlotScope() { *slot_ = saved_; }
  SlotScope(const SlotScope&) = delete;
  SlotScope& operator=(const SlotScope&) = delete;

 private:
  Vector*** slot_;
  Vector** saved_;
};

PhysicalType PhysicalOf(Oid type);

// By family of nodes.
ExprStatePtr CompileCall(ExprCompiler& compiler, Oid function, Oid result_type, Oid input_collation,
                         bool variadic_array, const ExprList& args);
ExprStatePtr CompileNullIf(ExprCompiler& compiler, const NullIfExpr& expr);
ExprStatePtr CompileDistinct(ExprCompiler& compiler, const DistinctExpr& expr);
ExprStatePtr CompileBool(ExprCompiler& compiler, const BoolExpr& expr);
ExprStatePtr CompileNullTest(ExprCompiler& compiler, const NullTest& expr);
ExprStatePtr CompileBooleanTest(ExprCompiler& compiler, const BooleanTest& expr);
ExprStatePtr CompileCase(ExprCompiler& compiler, const CaseExpr& expr);
ExprStatePtr CompileCoalesce(ExprCompiler& compiler, const CoalesceExpr& expr);
ExprStatePtr CompileMinMax(ExprCompiler& compiler, const MinMaxExpr& expr);
ExprStatePtr CompileRowCompare(ExprCompiler& compiler, const RowCompareExpr& expr);
ExprStatePtr CompileCoerceViaIo(ExprCompiler& compiler, const CoerceViaIo& expr);
ExprStatePtr CompileArrayCoerce(ExprCompiler& compiler, const ArrayCoerceExpr& expr);
ExprStatePtr CompileCoerceToDomain(ExprCompiler& compiler, const CoerceToDomain& expr);
ExprStatePtr CompileScalarArrayOp(ExprCompiler& compiler, const ScalarArrayOpExpr& expr);
ExprStatePtr CompileArray(ExprCompiler& compiler, const ArrayExpr& expr);
ExprStatePtr CompileSubscripting(ExprCompiler& compiler, const SubscriptingRef& expr);
ExprStatePtr CompileRow(ExprCompiler& compiler, const RowExpr& expr);
ExprStatePtr CompileFieldSelect(ExprCompiler& compiler, const FieldSelect& expr);
ExprStatePtr CompileSqlValue(ExprCompiler& compiler, const SqlValueFunction& expr);
ExprStatePtr CompileNextValue(ExprCompiler& compiler, const NextValueExpr& expr);
ExprStatePtr CompileSubPlan(ExprCompiler& compiler, const SubPlan& expr);

}  // namespace walden

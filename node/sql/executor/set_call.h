// A call of a set-returning function (or of a scalar one, as a set of one row) in FROM or in a target list.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "node/sql/expression/expression.h"
#include "node/sql/functions/registry.h"

namespace walden {

class SetCall {
 public:
  // `expr` is a FuncExpr or OpExpr that returns a set, or any scalar expression; a record with more than one column is
  // spread over them. `types`: physical types of the result's columns.
  SetCall(const Expr* expr, std::vector<PhysicalType> types);

  // Evaluates the arguments for `row` and begins.
  void Start(EvalContext& context, std::span<Vector* const> input, uint32_t row);
  // Writes up to max_rows rows to positions 0..; 0 at the end. By-reference values live in `arena`.
  uint32_t Next(EvalContext& context, Arena& arena, std::span<Vector* const> columns, uint32_t max_rows);
  const std::vector<PhysicalType>& types() const { return types_; }

 private:
  std::vector<PhysicalType> types_;
  const SetFunction* function_ = nullptr;
  std::vector<ExprStatePtr> args_;
  ExprStatePtr scalar_;
  std::vector<Oid> arg_types_;
  CallSite site_;
  std::unique_ptr<TableFunction> call_;
  void PutSingle(std::span<Vector* const> columns);
  Value single_;
  bool has_single_ = false;
  Arena call_arena_;  // arguments and state of the call in progress
};

}  // namespace walden

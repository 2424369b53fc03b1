// Evaluation of bound expressions over batches.
//
// An Expression is compiled once per plan and kept ready: it owns the vectors of its intermediate results and reuses
// them from batch to batch. Eval computes the selected rows and returns a vector that is valid until the next Eval of
// the same expression (or, for a plain column reference, as long as the input is). By-reference results live in
// EvalContext::arena or in the input.
//
// AND, OR, CASE, COALESCE evaluate an argument only for the rows that need it, as SQL users expect of errors.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "node/sql/functions/registry.h"
#include "node/sql/query/expr.h"
#include "node/vector/vector.h"

namespace walden {

class EvalContext;

// Runs subplans for SubPlan nodes; implemented by the executor.
class SubplanRunner {
 public:
  virtual ~SubplanRunner() = default;
  // (Re)starts subplan `plan_id`; its parameters are set.
  virtual void Start(int32_t plan_id) = 0;
  // The next rows, or false at the end.
  virtual bool Next(int32_t plan_id, Batch* batch) = 0;
  // An init plan's turn to fill its output parameters (a Param was read that waits for it).
  virtual void RunInitPlan(int32_t plan_id) = 0;
  // IN (subquery) by hashing: for each selected row whether its keys are among the subplan's rows (null: unknown). `types`:
  // the subplan's columns, of the same physical types as the keys.
  virtual void MatchHashed(int32_t plan_id, std::span<Vector* const> keys, std::span<const Oid> types,
                           EvalContext& context, const Selection& selection, Vector* result) = 0;
};

struct ExecParam {
  // Init plans that read this parameter, directly or through others: a change makes them run again when asked next.
  struct Dependent {
    int32_t param;  // one that the init plan fills
    int32_t plan_id;
  };
  std::vector<Dependent> dependents;
  Value value;
  PhysicalType type = PhysicalType::kInt32;
  int32_t pending_init_plan = 0;  // nonzero: run this init plan before reading
  uint64_t version = 0;           // rises at each change
};

// Parameters of one execution: $n of the client, and slots that plan nodes set for each other.
struct ParamSet {
  std::vector<Value> external;
  std::vector<PhysicalType> external_types;
  std::vector<Oid> external_oids;
  std::vector<ExecParam> exec;
};

void SetExecParam(ParamSet* params, int32_t id, PhysicalType type, const Value& value);

// What evaluation needs around the input. Owned by the executor (or on the stack for one-off evaluations).
class EvalContext {
 public:
  EvalContext(Arena& result_arena, const TextFormat& text_format, SessionHooks* hooks)
      : arena(&result_arena), format(&text_format), session(hooks) {}
  Arena* arena;
  const TextFormat* format;
  SessionHooks* session;
  ParamSet* params = nullptr;
  SubplanRunner* subplans = nullptr;
};

// One node of a compiled expression.
class ExprState {
 public:
  explicit ExprState(PhysicalType type) : type_(type) {}
  virtual ~ExprState() = default;
  // The vector returned has valid values (or nulls) at the selected rows' positions.
  virtual Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) = 0;
  PhysicalType type() const { return type_; }

 protected:
  // The result vector, flat, all valid, with room for every selected row.
  Vector& PrepareResult(const Selection& selection) {
    uint32_t rows = selection.count == 0 ? 1 : selection.Row(selection.count - 1) + 1;
    result_.Reset(type_, result_.capacity() >= rows ? rows : RoundUpRows(rows));
    return result_;
  }
  static uint32_t RoundUpRows(uint32_t rows) { return rows <= 1 ? 1 : rows <= 64 ? 64 : kBatchRows; }
  Vector result_;

 private:
  PhysicalType type_;
};

using ExprStatePtr = std::unique_ptr<ExprState>;

// Compiles an executor-ready expression: Vars with varno kInputVar (plan.h) refer to input columns. Throws 0A000 for nodes that
// cannot be evaluated.
ExprStatePtr CompileExpression(const Expr* expr);

// A list of conditions that are ANDed; narrows selections.
class Filter {
 public:
  Filter() = default;
  explicit Filter(const ExprList& conditions);
  bool empty() const { return conditions_.empty(); }
  // Keeps the rows for which every condition is true. The result refers to this object's memory until its next Apply.
  Selection Apply(EvalContext& context, std::span<Vector* const> input, Selection selection);
  // For a single row.
  bool Matches(EvalContext& context, std::span<Vector* const> input, uint32_t row);

 private:
  std::vector<ExprStatePtr> conditions_;
  std::vector<uint16_t> rows_;
};

// Writes the selected rows for which `condition` is true to `rows` (room for selection.count); returns how many.
uint32_t SelectTrue(const Vector& condition, const Selection& selection, uint16_t* rows);

// Evaluates an expression without column references, once.
Value EvaluateConstant(const Expr* expr, EvalContext& context);

// 42501 unless the current role has EXECUTE on the function. Whoever makes a call ready asks.
void CheckMayExecute(Oid function);
void CheckMayAggregate(Oid function);  // the same for an aggregate

}  // namespace walden

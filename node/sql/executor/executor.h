// One planned statement made ready to run, and its executions.
//
//   Executor executor(plan);                 compiles the operator tree: the ready state, kept with a cached plan
//   executor.Start(settings); while (executor.Next(&batch)) ...; executor.Finish();
//
// One execution at a time. Finish (or the destructor) gives everything back that grew with data; it must be called before the
// transaction ends. Not thread-safe; belongs to one backend.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "node/sql/executor/operator.h"
#include "node/txn/snapshot.h"

namespace walden {

// What one execution runs with. Borrowed: must outlive it.
struct ExecutionSettings {
  const Snapshot* snapshot = nullptr;
  SessionHooks* session = nullptr;
  const TextFormat* format = nullptr;
  // $1.. of the client.
  std::span<const Value> parameters;
  std::span<const Oid> parameter_types;
  bool instrument = false;  // EXPLAIN ANALYZE
  bool instrument_timing = true;
  bool skip_triggers = false;
  bool answers_with_count =
      false;  // nothing but its command tag goes to the client, and that says nothing of rows' contents
};

// Work that must happen at the end of a statement (AFTER triggers, foreign key checks): queued by ModifyTable, run by
// RunAfterQueue before the statement's end.
class AfterStatementWork {
 public:
  virtual ~AfterStatementWork() = default;
  virtual void Run(Executor& executor) = 0;
};

struct RecheckRows;
struct TriggerCalls;
class HashedSubplan;

class Executor : public SubplanRunner {
 public:
  // `plan` must outlive the executor.
  explicit Executor(const PlannedStatement& plan, MemoryAccount* parent = &ProcessMemory());
  ~Executor() override;

  void Start(const ExecutionSettings& settings);
  bool Next(Batch* batch, uint32_t max_rows = kBatchRows);
  void Finish();
  bool running() const { return running_; }

  const PlannedStatement& plan() const { return plan_; }
  // Rows inserted, updated, deleted so far; for the command tag.
  uint64_t rows_affected() const { return rows_affected_; }
  void AddAffected(uint64_t rows) { rows_affected_ += rows; }
  Operator& root() const { return *root_; }
  Operator* subplan(int32_t plan_id) const { return subplans_[plan_id - 1].get(); }

  // For operators.
  const Snapshot& snapshot() const { return *settings_.snapshot; }
  const ExecutionSettings& settings() const { return settings_; }
  ParamSet& params() { return params_; }
  const ParamSet& params() const { return params_; }
  bool instrument() const { return settings_.instrument; }
  MemoryAccount& account() { return account_; }
  Arena& arena() { return arena_; }  // lives as long as the execution
  EvalContext MakeEvalContext(Arena& arena);
  void RefreshEvalContext(EvalContext* context);
  void SetParam(int32_t id, PhysicalType type, const Value& value);
  void QueueAfterStatement(std::unique_ptr<AfterStatementWork> work) { after_.push_back(std::move(work)); }
  void RunAfterQueue();
  // What the statement's changes asked of foreign keys; told when it is instrumented.
  void AddTriggerCalls(std::span<const TriggerCalls> calls);
  const std::vector<TriggerCalls>& trigger_calls() const { return trigger_calls_; }

  // Not null while a recheck's operators are made or run: scans of tables then deliver its rows (recheck.h).
  const RecheckRows* recheck_rows() const { return recheck_rows_; }

  // SubplanRunner
  void Start(int32_t plan_id) override;
  bool Next(int32_t plan_id, Batch* batch) override;
  void RunInitPlan(int32_t plan_id) override;
  void MatchHashed(int32_t plan_id, std::span<Vector* const> keys, std::span<const Oid> types,
                   EvalContext& context, const Selection& selection, Vector* result) override;

  // Shared state of CTEs and recursive unions, by id; owned here, made on first use by the operators concerned.
  std::vector<std::shared_ptr<void>>& shared_states() { return shared_states_; }

 private:
  void MarkInitPlansPending();
  void FinishModifyingCtes();
  void RunRowInitPlan(const Subplan& subplan, int32_t plan_id);

  const PlannedStatement& plan_;
  MemoryAccount account_;
  Arena arena_;
  ExecutionSettings settings_;
  ParamSet params_;
  std::vector<std::unique_ptr<Operator>> subplans_;
  std::vector<bool> subplan_open_;
  std::unique_ptr<Operator> root_;
  std::vector<std::unique_ptr<AfterStatementWork>> after_;
  std::vector<std::shared_ptr<void>> shared_states_;
  std::map<int32_t, std::unique_ptr<HashedSubplan>> hashed_;  // by plan id
  std::vector<TriggerCalls> trigger_calls_;
  uint64_t rows_affected_ = 0;
  bool running_ = false;
  friend class RecheckScope;
  const RecheckRows* recheck_rows_ = nullptr;
};

// Whether a statement of this process that has not finished reads or changes the table, or reads the index.
bool IsBeingExecuted(Oid relation);

class RecheckScope {
 public:
  RecheckScope(Executor& executor, const RecheckRows* rows)
      : executor_(executor), saved_(executor.recheck_rows_) {
    executor.recheck_rows_ = rows;
  }
  ~RecheckScope() { executor_.recheck_rows_ = saved_; }
  RecheckScope(const RecheckScope&) = delete;
  RecheckScope& operator=(const RecheckScope&) = delete;

 private:
  Executor& executor_;
  const RecheckRows* saved_;
};

}  // namespace walden

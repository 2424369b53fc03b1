// The contract of every operator.
//
// An operator tree is compiled once from a plan (its *ready state*: compiled expressions, vectors, scans' descriptors)
// and executed many times:
//   Open    begins an execution (or, with Rescan, begins again after parameters changed); children are opened by their parent
//   Next    the next batch; false at the end. The batch is valid until the next call of Next, Rescan or Close
//   Close   gives back pins, files and memory that grew with data; the ready state stays. Safe to call at any time, also
//           after an error and twice
//
// Most operators only implement FetchInput: the base filters by the plan's quals and computes its target list. An
// error in row n of a batch is raised after rows 1 .. n-1 were delivered, as if rows were computed one by one.
//
// `max_rows` is the consumer's demand: an operator may deliver fewer rows, never more.
#pragma once

#include <exception>
#include <memory>
#include <span>
#include <vector>

#include "node/base/arena.h"
#include "node/buffer/buffer_pool.h"
#include "node/sql/expression/expression.h"
#include "node/sql/plan/plan.h"
#include "node/vector/vector.h"
#include "node/wal/wal_usage.h"

namespace walden {

class Executor;

// What EXPLAIN ANALYZE shows of a node; counted only when the execution is instrumented.
struct OperatorStats {
  uint64_t loops = 0;  // executions that were asked for a row
  uint64_t rows = 0;
  uint64_t rows_removed_by_filter = 0;
  uint64_t rows_removed_by_join_filter = 0;
  uint64_t rows_removed_by_recheck = 0;
  int64_t first_row_ns = 0;  // until the first row of each loop, summed
  int64_t total_ns = 0;
  BufferStatistics buffers{};  // of this node and those below it
  WalUsage wal{};
  uint64_t temp_bytes_read = 0, temp_bytes_written = 0;
};

// How an operator did its work, in the terms of EXPLAIN; negative: not of this operator.
struct OperatorDetails {
  std::string_view sort_method;  // "quicksort"
  bool sort_on_disk = false;
  int64_t sort_kb = -1;
  int64_t hash_buckets = -1;
  int64_t batches = -1;
  int64_t memory_kb = -1;
  int64_t disk_kb = 0;
  int64_t heap_fetches = -1;
  int64_t exact_pages = 0, lossy_pages = 0;  // bitmap heap scan
  int64_t tuples_inserted = -1, conflicting_tuples = -1;
};

class Operator {
 public:
  Operator(Executor& executor, const Plan& plan);
  virtual ~Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  static size_t WorkMemBytes();

  void Open();
  void Rescan();
  bool Next(Batch* batch, uint32_t max_rows = kBatchRows);
  virtual void Close();

  const Plan& plan() const { return plan_; }
  const OperatorStats& stats() const { return stats_; }
  Operator* left() const { return left_.get(); }
  Operator* right() const { return right_.get(); }
  const std::vector<std::unique_ptr<Operator>>& children() const { return children_; }
  virtual void Describe(OperatorDetails* details) const { (void)details; }
  // Bitmap heap scan: what the node of its bitmap tree did.
  virtual void DescribeBitmap(int32_t node_id, OperatorStats* stats) const { (void)node_id, (void)stats; }
  // Physical types of the output columns.
  const std::vector<PhysicalType>& output_types() const { return output_types_; }

 protected:
  // Begin (again) as the contract says. The base has closed nothing: implementations (re)open their children.
  virtual void DoOpen();
  virtual void DoRescan() { DoOpen(); }
  // The next rows before filter and projection; columns as plan.h's input row. False at the end.
  virtual bool FetchInput(Batch* input, uint32_t max_rows) = 0;
  // Operators whose output is not their filtered and projected input override this instead.
  virtual bool NextRows(Batch* batch, uint32_t max_rows);

  // For what only the operator itself can count.
  OperatorStats& counters() { return stats_; }
  EvalContext& eval() { return eval_; }
  Arena& batch_arena() { return batch_arena_; }
  Executor& executor() { return executor_; }
  // Sum of the versions of this plan's parameters: unchanged = what was computed from them still holds.
  uint64_t ParamVersion() const;
  MemoryAccount& account() { return account_; }
  static size_t HashMemBytes();  // of a hash table: hash_mem_multiplier

  std::unique_ptr<Operator> left_;
  std::unique_ptr<Operator> right_;
  std::vector<std::unique_ptr<Operator>> children_;  // of Append and the like

 private:
  bool TakePending(Batch* batch, uint32_t max_rows);
  bool FilterAndProject(Selection selection, Batch* batch, uint32_t max_rows);
  void ProcessRowByRow(Selection selection);
  void ProjectInto(Batch* batch, const Selection& selection);
  bool NextInstrumented(Batch* batch, uint32_t max_rows);

  Executor& executor_;
  const Plan& plan_;
  MemoryAccount account_;
  Arena batch_arena_;
  EvalContext eval_;
  Filter filter_;
  std::vector<ExprStatePtr> projections_;
  bool projects_by_row_ = false;  // several volatile calls: one may tell what another has done, row by row
  std::vector<PhysicalType> output_types_;
  Batch input_;
  // Rows that passed the filter and were not asked for yet.
  std::vector<uint16_t> pending_;
  size_t pending_at_ = 0;
  std::exception_ptr pending_error_;
  OperatorStats stats_;
  bool loop_counted_ = false;
  bool loop_has_rows_ = false;
  bool ended_ = false;               // FetchInput has said so: it is not asked again before Open or Rescan
  uint32_t row_limit_ = kBatchRows;  // walden_batch_rows
};

std::unique_ptr<Operator> MakeOperator(Executor& executor, const Plan& plan);

}  // namespace walden

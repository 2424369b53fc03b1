#include "node/sql/executor/operator.h"

#include <algorithm>
#include <ctime>

#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/spill_file.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/query/expr_facts.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

constexpr size_t kForcedSpillBytes = 4096;  // work_mem under walden_force_spill

int64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

// Both structs are nothing but 64-bit counters.
template <class Counters>
void AddDifference(const Counters& now, const Counters& before, Counters* to) {
  const uint64_t* a = reinterpret_cast<const uint64_t*>(&now);
  const uint64_t* b = reinterpret_cast<const uint64_t*>(&before);
  uint64_t* sum = reinterpret_cast<uint64_t*>(to);
  for (size_t i = 0; i < sizeof(Counters) / sizeof(uint64_t); ++i) sum[i] += a[i] - b[i];
}

// Whether it is the values of some row that raised the error, so that they would again. A cancelled statement, a deadlock,
// a full disk are not: what raised them is over, and looking for the row would lose them.
bool IsOfSomeRow(const SqlError& error) {
  static constexpr std::string_view kOthers[] = {"08", "25", "40", "53", "55", "57", "58", "XX"};
  std::string_view state_class = SqlState(error.code()).substr(0, 2);
  return std::find(std::begin(kOthers), std::end(kOthers), state_class) == std::end(kOthers);
}

}  // namespace

Operator::Operator(Executor& executor, const Plan& plan)
    : executor_(executor),
      plan_(plan),
      account_("ExecutorNode", &executor.account()),
      batch_arena_(&account_, 512),
      eval_(executor.MakeEvalContext(batch_arena_)),
      filter_(plan.quals) {
  for (const TargetEntry* entry : plan.target) {
    output_types_.push_back(TypeOf(ExprType(entry->expr)).physical);
    if (plan.project) projections_.push_back(CompileExpression(entry->expr));
  }
  int volatile_calls = 0;
  for (const TargetEntry* entry : plan.target) {
    if (plan.project && !Is<Var>(entry->expr)) volatile_calls += VolatileCalls(entry->expr);
  }
  projects_by_row_ = volatile_calls > 1;
}

size_t Operator::WorkMemBytes() {
  if (GetBool(Setting::kWaldenForceSpill)) return kForcedSpillBytes;
  return static_cast<size_t>(GetInt(Setting::kWorkMem)) * 1024;
}
size_t Operator::HashMemBytes() {
  return static_cast<size_t>(static_cast<double>(WorkMemBytes()) * GetReal(Setting::kHashMemMultiplier));
}

void Operator::Open() {
  row_limit_ = static_cast<uint32_t>(GetInt(Setting::kWaldenBatchRows));
  pending_.clear();
  pending_at_ = 0;
  pending_error_ = nullptr;
  loop_counted_ = false;
  loop_has_rows_ = false;
  ended_ = false;
  executor_.RefreshEvalContext(&eval_);
  DoOpen();
}

void Operator::Rescan() {
  pending_.clear();
  pending_at_ = 0;
  pending_error_ = nullptr;
  loop_counted_ = false;
  loop_has_rows_ = false;
  ended_ = false;
  DoRescan();
}

void Operator::DoOpen() {
  if (left_ != nullptr) left_->Open();
  if (right_ != nullptr) right_->Open();
  for (auto& child : children_) child->Open();
}

void Operator::Close() {
  if (left_ != nullptr) left_->Close();
  if (right_ != nullptr) right_->Close();
  for (auto& child : children_) child->Close();
  batch_arena_.Reset();
  pending_.clear();
  pending_at_ = 0;
  pending_error_ = nullptr;
}

uint64_t Operator::ParamVersion() const {
  uint64_t sum = 0;
  for (int32_t id : plan_.params) sum += executor_.params().exec[id].version;
  return sum;
}

bool Operator::Next(Batch* batch, uint32_t max_rows) {
  max_rows = std::min(max_rows, row_limit_);
  if (executor_.instrument()) return NextInstrumented(batch, max_rows);
  return NextRows(batch, max_rows);
}

bool Operator::NextInstrumented(Batch* batch, uint32_t max_rows) {
  if (!loop_counted_) {
    loop_counted_ = true;
    ++stats_.loops;
  }
  bool timed = executor_.settings().instrument_timing;
  BufferStatistics buffers_before = buffer_statistics;
  WalUsage wal_before = own_wal_usage;
  SpillTotals spilled_before = spill_totals();
  int64_t start = timed ? NowNs() : 0;
  bool more = NextRows(batch, max_rows);
  int64_t elapsed = timed ? NowNs() - start : 0;
  AddDifference(buffer_statistics, buffers_before, &stats_.buffers);
  AddDifference(own_wal_usage, wal_before, &stats_.wal);
  stats_.temp_bytes_read += spill_totals().bytes_read - spilled_before.bytes_read;
  stats_.temp_bytes_written += spill_totals().bytes_written - spilled_before.bytes_written;
  stats_.total_ns += elapsed;
  if (!loop_has_rows_) stats_.first_row_ns += elapsed;
  if (more) {
    loop_has_rows_ = true;
    stats_.rows += batch->selection.count;
  }
  return more;
}

bool Operator::NextRows(Batch* batch, uint32_t max_rows) {
  while (true) {
    if (TakePending(batch, max_rows)) return true;
    if (ended_) return false;
    CheckInterrupts();
    batch_arena_.Reset();
    if (!FetchInput(&input_, max_rows)) {
      ended_ = true;
      return false;
    }
    if (FilterAndProject(input_.selection, batch, max_rows)) return true;
  }
}

// Rows left over from the last input, then the error that ended it.
bool Operator::TakePending(Batch* batch, uint32_t max_rows) {
  if (projects_by_row_) max_rows = 1;
  if (pending_at_ < pending_.size()) {
    uint32_t count = static_cast<uint32_t>(std::min<size_t>(max_rows, pending_.size() - pending_at_));
    Selection selection{pending_.data() + pending_at_, count};
    pending_at_ += count;
    ProjectInto(batch, selection);
    return true;
  }
  pending_.clear();
  pending_at_ = 0;
  if (pending_error_ != nullptr) std::rethrow_exception(std::exchange(pending_error_, nullptr));
  return false;
}

bool Operator::FilterAndProject(Selection selection, Batch* batch, uint32_t max_rows) {
  if (projects_by_row_) max_rows = 1;
  uint32_t before = selection.count;
  try {
    Selection kept = filter_.Apply(eval_, input_.columns, selection);
    if (executor_.instrument()) stats_.rows_removed_by_filter += before - kept.count;
    if (kept.count == 0) return false;
    if (kept.count <= max_rows) {
      ProjectInto(batch, kept);
      return true;
    }
    pending_.assign(kept.count, 0);
    for (uint32_t i = 0; i < kept.count; ++i) pending_[i] = static_cast<uint16_t>(kept.Row(i));
  } catch (const SqlError& error) {
    if (before <= 1 || !IsOfSomeRow(error)) throw;
    ProcessRowByRow(selection);
  }
  return TakePending(batch, max_rows);
}

// Some row raised an error: finds the rows before the first one that does.
void Operator::ProcessRowByRow(Selection selection) {
  pending_.clear();
  pending_at_ = 0;
  Batch ignored;
  for (uint32_t i = 0; i < selection.count; ++i) {
    uint16_t row = static_cast<uint16_t>(selection.Row(i));
    try {
      if (!filter_.Matches(eval_, input_.columns, row)) continue;
      ProjectInto(&ignored, Selection{&row, 1});
      pending_.push_back(row);
    } catch (const SqlError&) {
      pending_error_ = std::current_exception();
      return;
    }
  }
}

void Operator::ProjectInto(Batch* batch, const Selection& selection) {
  batch->selection = selection;
  if (!plan_.project) {
    batch->columns = input_.columns;
    return;
  }
  batch->columns.resize(projections_.size());
  for (size_t i = 0; i < projections_.size(); ++i) {
    batch->columns[i] = &projections_[i]->Eval(eval_, input_.columns, selection);
  }
}

}  // namespace walden

#include "node/sql/executor/referential.h"

#include <algorithm>
#include <cstring>

#include "node/base/clock.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/sql/executor/deferred_checks.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/foreign_key.h"
#include "node/sql/executor/operator.h"
#include "node/sql/executor/referential_records.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

// session_replication_role = replica: rows come from elsewhere, where they were checked.
bool ChecksAreOff() {
  return GetEnum<ReplicationRole>(Setting::kSessionReplicationRole) == ReplicationRole::kReplica;
}

using Kind = ReferentialEvent::Kind;

std::vector<Value> KeyValues(const std::vector<int16_t>& columns, std::span<const Value> row) {
  std::vector<Value> key;
  for (int16_t attno : columns) key.push_back(row[attno - 1]);
  return key;
}

bool AnyNull(std::span<const Value> key) {
  return std::any_of(key.begin(), key.end(), [](const Value& value) { return value.is_null; });
}
bool AllNull(std::span<const Value> key) {
  return std::all_of(key.begin(), key.end(), [](const Value& value) { return value.is_null; });
}

// Stored alike, not merely equal: 1.0 and 1.00 differ, and an update from one to the other cascades.
bool SameImage(PhysicalType type, const Value& a, const Value& b) {
  if (a.is_null || b.is_null) return a.is_null == b.is_null;
  if (type == PhysicalType::kString) return a.datum.string.view() == b.datum.string.view();
  if (type == PhysicalType::kNumeric && a.datum.numeric.kind == NumericKind::kBig &&
      b.datum.numeric.kind == NumericKind::kBig) {
    const NumericRef &x = a.datum.numeric, &y = b.datum.numeric;
    return x.scale == y.scale &&
           std::string_view(x.digits, x.digits_size) == std::string_view(y.digits, y.digits_size);
  }
  return std::memcmp(&a.datum, &b.datum, PhysicalWidth(type)) == 0;
}

bool SameKey(const Relation& table, const std::vector<int16_t>& columns, std::span<const Value> a,
             std::span<const Value> b) {
  for (int16_t attno : columns) {
    if (!SameImage((*table.desc)[attno].physical, a[attno - 1], b[attno - 1])) return false;
  }
  return true;
}

// MATCH SIMPLE: one null and nothing is referred to. MATCH FULL: all or none.
bool RefersToNothing(const PgConstraintRow& constraint, std::span<const Value> key) {
  return constraint.confmatchtype == 'f' ? AllNull(key) : AnyNull(key);
}

// A statement's queue as work of its executor.
class QueuedChecks : public AfterStatementWork {
 public:
  explicit QueuedChecks(std::shared_ptr<ReferentialQueue> queue) : queue_(std::move(queue)) {}
  void Run(Executor& executor) override {
    const ExecutionSettings& settings = executor.settings();
    queue_->Run(settings.format != nullptr ? *settings.format : DefaultTextFormat(), settings.session);
    executor.AddTriggerCalls(queue_->calls());
  }

 private:
  std::shared_ptr<ReferentialQueue> queue_;
};

}  // namespace

ReferentialQueue::ReferentialQueue(bool count_calls)
    : records_(std::make_unique<ReferentialRecords>()),
      log_("Referential events", Operator::WorkMemBytes()),
      counts_calls_(count_calls) {}
ReferentialQueue::~ReferentialQueue() = default;

void ReferentialQueue::Add(const ReferentialEvent& event) {
  record_.clear();
  records_->Write(event, &record_);
  log_.Append(record_);
}

ForeignKey& ReferentialQueue::KeyOf(const PgConstraintRow& constraint) {
  std::unique_ptr<ForeignKey>& key = keys_[constraint.oid];
  if (key == nullptr) key = std::make_unique<ForeignKey>(constraint);
  return *key;
}

void ReferentialQueue::CountCall(const ReferentialEvent& event, int64_t us) {
  auto found = std::find_if(calls_.begin(), calls_.end(), [&](const TriggerCalls& known) {
    return known.table == event.table->oid && known.constraint == event.constraint->oid &&
           known.kind == event.kind && known.is_insert == event.is_insert;
  });
  if (found == calls_.end()) {
    found = calls_.insert(calls_.end(),
                          TriggerCalls{event.table->oid, event.constraint->oid, event.kind, event.is_insert});
  }
  ++found->calls;
  found->us += us;
}

void ReferentialQueue::RunEvent(const ReferentialEvent& event, EvalContext& context) {
  ForeignKey& key = KeyOf(*event.constraint);
  switch (event.kind) {
    case Kind::kCheckReferencing: CheckReferencing(key, event, context); break;
    case Kind::kReferencedDeleted: ApplyAction(key, key.row().confdeltype, event, context, *this); break;
    case Kind::kReferencedUpdated: ApplyAction(key, key.row().confupdtype, event, context, *this); break;
  }
}

void ReferentialQueue::Run(const TextFormat& format, SessionHooks* session) {
  if (log_.end() == 0) return;
  Arena scratch(&ProcessMemory(), 1024);
  EvalContext context(scratch, format, session);
  CommandCounterIncrement();
  for (uint64_t place = 0; place < log_.end();) {
    CheckInterrupts();
    scratch.Reset();
    ReferentialEvent event = records_->Read(log_.Read(&place), &scratch);
    if (event.is_idle) {
      if (!ChecksAreDeferred(*event.constraint)) CountCall(event, 0);
      continue;
    }
    if (DeferIfAsked(event, format, session)) continue;
    int64_t start = counts_calls_ ? MonotonicUs() : 0;
    RunEvent(event, context);
    if (counts_calls_) CountCall(event, MonotonicUs() - start);
  }
  log_.CutBack(0);
  records_->Clear();
}

ReferentialQueue& ReferentialChecks::QueueOf(Executor& executor) {
  if (std::shared_ptr<ReferentialQueue> queue = queue_.lock()) return *queue;
  auto queue = std::make_shared<ReferentialQueue>(executor.instrument());
  executor.QueueAfterStatement(std::make_unique<QueuedChecks>(queue));
  queue_ = queue;
  return *queue;
}

void ReferentialChecks::Inserted(Executor& executor, std::span<const Value> values) {
  if (!table_->foreign_keys.empty()) Inserted(QueueOf(executor), values);
}
void ReferentialChecks::Updated(Executor& executor, std::span<const Value> old_values,
                                std::span<const Value> new_values) {
  if (table_->foreign_keys.empty() && table_->referenced_by.empty()) return;
  Updated(QueueOf(executor), old_values, new_values);
}
void ReferentialChecks::Deleted(Executor& executor, std::span<const Value> old_values) {
  if (!table_->referenced_by.empty()) Deleted(QueueOf(executor), old_values);
}

void ReferentialChecks::Inserted(ReferentialQueue& queue, std::span<const Value> values) {
  if (ChecksAreOff()) return;
  for (const PgConstraintRow& constraint : table_->foreign_keys) {
    std::vector<Value> key = KeyValues(*constraint.conkey, values);
    bool is_idle = RefersToNothing(constraint, key);
    if (is_idle && !queue.counts_calls()) continue;
    queue.Add({Kind::kCheckReferencing, table_, &constraint, {}, key, /*is_insert=*/true, is_idle});
  }
}

void ReferentialChecks::Updated(ReferentialQueue& queue, std::span<const Value> old_values,
                                std::span<const Value> new_values) {
  if (ChecksAreOff()) return;
  for (const PgConstraintRow& constraint : table_->referenced_by) {
    std::vector<Value> old_key = KeyValues(*constraint.confkey, old_values);
    if (AnyNull(old_key) || SameKey(*table_, *constraint.confkey, old_values, new_values)) continue;
    std::vector<Value> new_key = KeyValues(*constraint.confkey, new_values);
    queue.Add({Kind::kReferencedUpdated, table_, &constraint, old_key, new_key});
  }
  for (const PgConstraintRow& constraint : table_->foreign_keys) {
    std::vector<Value> key = KeyValues(*constraint.conkey, new_values);
    if (RefersToNothing(constraint, key) || SameKey(*table_, *constraint.conkey, old_values, new_values))
      continue;
    queue.Add({Kind::kCheckReferencing, table_, &constraint, {}, key});
  }
}

void ReferentialChecks::Deleted(ReferentialQueue& queue, std::span<const Value> old_values) {
  if (ChecksAreOff()) return;
  for (const PgConstraintRow& constraint : table_->referenced_by) {
    std::vector<Value> key = KeyValues(*constraint.confkey, old_values);
    if (!AnyNull(key)) queue.Add({Kind::kReferencedDeleted, table_, &constraint, key, {}});
  }
}

}  // namespace walden

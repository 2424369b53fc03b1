// Foreign keys: what a changed row of one table asks of others. Queued by ModifyTable and COPY, run at the end of the
// statement: first come, first served, cascaded changes queue what they ask in turn.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "node/catalog/relation.h"
#include "node/sql/executor/spill_file.h"

namespace walden {

class EvalContext;
class Executor;
class ForeignKey;
class ReferentialRecords;
class SessionHooks;
struct TextFormat;

struct ReferentialEvent {
  enum class Kind : uint8_t { kCheckReferencing, kReferencedDeleted, kReferencedUpdated };
  Kind kind;
  RelationRef table;                  // whose row changed; keeps `constraint` alive
  const PgConstraintRow* constraint;  // of that table's foreign_keys or referenced_by
  std::span<const Value> old_key;     // referenced columns before the change
  std::span<const Value>
      new_key;             // kCheckReferencing: referencing columns; kReferencedUpdated: referenced ones
  bool is_insert = false;  // kCheckReferencing: of a new row
  bool is_idle = false;    // nothing to check (a null key): only counted
};

// How often one of a foreign key's triggers was called, and for how long, as EXPLAIN ANALYZE shows it.
struct TriggerCalls {
  Oid table;  // whose rows changed
  Oid constraint;
  ReferentialEvent::Kind kind;
  bool is_insert;
  uint64_t calls = 0;
  int64_t us = 0;
};

// What one statement has to check or cascade, in work_mem and a temporary file. Belongs to the statement; destroyed with it, run or not.
class ReferentialQueue {
 public:
  // `count_calls`: also of rows that refer to nothing.
  explicit ReferentialQueue(bool count_calls = false);
  ~ReferentialQueue();
  // Copies the keys.
  void Add(const ReferentialEvent& event);
  // Runs everything, also what running adds. Throws 23503 and whatever cascaded changes raise.
  void Run(const TextFormat& format, SessionHooks* session);

  bool counts_calls() const { return counts_calls_; }
  const std::vector<TriggerCalls>& calls() const { return calls_; }  // by first call

 private:
  void RunEvent(const ReferentialEvent& event, EvalContext& context);
  void CountCall(const ReferentialEvent& event, int64_t us);
  ForeignKey& KeyOf(const PgConstraintRow& constraint);

  std::unique_ptr<ReferentialRecords> records_;
  RecordLog log_;
  std::string record_;
  std::map<Oid, std::unique_ptr<ForeignKey>> keys_;
  bool counts_calls_;
  std::vector<TriggerCalls> calls_;
};

// The foreign keys of one table, of both directions: turns changed rows into events.
class ReferentialChecks {
 public:
  explicit ReferentialChecks(RelationRef table) : table_(std::move(table)) {}

  // Whether Deleted and Updated need the old row's values.
  bool wants_old_rows() const { return !table_->referenced_by.empty(); }
  // `values`: one per attribute of the table.
  void Inserted(Executor& executor, std::span<const Value> values);
  void Updated(Executor& executor, std::span<const Value> old_values, std::span<const Value> new_values);
  void Deleted(Executor& executor, std::span<const Value> old_values);

  void Inserted(ReferentialQueue& queue, std::span<const Value> values);
  void Updated(ReferentialQueue& queue, std::span<const Value> old_values, std::span<const Value> new_values);
  void Deleted(ReferentialQueue& queue, std::span<const Value> old_values);

 private:
  ReferentialQueue& QueueOf(Executor& executor);

  RelationRef table_;
  std::weak_ptr<ReferentialQueue> queue_;  // of the statement that runs; the executor's after-queue owns it
};

}  // namespace walden

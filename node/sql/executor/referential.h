// Foreign keys: what a changed row of one table asks of others. Queued by ModifyTable and COPY, run at the end of the
// statement: first come, first served, cascaded changes queue what they ask in turn.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <span>

#include "node/base/arena.h"
#include "node/catalog/relation.h"

namespace walden {

class Executor;
class ForeignKey;
class SessionHooks;
struct TextFormat;

struct ReferentialEvent {
  enum class Kind : uint8_t { kCheckReferencing, kReferencedDeleted, kReferencedUpdated };
  Kind kind;
  RelationRef table;                  // whose row changed; keeps `constraint` alive
  const PgConstraintRow* constraint;  // of that table's foreign_keys or referenced_by
  std::span<const Value> old_key;     // referenced columns before the change
  std::span<const Value> new_key;     // kCheckReferencing: referencing columns; kReferencedUpdated: referenced ones
};

// What one statement has to check or cascade. Belongs to the statement; destroyed with it, run or not.
class ReferentialQueue {
 public:
  ReferentialQueue();
  ~ReferentialQueue();
  // Copies the keys.
  void Add(const ReferentialEvent& event);
  // Runs everything, also what running adds. Throws 23503 and whatever cascaded changes raise.
  void Run(const TextFormat& format, SessionHooks* session);

 private:
  ForeignKey& KeyOf(const PgConstraintRow& constraint);
  std::span<const Value> CopyKey(const ReferentialEvent& event, std::span<const Value> key);

  Arena arena_;
  std::deque<ReferentialEvent> events_;
  std::map<Oid, std::unique_ptr<ForeignKey>> keys_;
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

#include "node/sql/executor/deferred_checks.h"

#include <algorithm>
#include <map>

#include "node/base/bytes.h"
#include "node/catalog/relation_use.h"
#include "node/catalog/syscache.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/foreign_key.h"
#include "node/sql/executor/operator.h"
#include "node/sql/executor/referential_records.h"
#include "node/sql/executor/table_writer.h"
#include "node/sql/executor/waiting_checks.h"
#include "node/txn/transaction.h"
#include "node/txn/transaction_hooks.h"

namespace walden {
namespace {

constexpr int kHookOrder = 40;  // before ON COMMIT actions of temporary tables

// A constraint of which checks wait.
struct WaitingConstraint {
  std::shared_ptr<const PgConstraintRow> row;
  Oid table;                    // whose rows changed
  ReferentialEvent::Kind kind;  // of a foreign key
  bool is_unique;
};

// What a transaction has deferred, and what SET CONSTRAINTS said in it.
struct Deferred {
  std::unique_ptr<WaitingChecks> waiting;  // null: none
  std::vector<WaitingConstraint> constraints;
  ReferentialRecords references;
  uint64_t statement_begin = 0;  // of the checks that the statement queued
  bool has_unique = false;       // queued since the last statement ended
  std::optional<bool> all;
  std::map<Oid, bool> single;
  TextFormat format;
  SessionHooks* session = nullptr;
  // What SET CONSTRAINTS had said before a savepoint in which it said more.
  struct Before {
    int level;
    std::optional<bool> all;
    std::map<Oid, bool> single;
  };
  std::vector<Before> before;

  void KeepTiming() {
    if (int level = NestLevel(); level > 1 && (before.empty() || before.back().level < level))
      before.push_back({level, all, single});
  }
  void EndSavepoint(int level) {
    if (waiting != nullptr) waiting->EndSavepoint(level);
    // As PostgreSQL does: what was said within is not undone with the savepoint around.
    while (!before.empty() && before.back().level >= level) before.pop_back();
  }
  void UndoSavepoint(int level) {
    if (waiting != nullptr) waiting->UndoSavepoint(level);
    ForgetMade();
    for (; !before.empty() && before.back().level >= level; before.pop_back()) {
      all = before.back().all;
      single = before.back().single;
    }
  }

  uint32_t NumberOf(const WaitingConstraint& constraint) {
    auto found = std::find_if(constraints.begin(), constraints.end(), [&](const WaitingConstraint& known) {
      return known.row->oid == constraint.row->oid && known.kind == constraint.kind;
    });
    if (found == constraints.end()) found = constraints.insert(found, constraint);
    return static_cast<uint32_t>(found - constraints.begin());
  }
  void Queue(uint32_t constraint, std::string_view check) {
    if (waiting == nullptr) waiting = std::make_unique<WaitingChecks>(Operator::WorkMemBytes());
    waiting->Add(constraint, check, NestLevel());
  }
  // After checks have left the queue.
  void ForgetMade() {
    if (waiting == nullptr) return;
    statement_begin = std::min(statement_begin, waiting->end());
    if (waiting->empty()) ForgetWaiting();
  }
  // Constraints may be altered when no check of theirs waits: they are not kept for longer.
  void ForgetWaiting() {
    waiting.reset();
    constraints.clear();
    references.Clear();
    statement_begin = 0;
  }

  void Clear() {
    ForgetWaiting();
    before.clear();
    has_unique = false;
    all.reset();
    single.clear();
  }
};

Deferred& State() {
  static thread_local Deferred state;
  return state;
}

// Makes checks one after the other, with what each constraint needs kept ready.
class CheckRun {
 public:
  void Make(uint32_t number, std::string_view check) {
    const WaitingConstraint& constraint = State().constraints[number];
    scratch_.Reset();
    if (constraint.is_unique)
      CheckUnique(number, Load<TupleId>(check.data()));
    else
      CheckReference(number, State().references.Read(check, &scratch_));
  }

 private:
  struct UniqueIndex {
    RelationRef table;
    IndexColumns columns;
    std::vector<Value> values, key;
    UniqueIndex(RelationRef table_ref, Oid index)
        : table(std::move(table_ref)),
          columns(*table, OpenRelation(index, LockMode::kNone)),
          values(static_cast<size_t>(table->desc->size())),
          key(kMaxIndexColumns) {}
  };

  void CheckReference(uint32_t number, const ReferentialEvent& event) {
    std::unique_ptr<ForeignKey>& key = keys_[number];
    if (key == nullptr) key = std::make_unique<ForeignKey>(*event.constraint);
    if (event.kind != ReferentialEvent::Kind::kCheckReferencing) {
      CheckNotReferenced(*key, /*restrict=*/false, event, context_);
    } else if (ReferencingRowExists(*key, event.new_key)) {
      // (A row that has gone again since needs no partner.)
      CheckReferencing(*key, event, context_);
    }
  }

  // A row that has gone again since owns no key; one that was updated in place has the same.
  void CheckUnique(uint32_t number, TupleId tid) {
    const WaitingConstraint& constraint = State().constraints[number];
    std::unique_ptr<UniqueIndex>& index = indexes_[number];
    if (index == nullptr)
      index = std::make_unique<UniqueIndex>(OpenRelation(constraint.table, LockMode::kNone),
                                            constraint.row->conindid);
    const Relation& table = *index->table;
    HeapFetcher fetcher(table.table);
    TupleView row;
    if (!fetcher.FetchChain(tid, kSnapshotSelf, &row)) return;
    DeformTuple(*table.desc, row, index->values.data(),
                {.arena = &scratch_, .toast = table.table.toast, .copy = true});
    fetcher.Release();
    index->columns.Compute(context_, {}, index->values, index->key.data());  // it has plain columns only
    const IndexDesc& desc = index->columns.desc();
    desc.method->Insert(desc, table.table, index->key.data(), tid, UniqueCheck::kExisting, false);
  }

  Arena scratch_{&ProcessMemory(), 1024};
  EvalContext context_{scratch_, State().format, State().session};
  std::map<uint32_t, std::unique_ptr<ForeignKey>> keys_;
  std::map<uint32_t, std::unique_ptr<UniqueIndex>> indexes_;
};

// Makes those from a place on whose constraint matches.
void MakeMatching(uint64_t from, const std::function<bool(const WaitingConstraint&)>& matches) {
  Deferred& state = State();
  if (state.waiting == nullptr) return;
  CommandCounterIncrement();
  SnapshotHold snapshot = LatestSnapshot();
  ActiveSnapshotScope active(*snapshot);
  CheckRun run;
  state.waiting->Make(
      from, [&](uint32_t number) { return matches(state.constraints[number]); }, NestLevel(),
      [&](uint32_t number, std::string_view check) { run.Make(number, check); });
  state.ForgetMade();
}

std::shared_ptr<const PgConstraintRow> ConstraintOf(Oid table, Oid index) {
  RowList<PgConstraintRow> constraints =
      FindRows<PgConstraintRow>(catalog_index::kPgConstraintConrelidContypidConnameIndex, {table});
  for (const RowRef<PgConstraintRow>& constraint : *constraints) {
    if (constraint->conindid == index && constraint->contype != 'f') return constraint;
  }
  throw SqlError(ErrorCode::kInternalError, "index {} has no constraint", OidNumber(index));
}

// Of rows of the table that were changed.
bool HasWaitingChecks(Oid table) {
  Deferred& state = State();
  return state.waiting != nullptr &&
         state.waiting->AnyWaiting([&](uint32_t number) { return state.constraints[number].table == table; });
}

void OnTxnEvent(TxnEvent event, const TxnEventInfo& info) {
  Deferred& state = State();
  switch (event) {
    case TxnEvent::kPreCommit: MakeMatching(0, [](const WaitingConstraint&) { return true; }); break;
    case TxnEvent::kCommitted:
    case TxnEvent::kAbort: state.Clear(); break;
    case TxnEvent::kSubCommit: state.EndSavepoint(info.nest_level); break;
    case TxnEvent::kSubAbort: state.UndoSavepoint(info.nest_level); break;
    default: break;
  }
}

}  // namespace

bool ChecksAreDeferred(const PgConstraintRow& constraint) {
  if (!constraint.condeferrable) return false;
  const Deferred& state = State();
  if (auto found = state.single.find(constraint.oid); found != state.single.end()) return found->second;
  return state.all.value_or(constraint.condeferred);
}

bool DeferIfAsked(const ReferentialEvent& event, const TextFormat& format, SessionHooks* session) {
  // Only checks can wait: RESTRICT, cascades and their like happen at once.
  bool is_check =
      event.kind == ReferentialEvent::Kind::kCheckReferencing ||
      (event.kind == ReferentialEvent::Kind::kReferencedDeleted && event.constraint->confdeltype == 'a') ||
      (event.kind == ReferentialEvent::Kind::kReferencedUpdated && event.constraint->confupdtype == 'a');
  if (!is_check || !ChecksAreDeferred(*event.constraint)) return false;
  Deferred& state = State();
  state.format = format;
  state.session = session;
  static thread_local std::string record;
  record.clear();
  state.references.Write(event, &record);
  // The row belongs to the relation: they are kept together.
  std::shared_ptr<const PgConstraintRow> row(event.table, event.constraint);
  state.Queue(state.NumberOf({std::move(row), event.table->oid, event.kind, false}), record);
  return true;
}

void QueueUniqueCheck(const Relation& table, Oid index, TupleId tid) {
  Deferred& state = State();
  auto known =
      std::find_if(state.constraints.begin(), state.constraints.end(),
                   [&](const WaitingConstraint& c) { return c.is_unique && c.row->conindid == index; });
  uint32_t number = static_cast<uint32_t>(known - state.constraints.begin());
  if (known == state.constraints.end())
    state.constraints.push_back({ConstraintOf(table.oid, index), table.oid, {}, true});
  state.Queue(number, {reinterpret_cast<const char*>(&tid), sizeof(tid)});
  state.has_unique = true;
}

void RunDueUniqueChecks() {
  Deferred& state = State();
  if (!state.has_unique) return;
  MakeMatching(state.statement_begin, [](const WaitingConstraint& constraint) {
    return constraint.is_unique && !ChecksAreDeferred(*constraint.row);
  });
  state.statement_begin = state.waiting == nullptr ? 0 : state.waiting->end();
  state.has_unique = false;
}

void SetConstraintTiming(std::span<const Oid> constraints, bool deferred) {
  Deferred& state = State();
  state.KeepTiming();
  if (constraints.empty()) {
    state.all = deferred;
    state.single.clear();
  }
  for (Oid constraint : constraints) state.single[constraint] = deferred;
  if (!deferred) {
    MakeMatching(0, [](const WaitingConstraint& constraint) { return !ChecksAreDeferred(*constraint.row); });
  }
}

void InstallDeferredChecks() {
  SetRelationUseProbe([](Oid relation) {
    return RelationUse{.has_readers = IsBeingExecuted(relation),
                       .has_waiting_checks = HasWaitingChecks(relation)};
  });
  RegisterTxnHook(kHookOrder, OnTxnEvent,
                  {TxnEvent::kPreCommit, TxnEvent::kCommitted, TxnEvent::kAbort, TxnEvent::kSubCommit,
                   TxnEvent::kSubAbort});
}

}  // namespace walden

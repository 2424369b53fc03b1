#include "node/sql/executor/deferred_checks.h"

#include <deque>
#include <map>
#include <variant>

#include "node/catalog/syscache.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/foreign_key.h"
#include "node/sql/executor/table_writer.h"
#include "node/txn/transaction.h"
#include "node/txn/transaction_hooks.h"

namespace walden {
namespace {

constexpr int kHookOrder = 40;  // before ON COMMIT actions of temporary tables

struct WaitingReference {
  ReferentialEvent::Kind kind;
  std::vector<Value> old_key, new_key;
};
struct WaitingUnique {
  Oid table;
  TupleId row;
  bool of_statement = true;  // of the one that runs: it may be due at its end
};
struct Waiting {
  PgConstraintRow constraint;
  int level;    // of the savepoint that it was queued in
  int made_in;  // 0: it waits; else of the savepoint in which it was made
  std::variant<WaitingReference, WaitingUnique> check;
  bool is_unique() const { return std::holds_alternative<WaitingUnique>(check); }
};

// What a transaction has deferred, and what SET CONSTRAINTS said in it.
struct Deferred {
  std::deque<Waiting> waiting;
  bool has_unique = false;  // queued since the last statement ended
  Arena keys{&ProcessMemory(), 1024};
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
    for (Waiting& item : waiting) {
      item.level = std::min(item.level, level - 1);
      item.made_in = std::min(item.made_in, level - 1);
    }
    // As PostgreSQL does: what was said within is not undone with the savepoint around.
    while (!before.empty() && before.back().level >= level) before.pop_back();
  }
  void UndoSavepoint(int level) {
    std::erase_if(waiting, [&](const Waiting& item) { return item.level >= level; });
    for (Waiting& item : waiting) {
      if (item.made_in >= level) item.made_in = 0;
    }
    for (; !before.empty() && before.back().level >= level; before.pop_back()) {
      all = before.back().all;
      single = before.back().single;
    }
  }

  void Clear() {
    waiting.clear();
    before.clear();
    has_unique = false;
    keys.Reset();
    all.reset();
    single.clear();
  }
};

Deferred& State() {
  static thread_local Deferred state;
  return state;
}

std::vector<Value> CopyKey(const ReferentialEvent& event, std::span<const Value> key) {
  const std::vector<int16_t>& columns = event.kind == ReferentialEvent::Kind::kCheckReferencing
                                            ? *event.constraint->conkey
                                            : *event.constraint->confkey;
  std::vector<Value> copy(key.begin(), key.end());
  for (size_t i = 0; i < copy.size(); ++i) {
    if (!copy[i].is_null)
      copy[i].datum = CopyDatum((*event.table->desc)[columns[i]].physical, copy[i].datum, &State().keys);
  }
  return copy;
}

void RunReference(const PgConstraintRow& constraint, const WaitingReference& item) {
  Arena scratch(&ProcessMemory(), 1024);
  EvalContext context(scratch, State().format, State().session);
  ForeignKey key(constraint);
  ReferentialEvent event{item.kind, nullptr, &constraint, item.old_key, item.new_key};
  if (item.kind != ReferentialEvent::Kind::kCheckReferencing) {
    CheckNotReferenced(key, /*restrict=*/false, event, context);
  } else if (ReferencingRowExists(key, item.new_key)) {
    // (A row that has gone again since needs no partner.)
    CheckReferencing(key, event, context);
  }
}

// A row that has gone again since owns no key; one that was updated in place has the same.
void RunUnique(const PgConstraintRow& constraint, const WaitingUnique& item) {
  RelationRef table = OpenRelation(item.table, LockMode::kNone);
  HeapFetcher fetcher(table->table);
  TupleView row;
  if (!fetcher.FetchChain(item.row, kSnapshotSelf, &row)) return;
  Arena scratch(&ProcessMemory(), 1024);
  EvalContext context(scratch, State().format, State().session);
  std::vector<Value> values(static_cast<size_t>(table->desc->size())), key(kMaxIndexColumns);
  DeformTuple(*table->desc, row, values.data(),
              {.arena = &scratch, .toast = table->table.toast, .copy = true});
  fetcher.Release();
  IndexColumns index(*table, OpenRelation(constraint.conindid, LockMode::kNone));
  index.Compute(context, {}, values, key.data());  // a constraint's index has plain columns only
  index.desc().method->Insert(index.desc(), table->table, key.data(), item.row, UniqueCheck::kExisting,
                              false);
}

void RunWaiting(const Waiting& item) {
  if (item.is_unique())
    RunUnique(item.constraint, std::get<WaitingUnique>(item.check));
  else
    RunReference(item.constraint, std::get<WaitingReference>(item.check));
}

// Those that match; checks that are queued meanwhile included. One that was queued outside of this savepoint is kept: if the savepoint
// is rolled back, it was never made.
void RunMatching(const std::function<bool(const Waiting&)>& matches) {
  std::deque<Waiting>& waiting = State().waiting;
  if (waiting.empty()) return;
  CommandCounterIncrement();
  SnapshotHold snapshot = LatestSnapshot();
  ActiveSnapshotScope active(*snapshot);
  int level = NestLevel();
  for (size_t i = 0; i < waiting.size(); ++i) {
    if (waiting[i].made_in != 0 || !matches(waiting[i])) continue;
    RunWaiting(waiting[i]);
    waiting[i].made_in = level;
  }
  std::erase_if(waiting,
                [&](const Waiting& item) { return item.made_in != 0 && item.made_in <= item.level; });
}

void OnTxnEvent(TxnEvent event, const TxnEventInfo& info) {
  Deferred& state = State();
  switch (event) {
    case TxnEvent::kPreCommit: RunMatching([](const Waiting&) { return true; }); break;
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
  state.waiting.push_back(
      {*event.constraint, NestLevel(), 0,
       WaitingReference{event.kind, CopyKey(event, event.old_key), CopyKey(event, event.new_key)}});
  return true;
}

void QueueUniqueCheck(const Relation& table, Oid index, TupleId row) {
  RowList<PgConstraintRow> constraints =
      FindRows<PgConstraintRow>(catalog_index::kPgConstraintConrelidContypidConnameIndex, {table.oid});
  for (const RowRef<PgConstraintRow>& constraint : *constraints) {
    if (constraint->conindid != index || constraint->contype == 'f') continue;
    State().waiting.push_back({*constraint, NestLevel(), 0, WaitingUnique{table.oid, row}});
    State().has_unique = true;
    return;
  }
  throw SqlError(ErrorCode::kInternalError, "index {} has no constraint", OidNumber(index));
}

void RunDueUniqueChecks() {
  Deferred& state = State();
  if (!state.has_unique) return;
  RunMatching([](const Waiting& item) {
    return item.is_unique() && std::get<WaitingUnique>(item.check).of_statement &&
           !ChecksAreDeferred(item.constraint);
  });
  for (Waiting& item : state.waiting) {
    if (item.is_unique()) std::get<WaitingUnique>(item.check).of_statement = false;
  }
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
  if (!deferred) RunMatching([](const Waiting& item) { return !ChecksAreDeferred(item.constraint); });
}

void InstallDeferredChecks() {
  RegisterTxnHook(kHookOrder, OnTxnEvent,
                  {TxnEvent::kPreCommit, TxnEvent::kCommitted, TxnEvent::kAbort, TxnEvent::kSubCommit,
                   TxnEvent::kSubAbort});
}

}  // namespace walden

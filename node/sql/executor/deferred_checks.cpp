#include "node/sql/executor/deferred_checks.h"

#include <deque>
#include <map>

#include "node/sql/executor/executor.h"
#include "node/sql/executor/foreign_key.h"
#include "node/txn/transaction.h"
#include "node/txn/transaction_hooks.h"

namespace walden {
namespace {

constexpr int kHookOrder = 40;  // before ON COMMIT actions of temporary tables

struct Waiting {
  PgConstraintRow constraint;
  ReferentialEvent::Kind kind;
  std::vector<Value> old_key, new_key;
  int level;  // of the savepoint that it was queued in
};

// What a transaction has deferred, and what SET CONSTRAINTS said in it.
struct Deferred {
  std::deque<Waiting> waiting;
  Arena keys{&ProcessMemory(), 1024};
  std::optional<bool> all;
  std::map<Oid, bool> single;
  TextFormat format;
  SessionHooks* session = nullptr;

  void Clear() {
    waiting.clear();
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

void RunWaiting(const Waiting& item) {
  Arena scratch(&ProcessMemory(), 1024);
  EvalContext context(scratch, State().format, State().session);
  ForeignKey key(item.constraint);
  ReferentialEvent event{item.kind, nullptr, &item.constraint, item.old_key, item.new_key};
  if (item.kind != ReferentialEvent::Kind::kCheckReferencing) {
    CheckNotReferenced(key, /*restrict=*/false, event, context);
  } else if (ReferencingRowExists(key, item.new_key)) {
    // (A row that has gone again since needs no partner.)
    CheckReferencing(key, event, context);
  }
}

// Those of `constraint`, or all; checks that are queued meanwhile included.
void RunMatching(const std::function<bool(const PgConstraintRow&)>& matches) {
  std::deque<Waiting>& waiting = State().waiting;
  if (waiting.empty()) return;
  CommandCounterIncrement();
  SnapshotHold snapshot = LatestSnapshot();
  ActiveSnapshotScope active(*snapshot);
  std::deque<Waiting> kept;
  while (!waiting.empty()) {
    Waiting item = std::move(waiting.front());
    waiting.pop_front();
    if (matches(item.constraint)) {
      RunWaiting(item);
    } else {
      kept.push_back(std::move(item));
    }
  }
  waiting = std::move(kept);
}

void OnTxnEvent(TxnEvent event, const TxnEventInfo& info) {
  Deferred& state = State();
  switch (event) {
    case TxnEvent::kPreCommit: RunMatching([](const PgConstraintRow&) { return true; }); break;
    case TxnEvent::kCommitted:
    case TxnEvent::kAbort: state.Clear(); break;
    case TxnEvent::kSubCommit:
      for (Waiting& item : state.waiting) {
        if (item.level >= info.nest_level) item.level = info.nest_level - 1;
      }
      break;
    case TxnEvent::kSubAbort:
      std::erase_if(state.waiting, [&](const Waiting& item) { return item.level >= info.nest_level; });
      break;
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
  state.waiting.push_back({*event.constraint, event.kind, CopyKey(event, event.old_key),
                           CopyKey(event, event.new_key), NestLevel()});
  return true;
}

void SetConstraintTiming(std::span<const Oid> constraints, bool deferred) {
  Deferred& state = State();
  if (constraints.empty()) {
    state.all = deferred;
    state.single.clear();
  }
  for (Oid constraint : constraints) state.single[constraint] = deferred;
  if (!deferred)
    RunMatching([](const PgConstraintRow& constraint) { return !ChecksAreDeferred(constraint); });
}

void InstallDeferredChecks() {
  RegisterTxnHook(kHookOrder, OnTxnEvent,
                  {TxnEvent::kPreCommit, TxnEvent::kCommitted, TxnEvent::kAbort, TxnEvent::kSubCommit,
                   TxnEvent::kSubAbort});
}

}  // namespace walden

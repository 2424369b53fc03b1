// What other modules do when a transaction or savepoint ends.
//
// Two forms: a module hook, registered once per process at start (caches, invalidations, statistics,
// cursors), and one-shot actions of the current transaction. Order of a commit:
//
//   kPreCommit        may fail and may still write (deferred constraints, cursors, large objects, ON COMMIT)
//   kCommitData       adds bytes to the commit record (invalidation messages); must not fail after it returns
//   -- critical section: record reserved, CSN stored, published --
//   kPublish          sends invalidations; no errors
//   -- locks released --
//   kCommitted        releases resources, counts statistics; no errors
//   -- durable; files deleted --
//   kDurable          irreversible outside effects; no errors
//
// and of an abort: kAbort (before locks are released), kAborted (after). Hooks run in rising `order`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "node/base/ids.h"

namespace walden {

enum class TxnEvent : uint8_t {
  kPreCommit,
  kCommitData,
  kPublish,
  kCommitted,
  kDurable,
  kAbort,
  kAborted,
  kCommand,  // CommandCounterIncrement: earlier work of this transaction becomes visible to it
  kSubBegin,
  kSubCommit,  // level's work now belongs to level - 1
  kSubAbort,   // before the level's locks are released
};
inline constexpr size_t kTxnEvents = static_cast<size_t>(TxnEvent::kSubAbort) + 1;

struct TxnEventInfo {
  int nest_level = 1;  // of what ends
  uint32_t sub_id = 1;
  Lsn csn;  // from kPublish on; kInvalidLsn when the transaction wrote nothing
  std::string* invalidations =
      nullptr;                      // kCommitData: append opaque messages; redo hands them to its callback
  bool* catalog_changed = nullptr;  // kCommitData: set when relcache initialisation files must go
};

using TxnHook = void (*)(TxnEvent event, const TxnEventInfo& info);
// Registers for the life of the process, before its first transaction, for the events named. Lower order runs earlier.
void RegisterTxnHook(int order, TxnHook hook, std::initializer_list<TxnEvent> events);

// One-shot actions of the current subtransaction level: run at kCommitted of the top transaction (inherited
// by the parents as savepoints are released), or at the abort of the level. `action` must not throw.
void OnCommit(void (*action)(void* argument), void* argument);
void OnAbort(void (*action)(void* argument), void* argument);

}  // namespace walden

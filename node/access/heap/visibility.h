// Which row versions count for whom. All functions look at a row on a pinned page whose lock is held (shared
// is enough); they may set hint bits in it, which only happens for transactions at or below settled_lsn (I5):
// hints are the buffer's MarkDirtyHint business.
//
// Concurrency: hint bits are set under a shared lock by several processes: infomask is read and written
// atomically (relaxed); bits other than hints change only under the exclusive lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "node/access/heap/heap.h"
#include "node/access/tuple.h"
#include "node/buffer/buffer_pool.h"
#include "node/txn/snapshot.h"

namespace walden {

// Sets hints in rows of one page and tells the buffer once, when destroyed: the page lock must still be held
// then.
class HintWriter {
 public:
  explicit HintWriter(BufferPin& page) : page_(page) {}
  ~HintWriter() {
    if (changed_) page_.MarkDirtyHint();
  }
  HintWriter(const HintWriter&) = delete;
  HintWriter& operator=(const HintWriter&) = delete;
  void Set(TupleHeader* row, uint16_t bits) {
    std::atomic_ref<uint16_t>(row->infomask).fetch_or(bits, std::memory_order_relaxed);
    changed_ = true;
  }

 private:
  BufferPin& page_;
  bool changed_ = false;
};

// MVCC: the creator committed at or before the snapshot (or is this transaction, in an earlier command), and
// the deleter did not. Other kinds of snapshot go to the functions below.
bool VisibleToSnapshot(TupleHeader* row, const Snapshot& snapshot, HintWriter& hints);

// As of now, counting the uncommitted work of others as done, and naming whose it is.
struct DirtyInfo {
  Xid xmin;  // inserter in progress
  Xid xmax;  // deleter in progress
  uint32_t speculative_token = 0;
};
bool VisibleDirty(TupleHeader* row, HintWriter& hints, DirtyInfo* info);
// Committed by now, or by this transaction (its current command included).
bool VisibleToSelf(TupleHeader* row, HintWriter& hints);

// May this transaction's command `cid` update the version? kOk, kInvisible, kSelfModified, kUpdated, kDeleted
// or kBeingModified (also when its own transaction only locked it). Requires: exclusive lock.
TupleResult CanUpdate(TupleHeader* row, TupleId self, CommandId cid, HintWriter& hints);

enum class VacuumState : uint8_t {
  kDead,  // nobody can see it: removable
  kLive,
  kRecentlyDead,  // deleted, but some snapshot (or an unsettled commit) may still need it
  kInsertInProgress,
  kDeleteInProgress,
};
// Surely VacuumState::kLive: the creator's commit is hinted and nobody has deleted it; the usual case.
inline bool IsPlainlyLive(const TupleHeader& row) {
  uint16_t flags =
      std::atomic_ref<uint16_t>(const_cast<TupleHeader&>(row).infomask).load(std::memory_order_relaxed);
  return (flags & (kXminCommitted | kXmaxInvalid)) == (kXminCommitted | kXmaxInvalid);
}
// `horizon`: see txn/horizon.h. `*deleter` (optional): who deleted it, for kDead and kRecentlyDead.
VacuumState VacuumStateOf(TupleHeader* row, Lsn horizon, HintWriter& hints, Xid* deleter = nullptr);
// Dead without looking beyond the row's own flags and the CLOG: for killing index entries.
bool IsSurelyDead(TupleHeader* row, Lsn horizon);

// The xid that deleted or updated the row: looks into a multixact. Invalid if it was only locked.
Xid UpdateXid(const TupleHeader& row);
// xmax is only a lock, or its updater aborted: the version is the newest.
bool OnlyLocked(const TupleHeader& row);

}  // namespace walden

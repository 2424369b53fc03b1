// The CSN window: 8 bytes for every xid that a live snapshot may still have to place.
//
// An entry is 0 (in progress), kAbortedEntry, a CSN (committed at that LSN), or a parent pointer (a live
// subtransaction: its top-level xid decides). Entries lie in pages of 1,020 xids. The newest pages are in a
// ring in shared memory, read without any lock; a page that must leave the ring goes to a scratch page log
// (pg_csn/, emptied at every start), unless it can be dropped.
//
// Drop rule: a page is dropped when all its xids are finished, in the CLOG, settled, and older than every
// live snapshot, even above an old transaction still in progress. Absence means that the CLOG alone decides:
// committed there = committed before every snapshot; otherwise aborted. A dropped page never comes back.
//
// Who writes an entry: its transaction's process (or redo). Who moves pages: the holder of the XidGeneration
// lock. A page that is being moved is still read from the ring; writers wait for the end of the move.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "node/base/ids.h"

namespace walden {

inline constexpr uint64_t kXidsPerCsnPage = 1020;
// Pages of the ring, a power of two: 4 MiB, the newest half million xids. Tests make it small before the area
// is made.
inline uint64_t csn_ring_pages = 512;

namespace csn {

inline constexpr uint64_t kInProgress = 0;
inline constexpr uint64_t kAborted = 1;
inline constexpr uint64_t kCommittedLongAgo = 2;  // below every real LSN
inline constexpr uint64_t kParentBit = uint64_t{1} << 63;
constexpr bool IsParent(uint64_t entry) { return (entry & kParentBit) != 0; }
constexpr Xid ParentOf(uint64_t entry) { return Xid{entry & ~kParentBit}; }
constexpr bool IsCommitted(uint64_t entry) { return entry >= kCommittedLongAgo && !IsParent(entry); }
constexpr bool IsFinished(uint64_t entry) { return entry != kInProgress && !IsParent(entry); }

// False when the page was dropped.
bool Read(Xid xid, uint64_t* entry);
// Sequentially consistent store. A dropped page (redo of what is long settled) is left alone.
void Write(Xid xid, uint64_t entry);

// An entry kept in memory and in place, for the one store under the commit latch.
class PinnedEntry {
 public:
  explicit PinnedEntry(Xid xid);
  ~PinnedEntry();
  PinnedEntry(const PinnedEntry&) = delete;
  PinnedEntry& operator=(const PinnedEntry&) = delete;
  void Store(uint64_t value);

 private:
  Xid xid_;
  void* frame_;  // ring frame pinned, or nullptr: in the scratch log
};

// Makes the page of `xid`, all in progress, moving or dropping what stands in its place. Requires:
// XidGeneration lock (or the startup process alone), and every earlier page made.
void CreatePage(uint64_t page);
inline uint64_t PageOf(Xid xid) { return xid.value / kXidsPerCsnPage; }

// Moves the floor up over droppable pages and removes spill files below it. One caller at a time gets
// through.
void Trim();
Xid FloorXid();
// Empties the window; pages below PageOf(floor) count as dropped.
void Reset(Xid floor);

}  // namespace csn

size_t CsnAreaSize();
void CsnAreaInit(void* at);

}  // namespace walden

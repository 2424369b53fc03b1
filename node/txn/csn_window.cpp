#include "node/txn/csn_window.h"

#include <cstring>
#include <new>

#include "node/base/bytes.h"
#include "node/base/check.h"
#include "node/shm/spinlock.h"
#include "node/txn/horizon.h"
#include "node/txn/page_log.h"
#include "node/txn/txn_shared.h"

namespace walden {
namespace {

static_assert(kXidsPerCsnPage * 8 <= kPageLogPayload);
constexpr int kSpillBanks = 4;

// One page of the ring. tag: (page number + 1) << 1 | being moved; 0 = empty.
struct alignas(64) RingFrame {
  std::atomic<uint64_t> tag;
  std::atomic<uint32_t> pins;  // writers now storing, and committers about to
  std::atomic<uint64_t> entries[kXidsPerCsnPage];
};

struct CsnShared {
  std::atomic<uint64_t> floor;  // pages below are dropped. Never falls but in Reset
  uint64_t ring_mask;
  std::atomic<bool> trimming;
  PageLog* spill;
  RingFrame* ring;
};
CsnShared* shared;

RingFrame& FrameOf(uint64_t page) { return shared->ring[page & shared->ring_mask]; }
constexpr uint64_t TagOf(uint64_t page) { return (page + 1) << 1; }

std::atomic_ref<uint64_t> SpilledEntry(PageLog::Page& page, uint64_t slot) {
  return std::atomic_ref<uint64_t>(reinterpret_cast<uint64_t*>(page.payload())[slot]);
}

// Pins the ring frame of `page`; nullptr when the page is not in the ring. Waits out a move.
RingFrame* PinFrame(uint64_t page) {
  RingFrame& frame = FrameOf(page);
  for (int spins = 0;; ++spins) {
    frame.pins.fetch_add(1, std::memory_order_seq_cst);
    uint64_t tag = frame.tag.load(std::memory_order_seq_cst);
    if (tag == TagOf(page)) return &frame;
    frame.pins.fetch_sub(1, std::memory_order_seq_cst);
    if ((tag & ~uint64_t{1}) != TagOf(page)) return nullptr;
    SpinPause();
    if (spins > 100) sched_yield();
  }
}

// Whether the entries of a page may be forgotten; `entry(i)` reads them.
template <class Entry>
bool Droppable(uint64_t page, Lsn horizon, Entry&& entry) {
  for (uint64_t i = 0; i < kXidsPerCsnPage; ++i) {
    Xid xid{page * kXidsPerCsnPage + i};
    if (!xid.IsNormal()) continue;
    uint64_t value = entry(i);
    if (!csn::IsFinished(value)) return false;
    if (value == csn::kAborted) continue;
    // The bit is set just after the entry by a committer that may be pausing between the two.
    if (value > horizon.value || !ClogIsCommitted(xid)) return false;
  }
  return true;
}

void MoveOut(RingFrame& frame) {
  uint64_t tag = frame.tag.load(std::memory_order_seq_cst);
  if (tag == 0) return;
  uint64_t page = (tag >> 1) - 1;
  frame.tag.store(tag | 1, std::memory_order_seq_cst);
  for (int spins = 0; frame.pins.load(std::memory_order_seq_cst) != 0; ++spins) {
    SpinPause();
    if (spins > 100) sched_yield();
  }
  try {
    auto read = [&](uint64_t i) { return frame.entries[i].load(std::memory_order_relaxed); };
    if (page >= shared->floor.load() && !Droppable(page, ComputeHorizon(), read)) {
      PageLog::Page spilled = shared->spill->Change(page);
      for (uint64_t i = 0; i < kXidsPerCsnPage; ++i) SpilledEntry(spilled, i).store(read(i));
      spilled.MarkChanged(kInvalidLsn);
    }
  } catch (...) {
    frame.tag.store(tag, std::memory_order_seq_cst);
    throw;
  }
  frame.tag.store(0, std::memory_order_seq_cst);
}

}  // namespace

namespace csn {

bool Read(Xid xid, uint64_t* entry) {
  uint64_t page = PageOf(xid), slot = xid.value % kXidsPerCsnPage;
  if (page < shared->floor.load(std::memory_order_acquire)) return false;
  RingFrame& frame = FrameOf(page);
  if ((frame.tag.load(std::memory_order_acquire) >> 1) == page + 1) {
    uint64_t value = frame.entries[slot].load(std::memory_order_seq_cst);
    // The frame's next life begins by changing the tag, so an unchanged tag vouches for the value.
    if ((frame.tag.load(std::memory_order_acquire) >> 1) == page + 1) {
      *entry = value;
      return true;
    }
  }
  PageLog::Page spilled = shared->spill->Read(page);
  if (spilled.absent()) return false;
  *entry = SpilledEntry(spilled, slot).load();
  return true;
}

void Write(Xid xid, uint64_t entry) {
  uint64_t page = PageOf(xid), slot = xid.value % kXidsPerCsnPage;
  if (page < shared->floor.load(std::memory_order_acquire)) return;
  if (RingFrame* frame = PinFrame(page)) {
    frame->entries[slot].store(entry, std::memory_order_seq_cst);
    frame->pins.fetch_sub(1, std::memory_order_seq_cst);
    return;
  }
  PageLog::Page spilled = shared->spill->Change(page);
  if (spilled.absent()) return;
  SpilledEntry(spilled, slot).store(entry);
  spilled.MarkChanged(kInvalidLsn);
}

PinnedEntry::PinnedEntry(Xid xid) : xid_(xid), frame_(PinFrame(PageOf(xid))) {
  if (frame_ == nullptr) shared->spill->Preload(PageOf(xid));
}

PinnedEntry::~PinnedEntry() {
  if (frame_ != nullptr) static_cast<RingFrame*>(frame_)->pins.fetch_sub(1, std::memory_order_seq_cst);
}

void PinnedEntry::Store(uint64_t value) {
  if (frame_ == nullptr) return Write(xid_, value);
  static_cast<RingFrame*>(frame_)->entries[xid_.value % kXidsPerCsnPage].store(value,
                                                                               std::memory_order_seq_cst);
}

void CreatePage(uint64_t page) {
  RingFrame& frame = FrameOf(page);
  if ((frame.tag.load(std::memory_order_seq_cst) >> 1) == page + 1) return;
  MoveOut(frame);
  for (auto& entry : frame.entries) entry.store(kInProgress, std::memory_order_release);
  frame.tag.store(TagOf(page), std::memory_order_seq_cst);
}

void Trim() {
  if (shared->trimming.exchange(true, std::memory_order_acquire)) return;
  struct Done {
    ~Done() { shared->trimming.store(false, std::memory_order_release); }
  } done;
  Lsn horizon = ComputeHorizon();
  uint64_t page = shared->floor.load(), limit = PageOf(OldestRunningXid());
  while (page < limit) {
    bool droppable;
    if (RingFrame* frame = PinFrame(page)) {
      droppable = Droppable(page, horizon, [&](uint64_t i) { return frame->entries[i].load(); });
      frame->pins.fetch_sub(1, std::memory_order_seq_cst);
    } else {
      PageLog::Page spilled = shared->spill->Read(page);
      droppable = spilled.absent() ||
                  Droppable(page, horizon, [&](uint64_t i) { return SpilledEntry(spilled, i).load(); });
    }
    if (!droppable) break;
    shared->floor.store(++page, std::memory_order_seq_cst);
  }
  shared->spill->Truncate(page);
}

Xid FloorXid() { return Xid{shared->floor.load() * kXidsPerCsnPage}; }

void Reset(Xid floor) {
  for (uint64_t i = 0; i <= shared->ring_mask; ++i) shared->ring[i].tag.store(0);
  shared->spill->Clear();
  shared->floor.store(PageOf(floor));
}

}  // namespace csn

namespace {
constexpr size_t kRingAt = 4096;
size_t SpillAt() { return kRingAt + AlignUp(csn_ring_pages * sizeof(RingFrame), 4096); }
}  // namespace

size_t CsnAreaSize() { return SpillAt() + PageLog::Size(kSpillBanks); }

void CsnAreaInit(void* at) {
  static_assert(sizeof(CsnShared) <= kRingAt);
  shared = new (at) CsnShared{};
  shared->ring_mask = csn_ring_pages - 1;
  // Zeroed memory is an empty ring: nothing is touched before it is used.
  shared->ring = reinterpret_cast<RingFrame*>(static_cast<char*>(at) + kRingAt);
  shared->spill = PageLog::Create(static_cast<char*>(at) + SpillAt(),
                                  {"pg_csn", SyncKind::kXact, true, kSpillBanks, NodeCounter::kCsnZeroed});
}

}  // namespace walden

// Choosing the buffer to reuse: clock sweep over usage counts, or a strategy's ring.
#include <cstring>
#include <optional>

#include "node/base/error.h"
#include "node/buffer/buffer_state.h"
#include "node/buffer/writeback.h"
#include "node/config/settings.h"
#include "node/stats/counters.h"
#include "node/wal/wal.h"

namespace walden {

using namespace buffer_internal;

BufferStrategy::BufferStrategy(StrategyKind kind) : kind_(kind) {
  // A ring is never more than an eighth of the pool. A load takes all of that: the longer a page waits, the more of its
  // WAL is on disk already, and most loads leave the writing to the checkpointer.
  constexpr int kReadRing = 256 * 1024 / static_cast<int>(kPageSize);
  int most = SharedBufferCount() / 8;
  size_ = std::max(1, kind == StrategyKind::kBulkWrite ? most : std::min(kReadRing, most));
  ring_ = new int32_t[static_cast<size_t>(size_)]();
}
BufferStrategy::~BufferStrategy() { delete[] ring_; }

namespace buffer_internal {
namespace {

// Pins the buffer if nobody has it pinned and its usage count is at most `max_usage`.
bool PinIfIdle(Pool* pool, uint32_t index, uint32_t max_usage) {
  Descriptor& descriptor = pool->descriptor(index);
  uint32_t state = descriptor.LockHeader();
  bool idle = Pins(state) == 0 && Usage(state) <= max_usage;
  if (idle) {
    descriptor.state.fetch_add(kPinOne, std::memory_order_relaxed);
    private_pins.Add(static_cast<int32_t>(index) + 1);
  }
  descriptor.UnlockHeader();
  return idle;
}

uint32_t SweepClock(Pool* pool) {
  uint64_t idle_steps = 0;
  for (;;) {
    uint32_t index =
        static_cast<uint32_t>(pool->hand.fetch_add(1, std::memory_order_relaxed) % pool->buffer_count);
    Descriptor& descriptor = pool->descriptor(index);
    uint32_t state = descriptor.state.load(std::memory_order_relaxed);
    if (Pins(state) == 0) {
      if (Usage(state) == 0) {
        if (PinIfIdle(pool, index, 0)) return index;
      } else {
        descriptor.state.compare_exchange_strong(state, state - kUsageOne, std::memory_order_relaxed);
        idle_steps = 0;
        continue;
      }
    }
    // A whole round in which nothing could even be aged: everything is pinned.
    if (++idle_steps > uint64_t{pool->buffer_count} * 2) {
      throw SqlError(ErrorCode::kInternalError, "no unpinned buffers available");
    }
  }
}

// A buffer that holds nothing, pinned, while a quarter of the pool is such: a load takes those before it writes pages of its
// own to make room, and leaves the rest to others. The lowest first: what was in use before is in memory already.
std::optional<uint32_t> TakeUnused(Pool* pool) {
  for (uint32_t step = 0; step < pool->buffer_count; ++step) {
    if (pool->unused.load(std::memory_order_relaxed) <= pool->buffer_count / 4) break;
    uint32_t index = pool->lowest_unused.fetch_add(1, std::memory_order_relaxed);
    if (index >= pool->buffer_count) {
      pool->lowest_unused.store(0, std::memory_order_relaxed);
      continue;
    }
    uint32_t state = pool->descriptor(index).state.load(std::memory_order_relaxed);
    if ((state & kTagged) != 0 || !PinIfIdle(pool, index, 0)) continue;
    if ((pool->descriptor(index).state.load(std::memory_order_relaxed) & kTagged) == 0) return index;
    Unpin(pool, index);
  }
  return std::nullopt;
}

// backend_flush_after: what this process writes to make room goes to disk in runs.
void NoteSessionWrite(const PageKey& key) {
  static thread_local WritebackRuns runs(0);
  runs.SetLimit(GetInt(Setting::kBackendFlushAfter));
  runs.Add(key);
}

// False: take another one.
bool CleanVictim(Pool* pool, uint32_t index, BufferStrategy* strategy, bool from_ring) {
  Descriptor& descriptor = pool->descriptor(index);
  if ((descriptor.state.load(std::memory_order_acquire) & kDirty) == 0) return true;
  if (!descriptor.content.TryAcquire(LwMode::kShared)) return false;
  bool would_flush = from_ring && strategy->kind() == StrategyKind::kBulkRead && WalIsWritable() &&
                     PageLsn(pool->page(index)) > FlushedLsn();
  try {
    if (!would_flush) {
      PageKey key = KeyOf(descriptor.tag());
      WriteBuffer(pool, index);
      NoteSessionWrite(key);
    }
  } catch (...) {
    descriptor.content.Release();
    throw;
  }
  descriptor.content.Release();
  return !would_flush;
}

}  // namespace

bool Untag(Pool* pool, uint32_t index) {
  Descriptor& descriptor = pool->descriptor(index);
  if ((descriptor.state.load(std::memory_order_relaxed) & kTagged) == 0) return true;
  Tag tag = descriptor.tag();  // stable: pinned
  uint64_t hash = HashTag(tag);
  LwLockGuard guard(pool->partition(hash), LwMode::kExclusive);
  uint32_t state = descriptor.LockHeader();
  bool sole = Pins(state) == 1 && (state & (kDirty | kIoInProgress)) == 0;
  if (sole) {
    RemoveLocked(pool, index, hash);
    descriptor.SetTag(Tag{});
    descriptor.state.fetch_and(~uint32_t{kTagged | kValid | kUsageMask | kJustDirtied | kCheckpointNeeded},
                               std::memory_order_relaxed);
    pool->unused.fetch_add(1, std::memory_order_relaxed);
  }
  descriptor.UnlockHeader();
  return sole;
}

uint32_t TakeVictim(Pool* pool, BufferStrategy* strategy) {
  if (strategy == nullptr || strategy->kind() != StrategyKind::kBulkRead)
    Count(NodeCounter::kBuffersAllocated);
  if (strategy != nullptr && strategy->kind() == StrategyKind::kBulkWrite) {
    if (std::optional<uint32_t> unused = TakeUnused(pool)) return *unused;
  }
  // What moves the clock hand: the background writer cleans ahead of it.
  if (strategy == nullptr || strategy->kind() != StrategyKind::kBulkRead)
    pool->allocations.fetch_add(1, std::memory_order_relaxed);
  int32_t* ring_slot = nullptr;
  if (strategy != nullptr) BufferPool::NextRingSlot(strategy, &ring_slot);
  for (;;) {
    uint32_t index;
    bool from_ring = ring_slot != nullptr && *ring_slot != 0;
    if (from_ring && PinIfIdle(pool, static_cast<uint32_t>(*ring_slot - 1), 1)) {
      index = static_cast<uint32_t>(*ring_slot - 1);
    } else {
      from_ring = false;
      index = SweepClock(pool);
    }
    bool taken;
    try {
      taken = CleanVictim(pool, index, strategy, from_ring) && Untag(pool, index);
    } catch (...) {
      Unpin(pool, index);
      throw;
    }
    if (taken) {
      if (ring_slot != nullptr) *ring_slot = static_cast<int32_t>(index) + 1;
      return index;
    }
    Unpin(pool, index);
    if (from_ring) *ring_slot = 0;  // lost to somebody who uses it more, or too dear to reuse
  }
}

bool InstallTag(Pool* pool, uint32_t victim, const Tag& tag, uint64_t hash, bool touch, uint32_t* existing) {
  LwLockGuard guard(pool->partition(hash), LwMode::kExclusive);
  int found = FindLocked(pool, tag, hash);
  if (found >= 0) {
    Pin(pool, static_cast<uint32_t>(found), touch);
    *existing = static_cast<uint32_t>(found);
    return false;
  }
  Descriptor& descriptor = pool->descriptor(victim);
  uint32_t state = descriptor.LockHeader();
  DCHECK((state & (kTagged | kDirty | kIoInProgress)) == 0);
  (void)state;
  descriptor.SetTag(tag);
  descriptor.state.fetch_or(kTagged | kIoInProgress | kUsageOne, std::memory_order_relaxed);
  pool->unused.fetch_sub(1, std::memory_order_relaxed);
  descriptor.UnlockHeader();
  InsertLocked(pool, victim, hash);
  return true;
}

}  // namespace buffer_internal
}  // namespace walden

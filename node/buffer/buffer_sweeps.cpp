// Work over many buffers: dropping, flushing, checkpoints, the background writer.
#include <algorithm>
#include <vector>

#include "node/base/error.h"
#include "node/buffer/buffer_state.h"
#include "node/buffer/writeback.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/stats/counters.h"

namespace walden {

using namespace buffer_internal;

namespace {

// Loads take it before they take buffers that were never used.
void NoteUnused(Pool* pool, uint32_t index) {
  pool->unused.fetch_add(1, std::memory_order_relaxed);
  uint32_t lowest = pool->lowest_unused.load(std::memory_order_relaxed);
  while (index < lowest &&
         !pool->lowest_unused.compare_exchange_weak(lowest, index, std::memory_order_relaxed)) {
  }
}

// Takes the buffer's page away, dirty or not. Others may hold it for a moment (a background write): they are
// waited for, but nobody may be using the page.
void Discard(Pool* pool, uint32_t index, const Tag& tag) {
  Descriptor& descriptor = pool->descriptor(index);
  uint64_t hash = HashTag(tag);
  for (int spins = 0;; ++spins) {
    {
      LwLockGuard guard(pool->partition(hash), LwMode::kExclusive);
      uint32_t state = descriptor.LockHeader();
      bool same = descriptor.HasTag(tag) && (state & kTagged) != 0;
      bool idle = Pins(state) == 0;
      if (same && idle) {
        RemoveLocked(pool, index, hash);
        descriptor.SetTag(Tag{});
        descriptor.state.fetch_and(
            ~uint32_t{kTagged | kValid | kDirty | kJustDirtied | kCheckpointNeeded | kUsageMask},
            std::memory_order_relaxed);
        NoteUnused(pool, index);
      }
      descriptor.UnlockHeader();
      if (!same || idle) return;
    }
    if (private_pins.Find(static_cast<int32_t>(index) + 1) != nullptr) {
      throw SqlError(ErrorCode::kInternalError, "buffer {} of a dropped relation is pinned", index);
    }
    AwaitIo(descriptor);
    Descriptor::HeaderDelay(&spins);
  }
}

template <class Match>
void DiscardMatching(Match&& match) {
  Pool* pool = ThePool();
  for (uint32_t i = 0; i < pool->buffer_count; ++i) {
    Descriptor& descriptor = pool->descriptor(i);
    if ((descriptor.state.load(std::memory_order_acquire) & kTagged) == 0) continue;
    Tag tag = descriptor.tag();
    if (match(KeyOf(tag))) Discard(pool, i, tag);
  }
}

// Pins the buffer if it still is dirty with `tag`, writes it, unpins.
bool WriteIfDirty(Pool* pool, uint32_t index, uint32_t required) {
  Descriptor& descriptor = pool->descriptor(index);
  uint32_t state = descriptor.LockHeader();
  bool wanted = (state & required) == required;
  if (wanted) {
    if (PrivatePin* mine = private_pins.Find(static_cast<int32_t>(index) + 1)) {
      ++mine->count;
    } else {
      descriptor.state.fetch_add(kPinOne, std::memory_order_relaxed);
      private_pins.Add(static_cast<int32_t>(index) + 1);
    }
  }
  descriptor.UnlockHeader();
  if (!wanted) return false;
  BufferPin pin = BufferPool::MakePin(static_cast<int32_t>(index) + 1, pool->page(index));
  PageLock lock(pin, PageLockMode::kShared);
  WriteBuffer(pool, index);
  return true;
}

template <class Match>
void WriteMatching(Match&& match) {
  Pool* pool = ThePool();
  for (uint32_t i = 0; i < pool->buffer_count; ++i) {
    Descriptor& descriptor = pool->descriptor(i);
    uint32_t state = descriptor.state.load(std::memory_order_acquire);
    if ((state & (kTagged | kDirty)) == (kTagged | kDirty) && match(KeyOf(descriptor.tag()))) {
      WriteIfDirty(pool, i, kValid | kDirty);
    }
  }
}

}  // namespace

void DropRelationBuffers(const RelFileLocator& rel) {
  if (rel.IsTemporary()) {
    DropLocalBuffers(rel, -1, 0);
    return;
  }
  DiscardMatching([&](const PageKey& key) { return key.rel == rel; });
}
void DropRelationBuffersFrom(const RelFileLocator& rel, Fork fork, BlockNumber first) {
  if (rel.IsTemporary()) {
    DropLocalBuffers(rel, static_cast<int>(fork), first);
    return;
  }
  DiscardMatching(
      [&](const PageKey& key) { return key.block >= first && key.fork == fork && key.rel == rel; });
}
void DropBuffersOfRelations(std::span<const RelFileLocator> rels) {
  std::vector<RelFileLocator> shared;
  for (const RelFileLocator& rel : rels) {
    if (rel.IsTemporary())
      DropLocalBuffers(rel, -1, 0);
    else
      shared.push_back(rel);
  }
  if (shared.empty()) return;
  std::sort(shared.begin(), shared.end());
  DiscardMatching(
      [&](const PageKey& key) { return std::binary_search(shared.begin(), shared.end(), key.rel); });
}
void DropDatabaseBuffers(Oid database) {
  DiscardMatching([&](const PageKey& key) { return key.rel.database == database; });
}
void FlushRelationBuffers(const RelFileLocator& rel) {
  if (rel.IsTemporary()) {
    FlushLocalBuffers(rel);
    return;
  }
  WriteMatching([&](const PageKey& key) { return key.rel == rel; });
}
void FlushDatabaseBuffers(Oid database) {
  WriteMatching([&](const PageKey& key) { return key.rel.database == database; });
}
void FlushForkBuffers(Fork fork) {
  WriteMatching([&](const PageKey& key) { return key.fork == fork; });
}

// ---- checkpoint ----

namespace {

struct ToWrite {
  PageKey key;
  uint32_t index;
  bool operator<(const ToWrite& other) const { return key < other.key; }
};

std::vector<ToWrite> MarkForCheckpoint(Pool* pool, bool everything) {
  std::vector<ToWrite> list;
  for (uint32_t i = 0; i < pool->buffer_count; ++i) {
    Descriptor& descriptor = pool->descriptor(i);
    if ((descriptor.state.load(std::memory_order_seq_cst) & kDirty) == 0) continue;
    uint32_t state = descriptor.LockHeader();
    PageKey key = KeyOf(descriptor.tag());
    if ((state & kDirty) != 0 && (everything || NeedsWal(key.rel, key.fork))) {
      descriptor.state.fetch_or(kCheckpointNeeded, std::memory_order_relaxed);
      list.push_back({key, i});
    }
    descriptor.UnlockHeader();
  }
  std::sort(list.begin(), list.end());
  return list;
}

}  // namespace

int WriteDirtyBuffers(bool everything, CheckpointPace pace) {
  Pool* pool = ThePool();
  std::vector<ToWrite> list = MarkForCheckpoint(pool, everything);
  WritebackRuns writeback(GetInt(Setting::kCheckpointFlushAfter));
  int written = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    if (WriteIfDirty(pool, list[i].index, kValid | kDirty | kCheckpointNeeded)) {
      ++written;
      Count(NodeCounter::kBuffersCheckpoint);
      writeback.Add(list[i].key);
    }
    if (pace != nullptr) pace(static_cast<double>(i + 1) / static_cast<double>(list.size()));
  }
  return written;
}

// ---- background writer ----

namespace {

struct WriterState {
  uint64_t position = 0;     // next buffer to clean, in clock steps
  uint64_t allocations = 0;  // at the last round
  double smoothed_demand = 0;
  int idle_rounds = 0;
};
thread_local WriterState writer;

}  // namespace

// Cleans unused buffers ahead of the clock hand: as many as were allocated lately, times a factor.
bool BackgroundWriterRound() {
  Pool* pool = ThePool();
  int64_t limit = GetInt(Setting::kBgwriterLruMaxpages);
  uint64_t allocations = pool->allocations.load(std::memory_order_relaxed);
  uint64_t recent = allocations - writer.allocations;
  writer.allocations = allocations;
  double demand = static_cast<double>(recent) * GetReal(Setting::kBgwriterLruMultiplier);
  // Rise at once, fall slowly.
  writer.smoothed_demand = demand > writer.smoothed_demand
                               ? demand
                               : writer.smoothed_demand + (demand - writer.smoothed_demand) / 16;

  uint64_t hand = pool->hand.load(std::memory_order_relaxed);
  uint64_t horizon = hand + pool->buffer_count;
  writer.position = std::clamp(writer.position, hand, horizon);
  int64_t wanted = static_cast<int64_t>(writer.smoothed_demand), written = 0, reusable = 0;
  WritebackRuns writeback(GetInt(Setting::kBgwriterFlushAfter));
  while (reusable < wanted && writer.position < horizon && written < limit) {
    uint32_t index = static_cast<uint32_t>(writer.position++ % pool->buffer_count);
    uint32_t state = pool->descriptor(index).state.load(std::memory_order_relaxed);
    if (Pins(state) != 0 || Usage(state) != 0) continue;
    ++reusable;
    if ((state & kDirty) == 0) continue;
    PageKey key = KeyOf(pool->descriptor(index).tag());
    if (!WriteIfDirty(pool, index, kValid | kDirty)) continue;
    ++written;
    writeback.Add(key);
  }
  Count(NodeCounter::kBuffersClean, static_cast<uint64_t>(written));
  if (written >= limit && limit > 0) Count(NodeCounter::kMaxWrittenClean);
  writer.idle_rounds = recent == 0 && written == 0 ? writer.idle_rounds + 1 : 0;
  return writer.idle_rounds > 3;
}

}  // namespace walden

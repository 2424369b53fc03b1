// Finding, reading and adding pages.
#include "node/buffer/buffer_pool.h"

#include <sys/mman.h>

#include <cstring>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/buffer/buffer_state.h"
#include "node/config/settings.h"
#include "node/stats/counters.h"

namespace walden {

using namespace buffer_internal;

namespace {

constexpr int kReadAheadPages = 16;  // read by one system call in a bulk scan

BufferPin PinOf(Pool* pool, uint32_t index) {
  return BufferPool::MakePin(static_cast<int32_t>(index) + 1, pool->page(index));
}

bool IsValid(Pool* pool, uint32_t index) {
  return (pool->descriptor(index).state.load(std::memory_order_acquire) & kValid) != 0;
}

// A zeroed page, exclusively locked before anybody else can see it as valid. Requires: I/O begun by this
// process.
void FinishAsZeroedAndLocked(Pool* pool, BufferPin& pin) {
  Descriptor& descriptor = pool->descriptor(static_cast<uint32_t>(BufferPool::NumberOf(pin) - 1));
  std::memset(pin.page(), 0, kPageSize);
  CHECK(pin.TryLockExclusive());
  EndIo(descriptor, kValid, false);
}

// Pages of one read: pinned, I/O begun. The first is the one asked for.
struct ReadRun {
  int count = 0;
  uint32_t indexes[kReadAheadPages];
  char* pages[kReadAheadPages];
  void Add(Pool* pool, uint32_t index) {
    indexes[count] = index;
    pages[count++] = pool->page(index);
  }
};

// Adds the following blocks that exist and are not in memory.
void PlanReadAhead(Pool* pool, PageKey key, BufferStrategy* strategy, ReadRun* run) {
  BlockNumber blocks = RelationBlocks(key.rel, key.fork);
  int limit =
      std::min<int>({kReadAheadPages, static_cast<int>(pool->buffer_count / 16),
                     static_cast<int>(std::min<uint64_t>(blocks - std::min(blocks, key.block), 1024))});
  while (run->count < limit) {
    ++key.block;
    Tag tag = MakeTag(key);
    uint64_t hash = HashTag(tag);
    if (int found = LookupAndPin(pool, tag, hash, false); found >= 0) {
      Unpin(pool, static_cast<uint32_t>(found));
      return;
    }
    uint32_t victim = TakeVictim(pool, strategy), existing;
    if (!InstallTag(pool, victim, tag, hash, false, &existing)) {
      Unpin(pool, existing);
      Unpin(pool, victim);
      return;
    }
    run->Add(pool, victim);
  }
}

// Gives up the I/O of run members [from, end): they stay tagged and invalid, or lose their tag if nobody
// looks.
void AbandonRun(Pool* pool, const ReadRun& run, int from) {
  for (int i = from; i < run.count; ++i) {
    EndIo(pool->descriptor(run.indexes[i]), 0, false);
    Untag(pool, run.indexes[i]);
    if (i > 0) Unpin(pool, run.indexes[i]);
  }
}

void ReadRunPages(Pool* pool, const PageKey& key, ReadMode mode, ReadRun* run) {
  int done = 0;
  try {
    int64_t start_us = GetBool(Setting::kTrackIoTiming) ? MonotonicUs() : 0;
    int got = run->count == 1 ? 1 : ReadRelationPagesUpTo(key, run->pages, run->count);
    if (run->count == 1 || got == 0) {
      ReadRelationPages(key, run->pages, 1);
      got = 1;
    }
    if (start_us != 0) {
      uint64_t us = static_cast<uint64_t>(MonotonicUs() - start_us);
      buffer_statistics.read_us += us;
      Count(DatabaseCounter::kReadUs, us);
    }
    for (; done < got; ++done) {
      PageKey page = key;
      page.block += static_cast<BlockNumber>(done);
      if (done > 0 && !PageIsValid(run->pages[done], page.block, data_checksums_enabled))
        break;  // its reader will complain
      CheckReadPage(page, run->pages[done], mode);
      EndIo(pool->descriptor(run->indexes[done]), kValid, false);
      if (done > 0) Unpin(pool, run->indexes[done]);
      ++buffer_statistics.shared_reads;
    }
  } catch (...) {
    AbandonRun(pool, *run, done);
    throw;
  }
  AbandonRun(pool, *run, done);
}

// Reads the page that this process has begun I/O for; `pin` is its pin.
void FillPage(Pool* pool, const PageKey& key, ReadMode mode, BufferStrategy* strategy, BufferPin& pin) {
  if (mode == ReadMode::kZeroAndLock || mode == ReadMode::kWillOverwrite) {
    FinishAsZeroedAndLocked(pool, pin);
    return;
  }
  ReadRun run;
  run.Add(pool, static_cast<uint32_t>(BufferPool::NumberOf(pin) - 1));
  try {
    if (strategy != nullptr && strategy->kind() == StrategyKind::kBulkRead)
      PlanReadAhead(pool, key, strategy, &run);
  } catch (...) {
    AbandonRun(pool, run, 0);
    throw;
  }
  ReadRunPages(pool, key, mode, &run);
}

// The page is in the table and pinned: waits until it is valid, or reads it if an earlier reader failed.
void AwaitValid(Pool* pool, const PageKey& key, ReadMode mode, BufferPin& pin) {
  uint32_t index = static_cast<uint32_t>(BufferPool::NumberOf(pin) - 1);
  if (!IsValid(pool, index) && BeginIo(pool->descriptor(index), true)) {
    FillPage(pool, key, mode, nullptr, pin);
    return;
  }
  ++buffer_statistics.shared_hits;
  if (mode == ReadMode::kZeroAndLock || mode == ReadMode::kWillOverwrite) pin.LockExclusive();
  if (mode == ReadMode::kZeroAndLock) std::memset(pin.page(), 0, kPageSize);
}

BufferPin ReadMissedPage(Pool* pool, const PageKey& key, const Tag& tag, uint64_t hash, ReadMode mode,
                         BufferStrategy* strategy) {
  {
    LwLockGuard guard(pool->partition(hash), LwMode::kShared);
    int found = FindLocked(pool, tag, hash);
    if (found >= 0) {
      Pin(pool, static_cast<uint32_t>(found), strategy == nullptr);
      guard.Release();
      BufferPin pin = PinOf(pool, static_cast<uint32_t>(found));
      AwaitValid(pool, key, mode, pin);
      return pin;
    }
  }
  if (mode == ReadMode::kIfExists && key.block >= RelationBlocks(key.rel, key.fork, true)) return {};
  BufferPin victim = PinOf(pool, TakeVictim(pool, strategy));
  uint32_t existing;
  if (!InstallTag(pool, static_cast<uint32_t>(BufferPool::NumberOf(victim) - 1), tag, hash,
                  strategy == nullptr, &existing)) {
    BufferPin pin = PinOf(pool, existing);
    victim.Release();
    AwaitValid(pool, key, mode, pin);
    return pin;
  }
  FillPage(pool, key, mode, strategy, victim);
  return victim;
}

}  // namespace

BufferPin ReadPage(const PageKey& key, ReadMode mode, BufferStrategy* strategy) {
  if (__builtin_expect(key.rel.IsTemporary(), 0)) return ReadLocalPage(key, mode, false);
  Pool* pool = ThePool();
  Tag tag = MakeTag(key);
  uint64_t hash = HashTag(tag);
  int found = LookupAndPin(pool, tag, hash, strategy == nullptr);
  if (__builtin_expect(found < 0, 0)) return ReadMissedPage(pool, key, tag, hash, mode, strategy);
  BufferPin pin = PinOf(pool, static_cast<uint32_t>(found));
  bool plain = mode != ReadMode::kZeroAndLock && mode != ReadMode::kWillOverwrite;
  if (__builtin_expect(IsValid(pool, static_cast<uint32_t>(found)) && plain, 1)) {
    ++buffer_statistics.shared_hits;
    return pin;
  }
  AwaitValid(pool, key, mode, pin);
  return pin;
}

BufferPin ReadPageIfCached(const PageKey& key) {
  if (key.rel.IsTemporary()) return ReadLocalPage(key, ReadMode::kNormal, true);
  Pool* pool = ThePool();
  Tag tag = MakeTag(key);
  int found = LookupAndPin(pool, tag, HashTag(tag), true);
  if (found < 0) return {};
  BufferPin pin = PinOf(pool, static_cast<uint32_t>(found));
  if (!IsValid(pool, static_cast<uint32_t>(found))) return {};
  return pin;
}

void PrefetchPages(const RelFileLocator& rel, Fork fork, BlockNumber first, int count) {
  if (rel.IsTemporary()) return;
  Pool* pool = ThePool();
  for (int i = 0; i < count; ++i) {
    PageKey key{rel, fork, first + static_cast<BlockNumber>(i)};
    Tag tag = MakeTag(key);
    int found = LookupAndPin(pool, tag, HashTag(tag), false);
    if (found >= 0)
      Unpin(pool, static_cast<uint32_t>(found));
    else
      PrefetchRelationPages(key, 1);
  }
}

// ---- extension ----

namespace {

constexpr int kMaxExtension = 64;

// A block beyond the end may have a buffer: a failed extension's, or a page that somebody read past the end
// for.
void TakeOverBuffer(Pool* pool, const PageKey& key, uint32_t index) {
  Descriptor& descriptor = pool->descriptor(index);
  if (BeginIo(descriptor, true)) return;
  if (!PageIsNew(pool->page(index))) {
    throw SqlError(ErrorCode::kInternalError, "unexpected data beyond EOF in block {} of relation {}",
                   key.block, RelationPath(key.rel, key.fork));
  }
  // Valid and new: begin the "read" again so that this process decides when others may see it.
  descriptor.state.fetch_and(~uint32_t{kValid}, std::memory_order_acq_rel);
  CHECK(BeginIo(descriptor, true));
}

int TakeVictims(Pool* pool, int count, BufferStrategy* strategy, BufferPin* pins) {
  int limit = std::max(1, static_cast<int>(pool->buffer_count / 16));
  int wanted = std::min({count, limit, kMaxExtension});
  for (int i = 0; i < wanted; ++i) pins[i] = PinOf(pool, TakeVictim(pool, strategy));
  return wanted;
}

// Tags the buffers of blocks [first, first + count) with I/O begun. Requires: the extension lock.
void TagNewBlocks(Pool* pool, const PageKey& first, int count, BufferPin* pins) {
  for (int i = 0; i < count; ++i) {
    PageKey key = first;
    key.block += static_cast<BlockNumber>(i);
    Tag tag = MakeTag(key);
    uint32_t existing;
    uint32_t victim = static_cast<uint32_t>(BufferPool::NumberOf(pins[i]) - 1);
    if (InstallTag(pool, victim, tag, HashTag(tag), true, &existing)) continue;
    pins[i] = PinOf(pool, existing);
    TakeOverBuffer(pool, key, existing);
  }
}

// Maps the buffers into this process, as many at once as lie side by side: page by page, by writing, takes several times as
// long. Without effect on kernels that cannot.
void MapBuffers(int count, const BufferPin* pins) {
#ifdef MADV_POPULATE_READ
  for (int i = 0; i < count;) {
    int run = 1;
    while (i + run < count && pins[i + run].page() == pins[i].page() + run * kPageSize) ++run;
    if (run > 1) madvise(pins[i].page(), static_cast<size_t>(run) * kPageSize, MADV_POPULATE_READ);
    i += run;
  }
#endif
}

void AbandonNewBlocks(Pool* pool, int count, BufferPin* pins) {
  for (int i = 0; i < count; ++i) {
    uint32_t index = static_cast<uint32_t>(BufferPool::NumberOf(pins[i]) - 1);
    if ((pool->descriptor(index).state.load() & kIoInProgress) == 0) continue;
    EndIo(pool->descriptor(index), 0, false);
    Untag(pool, index);
  }
}

}  // namespace

namespace {

// Up to `limit` blocks in all; no pin if the file has so many.
BufferPin ExtendShared(const RelFileLocator& rel, Fork fork, int count, BlockNumber limit, int* added,
                       BufferStrategy* strategy) {
  Pool* pool = ThePool();
  BufferPin pins[kMaxExtension];
  count = TakeVictims(pool, count, strategy, pins);
  if (strategy != nullptr) MapBuffers(count, pins);
  uint64_t lock = HashTag(MakeTag({rel, fork, 0})) % kExtensionLocks;
  LwLockGuard guard(pool->extension[lock].lock, LwMode::kExclusive);
  PageKey first{rel, fork, RelationBlocks(rel, fork)};
  *added = 0;
  if (first.block >= limit) return {};
  count = static_cast<int>(std::min<uint64_t>(static_cast<uint64_t>(count), limit - first.block));
  try {
    TagNewBlocks(pool, first, count, pins);
    ExtendRelationFile(first, count);
  } catch (...) {
    AbandonNewBlocks(pool, count, pins);
    throw;
  }
  FinishAsZeroedAndLocked(pool, pins[0]);
  for (int i = 1; i < count; ++i) {
    std::memset(pins[i].page(), 0, kPageSize);
    EndIo(pool->descriptor(static_cast<uint32_t>(BufferPool::NumberOf(pins[i]) - 1)), kValid, false);
  }
  *added = count;
  return std::move(pins[0]);
}

}  // namespace

BufferPin ExtendRelationBy(const RelFileLocator& rel, Fork fork, int count, int* added,
                           BufferStrategy* strategy) {
  if (rel.IsTemporary()) return ExtendLocal(rel, fork, count, added);
  return ExtendShared(rel, fork, count, kInvalidBlock, added, strategy);
}

void ExtendRelationTo(const RelFileLocator& rel, Fork fork, BlockNumber blocks) {
  for (;;) {
    BlockNumber now = RelationBlocks(rel, fork);
    if (now >= blocks) return;
    int wanted = static_cast<int>(std::min<BlockNumber>(blocks - now, kMaxExtension));
    int added;
    BufferPin pin = ExtendShared(rel, fork, wanted, blocks, &added, nullptr);
    if (pin) pin.Unlock();
  }
}

BufferPin ExtendRelation(const RelFileLocator& rel, Fork fork, BufferStrategy* strategy) {
  int added;
  return ExtendRelationBy(rel, fork, 1, &added, strategy);
}

bool GetBufferInfo(int buffer, BufferInfo* info) {
  Descriptor& descriptor = ThePool()->descriptor(static_cast<uint32_t>(buffer));
  uint32_t state = descriptor.LockHeader();
  Tag tag = descriptor.tag();
  descriptor.UnlockHeader();
  if ((state & kTagged) == 0) return false;
  *info = {KeyOf(tag), (state & kDirty) != 0, static_cast<int>(Usage(state)), static_cast<int>(Pins(state))};
  return true;
}

}  // namespace walden

// Reading and writing one buffer, and who waits for whom meanwhile.
#include <climits>
#include <cstring>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/buffer/buffer_state.h"
#include "node/config/settings.h"
#include "node/os/futex.h"
#include "node/shm/process.h"
#include "node/shm/wait_events.h"
#include "node/stats/counter_tables.h"
#include "node/stats/counters.h"
#include "node/wal/wal.h"

namespace walden::buffer_internal {

void AwaitIo(Descriptor& descriptor) {
  for (;;) {
    uint32_t seen = descriptor.io_wake.load(std::memory_order_acquire);
    uint32_t state = descriptor.state.load(std::memory_order_acquire);
    if ((state & kIoInProgress) == 0) return;
    if ((state & kIoWaiter) == 0 &&
        !descriptor.state.compare_exchange_strong(state, state | kIoWaiter, std::memory_order_acq_rel)) {
      continue;
    }
    WaitEventScope waiting(WaitEvent::kBufferIo);
    FutexWait(&descriptor.io_wake, seen);
  }
}

bool BeginIo(Descriptor& descriptor, bool reading) {
  for (;;) {
    uint32_t state = descriptor.LockHeader();
    if ((state & kIoInProgress) != 0) {
      descriptor.UnlockHeader();
      AwaitIo(descriptor);
      continue;
    }
    bool done = reading ? (state & kValid) != 0 : (state & kDirty) == 0;
    if (!done) descriptor.state.fetch_or(kIoInProgress, std::memory_order_relaxed);
    descriptor.UnlockHeader();
    return !done;
  }
}

void EndIo(Descriptor& descriptor, uint32_t set, bool clear_dirty) {
  uint32_t old = descriptor.state.load(std::memory_order_relaxed);
  for (;;) {
    uint32_t desired = (old & ~uint32_t{kIoInProgress | kIoWaiter}) | set;
    if (clear_dirty && (old & kJustDirtied) == 0) desired &= ~uint32_t{kDirty | kCheckpointNeeded};
    if (descriptor.state.compare_exchange_weak(old, desired, std::memory_order_acq_rel)) break;
  }
  descriptor.io_wake.fetch_add(1, std::memory_order_release);
  if ((old & kIoWaiter) != 0) FutexWake(&descriptor.io_wake, INT_MAX);
}

void WriteBuffer(Pool* pool, uint32_t index) {
  Descriptor& descriptor = pool->descriptor(index);
  if (!BeginIo(descriptor, false)) return;
  char* page = pool->page(index);
  PageKey key = KeyOf(descriptor.tag());
  try {
    // In this order: what is dirtied from here on stays dirty, and the LSN covers all that is written.
    descriptor.state.fetch_and(~uint32_t{kJustDirtied}, std::memory_order_seq_cst);
    if (NeedsWal(key.rel, key.fork)) Flush(PageLsn(page));  // I7
    int64_t start_us = GetBool(Setting::kTrackIoTiming) ? MonotonicUs() : 0;
    MaybeFault(FaultPoint::kPageBeforeWrite);
    WriteRelationPages(key, &page, 1);
    MaybeFault(FaultPoint::kPageWritten);
    if (start_us != 0) {
      uint64_t us = static_cast<uint64_t>(MonotonicUs() - start_us);
      buffer_statistics.write_us += us;
      Count(DatabaseCounter::kWriteUs, us);
    }
  } catch (...) {
    EndIo(descriptor, kJustDirtied, false);
    throw;
  }
  EndIo(descriptor, 0, true);
  ++buffer_statistics.shared_written;
  if (self().kind.load(std::memory_order_relaxed) == ProcessKind::kBackend) {
    Count(NodeCounter::kBuffersBackend);
  }
}

void CheckReadPage(const PageKey& key, char* page, ReadMode mode) {
  if (PageIsValid(page, key.block, data_checksums_enabled)) return;
  if (data_checksums_enabled && !PageIsNew(page)) {
    uint32_t computed = PageChecksum(page, key.block);
    if (computed != HeaderOf(page)->checksum) {
      CountChecksumFailure(key.rel.database);
      Log(Severity::kWarning, "page verification failed, calculated checksum {} but expected {}", computed,
          HeaderOf(page)->checksum);
    }
  }
  // With the checksum put aside the rest of the header must still make sense.
  if (GetBool(Setting::kIgnoreChecksumFailure) && PageIsValid(page, key.block, false)) return;
  std::string path = RelationPath(key.rel, key.fork);
  if (mode == ReadMode::kZeroOnError || GetBool(Setting::kZeroDamagedPages)) {
    Log(Severity::kWarning, "invalid page in block {} of relation {}; zeroing out page", key.block, path);
    std::memset(page, 0, kPageSize);
    return;
  }
  throw SqlError(ErrorCode::kDataCorrupted, "invalid page in block {} of relation {}", key.block, path);
}

}  // namespace walden::buffer_internal

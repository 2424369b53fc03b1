// Writing and flushing: one process at a time holds write_lock; the others sleep on their slot's futex.
#include <climits>
#include <cstring>

#include "node/base/check.h"
#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/os/futex.h"
#include "node/shm/interrupts.h"
#include "node/shm/wait_events.h"
#include "node/stats/counters.h"
#include "node/wal/wal.h"
#include "node/wal/wal_shared.h"

namespace walden {

using namespace wal_internal;

namespace {

void (*flushed_callbacks[4])(Lsn);
void (*recovery_flush)(Lsn) = nullptr;
void (*segment_complete)(uint64_t) = nullptr;

class IoTimer {
 public:
  explicit IoTimer(NodeCounter total)
      : total_(total), start_us_(GetBool(Setting::kTrackWalIoTiming) ? MonotonicUs() : 0) {}
  ~IoTimer() {
    if (start_us_ != 0) Count(total_, static_cast<uint64_t>(MonotonicUs() - start_us_));
  }

 private:
  NodeCounter total_;
  int64_t start_us_;
};

void SyncSegment(File* file) {
  if (!GetBool(Setting::kFsync)) return;
  auto method = GetEnum<WalSyncMethod>(Setting::kWalSyncMethod);
  WaitEventScope waiting(WaitEvent::kWalSync);
  IoTimer timer(NodeCounter::kWalSyncUs);
  Count(NodeCounter::kWalSyncs);
  file->SyncOrPanic(method != WalSyncMethod::kFsync && method != WalSyncMethod::kOpenSync);
}

// Writes [from, to) of one segment in whole blocks: from the start of the block that holds `from` (its bytes
// are still in the ring) to the end of the one that holds `to`, zeroes behind `to`.
void WriteBlocks(WalShared* wal, File* file, Lsn from, Lsn to) {
  static const char kZeroes[kWalBlock] = {};
  uint64_t first = from.value & ~(kWalBlock - 1);
  uint64_t padding = (kWalBlock - to.value % kWalBlock) % kWalBlock;
  iovec parts[3];
  int count = 0;
  for (uint64_t at = first; at < to.value;) {
    uint64_t offset = at & (wal->ring_size - 1);
    uint64_t run = std::min(to.value - at, wal->ring_size - offset);
    parts[count++] = {wal->ring() + offset, run};
    at += run;
  }
  if (padding > 0) parts[count++] = {const_cast<char*>(kZeroes), padding};
  WaitEventScope waiting(WaitEvent::kWalWrite);
  IoTimer timer(NodeCounter::kWalWriteUs);
  Count(NodeCounter::kWalWrites);
  uint64_t offset = kWalSegmentHeaderSize + OffsetInSegment(Lsn{first});
  ssize_t want = static_cast<ssize_t>(to.value + padding - first);
  ssize_t wrote = fs().WriteVectorAt(file->fd(), parts, count, offset);
  if (wrote != want) {
    Panic("could not write to log file \"{}\" at offset {}, length {}: {}", file->path(), offset, want,
          std::strerror(wrote < 0 ? static_cast<int>(-wrote) : ENOSPC));
  }
}

File* OpenForWriting(WalShared* wal, uint64_t segment) {
  try {
    return SegmentForWriting(wal->timeline.load(), segment, wal->system_id.load());
  } catch (const SqlError& error) {
    Panic("{}", error.what());
  }
}

// Writes what is copied, up to `upto` at most, and syncs if asked. Requires: write_lock.
void WriteLocked(WalShared* wal, Lsn upto, bool sync) {
  Lsn from = wal->written_lsn();
  while (from < upto) {
    uint64_t segment = SegmentOf(from);
    Lsn end = std::min(upto, SegmentStart(segment + 1));
    File* file = OpenForWriting(wal, segment);
    WriteBlocks(wal, file, from, end);
    MaybeFault(FaultPoint::kWalWritten);
    if (OffsetInSegment(end) == 0) {
      // A segment is durable before the next one is begun: later flushes sync only the file they write to.
      SyncSegment(file);
      wal->flushed.store(end.value, std::memory_order_release);
      MaybeFault(FaultPoint::kWalSegmentFull);
      if (segment_complete != nullptr) segment_complete(segment);
    }
    from = end;
    wal->written.store(end.value, std::memory_order_release);
  }
  Lsn written = wal->written_lsn();
  if (!sync || wal->flushed_lsn() >= written) return;
  SyncSegment(OpenForWriting(wal, SegmentOf(Lsn{written.value - 1})));
  wal->flushed.store(written.value, std::memory_order_seq_cst);
}

void WakeFlushWaiter(InserterSlot& slot) {
  slot.flush_word.store(1, std::memory_order_seq_cst);
  FutexWake(&slot.flush_word, 1);
}

// After a flush: wakes those whose WAL is durable, and sees that somebody flushes for the rest.
void AfterFlush(WalShared* wal) {
  Lsn flushed = wal->flushed_lsn();
  for (auto* callback : flushed_callbacks) {
    if (callback != nullptr) callback(flushed);
  }
  if (wal->flush_waiters.load(std::memory_order_seq_cst) == 0) return;
  InserterSlot* unsatisfied = nullptr;
  int rest = 0;
  int used = wal->slots_used.load(std::memory_order_seq_cst), mine = MySlotIndex(wal);
  for (int i = 0; i < used; ++i) {
    InserterSlot& slot = wal->slots()[i];
    uint64_t wait = slot.flush_wait.load(std::memory_order_seq_cst);
    if (wait == 0 || i == mine) continue;
    if (wait <= flushed.value) {
      WakeFlushWaiter(slot);
    } else {
      unsatisfied = &slot;
      ++rest;
    }
  }
  if (rest == 0) return;
  int writer = wal->writer_slot.load(std::memory_order_seq_cst);
  if (rest > 1 && writer >= 0 && writer != mine)
    SlotAt(writer).latch.Set();
  else if (writer != mine)
    WakeFlushWaiter(*unsatisfied);
}

// Flushes at least to `upto` if nobody else is flushing; false if somebody is.
bool TryFlush(WalShared* wal, Lsn upto) {
  InsertedUpTo(upto);
  if (!wal->write_lock.TryAcquire(LwMode::kExclusive)) return false;
  if (wal->flushed_lsn() < upto) WriteLocked(wal, std::max(upto, CopiedUpTo(wal)), true);
  wal->write_lock.Release();
  AfterFlush(wal);
  return true;
}

void FlushSlow(WalShared* wal, Lsn upto) {
  InserterSlot& me = MySlot(wal);
  WaitEventScope waiting(WaitEvent::kWalFlush);
  me.flush_wait.store(upto.value, std::memory_order_seq_cst);
  wal->flush_waiters.fetch_add(1, std::memory_order_seq_cst);
  while (wal->flushed_lsn() < upto) {
    // Order: the word is cleared before the lock is tried. If it is taken, its holder looks for waiters after
    // releasing it, and so finds flush_wait.
    me.flush_word.store(0, std::memory_order_seq_cst);
    if (TryFlush(wal, upto)) continue;
    if (wal->flushed_lsn() >= upto) break;
    FutexWait(&me.flush_word, 0);
  }
  wal->flush_waiters.fetch_sub(1, std::memory_order_seq_cst);
  me.flush_wait.store(0, std::memory_order_seq_cst);
}

}  // namespace

void wal_internal::WriteForSpace(WalShared* wal, Lsn target) {
  InsertedUpTo(target);
  wal->write_lock.Acquire(LwMode::kExclusive);
  if (wal->written_lsn() < target) {
    Lsn copied = CopiedUpTo(wal);
    Lsn whole{copied.value & ~(kWalBlock - 1)};
    WriteLocked(wal, std::max(target, whole), false);
  }
  wal->write_lock.Release();
  if (wal->flush_waiters.load(std::memory_order_seq_cst) != 0) AfterFlush(wal);
}

void Flush(Lsn upto) {
  WalShared* wal = Shared();
  if (upto <= wal->flushed_lsn()) return;
  if (!WalIsWritable()) {
    if (recovery_flush != nullptr) recovery_flush(upto);
    return;
  }
  if (upto > wal->position()) {
    throw SqlError(ErrorCode::kInternalError, "xlog flush request {} is not satisfied --- flushed only to {}",
                   upto.ToString(), wal->flushed_lsn().ToString());
  }
  // Taking the lock at once is the lone committer's path: no announcement, no wake-ups.
  if (TryFlush(wal, upto) && wal->flushed_lsn() >= upto) return;
  FlushSlow(wal, upto);
}

namespace {

// wal_writer_flush_after: is there that much WAL that is not flushed?
bool IsWorthFlushing(WalShared* wal, Lsn upto) {
  uint64_t flushed = wal->flushed_lsn().value;
  return upto.value > flushed &&
         (upto.value - flushed) / kPageSize >= static_cast<uint64_t>(GetInt(Setting::kWalWriterFlushAfter));
}

}  // namespace

void RequestFlush(Lsn upto) {
  WalShared* wal = Shared();
  uint64_t seen = wal->flush_requested.load(std::memory_order_relaxed);
  while (seen < upto.value &&
         !wal->flush_requested.compare_exchange_weak(seen, upto.value, std::memory_order_release)) {
  }
  // Else it is flushed in the WAL writer's next round.
  int writer = wal->writer_slot.load(std::memory_order_relaxed);
  if (writer >= 0 && IsWorthFlushing(wal, upto)) SlotAt(writer).latch.Set();
}
Lsn RequestedFlushLsn() { return Lsn{Shared()->flush_requested.load(std::memory_order_acquire)}; }

void OnFlushed(void (*callback)(Lsn)) {
  for (auto*& entry : flushed_callbacks) {
    if (entry == callback) return;
    if (entry != nullptr) continue;
    entry = callback;
    return;
  }
  CHECK(false);
}
void OnRecoveryFlush(void (*callback)(Lsn)) { recovery_flush = callback; }
void OnSegmentComplete(void (*callback)(uint64_t)) { segment_complete = callback; }

// ---- the WAL writer ----

namespace {

// The highest position that a sleeper waits for and that is not flushed; 0 if there is none.
Lsn FlushWanted(WalShared* wal) {
  if (wal->flush_waiters.load(std::memory_order_seq_cst) == 0) return kInvalidLsn;
  int used = wal->slots_used.load(std::memory_order_seq_cst);
  uint64_t wanted = 0;
  for (int i = 0; i < used; ++i)
    wanted = std::max(wanted, wal->slots()[i].flush_wait.load(std::memory_order_seq_cst));
  return wanted > wal->flushed_lsn().value ? Lsn{wanted} : kInvalidLsn;
}

void FlushAll(WalShared* wal, Lsn upto) {
  InsertedUpTo(upto);
  wal->write_lock.Acquire(LwMode::kExclusive);
  if (wal->flushed_lsn() < upto) WriteLocked(wal, std::max(upto, CopiedUpTo(wal)), true);
  wal->write_lock.Release();
  AfterFlush(wal);
}

void WriteAll(WalShared* wal, Lsn upto) {
  InsertedUpTo(upto);
  wal->write_lock.Acquire(LwMode::kExclusive);
  if (wal->written_lsn() < upto) WriteLocked(wal, upto, false);
  wal->write_lock.Release();
}

}  // namespace

bool WalWriterCycle() {
  WalShared* wal = Shared();
  if (!WalIsWritable()) return false;
  bool worked = false;
  for (Lsn wanted = FlushWanted(wal); wanted.IsValid(); wanted = FlushWanted(wal)) {
    FlushAll(wal, wanted);
    worked = true;
  }
  Lsn whole{wal->position().value & ~(kWalBlock - 1)};
  Lsn target = std::max(whole, std::min(RequestedFlushLsn(), wal->position()));
  if (target <= wal->flushed_lsn()) return worked;
  static int64_t last_flush_us = 0;
  int64_t now_us = MonotonicUs();
  if (now_us - last_flush_us >= GetInt(Setting::kWalWriterDelay) * 1000 || IsWorthFlushing(wal, target)) {
    last_flush_us = now_us;
    FlushAll(wal, target);
  } else {
    WriteAll(wal, target);  // the operating system may begin; the next round flushes
  }
  return true;
}

void wal_internal::WakeBackground(WalShared* wal, Lsn start, Lsn end) {
  int mine = MySlotIndex(wal);
  int writer = wal->writer_slot.load(std::memory_order_relaxed);
  uint64_t written = wal->written.load(std::memory_order_relaxed);
  if (writer >= 0 && writer != mine && written + kWalStep <= end.value) SlotAt(writer).latch.Set();
  int maker = wal->maker_slot.load(std::memory_order_relaxed);
  if (maker >= 0 && maker != mine && SegmentOf(start) != SegmentOf(end)) SlotAt(maker).latch.Set();
}

void RegisterWalWriter() { Shared()->writer_slot.store(self_slot(), std::memory_order_seq_cst); }
void UnregisterWalWriter() { Shared()->writer_slot.store(-1, std::memory_order_seq_cst); }

}  // namespace walden

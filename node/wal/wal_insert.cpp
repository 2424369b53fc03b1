// Reserving and copying: the lock-free half of the WAL.
#include <climits>
#include <cstring>

#include "node/base/check.h"
#include "node/os/futex.h"
#include "node/shm/interrupts.h"
#include "node/shm/wait_events.h"
#include "node/stats/counters.h"
#include "node/wal/wal.h"
#include "node/wal/wal_shared.h"
#include "node/wal/wal_usage.h"

namespace walden {

constinit thread_local Xid wal_writer_xid;

namespace wal_internal {

InserterSlot& MySlot(WalShared* wal) {
  int index = MySlotIndex(wal);
  int used = wal->slots_used.load(std::memory_order_relaxed);
  while (__builtin_expect(index >= used, 0)) {
    if (wal->slots_used.compare_exchange_weak(used, index + 1, std::memory_order_seq_cst)) break;
  }
  return wal->slots()[index];
}

}  // namespace wal_internal

constinit thread_local WalUsage own_wal_usage{};

namespace wal_internal {

void WakeInsertWaiters(WalShared* wal) {
  if (__builtin_expect(wal->insert_waiters.load(std::memory_order_seq_cst) != 0, 0)) {
    wal->insert_wake.fetch_add(1, std::memory_order_seq_cst);
    FutexWake(&wal->insert_wake, INT_MAX);
  }
}

Lsn CopiedUpTo(WalShared* wal) {
  // The position first: whoever reserved below it had announced itself before.
  uint64_t bound = wal->position().value;
  int used = wal->slots_used.load(std::memory_order_seq_cst);
  for (int i = 0; i < used; ++i) {
    bound = std::min(bound, wal->slots()[i].inserting_at.load(std::memory_order_seq_cst));
  }
  return Lsn{bound};
}

RingWriter::RingWriter(WalShared* wal, Lsn start) : wal_(wal), at_(start), limit_(wal->ring_limit()) {}

void RingWriter::WaitForSpace() {
  limit_ = wal_->ring_limit();
  if (at_ < limit_) return;
  InserterSlot& slot = MySlot(wal_);
  slot.inserting_at.store(at_.value, std::memory_order_seq_cst);
  WakeInsertWaiters(wal_);
  Count(NodeCounter::kWalBuffersFull);
  // A quarter of the ring at once, but never past what this process has copied itself.
  Lsn oldest{at_.value - wal_->ring_size};
  WriteForSpace(wal_, std::min(oldest + std::max(wal_->ring_size / 4, 2 * kWalBlock), at_));
  limit_ = wal_->ring_limit();
  CHECK(at_ < limit_);
}

void RingWriter::PutZeroes(size_t size) {
  while (size > 0) {
    size_t room = Room(size);
    std::memset(wal_->ring() + (at_.value & (wal_->ring_size - 1)), 0, room);
    Advance(room);
    size -= room;
  }
}

}  // namespace wal_internal

using namespace wal_internal;

Lsn InsertPosition() { return Shared()->position(); }
Lsn WrittenLsn() { return Shared()->written_lsn(); }
Lsn FlushedLsn() { return Shared()->flushed_lsn(); }
TimelineId WalTimeline() { return Shared()->timeline.load(std::memory_order_relaxed); }
bool WalIsWritable() { return Shared()->writable.load(std::memory_order_acquire); }

namespace {

// Waits until this inserter has copied everything below `upto`. Short: it is copying, or giving way to a
// flush.
void AwaitInserter(WalShared* wal, InserterSlot& slot, Lsn upto) {
  auto done = [&] { return slot.inserting_at.load(std::memory_order_seq_cst) >= upto.value; };
  for (int spin = 0; spin < 100; ++spin) {
    if (done()) return;
    SpinPause();
  }
  WaitEventScope waiting(WaitEvent::kWalInsertCopy);
  wal->insert_waiters.fetch_add(1, std::memory_order_seq_cst);
  for (;;) {
    uint32_t seen = wal->insert_wake.load(std::memory_order_seq_cst);
    if (done()) break;
    FutexWait(&wal->insert_wake, seen);
  }
  wal->insert_waiters.fetch_sub(1, std::memory_order_seq_cst);
}

}  // namespace

Lsn InsertedUpTo(Lsn upto) {
  WalShared* wal = Shared();
  uint64_t bound = wal->position().value;
  int used = wal->slots_used.load(std::memory_order_seq_cst);
  int mine = MySlotIndex(wal);
  for (int i = 0; i < used; ++i) {
    InserterSlot& slot = wal->slots()[i];
    uint64_t at = slot.inserting_at.load(std::memory_order_seq_cst);
    if (at < upto.value && i != mine) {
      AwaitInserter(wal, slot, upto);
      at = slot.inserting_at.load(std::memory_order_seq_cst);
    }
    bound = std::min(bound, std::max(at, upto.value));
  }
  return Lsn{bound};
}

// ---- the redo epoch ----

Lsn RedoLsn() {
  WalShared* wal = Shared();
  uint32_t epoch = EpochOf(wal->insert_word.load(std::memory_order_seq_cst));
  return Lsn{wal->redo[epoch & 1].load(std::memory_order_seq_cst)};
}

namespace {

// Starts the next epoch; its redo point is the position of the switch, or `fixed`.
Lsn NextEpoch(WalShared* wal, bool keep_redo) {
  SpinGuard guard(wal->epoch_lock);
  uint64_t word = wal->insert_word.load(std::memory_order_seq_cst);
  uint32_t epoch = EpochOf(word);
  uint64_t old_redo = wal->redo[epoch & 1].load(std::memory_order_seq_cst);
  std::atomic<uint64_t>& next = wal->redo[(epoch + 1) & 1];
  next.store(kMaxLsn.value, std::memory_order_seq_cst);
  while (!wal->insert_word.compare_exchange_weak(word, MakeWord(PositionOf(word), epoch + 1),
                                                 std::memory_order_seq_cst)) {
  }
  Lsn redo = keep_redo ? Lsn{old_redo} : PositionOf(word);
  next.store(redo.value, std::memory_order_seq_cst);
  return redo;
}

}  // namespace

Lsn BeginRedoEpoch() { return NextEpoch(Shared(), false); }

void ForcePageImages(bool on) {
  WalShared* wal = Shared();
  if (on)
    wal->force_images.fetch_add(1, std::memory_order_seq_cst);
  else
    wal->force_images.fetch_sub(1, std::memory_order_seq_cst);
  NextEpoch(wal, true);
}

// ---- delaying a checkpoint ----

namespace {
constinit thread_local int delay_depth = 0;
}

DelayCheckpoint::DelayCheckpoint() {
  if (delay_depth++ > 0) return;
  std::atomic<uint32_t>& word = MySlot(Shared()).delay;
  word.store(word.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
}

DelayCheckpoint::~DelayCheckpoint() {
  if (--delay_depth > 0) return;
  WalShared* wal = Shared();
  std::atomic<uint32_t>& word = MySlot(wal).delay;
  word.store(word.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
  if (wal->delay_waiters.load(std::memory_order_seq_cst) != 0) FutexWake(&word, INT_MAX);
}

void WaitForCheckpointDelays() {
  WalShared* wal = Shared();
  int used = wal->slots_used.load(std::memory_order_seq_cst);
  wal->delay_waiters.fetch_add(1, std::memory_order_seq_cst);
  for (int i = 0; i < used; ++i) {
    if (i == MySlotIndex(wal)) continue;
    std::atomic<uint32_t>& word = wal->slots()[i].delay;
    uint32_t seen = word.load(std::memory_order_seq_cst);
    if (seen % 2 == 0) continue;
    WaitEventScope waiting(WaitEvent::kCheckpointStart);
    while (word.load(std::memory_order_seq_cst) == seen) FutexWait(&word, seen);
  }
  wal->delay_waiters.fetch_sub(1, std::memory_order_seq_cst);
}

// ---- reading what is still in memory ----

bool ReadWalBuffers(Lsn at, char* to, size_t size) {
  WalShared* wal = Shared();
  // Nobody overwrites a position before the stream has gone a whole ring further.
  auto is_there = [&] { return wal->position().value <= at.value + wal->ring_size; };
  if (at.value < wal->ring_from.load(std::memory_order_acquire) || !is_there()) return false;
  for (size_t done = 0; done < size;) {
    uint64_t offset = (at.value + done) & (wal->ring_size - 1);
    size_t run = std::min<uint64_t>(size - done, wal->ring_size - offset);
    std::memcpy(to + done, wal->ring() + offset, run);
    done += run;
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  return is_there();
}

}  // namespace walden

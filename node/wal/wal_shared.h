// The WAL's state in shared memory. Internal to wal/.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "node/base/ids.h"
#include "node/shm/lwlock.h"
#include "node/shm/process.h"
#include "node/shm/region.h"
#include "node/shm/spinlock.h"
#include "node/wal/record_format.h"

namespace walden::wal_internal {

inline constexpr uint64_t kIdle = UINT64_MAX;
inline constexpr uint64_t kWalBlock = 4096;  // unit of writing: whole blocks never make the kernel read first

// The insert word: redo epoch in the top 10 bits, position / 8 below. 2^57 bytes of WAL fit. An inserter
// would have to sleep through 1,024 checkpoints between its decision and its reservation to be fooled by the
// epoch's wrap.
inline constexpr int kEpochShift = 54;
inline constexpr uint64_t kPositionMask = (uint64_t{1} << kEpochShift) - 1;
inline Lsn PositionOf(uint64_t word) { return Lsn{(word & kPositionMask) << 3}; }
inline uint32_t EpochOf(uint64_t word) { return static_cast<uint32_t>(word >> kEpochShift); }
inline uint64_t MakeWord(Lsn position, uint32_t epoch) {
  return uint64_t{epoch & 1023} << kEpochShift | position.value >> 3;
}

// One per process slot, and one more for a process without a slot.
struct alignas(128) InserterSlot {
  // Lower bound of what this process has reserved and not copied yet; kIdle: nothing. Written by the owner.
  std::atomic<uint64_t> inserting_at;
  std::atomic<uint64_t> flush_wait;  // sleeping until this is flushed; 0: not
  std::atomic<uint32_t> flush_word;  // futex: 1 = look again
  std::atomic<uint32_t> delay;  // odd while DelayCheckpoint is in force; futex of WaitForCheckpointDelays
};

struct WalShared {
  alignas(128) std::atomic<uint64_t> insert_word;
  // Redo position of the epochs with this parity; kMaxLsn between the start of an epoch and the moment its
  // redo point is known, so that everybody logs images meanwhile.
  alignas(128) std::atomic<uint64_t> redo[2];
  std::atomic<uint32_t> force_images;
  std::atomic<bool> writable;
  std::atomic<uint32_t> timeline;
  std::atomic<uint64_t> system_id;
  SpinLock epoch_lock;

  alignas(128) std::atomic<uint64_t> written;  // Guarded by: write_lock (writes)
  std::atomic<uint64_t> flushed;               // Guarded by: write_lock (writes)
  std::atomic<uint64_t> flush_requested;       // asynchronous commits
  std::atomic<uint64_t> prepared_end;          // segment files exist up to here
  std::atomic<uint64_t> ring_from;             // the ring holds nothing older
  LwLock write_lock;                           // the one who writes the files
  std::atomic<int32_t> writer_slot;            // WAL writer that takes flush requests, or -1
  std::atomic<int32_t> maker_slot;             // background process that makes segments ahead, or -1

  alignas(128) std::atomic<uint32_t> insert_waiters;  // processes that wait for copies to end
  std::atomic<uint32_t> insert_wake;                  // futex, counts
  std::atomic<uint32_t> flush_waiters;
  std::atomic<uint32_t> delay_waiters;
  std::atomic<int32_t> slots_used;  // highest slot that ever inserted or waited, plus one

  uint64_t ring_size;  // a power of two
  int32_t slot_count;  // MaxProcessSlots() + 1
  // Followed by: InserterSlot[slot_count], then the ring, each aligned.
  InserterSlot* slots() { return reinterpret_cast<InserterSlot*>(this + 1); }
  char* ring() { return ring_start; }
  char* ring_start;

  Lsn position() { return PositionOf(insert_word.load(std::memory_order_seq_cst)); }
  Lsn written_lsn() { return Lsn{written.load(std::memory_order_acquire)}; }
  Lsn flushed_lsn() { return Lsn{flushed.load(std::memory_order_acquire)}; }
  // Up to where the ring may be overwritten: the block that holds `written` stays whole for its next writing.
  Lsn ring_limit() { return Lsn{(written_lsn().value & ~(kWalBlock - 1)) + ring_size}; }
};
static_assert(sizeof(WalShared) % 128 == 0);

inline WalShared* Shared() { return ShmArea<WalShared>(Area::kWal); }

inline int MySlotIndex(WalShared* wal) {
  int slot = self_slot();
  return slot < 0 ? wal->slot_count - 1 : slot;
}
InserterSlot& MySlot(WalShared* wal);

// How much WAL may pile up before the background processes are told.
inline constexpr uint64_t kWalStep = uint64_t{1} << 20;
// Called for a record that ends in another step than it begins in: while much is logged, the WAL writer writes what others
// log, and segments are made before anybody has to wait for one.
void WakeBackground(WalShared* wal, Lsn start, Lsn end);

// Tells flushers that waited for this process's copying to look again.
void WakeInsertWaiters(WalShared* wal);
// Up to where all copies are complete at this moment; never waits.
Lsn CopiedUpTo(WalShared* wal);
// Makes room in the ring: writes (without fsync) at least up to `target`, waiting for slower inserters below
// it.
void WriteForSpace(WalShared* wal, Lsn target);

// Copies a reserved range into the ring, waiting for space where needed. Progress is announced, so flushers
// get past.
class RingWriter {
 public:
  RingWriter(WalShared* wal, Lsn start);
  void Put(const char* from, size_t size) {
    while (size > 0) {
      size_t room = Room(size);
      __builtin_memcpy(wal_->ring() + (at_.value & (wal_->ring_size - 1)), from, room);
      Advance(room);
      from += room;
      size -= room;
    }
  }
  void PutZeroes(size_t size);
  Lsn at() const { return at_; }

 private:
  size_t Room(size_t wanted) {
    if (__builtin_expect(at_ >= limit_, 0)) WaitForSpace();
    uint64_t to_end = wal_->ring_size - (at_.value & (wal_->ring_size - 1));
    return std::min({static_cast<uint64_t>(wanted), to_end, limit_ - at_});
  }
  void Advance(size_t size) { at_ = at_ + size; }
  void WaitForSpace();

  WalShared* wal_;
  Lsn at_;
  Lsn limit_;
};

// Segment files of this process. The file stays open between calls.
class File* SegmentForWriting(TimelineId timeline, uint64_t segment, uint64_t system_id);
void CloseSegmentForWriting();
void AdvancePreparedEnd(WalShared* wal);
// In the file, from one offset to another.
void WriteZeroes(const class File& file, uint64_t from, uint64_t to);
// Names of segments that are being made.
inline constexpr std::string_view kTemporaryPrefix = "xlogtemp.";
// Names of segments that lay behind the end of the log: content that nobody may read any more.
inline constexpr std::string_view kErasedPrefix = "erased.";

}  // namespace walden::wal_internal

// The shared buffer pool: pages in memory, pins, content locks. Owner: buffer; areas kBufferDescriptors,
// kBufferPool, kBufferLookup.
//
// A *pin* keeps the page in its buffer: its address stays valid and the page is not evicted. A *content lock*
// (shared or exclusive) protects the bytes. Rules (README has the reasons):
//  1. Read or change anything only with a pin and a content lock. Hint bits may be set under a shared lock.
//  2. A row found under the lock may be used after unlocking as long as the pin is held: only a holder of the
//     cleanup lock (exclusive, and the only pin) moves or removes items.
//  3. Change: exclusive lock, MarkDirty before the WAL record is inserted (record_builder.h has the recipe).
//  4. Hints: MarkDirtyHint after setting them. Only for what is settled (I5).
//  5. Locks of several pages are taken in the access method's order; no pin wait (cleanup) with a lock held.
//  6. Before waiting for anything else (a client, a row lock, a durable commit): no content locks; pins only
//  if
//     declared.
// Pins and locks are per process (per thread where threads stand in for processes). Everything is RAII;
// exceptions release. ReleaseAllPins is the net below it.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "node/base/ids.h"
#include "node/storage/page.h"
#include "node/storage/relation_file.h"

namespace walden {

// ---- shared memory areas ----
size_t BufferPoolShmSize();  // pages, descriptors, lookup table: from shared_buffers
void BufferPoolShmInit(void* area);

enum class ReadMode : uint8_t {
  kNormal,         // read and check: XX001 "invalid page in block N of relation ..." if damaged
  kZeroAndLock,    // the caller will initialise it: not read; returned zeroed and exclusively locked
  kWillOverwrite,  // as kZeroAndLock, but a page that is in memory keeps its bytes: others may look at pinned
                   // rows while the caller writes the same rows again (restoring an image)
  kZeroOnError,    // damaged pages come back zeroed with a WARNING (zero_damaged_pages, FSM, VM)
  kIfExists,       // an invalid pin if the block is beyond the end of the relation
};

enum class StrategyKind : uint8_t {
  kBulkRead,   // large sequential scan: 256 KiB ring, with read-ahead in large reads
  kBulkWrite,  // COPY, CREATE TABLE AS: an eighth of the pool
  kVacuum,     // 256 KiB ring
};
// A ring of buffers that a bulk operation reuses instead of flushing everybody's working set out. Owned by
// the operation; one per process at a time per operation.
class BufferStrategy {
 public:
  explicit BufferStrategy(StrategyKind kind);
  ~BufferStrategy();
  BufferStrategy(const BufferStrategy&) = delete;
  BufferStrategy& operator=(const BufferStrategy&) = delete;
  StrategyKind kind() const { return kind_; }

 private:
  friend class BufferPool;
  StrategyKind kind_;
  int size_ = 0;
  int current_ = 0;
  int32_t* ring_ = nullptr;
};

// A pin on one page. Move-only; empty when default-constructed or moved from. The page must be unlocked when
// the pin is released (the destructor unlocks if an exception passes).
class BufferPin {
 public:
  BufferPin() = default;
  BufferPin(BufferPin&& other) noexcept
      : page_(std::exchange(other.page_, nullptr)), buffer_(std::exchange(other.buffer_, 0)) {}
  BufferPin& operator=(BufferPin&& other) noexcept {
    if (this != &other) {
      Release();
      page_ = std::exchange(other.page_, nullptr);
      buffer_ = std::exchange(other.buffer_, 0);
    }
    return *this;
  }
  ~BufferPin() { Release(); }

  explicit operator bool() const { return buffer_ != 0; }
  char* page() const { return page_; }
  PageKey key() const;
  BlockNumber block() const;
  // One more pin of the same page; cheap.
  BufferPin Share() const;
  void Release() {
    if (buffer_ != 0) ReleaseSlow();
  }
  // True if both pin the same page.
  bool SamePage(const BufferPin& other) const { return buffer_ == other.buffer_ && buffer_ != 0; }
  // True if this pins `key` (saves a look-up when a scan stays on its page).
  bool Holds(const PageKey& key) const;

  // Content lock. Not recursive. Waits are short and not interruptible (wait event BufferContent).
  void LockShared();
  void LockExclusive();
  bool TryLockShared();
  bool TryLockExclusive();
  void Unlock();
  // Exclusive, and nobody else has a pin: row versions may be moved and removed. Waits for the pins of others
  // (wait event BufferPin); interruptible. Requires: exactly one pin of this page in this process.
  void LockForCleanup();
  bool TryLockForCleanup();
  // With the exclusive lock held: whether it is a cleanup lock at this moment.
  bool IsCleanupLock() const;
  bool IsLockedExclusive() const;  // by this process; for checks
  bool IsLocked() const;

  // Requires: exclusive lock. The page will be written before the next checkpoint is complete.
  void MarkDirty();
  // Requires: shared or exclusive lock, after changing hints only. The first hint after a checkpoint logs the
  // page's image if checksums (or wal_log_hints) are on. On a standby and for lost-anyway reasons the hint
  // may stay in memory only: never rely on it. Must not be called in a critical section.
  void MarkDirtyHint();

 private:
  friend class BufferPool;
  BufferPin(int32_t buffer, char* page) : page_(page), buffer_(buffer) {}
  void ReleaseSlow();

  char* page_ = nullptr;
  int32_t buffer_ = 0;  // > 0 shared buffer number, < 0 local (temporary relations), 0 none
};

enum class PageLockMode : uint8_t { kShared, kExclusive, kCleanup };
// RAII content lock on a pin that outlives it.
class PageLock {
 public:
  PageLock(BufferPin& pin, PageLockMode mode) : pin_(&pin) {
    if (mode == PageLockMode::kShared)
      pin.LockShared();
    else if (mode == PageLockMode::kExclusive)
      pin.LockExclusive();
    else
      pin.LockForCleanup();
  }
  // Takes over a lock that is already held.
  struct Adopt {};
  PageLock(BufferPin& pin, Adopt) : pin_(&pin) {}
  ~PageLock() { Unlock(); }
  PageLock(const PageLock&) = delete;
  PageLock& operator=(const PageLock&) = delete;
  void Unlock() {
    if (pin_ != nullptr) std::exchange(pin_, nullptr)->Unlock();
  }
  void Release() { pin_ = nullptr; }  // leaves the lock to the caller

 private:
  BufferPin* pin_;
};

// Pins a page, reading it if needed. Temporary relations go to this process's local buffers.
BufferPin ReadPage(const PageKey& key, ReadMode mode = ReadMode::kNormal, BufferStrategy* strategy = nullptr);
// Pins the page only if it is in memory now (no I/O).
BufferPin ReadPageIfCached(const PageKey& key);
// Adds a zeroed block at the end and returns it pinned and exclusively locked. Extension of one relation is
// serialised inside. 53100 if the disk is full.
BufferPin ExtendRelation(const RelFileLocator& rel, Fork fork = Fork::kMain,
                         BufferStrategy* strategy = nullptr);
// Adds up to `count` blocks in one file operation; the first is returned as by ExtendRelation, the others are
// zeroed pages in the file and (clean) in memory: [pin.block() + 1, pin.block() + *added).
BufferPin ExtendRelationBy(const RelFileLocator& rel, Fork fork, int count, int* added,
                           BufferStrategy* strategy = nullptr);
// Adds zeroed blocks until there are `blocks` of them, and no more, however many processes ask for it at once (replay).
void ExtendRelationTo(const RelFileLocator& rel, Fork fork, BlockNumber blocks);
// Replay on a standby must not wait for ever in LockForCleanup: `blocked` is called before each sleep of this thread and returns
// its longest duration in ms (< 0: no limit), `resolved` after a wait. May throw.
void BindCleanupWait(int64_t (*blocked)(), void (*resolved)());
// Whether this process pins a page that another one waits to have alone.
bool PinsAwaitedPage();
// Starts reading without waiting.
void PrefetchPages(const RelFileLocator& rel, Fork fork, BlockNumber first, int count);

// Forgets pages without writing them. Requires: nobody uses them (AccessExclusive lock, or redo).
void DropRelationBuffers(const RelFileLocator& rel);                // all forks
void DropBuffersOfRelations(std::span<const RelFileLocator> rels);  // one pass for all of them
void DropRelationBuffersFrom(const RelFileLocator& rel, Fork fork, BlockNumber first);  // block >= first
void DropDatabaseBuffers(Oid database);
void DropTemporaryBuffers();  // all local buffers of this process
// Writes the dirty pages (not fsync).
void FlushRelationBuffers(const RelFileLocator& rel);
void FlushDatabaseBuffers(Oid database);
void FlushForkBuffers(Fork fork);  // of all relations

// Drops every pin and content lock of this process (error recovery, process exit). Returns how many there
// were.
int ReleaseAllPins();

// From now on, and under the address sanitizer only, a page that this process has let go of is poisoned until it is pinned again: for
// processes of one thread.
void PoisonUnpinnedPages();
int HeldPins();  // for checks at statement end and before waiting (rule 6)

// ---- checkpointer and background writer ----
// Paces a checkpoint: called after each written buffer with the fraction done; may sleep.
using CheckpointPace = void (*)(double fraction_done);
// Writes every buffer that is dirty now (permanent ones; all with `everything`), in file order.
int WriteDirtyBuffers(bool everything, CheckpointPace pace);
// One round of the background writer: keeps clean buffers ahead of the clock hand. True: nothing to do,
// hibernate.
bool BackgroundWriterRound();

// ---- statistics ----
struct BufferStatistics {  // of this process since its start
  uint64_t shared_hits, shared_reads, shared_dirtied, shared_written;
  uint64_t local_hits, local_reads, local_dirtied, local_written;
  uint64_t read_us, write_us;  // with track_io_timing
};
extern constinit thread_local BufferStatistics buffer_statistics;
int SharedBufferCount();
// One row of pg_buffercache; unlocked snapshot. False if the buffer is free.
struct BufferInfo {
  PageKey key;
  bool dirty;
  int usage, pins;
};
bool GetBufferInfo(int buffer, BufferInfo* info);

}  // namespace walden

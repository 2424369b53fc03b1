// Buffer descriptors and the pool's state in shared memory. Internal to buffer/.
//
// Life of a buffer: free (no tag) -> tagged with I/O in progress -> valid -> (dirty -> written)* -> evicted.
// `state` holds the pin count, the usage count and flags in one word; every change is an atomic operation on
// it.
//   kLocked, the header lock, keeps pins from being added and other header lockers out; pins may drop
//   meanwhile, and flags may be or'ed in. Held for a few instructions. The tag changes only with the header
//   locked, the bucket's partition locked exclusively, and no pin but the changer's own. So a pin makes the
//   tag stable, and a tag read before pinning must be read again after it.
// Lock order: content lock < relation extension < mapping partition < header.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "node/base/check.h"
#include "node/base/poison.h"
#include "node/buffer/buffer_pool.h"
#include "node/shm/lwlock.h"
#include "node/shm/region.h"
#include "node/shm/spinlock.h"

namespace walden::buffer_internal {

enum StateBits : uint32_t {
  kPinMask = (1u << 18) - 1,
  kPinOne = 1,
  kUsageShift = 18,
  kUsageOne = 1u << 18,
  kUsageMask = 15u << 18,
  kLocked = 1u << 22,
  kDirty = 1u << 23,
  kValid = 1u << 24,             // the page is in memory
  kTagged = 1u << 25,            // the tag is in the lookup table
  kIoInProgress = 1u << 26,      // being read or written
  kIoWaiter = 1u << 27,          // somebody sleeps on io_wake
  kJustDirtied = 1u << 28,       // dirtied since the current write began
  kPinWaiter = 1u << 29,         // cleanup_waiter sleeps until only its pin is left
  kCheckpointNeeded = 1u << 30,  // the running checkpoint must write it
};
inline constexpr uint32_t kMaxUsage = 5;
inline uint32_t Pins(uint32_t state) { return state & kPinMask; }
inline uint32_t Usage(uint32_t state) { return (state & kUsageMask) >> kUsageShift; }

// A PageKey as three words that can be read atomically. All zero: no tag.
struct Tag {
  uint64_t words[3];
  bool operator==(const Tag&) const = default;
};
inline Tag MakeTag(const PageKey& key) {
  return {{OidNumber(key.rel.tablespace) | uint64_t{OidNumber(key.rel.database)} << 32,
           key.rel.number | uint64_t{key.block} << 32,
           key.rel.owner | uint64_t{static_cast<uint8_t>(key.fork)} << 32 | uint64_t{1} << 63}};
}
inline PageKey KeyOf(const Tag& tag) {
  PageKey key;
  key.rel.tablespace = Oid{static_cast<uint32_t>(tag.words[0])};
  key.rel.database = Oid{static_cast<uint32_t>(tag.words[0] >> 32)};
  key.rel.number = static_cast<uint32_t>(tag.words[1]);
  key.rel.owner = static_cast<uint32_t>(tag.words[2]);
  key.fork = static_cast<Fork>(tag.words[2] >> 32 & 0xFF);
  key.block = static_cast<BlockNumber>(tag.words[1] >> 32);
  return key;
}
inline uint64_t HashTag(const Tag& tag) {
  uint64_t hash = tag.words[0] * 0x9E3779B97F4A7C15ull ^ tag.words[1] * 0xC4CEB9FE1A85EC53ull ^ tag.words[2];
  hash = (hash ^ hash >> 32) * 0xFF51AFD7ED558CCDull;
  return hash ^ hash >> 29;
}

struct alignas(64) Descriptor {
  std::atomic<uint64_t> tag_words[3];
  std::atomic<uint32_t> next;  // next buffer of the bucket, plus one; 0 ends
  std::atomic<uint32_t> state;
  LwLock content;
  std::atomic<uint32_t> io_wake;        // futex, counts
  std::atomic<int32_t> cleanup_waiter;  // process slot. Guarded by: kPinWaiter

  Tag tag() const {
    return {{tag_words[0].load(std::memory_order_relaxed), tag_words[1].load(std::memory_order_relaxed),
             tag_words[2].load(std::memory_order_relaxed)}};
  }
  bool HasTag(const Tag& tag) const {
    return tag_words[1].load(std::memory_order_relaxed) == tag.words[1] &&
           tag_words[0].load(std::memory_order_relaxed) == tag.words[0] &&
           tag_words[2].load(std::memory_order_relaxed) == tag.words[2];
  }
  void SetTag(const Tag& tag) {
    for (int i = 0; i < 3; ++i) tag_words[i].store(tag.words[i], std::memory_order_relaxed);
  }
  // Returns the state with the header locked.
  uint32_t LockHeader() {
    for (int spins = 0;; ++spins) {
      uint32_t old = state.fetch_or(kLocked, std::memory_order_acquire);
      if ((old & kLocked) == 0) return old | kLocked;
      HeaderDelay(&spins);
    }
  }
  void UnlockHeader() { state.fetch_and(~uint32_t{kLocked}, std::memory_order_release); }
  static void HeaderDelay(int* spins);
};
static_assert(sizeof(Descriptor) == 64);

inline constexpr uint32_t kPartitions = 128;
inline constexpr uint32_t kExtensionLocks = 64;

struct Pool {
  uint32_t buffer_count;
  uint32_t bucket_mask;
  Descriptor* descriptors;
  std::atomic<uint32_t>* buckets;  // first buffer of the bucket, plus one
  char* pages;
  alignas(64) std::atomic<uint64_t> hand;  // clock hand: steps since the start
  alignas(64) std::atomic<uint64_t> allocations;
  alignas(64) std::atomic<uint32_t> unused;  // buffers without tag
  std::atomic<uint32_t> lowest_unused;       // none below it, but for some that were given up in between
  struct alignas(64) PaddedLock {
    LwLock lock;
  };
  PaddedLock partitions[kPartitions];
  PaddedLock extension[kExtensionLocks];

  Descriptor& descriptor(uint32_t index) { return descriptors[index]; }
  char* page(uint32_t index) { return pages + size_t{index} * kPageSize; }
  LwLock& partition(uint64_t hash) { return partitions[hash & (kPartitions - 1)].lock; }
};
inline Pool* ThePool() { return ShmArea<Pool>(Area::kBufferPool); }

// ---- private pins: this process's count per buffer ----
struct PrivatePin {
  int32_t buffer;
  int32_t count;
};
struct PrivatePins {
  PrivatePin inline_entries[24] = {};
  PrivatePin* entries = nullptr;  // inline_entries, or a larger array from malloc
  int used = 0;
  int capacity = 0;

  PrivatePin* Find(int32_t buffer) {
    for (int i = used - 1; i >= 0; --i) {
      if (entries[i].buffer == buffer) return &entries[i];
    }
    return nullptr;
  }
  void Add(int32_t buffer) {
    if (__builtin_expect(used == capacity, 0)) Grow();
    entries[used++] = {buffer, 1};
    if constexpr (kPoisons) Touchable(buffer, true);
  }
  void Remove(PrivatePin* entry) {
    if constexpr (kPoisons) Touchable(entry->buffer, false);
    *entry = entries[--used];
  }
  void Grow();
  // Under the address sanitizer pages without a pin are poisoned, once PoisonUnpinnedPages was called.
  static void Touchable(int32_t buffer, bool pinned);
};
extern constinit thread_local PrivatePins private_pins;

// ---- lookup table ----
// The buffer with this tag, pinned, or -1. Without locks; a miss may be false.
int LookupAndPin(Pool* pool, const Tag& tag, uint64_t hash, bool touch);
// Requires: the partition lock. Buffer index or -1.
int FindLocked(Pool* pool, const Tag& tag, uint64_t hash);
void InsertLocked(Pool* pool, uint32_t index, uint64_t hash);
void RemoveLocked(Pool* pool, uint32_t index, uint64_t hash);

// ---- pins ----
// Adds a shared pin, waiting for a locked header. `touch` raises the usage count.
void PinSharedSlow(Descriptor& descriptor, bool touch);
inline void PinShared(Descriptor& descriptor, bool touch) {
  uint32_t old = descriptor.state.load(std::memory_order_relaxed);
  uint32_t desired = old + kPinOne + (touch && Usage(old) < kMaxUsage ? kUsageOne : 0u);
  bool pinned =
      (old & kLocked) == 0 && descriptor.state.compare_exchange_weak(old, desired, std::memory_order_acquire);
  if (__builtin_expect(!pinned, 0)) PinSharedSlow(descriptor, touch);
}
void WakeCleanupWaiter(Descriptor& descriptor);
inline void UnpinShared(Descriptor& descriptor) {
  uint32_t old = descriptor.state.fetch_sub(kPinOne, std::memory_order_release);
  DCHECK(Pins(old) > 0);
  if (__builtin_expect((old & kPinWaiter) != 0 && Pins(old) == 2, 0)) WakeCleanupWaiter(descriptor);
}
// This process's pin (shared on the first).
void Pin(Pool* pool, uint32_t index, bool touch);
void Unpin(Pool* pool, uint32_t index);

// ---- I/O state ----
// True: this process must do the I/O and then EndIo. False: it is done (valid, or clean).
bool BeginIo(Descriptor& descriptor, bool reading);
void EndIo(Descriptor& descriptor, uint32_t set, bool clear_dirty);
void AwaitIo(Descriptor& descriptor);
// Writes the page if dirty. Requires: pin, content lock.
void WriteBuffer(Pool* pool, uint32_t index);

// ---- replacement ----
// A buffer without tag, pinned once by this process.
uint32_t TakeVictim(Pool* pool, BufferStrategy* strategy);
// Gives it the tag with I/O in progress and returns true; or, if another buffer has the tag, pins that,
// stores its index and returns false (the victim stays the caller's).
bool InstallTag(Pool* pool, uint32_t victim, const Tag& tag, uint64_t hash, bool touch, uint32_t* existing);
// Takes the tag away if this process's is the only pin and the page is clean. Requires: one pin.
bool Untag(Pool* pool, uint32_t index);

// ---- local buffers ----
BufferPin ReadLocalPage(const PageKey& key, ReadMode mode, bool only_cached);
BufferPin ExtendLocal(const RelFileLocator& rel, Fork fork, int count, int* added);
char* LocalPage(int32_t buffer);
PageKey LocalKey(int32_t buffer);
void LocalPin(int32_t buffer);
void LocalUnpin(int32_t buffer);
int LocalPins(int32_t buffer);
void LocalMarkDirty(int32_t buffer);
void DropLocalBuffers(const RelFileLocator& rel, int fork, BlockNumber first);  // fork < 0: all
void FlushLocalBuffers(const RelFileLocator& rel);
int ReleaseLocalPins();

// After a read: checks the page, or throws XX001, or zeroes it as the mode says.
void CheckReadPage(const PageKey& key, char* page, ReadMode mode);

}  // namespace walden::buffer_internal

namespace walden {
// The few functions that make pins.
class BufferPool {
 public:
  static BufferPin MakePin(int32_t buffer, char* page) { return BufferPin(buffer, page); }
  static int32_t NumberOf(const BufferPin& pin) { return pin.buffer_; }
  static int NextRingSlot(BufferStrategy* strategy, int32_t** slot) {
    strategy->current_ = (strategy->current_ + 1) % strategy->size_;
    *slot = &strategy->ring_[strategy->current_];
    return strategy->current_;
  }
  static int32_t* CurrentRingSlot(BufferStrategy* strategy) { return &strategy->ring_[strategy->current_]; }
};
}  // namespace walden

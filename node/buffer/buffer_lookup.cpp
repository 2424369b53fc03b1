// Pool memory, the lookup table and pins.
//
// The table chains descriptors by index. Readers follow a chain without any lock: a descriptor that moves to
// another bucket meanwhile may lead them astray or make them miss, so a hit counts only after pinning and
// reading the tag again, and a miss is decided under the partition lock. A walk that gets too long (it may
// have wandered) is a miss.
#include <cstdlib>
#include <cstring>
#include <new>

#include "node/buffer/buffer_state.h"
#include "node/config/settings.h"
#include "node/os/futex.h"
#include "node/shm/process.h"

namespace walden {

using namespace buffer_internal;

namespace {

uint32_t BufferCount() { return static_cast<uint32_t>(GetInt(Setting::kSharedBuffers)); }
uint32_t BucketCount() { return std::max(std::bit_ceil(BufferCount() * 2), kPartitions); }

}  // namespace

size_t BufferPoolShmSize() {
  size_t count = BufferCount();
  return sizeof(Pool) + count * sizeof(Descriptor) + BucketCount() * sizeof(uint32_t) + count * kPageSize +
         3 * 4096;
}

void BufferPoolShmInit(void* area) {
  Pool* pool = new (area) Pool{};
  pool->buffer_count = BufferCount();
  pool->unused.store(pool->buffer_count, std::memory_order_relaxed);
  pool->bucket_mask = BucketCount() - 1;
  char* at = reinterpret_cast<char*>(pool + 1);
  auto take = [&at](size_t size, size_t alignment) {
    uintptr_t start = (reinterpret_cast<uintptr_t>(at) + alignment - 1) & ~(alignment - 1);
    at = reinterpret_cast<char*>(start) + size;
    return reinterpret_cast<char*>(start);
  };
  pool->descriptors = reinterpret_cast<Descriptor*>(take(pool->buffer_count * sizeof(Descriptor), 64));
  pool->buckets =
      reinterpret_cast<std::atomic<uint32_t>*>(take((pool->bucket_mask + 1) * sizeof(uint32_t), 64));
  pool->pages =
      take(size_t{pool->buffer_count} * kPageSize, 4096);  // not touched: it costs memory only when used
  for (uint32_t i = 0; i < pool->buffer_count; ++i) new (&pool->descriptors[i]) Descriptor{};
  for (uint32_t i = 0; i < pool->buffer_count; ++i) pool->descriptors[i].content.Init(LwRank::kBufferContent);
  for (auto& partition : pool->partitions) partition.lock.Init(LwRank::kBufferMapping);
  for (auto& extension : pool->extension) extension.lock.Init(LwRank::kRelationExtension);
}

int SharedBufferCount() { return static_cast<int>(ThePool()->buffer_count); }

namespace {
bool poison_unpinned = false;
}

namespace buffer_internal {

constinit thread_local PrivatePins private_pins;

void PrivatePins::Touchable(int32_t buffer, bool pinned) {
  if (!poison_unpinned) return;
  const char* page = ThePool()->page(static_cast<uint32_t>(buffer - 1));
  pinned ? Unpoison(page, kPageSize) : Poison(page, kPageSize);
}

void PrivatePins::Grow() {
  if (capacity == 0) {
    entries = inline_entries;
    capacity = static_cast<int>(std::size(inline_entries));
    return;
  }
  int larger = capacity * 2;
  auto* copy = static_cast<PrivatePin*>(std::malloc(sizeof(PrivatePin) * static_cast<size_t>(larger)));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, entries, sizeof(PrivatePin) * static_cast<size_t>(used));
  if (entries != inline_entries) std::free(entries);
  entries = copy;
  capacity = larger;
}

void Descriptor::HeaderDelay(int* spins) {
  if (*spins < 100) {
    SpinPause();
    return;
  }
  // The holder lost its processor inside a few instructions: give it ours.
  std::atomic<uint32_t> never{0};
  FutexWait(&never, 0, 50);
}

void PinSharedSlow(Descriptor& descriptor, bool touch) {
  uint32_t old = descriptor.state.load(std::memory_order_relaxed);
  for (int spins = 0;;) {
    if (__builtin_expect(old & kLocked, 0)) {
      Descriptor::HeaderDelay(&spins);
      ++spins;
      old = descriptor.state.load(std::memory_order_relaxed);
      continue;
    }
    uint32_t desired = old + kPinOne;
    if (touch && Usage(old) < kMaxUsage) desired += kUsageOne;
    if (descriptor.state.compare_exchange_weak(old, desired, std::memory_order_acquire)) return;
  }
}

void WakeCleanupWaiter(Descriptor& descriptor) {
  uint32_t state = descriptor.LockHeader();
  int waiter = -1;
  if ((state & kPinWaiter) != 0 && Pins(state) == 1) {
    waiter = descriptor.cleanup_waiter.load(std::memory_order_relaxed);
    descriptor.state.fetch_and(~uint32_t{kPinWaiter}, std::memory_order_relaxed);
  }
  descriptor.UnlockHeader();
  if (waiter >= 0) SlotAt(waiter).latch.Set();
}

void Pin(Pool* pool, uint32_t index, bool touch) {
  int32_t buffer = static_cast<int32_t>(index) + 1;
  if (PrivatePin* mine = private_pins.Find(buffer)) {
    ++mine->count;
    return;
  }
  PinShared(pool->descriptor(index), touch);
  private_pins.Add(buffer);
}

void Unpin(Pool* pool, uint32_t index) {
  PrivatePin* mine = private_pins.Find(static_cast<int32_t>(index) + 1);
  CHECK(mine != nullptr);
  if (--mine->count > 0) return;
  private_pins.Remove(mine);
  UnpinShared(pool->descriptor(index));
}

int LookupAndPin(Pool* pool, const Tag& tag, uint64_t hash, bool touch) {
  uint32_t at = pool->buckets[hash & pool->bucket_mask].load(std::memory_order_acquire);
  for (int steps = 0; at != 0 && steps < 64; ++steps) {
    Descriptor& descriptor = pool->descriptor(at - 1);
    if (descriptor.HasTag(tag)) {
      int32_t buffer = static_cast<int32_t>(at);
      if (PrivatePin* mine = private_pins.Find(buffer)) {
        ++mine->count;
        return buffer - 1;
      }
      PinShared(descriptor, touch);
      if (__builtin_expect(descriptor.HasTag(tag), 1)) {
        private_pins.Add(buffer);
        return buffer - 1;
      }
      UnpinShared(descriptor);
      return -1;
    }
    at = descriptor.next.load(std::memory_order_acquire);
  }
  return -1;
}

int FindLocked(Pool* pool, const Tag& tag, uint64_t hash) {
  uint32_t at = pool->buckets[hash & pool->bucket_mask].load(std::memory_order_relaxed);
  for (; at != 0; at = pool->descriptor(at - 1).next.load(std::memory_order_relaxed)) {
    if (pool->descriptor(at - 1).HasTag(tag)) return static_cast<int>(at) - 1;
  }
  return -1;
}

void InsertLocked(Pool* pool, uint32_t index, uint64_t hash) {
  std::atomic<uint32_t>& bucket = pool->buckets[hash & pool->bucket_mask];
  pool->descriptor(index).next.store(bucket.load(std::memory_order_relaxed), std::memory_order_release);
  bucket.store(index + 1, std::memory_order_release);
}

void RemoveLocked(Pool* pool, uint32_t index, uint64_t hash) {
  std::atomic<uint32_t>* link = &pool->buckets[hash & pool->bucket_mask];
  while (link->load(std::memory_order_relaxed) != index + 1) {
    uint32_t at = link->load(std::memory_order_relaxed);
    CHECK(at != 0);
    link = &pool->descriptor(at - 1).next;
  }
  // The removed descriptor keeps its own link, so that a reader standing on it finds the rest of the chain.
  link->store(pool->descriptor(index).next.load(std::memory_order_relaxed), std::memory_order_release);
}

}  // namespace buffer_internal

int HeldPins() { return private_pins.used; }
void PoisonUnpinnedPages() { poison_unpinned = true; }

}  // namespace walden

#include "node/catalog/invalidation_ring.h"

#include <atomic>
#include <new>

#include "node/shm/lwlock.h"
#include "node/shm/region.h"

namespace walden {
namespace {

constexpr uint64_t kRingMessages = 8192;

struct Ring {
  LwLock lock;
  // Messages sent since the ring was made. Written under the exclusive lock; read freely to see whether anything came.
  std::atomic<uint64_t> sent;
  InvalidationMessage messages[kRingMessages];  // Guarded by: lock
};

Ring* ring() { return ShmArea<Ring>(Area::kInvalidations); }

thread_local uint64_t next_message = 0;
thread_local bool has_joined = false;

}  // namespace

size_t InvalidationAreaSize() { return sizeof(Ring); }
void InvalidationAreaInit(void* at) {
  Ring* made = new (at) Ring;
  made->lock.Init(LwRank::kInvalidation);
  made->sent.store(0, std::memory_order_relaxed);
}

void JoinInvalidations() {
  has_joined = true;
  if (ring() != nullptr) next_message = ring()->sent.load(std::memory_order_acquire);
}

bool HearsInvalidations() { return has_joined; }

void SendInvalidations(std::span<const InvalidationMessage> messages) {
  Ring* shared = ring();
  if (shared == nullptr || messages.empty()) return;
  LwLockGuard guard(shared->lock, LwMode::kExclusive);
  uint64_t at = shared->sent.load(std::memory_order_relaxed);
  for (const InvalidationMessage& message : messages) shared->messages[at++ % kRingMessages] = message;
  shared->sent.store(at, std::memory_order_release);
}

bool ReceiveInvalidations(std::vector<InvalidationMessage>* messages) {
  Ring* shared = ring();
  if (shared == nullptr || shared->sent.load(std::memory_order_acquire) == next_message) return true;
  LwLockGuard guard(shared->lock, LwMode::kShared);
  uint64_t sent = shared->sent.load(std::memory_order_relaxed);
  bool complete = sent - next_message <= kRingMessages;
  for (; complete && next_message < sent; ++next_message) {
    messages->push_back(shared->messages[next_message % kRingMessages]);
  }
  next_message = sent;
  return complete;
}

}  // namespace walden

#include "node/shm/spinlock.h"

namespace walden {

void SpinLock::LockSlow() {
  constexpr int kMaxSpins = 100;
  for (int spin = 0; spin < kMaxSpins; ++spin) {
    uint32_t seen = word_.load(std::memory_order_relaxed);
    if (seen == kFree && word_.compare_exchange_weak(seen, kHeld, std::memory_order_acquire)) return;
    SpinPause();
  }
  while (word_.exchange(kContended, std::memory_order_acquire) != kFree) FutexWait(&word_, kContended);
}

}  // namespace walden

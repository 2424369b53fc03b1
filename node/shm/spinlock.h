// Spin lock for a handful of instructions in shared memory: at most 100 spins, then it sleeps on a futex, so
// that a holder that lost its processor is not fought. Rule (I3): nothing that can block or throw is done
// while holding one (debug builds check).
#pragma once

#include <atomic>
#include <cstdint>

#include "node/os/futex.h"
#include "node/os/may_block.h"

namespace walden {

class SpinLock {
 public:
  void Lock() {
    uint32_t expected = kFree;
    if (!word_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire)) LockSlow();
    CountSpinLock(1);
  }
  bool TryLock() {
    uint32_t expected = kFree;
    if (!word_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire)) return false;
    CountSpinLock(1);
    return true;
  }
  void Unlock() {
    CountSpinLock(-1);
    if (word_.exchange(kFree, std::memory_order_release) == kContended) FutexWake(&word_, 1);
  }

 private:
  static constexpr uint32_t kFree = 0, kHeld = 1, kContended = 2;
  void LockSlow();
  std::atomic<uint32_t> word_{kFree};
};
static_assert(sizeof(SpinLock) == 4);

class SpinGuard {
 public:
  explicit SpinGuard(SpinLock& lock) : lock_(lock) { lock_.Lock(); }
  ~SpinGuard() { lock_.Unlock(); }
  SpinGuard(const SpinGuard&) = delete;
  SpinGuard& operator=(const SpinGuard&) = delete;

 private:
  SpinLock& lock_;
};

inline void SpinPause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

}  // namespace walden

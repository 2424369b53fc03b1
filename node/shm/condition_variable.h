// A queue of processes waiting for a condition in shared memory. Interruptible: Wait checks interrupts.
//
//   cv.Wait(WaitEvent::kX, [&] { return done.load(); });          // whoever sets done calls cv.Broadcast()
#pragma once

#include <cstdint>

#include "node/shm/process.h"
#include "node/shm/spinlock.h"
#include "node/shm/wait_events.h"

namespace walden {

class ConditionVariable {
 public:
  void Init();
  void Signal();     // wakes the longest waiter
  void Broadcast();  // wakes all

  // Returns false if timeout_ms (< 0: none) passed first. Throws as CheckInterrupts does.
  template <class Condition>
  bool Wait(WaitEvent event, Condition&& condition, int64_t timeout_ms = -1) {
    if (condition()) return true;
    Waiter waiter(*this);
    int64_t deadline_us = DeadlineUs(timeout_ms);
    while (!condition()) {
      if (!SleepUntil(deadline_us, event)) return condition();
      Enqueue();
    }
    return true;
  }

 private:
  struct Waiter {
    explicit Waiter(ConditionVariable& cv) : cv_(cv) { cv_.Enqueue(); }
    ~Waiter() { cv_.Dequeue(); }
    ConditionVariable& cv_;
  };
  static int64_t DeadlineUs(int64_t timeout_ms);
  void Enqueue();
  void Dequeue();
  bool SleepUntil(int64_t deadline_us, WaitEvent event);
  int PopLocked();
  void UnlinkLocked(ProcessSlot& slot);

  SpinLock lock_;
  int32_t head_;  // slot or -1. Guarded by: lock_
  int32_t tail_;
};

}  // namespace walden

#include "node/shm/condition_variable.h"

#include "node/base/check.h"
#include "node/base/clock.h"
#include "node/shm/interrupts.h"

namespace walden {

void ConditionVariable::Init() {
  new (&lock_) SpinLock;
  head_ = tail_ = -1;
}

int64_t ConditionVariable::DeadlineUs(int64_t timeout_ms) {
  return timeout_ms < 0 ? -1 : MonotonicUs() + timeout_ms * 1000;
}

void ConditionVariable::Enqueue() {
  ProcessSlot& me = self();
  CHECK(me.index >= 0);
  me.latch.Reset();
  if (me.cv_queued.load(std::memory_order_acquire)) return;
  SpinGuard guard(lock_);
  me.cv_next = -1;
  me.cv_previous = tail_;
  (tail_ >= 0 ? SlotAt(tail_).cv_next : head_) = me.index;
  tail_ = me.index;
  me.cv_queued.store(true, std::memory_order_relaxed);
}

void ConditionVariable::UnlinkLocked(ProcessSlot& slot) {
  (slot.cv_previous >= 0 ? SlotAt(slot.cv_previous).cv_next : head_) = slot.cv_next;
  (slot.cv_next >= 0 ? SlotAt(slot.cv_next).cv_previous : tail_) = slot.cv_previous;
  slot.cv_queued.store(false, std::memory_order_release);
}

void ConditionVariable::Dequeue() {
  SpinGuard guard(lock_);
  if (self().cv_queued.load(std::memory_order_relaxed)) UnlinkLocked(self());
}

bool ConditionVariable::SleepUntil(int64_t deadline_us, WaitEvent event) {
  int64_t left_ms = -1;
  if (deadline_us >= 0) {
    left_ms = (deadline_us - MonotonicUs() + 999) / 1000;
    if (left_ms <= 0) return false;
  }
  WaitLatch(left_ms, event);
  CheckInterrupts();
  return true;
}

int ConditionVariable::PopLocked() {
  int first = head_;
  if (first >= 0) UnlinkLocked(SlotAt(first));
  return first;
}

void ConditionVariable::Signal() {
  int first;
  {
    SpinGuard guard(lock_);
    first = PopLocked();
  }
  if (first >= 0) SlotAt(first).latch.Set();
}

void ConditionVariable::Broadcast() {
  // In portions: no latch is set (a system call) while the spin lock is held.
  int woken[64];
  int count;
  do {
    count = 0;
    {
      SpinGuard guard(lock_);
      while (count < 64 && head_ >= 0) woken[count++] = PopLocked();
    }
    for (int i = 0; i < count; ++i) SlotAt(woken[i]).latch.Set();
  } while (count == 64);
}

}  // namespace walden

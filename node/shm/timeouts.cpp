#include "node/shm/timeouts.h"

#include <sys/time.h>

#include <atomic>
#include <cerrno>

#include "node/base/clock.h"

namespace walden {
namespace {

constexpr int kCount = static_cast<int>(Interrupt::kCount);
// 0: not armed. Written by the main thread and by the signal handler that interrupts it.
std::atomic<int64_t> fire_at_us[kCount];
std::atomic<int64_t> alarm_at_us{0};  // when the timer will ring; 0: not set

void SetAlarm(int64_t at_us, int64_t now_us) {
  alarm_at_us.store(at_us, std::memory_order_relaxed);
  int64_t delay_us = at_us > now_us ? at_us - now_us : 1;
  itimerval timer = {};
  timer.it_value.tv_sec = delay_us / 1000000;
  timer.it_value.tv_usec = delay_us % 1000000;
  setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace

void EnableTimeout(Interrupt interrupt, int64_t delay_ms) {
  int64_t now = MonotonicUs();
  int64_t at = now + delay_ms * 1000;
  fire_at_us[static_cast<int>(interrupt)].store(at, std::memory_order_seq_cst);
  int64_t alarm = alarm_at_us.load(std::memory_order_seq_cst);
  if (alarm == 0 || alarm > at) SetAlarm(at, now);
}

void DisableTimeout(Interrupt interrupt) {
  fire_at_us[static_cast<int>(interrupt)].store(0, std::memory_order_relaxed);
  if (InterruptPending(interrupt)) TakeInterrupt(interrupt);
}

bool TimeoutEnabled(Interrupt interrupt) {
  return fire_at_us[static_cast<int>(interrupt)].load(std::memory_order_relaxed) != 0;
}

void DisableAllTimeouts() {
  for (int i = 0; i < kCount; ++i) {
    if (fire_at_us[i].load(std::memory_order_relaxed) != 0) DisableTimeout(static_cast<Interrupt>(i));
  }
}

void HandleTimeoutSignal(int) {
  int saved_errno = errno;
  int64_t now = MonotonicUs();
  int64_t next = 0;
  for (int i = 0; i < kCount; ++i) {
    int64_t at = fire_at_us[i].load(std::memory_order_relaxed);
    if (at == 0) continue;
    if (at <= now) {
      fire_at_us[i].store(0, std::memory_order_relaxed);
      RaiseInterruptSelf(static_cast<Interrupt>(i));
    } else if (next == 0 || at < next) {
      next = at;
    }
  }
  alarm_at_us.store(0, std::memory_order_relaxed);
  if (next != 0) SetAlarm(next, now);
  errno = saved_errno;
}

}  // namespace walden

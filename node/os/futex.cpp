#include "node/os/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "node/os/may_block.h"

namespace walden {

#ifdef WALDEN_DCHECK
thread_local int held_spin_locks = 0;
#endif

FutexResult FutexWait(const std::atomic<uint32_t>* word, uint32_t expected, int64_t timeout_us) {
  CheckMayBlock();
  timespec timeout;
  if (timeout_us >= 0) {
    timeout.tv_sec = timeout_us / 1000000;
    timeout.tv_nsec = (timeout_us % 1000000) * 1000;
  }
  long result =
      syscall(SYS_futex, word, FUTEX_WAIT, expected, timeout_us >= 0 ? &timeout : nullptr, nullptr, 0);
  if (result == 0) return FutexResult::kWoken;
  switch (errno) {
    case ETIMEDOUT: return FutexResult::kTimeout;
    case EINTR: return FutexResult::kInterrupted;
    default: return FutexResult::kChanged;
  }
}

void FutexWake(const std::atomic<uint32_t>* word, int count) {
  int saved_errno = errno;
  syscall(SYS_futex, word, FUTEX_WAKE, count, nullptr, nullptr, 0);
  errno = saved_errno;
}

}  // namespace walden

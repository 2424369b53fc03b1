// Sleeping on a 32-bit word that may live in shared memory (not FUTEX_PRIVATE).
#pragma once

#include <atomic>
#include <cstdint>

namespace walden {

enum class FutexResult : uint8_t { kWoken, kChanged, kTimeout, kInterrupted };

// Sleeps while *word == expected. timeout_us < 0: no limit. kInterrupted: a signal handler ran. Spurious
// kWoken is possible; callers loop on their condition.
FutexResult FutexWait(const std::atomic<uint32_t>* word, uint32_t expected, int64_t timeout_us = -1);
// Wakes up to `count` sleepers. Async-signal-safe.
void FutexWake(const std::atomic<uint32_t>* word, int count);

}  // namespace walden

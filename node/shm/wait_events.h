// Names of what processes wait for (pg_stat_activity.wait_event_type, wait_event).
#pragma once

#include <cstdint>
#include <string_view>

namespace walden {

enum class WaitEvent : uint16_t {
#define X(name, type, text) name,
#include "node/shm/wait_events.def"
#undef X
  kCount
};

// The value stored in ProcessSlot::wait_event: a WaitEvent, or kLwLockWaitBase + rank of the lock waited for.
inline constexpr uint32_t kLwLockWaitBase = 0x8000;
std::string_view WaitEventType(uint32_t stored);
std::string_view WaitEventName(uint32_t stored);

// Shows that this process waits, while it lives; restores what was shown before.
class WaitEventScope {
 public:
  explicit WaitEventScope(WaitEvent event);
  ~WaitEventScope();
  WaitEventScope(const WaitEventScope&) = delete;
  WaitEventScope& operator=(const WaitEventScope&) = delete;

 private:
  uint32_t previous_;
};

}  // namespace walden

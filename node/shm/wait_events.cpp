#include "node/shm/wait_events.h"

#include "node/shm/lwlock.h"
#include "node/shm/process.h"

namespace walden {
namespace {

struct WaitEventRow {
  std::string_view type;
  std::string_view name;
};
constexpr WaitEventRow kRows[] = {
#define X(name, type, text) {type, text},
#include "node/shm/wait_events.def"
#undef X
};

}  // namespace

std::string_view WaitEventType(uint32_t stored) {
  if (stored >= kLwLockWaitBase) return "LWLock";
  return stored < std::size(kRows) ? kRows[stored].type : "";
}

std::string_view WaitEventName(uint32_t stored) {
  if (stored >= kLwLockWaitBase) return LwRankName(static_cast<LwRank>(stored - kLwLockWaitBase));
  return stored < std::size(kRows) ? kRows[stored].name : "";
}

WaitEventScope::WaitEventScope(WaitEvent event)
    : previous_(self().wait_event.exchange(static_cast<uint32_t>(event), std::memory_order_relaxed)) {}

WaitEventScope::~WaitEventScope() { self().wait_event.store(previous_, std::memory_order_relaxed); }

}  // namespace walden

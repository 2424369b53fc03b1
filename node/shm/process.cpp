#include "node/shm/process.h"

#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "node/base/check.h"
#include "node/config/settings.h"

namespace walden {

int RedoWorkerSlots() {
  constexpr int kMostByDefault = 4;
  int wanted = static_cast<int>(GetInt(Setting::kMaxParallelRedoWorkers));
  if (wanted >= 0) return wanted;
  int cores = static_cast<int>(std::thread::hardware_concurrency());
  return cores <= 1 ? 0 : std::min(cores, kMostByDefault);
}

ProcessSlot detached_process_slot;
constinit thread_local ProcessSlot* current_process_slot = &detached_process_slot;

namespace {

struct KindRow {
  const char* type;
  const char* title;
  MemoryPolicy policy;
};
constexpr MemoryPolicy kSharesMemory = MemoryPolicy::kSharesMemory;
constexpr MemoryPolicy kExempt = MemoryPolicy::kExempt;
constexpr KindRow kKinds[] = {
#define X(name, type, title, slots, touches) {type, title, touches},
#include "node/shm/process_kinds.def"
#undef X
};

int AutovacuumSlots() { return static_cast<int>(GetInt(Setting::kAutovacuumMaxWorkers)); }
int WorkerSlots() { return static_cast<int>(GetInt(Setting::kMaxWorkerProcesses)); }
int BackendSlots() { return static_cast<int>(GetInt(Setting::kMaxConnections)) + kSpareBackends; }

int SlotCount(ProcessKind kind) {
  switch (kind) {
#define X(name, type, title, slots, touches) \
  case ProcessKind::name: return slots;
#include "node/shm/process_kinds.def"
#undef X
    case ProcessKind::kCount: break;
  }
  return 0;
}

// The table's layout, in private memory: whoever damages the region cannot mislead the postmaster (I1).
constexpr size_t kKindCount = static_cast<size_t>(ProcessKind::kCount);
int slot_count = 0;
int first_of_kind[kKindCount + 1];

ProcessSlot* Slots() { return ShmArea<ProcessSlot>(Area::kProcesses); }

std::vector<ExitHandler>& ExitHandlers() {
  thread_local std::vector<ExitHandler> handlers;
  return handlers;
}

struct DetachedInitialiser {
  DetachedInitialiser() {
    detached_process_slot.index = -1;
    detached_process_slot.latch.Init();
    detached_process_slot.latch.Own();
  }
} detached_initialiser;

}  // namespace

const char* BackendTypeName(ProcessKind kind) { return kKinds[static_cast<size_t>(kind)].type; }
const char* ProcessTitle(ProcessKind kind) { return kKinds[static_cast<size_t>(kind)].title; }
MemoryPolicy PolicyOf(ProcessKind kind) { return kKinds[static_cast<size_t>(kind)].policy; }

int MaxProcessSlots() {
  if (Slots() != nullptr) return slot_count;
  int total = 0;
  for (size_t kind = 0; kind < kKindCount; ++kind) total += SlotCount(static_cast<ProcessKind>(kind));
  return total;
}

ProcessSlot& SlotAt(int index) {
  DCHECK(index >= 0 && index < slot_count);
  return Slots()[index];
}

SlotRange SlotsOf(ProcessKind kind) {
  size_t k = static_cast<size_t>(kind);
  return {first_of_kind[k], first_of_kind[k + 1] - first_of_kind[k]};
}

int FindSlotByPid(pid_t pid) {
  for (int i = 0; i < slot_count; ++i) {
    if (SlotAt(i).pid.load(std::memory_order_relaxed) == pid) return i;
  }
  return -1;
}

int CountSessions() {
  SlotRange range = SlotsOf(ProcessKind::kBackend);
  int count = 0;
  for (int i = range.first; i < range.first + range.count; ++i) {
    if (SlotAt(i).is_session.load(std::memory_order_relaxed)) ++count;
  }
  return count;
}

size_t ProcessTableBytes() {
  int total = 0;
  for (size_t kind = 0; kind < kKindCount; ++kind) total += SlotCount(static_cast<ProcessKind>(kind));
  return static_cast<size_t>(total) * sizeof(ProcessSlot);
}

void InitProcessTable(void* at) {
  slot_count = 0;
  for (size_t kind = 0; kind < kKindCount; ++kind) {
    first_of_kind[kind] = slot_count;
    slot_count += SlotCount(static_cast<ProcessKind>(kind));
  }
  first_of_kind[kKindCount] = slot_count;
  for (int i = 0; i < slot_count; ++i) {
    ProcessSlot& slot = *new (static_cast<ProcessSlot*>(at) + i) ProcessSlot{};
    slot.index = i;
    slot.latch.Init();
  }
}

void SetSelf(int index, ProcessKind kind) {
  ProcessSlot& slot = SlotAt(index);
  slot.generation.fetch_add(1, std::memory_order_relaxed);
  slot.kind.store(kind, std::memory_order_relaxed);
  slot.is_session.store(false, std::memory_order_relaxed);
  slot.database.store(Oid::kInvalid, std::memory_order_relaxed);
  slot.role.store(Oid::kInvalid, std::memory_order_relaxed);
  slot.wait_event.store(0, std::memory_order_relaxed);
  slot.interrupts.store(0, std::memory_order_relaxed);
  slot.cancel_key.store(0, std::memory_order_relaxed);
  slot.cv_queued.store(false, std::memory_order_relaxed);
  slot.latch.Own();
  slot.latch.Reset();
  slot.pid.store(getpid(), std::memory_order_release);
  current_process_slot = &slot;
  PrepareLatchSignals();
}

void ReleaseSelf() {
  std::vector<ExitHandler>& handlers = ExitHandlers();
  while (!handlers.empty()) {
    ExitHandler handler = handlers.back();
    handlers.pop_back();
    handler();
  }
  ProcessSlot& slot = self();
  if (slot.index < 0) return;
  current_process_slot = &detached_process_slot;
  slot.is_session.store(false, std::memory_order_relaxed);
  slot.pid.store(0, std::memory_order_release);
}

void OnProcessExit(ExitHandler handler) { ExitHandlers().push_back(handler); }

}  // namespace walden

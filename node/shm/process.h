// The process table: one slot per process that touches shared memory. The postmaster assigns slot numbers
// from private memory (I1); the child fills its slot in and clears it on normal exit. Modules keep their own
// per-process arrays in their own areas, indexed by slot number.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "node/base/ids.h"
#include "node/shm/latch.h"
#include "node/shm/region.h"

namespace walden {

enum class ProcessKind : uint8_t {
#define X(name, type, title, slots, touches) name,
#include "node/shm/process_kinds.def"
#undef X
  kCount
};
const char* BackendTypeName(ProcessKind kind);  // "client backend"
const char* ProcessTitle(ProcessKind kind);     // "backend"
enum class MemoryPolicy : uint8_t { kSharesMemory, kExempt };
MemoryPolicy PolicyOf(ProcessKind kind);

// Guarded by: atomics are free to read by anyone; plain fields belong to the owner but for the lwlock_ and
// cv_ fields, which belong to the queue that the process stands in.
struct alignas(128) ProcessSlot {
  std::atomic<int32_t> pid;          // 0: free
  std::atomic<uint32_t> generation;  // counts owners: (slot, generation) names one process for ever
  int32_t index;                     // own number; -1 for a process without a slot
  std::atomic<ProcessKind> kind;
  std::atomic<bool> is_session;  // a client backend that counts against max_connections
  std::atomic<Oid> database;     // kInvalid until bound
  std::atomic<Oid> role;
  std::atomic<uint32_t> wait_event;  // see wait_events.h
  std::atomic<uint32_t> interrupts;  // see interrupts.h
  std::atomic<uint32_t> cancel_key;
  std::atomic<uint8_t>
      recovery_conflict;  // why Interrupt::kRecoveryConflict was raised last; see recovery/hot_standby
  Latch latch;

  std::atomic<uint32_t> lwlock_wake;  // futex word: 1 while queued, 0 when woken
  int32_t lwlock_next;
  uint8_t lwlock_mode;
  bool lwlock_wait_only;

  int32_t cv_next;
  int32_t cv_previous;
  std::atomic<bool> cv_queued;
};

// Identity of a process (or test thread) that has no slot: index -1.
extern ProcessSlot detached_process_slot;
extern constinit thread_local ProcessSlot* current_process_slot;

inline ProcessSlot& self() { return *current_process_slot; }
inline int self_slot() { return current_process_slot->index; }

// Number of slots: from settings before the region exists, and the same ever after.
int MaxProcessSlots();
int RedoWorkerSlots();  // by the settings; SlotsOf has what the table was made with
ProcessSlot& SlotAt(int index);
// First slot number and count of a kind's range.
struct SlotRange {
  int first;
  int count;
};
SlotRange SlotsOf(ProcessKind kind);
// Backends beyond max_connections that are kept waiting or answer "too many clients" and cancel requests.
inline constexpr int kSpareBackends = 16;
// Slot of a live process, or -1. O(slots).
int FindSlotByPid(pid_t pid);
int CountSessions();

// Area::kProcesses.
size_t ProcessTableBytes();
void InitProcessTable(void* at);

// Makes the calling thread the owner of `slot`; resets the slot. Exit handlers run in ReleaseSelf, newest
// first.
void SetSelf(int slot, ProcessKind kind);
void ReleaseSelf();
using ExitHandler = void (*)();
void OnProcessExit(ExitHandler handler);

}  // namespace walden

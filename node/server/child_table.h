// The postmaster's private list of its children and of the process-table slots that it has given out. Never
// in shared memory (I1).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <list>
#include <vector>

#include "node/os/socket.h"
#include "node/shm/process.h"

namespace walden {

// A backend's life: waiting in the pool, given a client but not confirmed, serving; then perhaps waiting again.
enum class BackendStage : uint8_t { kNone, kWaiting, kHandedOver, kServing };

struct Child {
  pid_t pid = 0;
  ProcessKind kind{};
  int slot = -1;
  int64_t started_us = 0;
  bool asked_to_stop = false;
  // Backends:
  BackendStage stage = BackendStage::kNone;
  bool counts_as_session = false;
  Descriptor control;  // hand-over of clients
  Descriptor client;   // the postmaster's copy until the backend confirms
  int64_t confirm_by_us = 0;
  uint32_t reloads = 0;  // of the postmaster when it was forked: what it inherited of the configuration
  // Background workers:
  int worker = -1;
};

class ChildTable {
 public:
  // A free slot of the kind; -1 when all are taken (or the kind needs none: check NeedsSlot first).
  int TakeSlot(ProcessKind kind);
  void ReturnSlot(int slot);
  Child& Add(Child child);
  Child* Find(pid_t pid);
  Child* FindKind(ProcessKind kind);
  void Remove(pid_t pid);
  void Clear();

  std::list<Child>& all() { return children_; }
  int Count(ProcessKind kind) const;
  int CountIf(const std::function<bool(const Child&)>& predicate) const;
  static bool NeedsSlot(ProcessKind kind) { return SlotsOf(kind).count > 0; }

 private:
  std::list<Child> children_;  // stable addresses
  std::vector<bool> slot_used_;
};

}  // namespace walden

// Deadlock detection: a depth-first walk of who waits for whom, from this process, with every partition
// locked.
//
// A waiter waits for each holder of a conflicting mode (hard edge) and for each waiter ahead of it in the
// queue with a conflicting request (soft edge: the queue is first come, first served). A walk that comes back
// to where it began is a deadlock, which this process ends by giving up. Cycles that leave us out are found
// by their own members.
#include <vector>

#include "node/base/check.h"
#include "node/shm/process.h"
#include "node/txn/lock_manager.h"
#include "node/txn/lock_table.h"

namespace walden {
namespace {

class AllPartitions {
 public:
  AllPartitions() {
    for (PaddedLwLock& partition : lock_table->partitions) partition.lock.Acquire(LwMode::kExclusive);
  }
  ~AllPartitions() {
    for (PaddedLwLock& partition : lock_table->partitions) partition.lock.Release();
  }
};

struct Edge {
  int waiter;  // process slot
  LockTag tag;
  LockMode mode;
};

class DeadlockWalk {
 public:
  explicit DeadlockWalk(int start) : start_(start), visited_(static_cast<size_t>(lock_table->slot_count)) {}

  bool Find() { return Visit(start_); }
  const std::vector<Edge>& cycle() const { return path_; }
  int autovacuum_slot() const { return autovacuum_slot_; }

 private:
  // Whether `slot` waits, directly or not, for the start.
  bool Visit(int slot) {
    LockSlot& waiter = lock_table->slots[slot];
    LockEntry* lock = waiter.wait_lock;
    if (lock == nullptr || waiter.wait_state.load(std::memory_order_relaxed) != WaitState::kWaiting)
      return false;
    path_.push_back({slot, lock->key, waiter.wait_mode});
    for (HolderEntry* holder = lock->holders; holder != nullptr; holder = holder->lock_next) {
      if (holder->slot() == slot || (ConflictsOf(waiter.wait_mode) & holder->held) == 0) continue;
      NoteBlocker(slot, holder->slot());
      if (Follow(holder->slot())) return true;
    }
    for (int ahead = lock->queue_head; ahead >= 0 && ahead != slot;
         ahead = lock_table->slots[ahead].wait_next) {
      if (Conflict(waiter.wait_mode, lock_table->slots[ahead].wait_mode) && Follow(ahead)) return true;
    }
    path_.pop_back();
    return false;
  }

  bool Follow(int slot) {
    if (slot == start_) return true;
    if (visited_[static_cast<size_t>(slot)]) return false;
    visited_[static_cast<size_t>(slot)] = true;
    return Visit(slot);
  }

  void NoteBlocker(int waiter, int holder) {
    if (waiter == start_ && SlotAt(holder).kind.load() == ProcessKind::kAutovacuumWorker)
      autovacuum_slot_ = holder;
  }

  int start_;
  std::vector<bool> visited_;
  std::vector<Edge> path_;
  int autovacuum_slot_ = -1;
};

std::string DescribeCycle(const std::vector<Edge>& cycle) {
  std::string text;
  for (size_t i = 0; i < cycle.size(); ++i) {
    const Edge& edge = cycle[i];
    const Edge& next = cycle[(i + 1) % cycle.size()];
    if (i > 0) text += '\n';
    text +=
        fmt::format("Process {} waits for {} on {}; blocked by process {}.", SlotAt(edge.waiter).pid.load(),
                    LockModeName(edge.mode), DescribeLockTag(edge.tag), SlotAt(next.waiter).pid.load());
  }
  return text;
}

}  // namespace

bool FindDeadlock(std::string* detail, int* autovacuum_slot) {
  AllPartitions all;
  int own = self_slot();
  if (lock_table->slots[own].wait_state.load(std::memory_order_relaxed) != WaitState::kWaiting) return false;
  DeadlockWalk walk(own);
  bool found = walk.Find();
  *autovacuum_slot = walk.autovacuum_slot();
  if (!found) return false;
  *detail = DescribeCycle(walk.cycle());
  Dequeue(own);
  return true;
}

}  // namespace walden

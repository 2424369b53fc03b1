// Deadlock detection: a depth-first walk of who waits for whom, from this process, with every partition
// locked.
//
// A waiter waits for each holder of a conflicting mode (hard edge) and for each waiter ahead of it in the
// queue with a conflicting request (soft edge: the queue is first come, first served). A walk that comes back
// to where it began is a cycle. One with soft edges may be undone by letting a waiter pass another: orders of the
// queues are tried until one has no cycle. Otherwise it is a deadlock, which this process ends by giving up. Cycles
// that leave us out are found by their own members.
#include <algorithm>
#include <map>
#include <utility>
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
  int blocker;
  LockEntry* lock;
  LockMode mode;
  bool soft;
};

// Looks for cycles through given processes, and for an order of the wait queues in which there are none.
class DeadlockSearch {
 public:
  enum class Outcome { kNone, kReordered, kDeadlock };

  explicit DeadlockSearch(int start) : start_(start) {}

  Outcome Run() {
    if (!FindCycle(start_)) return Outcome::kNone;
    cycle_ = path_;
    if (!Resolve(0)) return Outcome::kDeadlock;
    for (const auto& [lock, order] : orders_) Relink(lock, order);
    for (const auto& [lock, order] : orders_) WakeWaiters(lock);
    return Outcome::kReordered;
  }
  const std::vector<Edge>& cycle() const { return cycle_; }
  int autovacuum_slot() const { return autovacuum_slot_; }

 private:
  using Order = std::vector<int>;
  // The search doubles with each queue position that is changed: past this a deadlock is reported.
  static constexpr int kMaxReversals = 8;

  // Whether queues can be ordered so that, besides constraints_, neither the start nor a waiter that was moved is in a cycle.
  bool Resolve(int depth) {
    if (!ComputeOrders()) return false;
    if (!FindAnyCycle()) return true;
    if (depth == kMaxReversals) return false;
    std::vector<Edge> soft;
    for (const Edge& edge : path_) {
      if (edge.soft) soft.push_back(edge);
    }
    for (const Edge& edge : soft) {
      constraints_.push_back(edge);
      if (Resolve(depth + 1)) return true;
      constraints_.pop_back();
    }
    return false;
  }

  bool FindAnyCycle() {
    if (FindCycle(start_)) return true;
    for (const Edge& moved : constraints_) {
      if (FindCycle(moved.waiter) || FindCycle(moved.blocker)) return true;
    }
    return false;
  }

  // path_ is the cycle through `target` if there is one.
  bool FindCycle(int target) {
    target_ = target;
    visited_.assign(static_cast<size_t>(lock_table->slot_count), 0);
    path_.clear();
    return Visit(target);
  }

  // Whether `slot` waits, directly or not, for the target.
  bool Visit(int slot) {
    LockSlot& waiter = lock_table->slots[slot];
    LockEntry* lock = waiter.wait_lock;
    if (lock == nullptr || waiter.wait_state.load(std::memory_order_relaxed) != WaitState::kWaiting)
      return false;
    for (HolderEntry* holder = lock->holders; holder != nullptr; holder = holder->lock_next) {
      if (holder->slot() == slot || (ConflictsOf(waiter.wait_mode) & holder->held) == 0) continue;
      NoteBlocker(slot, holder->slot());
      if (Follow({slot, holder->slot(), lock, waiter.wait_mode, false})) return true;
    }
    for (int ahead : OrderOf(lock)) {
      if (ahead == slot) break;
      if (!Conflict(waiter.wait_mode, lock_table->slots[ahead].wait_mode)) continue;
      if (Follow({slot, ahead, lock, waiter.wait_mode, true})) return true;
    }
    return false;
  }

  bool Follow(const Edge& edge) {
    path_.push_back(edge);
    if (edge.blocker == target_) return true;
    bool seen = std::exchange(visited_[static_cast<size_t>(edge.blocker)], 1) != 0;
    if (!seen && Visit(edge.blocker)) return true;
    path_.pop_back();
    return false;
  }

  static Order QueueOf(const LockEntry* lock) {
    Order order;
    for (int at = lock->queue_head; at >= 0; at = lock_table->slots[at].wait_next) order.push_back(at);
    return order;
  }
  Order OrderOf(LockEntry* lock) const {
    auto found = orders_.find(lock);
    return found != orders_.end() ? found->second : QueueOf(lock);
  }

  // The queues with every constraint's waiter ahead of its blocker, otherwise as they are; false when that cannot be.
  bool ComputeOrders() {
    orders_.clear();
    for (const Edge& constraint : constraints_) {
      if (orders_.contains(constraint.lock)) continue;
      Order left = QueueOf(constraint.lock), sorted;
      while (!left.empty()) {
        auto last =
            std::find_if(left.rbegin(), left.rend(), [&](int slot) { return !MustPrecede(slot, left); });
        if (last == left.rend()) return false;
        sorted.insert(sorted.begin(), *last);
        left.erase(std::next(last).base());
      }
      orders_[constraint.lock] = std::move(sorted);
    }
    return true;
  }
  bool MustPrecede(int slot, const Order& others) const {
    return std::any_of(constraints_.begin(), constraints_.end(), [&](const Edge& edge) {
      return edge.waiter == slot && std::find(others.begin(), others.end(), edge.blocker) != others.end();
    });
  }

  static void Relink(LockEntry* lock, const Order& order) {
    int previous = -1;
    lock->queue_head = order.front();
    for (int slot : order) {
      lock_table->slots[slot].wait_previous = previous;
      if (previous >= 0) lock_table->slots[previous].wait_next = slot;
      previous = slot;
    }
    lock_table->slots[previous].wait_next = -1;
    lock->queue_tail = previous;
  }

  void NoteBlocker(int waiter, int holder) {
    if (waiter == start_ && SlotAt(holder).kind.load() == ProcessKind::kAutovacuumWorker)
      autovacuum_slot_ = holder;
  }

  int start_;
  int target_ = -1;
  std::vector<char> visited_;
  std::vector<Edge> path_, cycle_;
  std::vector<Edge> constraints_;  // soft edges to be turned round
  std::map<LockEntry*, Order> orders_;
  int autovacuum_slot_ = -1;
};

std::string DescribeCycle(const std::vector<Edge>& cycle) {
  std::string text;
  for (size_t i = 0; i < cycle.size(); ++i) {
    const Edge& edge = cycle[i];
    if (i > 0) text += '\n';
    text += fmt::format("Process {} waits for {} on {}; blocked by process {}.",
                        SlotAt(edge.waiter).pid.load(), LockModeName(edge.mode),
                        DescribeLockTag(edge.lock->key), SlotAt(edge.blocker).pid.load());
  }
  return text;
}

}  // namespace

bool IsDeadlocked() {
  AllPartitions all;
  int own = self_slot();
  if (lock_table->slots[own].wait_state.load(std::memory_order_relaxed) != WaitState::kWaiting) return false;
  return DeadlockSearch(own).Run() == DeadlockSearch::Outcome::kDeadlock;
}

bool FindDeadlock(std::string* detail, int* autovacuum_slot) {
  AllPartitions all;
  int own = self_slot();
  if (lock_table->slots[own].wait_state.load(std::memory_order_relaxed) != WaitState::kWaiting) return false;
  DeadlockSearch search(own);
  DeadlockSearch::Outcome outcome = search.Run();
  *autovacuum_slot = search.autovacuum_slot();
  if (outcome != DeadlockSearch::Outcome::kDeadlock) return false;
  *detail = DescribeCycle(search.cycle());
  Dequeue(own);
  return true;
}

}  // namespace walden

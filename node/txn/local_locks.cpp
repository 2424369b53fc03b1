#include "node/txn/local_locks.h"

#include <utility>

#include "node/base/check.h"

namespace walden {

LocalLock* LocalLocks::Find(const LockTag& tag, uint64_t hash, LockMode mode) {
  size_t mask = index_.size() - 1;
  for (size_t at = Home(hash, mode); index_[at] >= 0; at = (at + 1) & mask) {
    LocalLock& lock = entries_[static_cast<size_t>(index_[at])];
    if (lock.hash == hash && lock.mode == mode && lock.tag == tag) return &lock;
  }
  return nullptr;
}

LocalLock* LocalLocks::Insert(const LockTag& tag, uint64_t hash, LockMode mode) {
  if ((count_ + 1) * 2 > index_.size()) Grow();
  if (count_ == entries_.size()) entries_.emplace_back();
  LocalLock& lock = entries_[count_];
  lock.tag = tag;
  lock.hash = hash;
  lock.mode = mode;
  lock.strong = lock.fast = false;
  lock.holder = nullptr;
  lock.session_count = lock.top_count = 0;
  lock.deeper.clear();
  size_t at = Home(hash, mode);
  while (index_[at] >= 0) at = (at + 1) & (index_.size() - 1);
  index_[at] = static_cast<int32_t>(count_++);
  return &lock;
}

size_t LocalLocks::IndexOf(size_t entry) const {
  size_t at = Home(entries_[entry].hash, entries_[entry].mode);
  while (index_[at] != static_cast<int32_t>(entry)) at = (at + 1) & (index_.size() - 1);
  return at;
}

void LocalLocks::Erase(LocalLock* lock) {
  size_t entry = static_cast<size_t>(lock - entries_.data());
  size_t mask = index_.size() - 1;
  size_t hole = IndexOf(entry);
  size_t last = count_ - 1;
  if (entry != last) {
    index_[IndexOf(last)] = static_cast<int32_t>(entry);
    std::swap(entries_[entry], entries_[last]);
  }
  --count_;
  // Close the hole: move back what would no longer be found.
  for (size_t at = (hole + 1) & mask; index_[at] >= 0; at = (at + 1) & mask) {
    const LocalLock& moved = entries_[static_cast<size_t>(index_[at])];
    size_t home = Home(moved.hash, moved.mode);
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    index_[hole] = index_[at];
    hole = at;
  }
  index_[hole] = -1;
}

void LocalLocks::Grow() {
  index_.assign(index_.size() * 2, -1);
  for (size_t i = 0; i < count_; ++i) {
    size_t at = Home(entries_[i].hash, entries_[i].mode);
    while (index_[at] >= 0) at = (at + 1) & (index_.size() - 1);
    index_[at] = static_cast<int32_t>(i);
  }
}

LocalLocks& OwnLocalLocks() {
  thread_local LocalLocks locks;
  return locks;
}

}  // namespace walden

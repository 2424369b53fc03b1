// Internal to txn: what this process holds, and for whom. Process-local; a hash that keeps its memory.
#pragma once

#include <cstdint>
#include <vector>

#include "node/txn/lock_modes.h"
#include "node/txn/lock_table.h"
#include "node/txn/lock_tag.h"

namespace walden {

struct LocalLock {
  LockTag tag;
  uint64_t hash = 0;  // of the tag
  LockMode mode = LockMode::kNone;
  bool strong = false;            // counts in StrongCounter
  bool fast = false;              // was taken by the fast path (may have been moved into the table since)
  HolderEntry* holder = nullptr;  // in the shared table, unless fast
  uint32_t session_count = 0;
  uint32_t top_count = 0;  // owned by the top-level transaction
  struct Deeper {
    int level;
    uint32_t count;
  };
  std::vector<Deeper> deeper;  // owned by subtransactions, rising levels

  bool HeldByTransaction() const { return top_count != 0 || !deeper.empty(); }
  bool Held() const { return session_count != 0 || HeldByTransaction(); }
  void Add(int level) {  // 0 = session
    if (level <= 1) {
      ++(level == 0 ? session_count : top_count);
    } else if (!deeper.empty() && deeper.back().level == level) {
      ++deeper.back().count;
    } else {
      deeper.push_back({level, 1});
    }
  }
  // Takes one count off, the deepest transaction owner first. False when that owner has none.
  bool Remove(bool session) {
    if (session) return session_count != 0 && session_count-- != 0;
    if (deeper.empty()) return top_count != 0 && top_count-- != 0;
    if (--deeper.back().count == 0) deeper.pop_back();
    return true;
  }
};

class LocalLocks {
 public:
  LocalLock* Find(const LockTag& tag, uint64_t hash, LockMode mode);
  // A new entry for what is not there yet. Pointers last until the next Insert or Erase.
  LocalLock* Insert(const LockTag& tag, uint64_t hash, LockMode mode);
  void Erase(LocalLock* lock);
  size_t size() const { return count_; }
  LocalLock& operator[](size_t i) { return entries_[i]; }

 private:
  size_t Home(uint64_t hash, LockMode mode) const {
    return (hash ^ (static_cast<uint64_t>(mode) * 0x9E3779B97F4A7C15ull >> 20)) & (index_.size() - 1);
  }
  size_t IndexOf(size_t entry) const;
  void Grow();

  std::vector<LocalLock> entries_;  // the first count_ are in use; the others keep their memory
  size_t count_ = 0;
  std::vector<int32_t> index_ = std::vector<int32_t>(64, -1);  // linear probing into entries_
};

LocalLocks& OwnLocalLocks();

}  // namespace walden

// Bump allocator for data that dies together (a query, a batch, a cache entry), charged to a MemoryAccount.
// Not thread-safe; owned by one process's main thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "node/base/poison.h"

namespace walden {

// A node of the tree of memory accounts: bytes charged here count in every ancestor. Limits are the
// operators' business (work_mem): they ask `bytes()` and spill.
class MemoryAccount {
 public:
  explicit MemoryAccount(const char* name, MemoryAccount* parent = nullptr);
  ~MemoryAccount();
  MemoryAccount(const MemoryAccount&) = delete;
  MemoryAccount& operator=(const MemoryAccount&) = delete;

  void Charge(int64_t bytes) {
    for (MemoryAccount* account = this; account != nullptr; account = account->parent_) {
      account->bytes_ += bytes;
      if (account->bytes_ > account->peak_bytes_) account->peak_bytes_ = account->bytes_;
    }
  }
  int64_t bytes() const { return bytes_; }
  int64_t peak_bytes() const { return peak_bytes_; }
  const char* name() const { return name_; }
  const MemoryAccount* parent() const { return parent_; }
  const std::vector<MemoryAccount*>& children() const { return children_; }

 private:
  const char* name_;  // static storage
  MemoryAccount* parent_;
  std::vector<MemoryAccount*> children_;
  int64_t bytes_ = 0;
  int64_t peak_bytes_ = 0;
};

// From now on arenas fill what they take back, so that who still points there reads nonsense (walden_clobber_freed_memory).
void ClobberFreedMemory(bool on);

// The root of this process's accounts (pg_backend_memory_contexts shows the tree).
MemoryAccount& ProcessMemory();

class Arena {
 public:
  explicit Arena(MemoryAccount* account = &ProcessMemory(), size_t first_block_bytes = 1024);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Uninitialised memory, aligned as asked (a power of two up to 64). Throws SqlError 53200.
  void* Allocate(size_t bytes, size_t alignment = 8) {
    uintptr_t start = (next_ + alignment - 1) & ~(alignment - 1);
    if (start + bytes > limit_) return AllocateSlow(bytes, alignment);
    next_ = start + bytes;
    Unpoison(reinterpret_cast<void*>(start), bytes);
    return reinterpret_cast<void*>(start);
  }
  // Constructs T in the arena. Its destructor never runs: use only for types that own nothing outside.
  template <class T, class... Args>
  T* New(Args&&... args) {
    return new (Allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
  }
  template <class T>
  T* NewArray(size_t count) {
    return static_cast<T*>(Allocate(sizeof(T) * count, alignof(T)));
  }
  std::string_view Copy(std::string_view text) {
    char* to = static_cast<char*>(Allocate(text.size(), 1));
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }
  // Frees everything but the first block, which is kept for reuse: resetting a small arena costs no malloc.
  void Reset();
  size_t bytes() const { return total_bytes_; }
  MemoryAccount* account() const { return account_; }

 private:
  struct Block {
    Block* previous;
    size_t size_bytes;  // including this header
  };
  void* AllocateSlow(size_t bytes, size_t alignment);
  void PushBlock(size_t size_bytes);
  static void TakeBack(Block* block);

  MemoryAccount* account_;
  Block* block_ = nullptr;
  uintptr_t next_ = 0;
  uintptr_t limit_ = 0;
  size_t next_block_bytes_;
  size_t total_bytes_ = 0;
};

}  // namespace walden

// Fixed-capacity chained hash table in shared memory; entries never move. Locking is the caller's: operations
// on keys of one partition (PartitionOf) need that partition's lock, exclusive for Insert and Erase.
// Partitions are independent but for the free list, which has its own spin lock.
//
// Entry is trivially copyable and has `Key key` and `int32_t next` (the table's own). Key has operator==.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "node/base/bytes.h"
#include "node/shm/spinlock.h"

namespace walden {

// Mixes all bytes of a key without padding.
inline uint64_t HashBytes(const void* data, size_t size) {
  const char* p = static_cast<const char*>(data);
  uint64_t hash = 0x9E3779B97F4A7C15ull ^ size;
  for (; size >= 8; size -= 8, p += 8)
    hash = (hash ^ Load<uint64_t>(p)) * 0xFF51AFD7ED558CCDull, hash ^= hash >> 32;
  uint64_t rest = 0;
  std::memcpy(&rest, p, size);
  hash = (hash ^ rest) * 0xC4CEB9FE1A85EC53ull;
  return hash ^ (hash >> 29);
}
template <class Key>
uint64_t HashKey(const Key& key) {
  static_assert(std::has_unique_object_representations_v<Key>);
  return HashBytes(&key, sizeof key);
}

template <class Entry, uint32_t kPartitions = 16>
class ShmHash {
 public:
  using Key = decltype(Entry::key);
  static_assert(std::is_trivially_copyable_v<Entry>);
  static_assert((kPartitions & (kPartitions - 1)) == 0);

  static size_t BytesFor(uint32_t capacity) {
    return sizeof(ShmHash) + BucketsFor(capacity) * sizeof(int32_t) + 64 + size_t{capacity} * sizeof(Entry);
  }
  static ShmHash* Create(void* at, uint32_t capacity) {
    ShmHash* table = new (at) ShmHash;
    table->capacity_ = capacity;
    table->bucket_mask_ = BucketsFor(capacity) - 1;
    for (uint32_t i = 0; i <= table->bucket_mask_; ++i) table->buckets()[i] = -1;
    for (uint32_t i = 0; i < capacity; ++i)
      table->entries()[i].next = i + 1 < capacity ? static_cast<int32_t>(i + 1) : -1;
    table->free_head_ = capacity > 0 ? 0 : -1;
    return table;
  }

  static uint32_t PartitionOf(uint64_t hash) { return static_cast<uint32_t>(hash) & (kPartitions - 1); }

  Entry* Find(const Key& key, uint64_t hash) {
    for (int32_t i = buckets()[hash & bucket_mask_]; i >= 0; i = entries()[i].next) {
      if (entries()[i].key == key) return &entries()[i];
    }
    return nullptr;
  }
  // Finds or adds; a new entry has only its key set. nullptr when the table is full.
  Entry* Insert(const Key& key, uint64_t hash, bool* found) {
    Entry* entry = Find(key, hash);
    *found = entry != nullptr;
    if (entry != nullptr) return entry;
    int32_t index = TakeFree();
    if (index < 0) return nullptr;
    entry = &entries()[index];
    entry->key = key;
    int32_t& bucket = buckets()[hash & bucket_mask_];
    entry->next = bucket;
    bucket = index;
    return entry;
  }
  bool Erase(const Key& key, uint64_t hash) {
    for (int32_t* link = &buckets()[hash & bucket_mask_]; *link >= 0; link = &entries()[*link].next) {
      int32_t index = *link;
      if (!(entries()[index].key == key)) continue;
      *link = entries()[index].next;
      SpinGuard guard(free_lock_);
      entries()[index].next = free_head_;
      free_head_ = index;
      --used_;
      return true;
    }
    return false;
  }
  // Visits the entries of one partition; `visit` may not change the table.
  template <class Visit>
  void ForEachInPartition(uint32_t partition, Visit&& visit) {
    for (uint32_t b = partition; b <= bucket_mask_; b += kPartitions) {
      for (int32_t i = buckets()[b]; i >= 0; i = entries()[i].next) visit(entries()[i]);
    }
  }
  uint32_t capacity() const { return capacity_; }
  uint32_t used() const { return used_; }

 private:
  static size_t BucketsFor(uint32_t capacity) {
    size_t buckets = kPartitions;
    while (buckets < capacity) buckets *= 2;
    return buckets;
  }
  int32_t TakeFree() {
    SpinGuard guard(free_lock_);
    int32_t index = free_head_;
    if (index >= 0) {
      free_head_ = entries()[index].next;
      ++used_;
    }
    return index;
  }
  int32_t* buckets() { return reinterpret_cast<int32_t*>(this + 1); }
  Entry* entries() {
    uintptr_t after = reinterpret_cast<uintptr_t>(buckets() + bucket_mask_ + 1);
    return reinterpret_cast<Entry*>(AlignUp(after, 64));
  }

  uint32_t capacity_;
  uint32_t bucket_mask_;
  SpinLock free_lock_;
  int32_t free_head_;  // Guarded by: free_lock_
  uint32_t used_ = 0;  // Guarded by: free_lock_ (read without it as an estimate)
};

}  // namespace walden

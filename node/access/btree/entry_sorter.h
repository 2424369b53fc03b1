// Sorts index entries in index order within a bounded memory, spilling sorted runs to a temporary file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "node/access/btree/key.h"
#include "node/access/btree/ordered_entries.h"
#include "node/os/file.h"

namespace walden::btree {

class EntrySorter {
 public:
  EntrySorter(const IndexDesc& index, size_t memory_bytes);
  ~EntrySorter();
  void Add(const Entry& entry, bool alive);
  // After the last Add.
  void Sort();
  // The next entry in order; it stays valid until the next call. False at the end.
  bool Next(Entry* entry, bool* alive);

 private:
  // In memory and in runs: Record, then the entry's bytes.
  struct Record {
    int64_t prefix;  // orders like the first key column as far as it goes
    uint32_t size;
    uint32_t alive;
  };
  struct Run {
    uint64_t next = 0;
    uint64_t end = 0;
    std::vector<char> buffer;
    size_t at = 0;
    size_t filled = 0;
    const Record* current = nullptr;
  };

  int64_t PrefixOf(const Entry& entry) const;
  void AddToSort(const Entry& entry, int64_t prefix, bool alive);
  const Record* NextSorted();
  bool OrderedIsFirst() const;
  bool Less(const Record* a, const Record* b) const;
  void SortByPrefix();
  void SortMemory();
  void Spill();
  bool Advance(Run* run);
  void PushRun(size_t run);
  size_t PopRun();

  const IndexDesc& index_;
  size_t memory_bytes_;
  OrderedEntries ordered_;  // those that need no sorting; the rest of this is for the others
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_used_ = 0;
  size_t total_bytes_ = 0;
  // The prefix beside the pointer: most comparisons touch nothing else.
  struct Slot {
    int64_t prefix;
    const Record* record;
  };
  std::vector<Slot> records_;
  size_t next_record_ = 0;
  File spill_;
  uint64_t spill_size_ = 0;
  std::vector<Run> runs_;
  std::vector<size_t> heap_;  // runs by their current record, lowest first
  size_t last_run_ = SIZE_MAX;
  // The merge of both: what each has next, and which one gave the entry that was returned last.
  const Record* next_sorted_ = nullptr;
  bool more_ordered_ = false;
  enum class Source : uint8_t { kNone, kOrdered, kSorted } returned_ = Source::kNone;
};

}  // namespace walden::btree

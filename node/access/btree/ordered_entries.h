// Index entries of one integer that come in index order, packed: each as its difference from the one before, two or three
// bytes for the next number in the next row. An index over a growing key is built from them without sorting.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "node/access/btree/page.h"

namespace walden::btree {

class OrderedEntries {
 public:
  explicit OrderedEntries(const IndexDesc& index);

  // Takes the entry if it comes behind all others. `prefix`: the key as EntrySorter orders it. False: it is not one integer,
  // or it belongs before the last one.
  bool Add(const Entry& entry, int64_t prefix, bool alive);
  size_t memory_bytes() const { return blocks_.size() * kBlockBytes; }

  // Reading, after the last Add. The next entry, false at the end; what the accessors give stays valid until the next call.
  bool Next();
  int64_t prefix() const { return at_.prefix; }
  Entry entry() const { return {entry_, entry_size_}; }
  bool alive() const { return alive_; }

 private:
  static constexpr size_t kBlockBytes = 64 << 10;
  static constexpr size_t kMostBytesEach = 20;  // two numbers of up to 64 bits, seven a byte
  struct Block {
    std::unique_ptr<char[]> bytes;
    uint32_t used;
  };
  struct Position {
    int64_t prefix = 0;
    int64_t tid = 0;
  };

  const IndexDesc& index_;
  uint32_t value_bytes_;  // 0: not an index of one integer
  std::vector<Block> blocks_;
  Position last_;
  // Reading.
  Position at_;
  size_t block_ = 0;
  uint32_t offset_ = 0;
  alignas(8) char entry_[16];
  uint32_t entry_size_;
  bool alive_ = false;
};

}  // namespace walden::btree

// The identities of dead rows that a VACUUM has found and whose index entries are still there. Added in table
// order.
//
// A page of the table is one entry in a sorted list and as many bits as its highest dead row needs: indexes ask about
// every row identity that they hold, mostly about neighbours of the last.
#pragma once

#include <algorithm>
#include <vector>

#include "node/access/deform.h"
#include "node/access/index.h"
#include "node/storage/page.h"

namespace walden {

class DeadRows : public DeadTids {
 public:
  struct Page {
    BlockNumber block;
    uint32_t first_word;
  };

  explicit DeadRows(int64_t memory_kb)
      : limit_bytes_(std::max<size_t>(static_cast<size_t>(memory_kb) * 1024, 8192)) {}
  // Whether another page's worth may not fit.
  bool IsFull() const { return MemoryBytes() + sizeof(Page) + kMaxItemsPerPage / 8 + 8 > limit_bytes_; }
  void Add(TupleId tid) {
    if (pages_.empty() || pages_.back().block != tid.block) {
      pages_.push_back({tid.block, static_cast<uint32_t>(words_.size())});
    }
    size_t word = pages_.back().first_word + tid.offset / 64u;
    if (words_.size() <= word) words_.resize(word + 1);
    words_[word] |= uint64_t{1} << (tid.offset % 64);
    ++count_;
  }
  bool Contains(TupleId tid) const override {
    size_t page = Find(tid.block);
    if (page == pages_.size()) return false;
    size_t word = pages_[page].first_word + tid.offset / 64u;
    return word < WordsEnd(page) && (words_[word] >> (tid.offset % 64) & 1) != 0;
  }
  bool empty() const { return count_ == 0; }
  size_t size() const { return count_; }
  // How many fit at least, for progress reports: a page may hold a single one.
  size_t limit() const { return limit_bytes_ / (sizeof(Page) + sizeof(uint64_t)); }
  size_t page_count() const { return pages_.size(); }
  BlockNumber block(size_t page) const { return pages_[page].block; }
  // The dead rows of a page, in order; returns how many.
  size_t OffsetsOf(size_t page, OffsetNumber* out) const {
    size_t found = 0;
    for (size_t word = pages_[page].first_word; word < WordsEnd(page); ++word) {
      for (uint64_t bits = words_[word]; bits != 0; bits &= bits - 1) {
        size_t offset = (word - pages_[page].first_word) * 64 + static_cast<size_t>(__builtin_ctzll(bits));
        out[found++] = static_cast<OffsetNumber>(offset);
      }
    }
    return found;
  }
  void Clear() {
    pages_.clear();
    words_.clear();
    count_ = last_found_ = 0;
  }

 private:
  size_t MemoryBytes() const { return pages_.size() * sizeof(Page) + words_.size() * sizeof(uint64_t); }
  size_t WordsEnd(size_t page) const {
    return page + 1 < pages_.size() ? pages_[page + 1].first_word : words_.size();
  }
  // pages_.size() if the block has no dead row. Each page of the list is of another block, so that a block so many further on
  // than another's is at most so many entries further on: exactly there where every page has dead rows.
  size_t Find(BlockNumber block) const {
    if (pages_.empty()) return 0;
    BlockNumber near = pages_[last_found_].block;
    size_t first = last_found_, last = last_found_;  // where it may be
    if (block >= near) {
      last = std::min(pages_.size() - 1, last_found_ + (block - near));
      if (pages_[last].block == block) return last_found_ = last;
    } else {
      first = last_found_ - std::min<size_t>(last_found_, near - block);
      if (pages_[first].block == block) return last_found_ = first;
    }
    auto at = std::lower_bound(pages_.begin() + static_cast<ptrdiff_t>(first),
                               pages_.begin() + static_cast<ptrdiff_t>(last), block,
                               [](const Page& page, BlockNumber wanted) { return page.block < wanted; });
    last_found_ = static_cast<size_t>(at - pages_.begin());
    return at->block == block ? last_found_ : pages_.size();
  }

  size_t limit_bytes_;
  std::vector<Page> pages_;
  std::vector<uint64_t> words_;
  size_t count_ = 0;
  mutable size_t last_found_ = 0;  // or where a block would be that is not there
};

}  // namespace walden

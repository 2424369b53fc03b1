// Tells the kernel to start writing back what was written, in runs of neighbours, so that a later fsync finds little to do.
#pragma once

#include <cstdint>

#include "node/storage/relation_file.h"

namespace walden::buffer_internal {

class WritebackRuns {
 public:
  // After so many pages; 0: never.
  explicit WritebackRuns(int64_t limit) : limit_(limit) {}
  ~WritebackRuns() { Issue(); }
  void SetLimit(int64_t limit) {
    if (limit == limit_) return;
    Issue();
    limit_ = limit;
  }
  void Add(const PageKey& key) {
    PageKey expected = first_;
    expected.block += static_cast<BlockNumber>(count_);
    if (count_ > 0 && (key != expected || count_ >= limit_)) Issue();
    if (count_ == 0) first_ = key;
    ++count_;
  }

 private:
  void Issue() {
    if (limit_ > 0 && count_ > 0) WritebackRelationPages(first_, static_cast<int>(count_));
    count_ = 0;
  }
  int64_t limit_;
  PageKey first_;
  int64_t count_ = 0;
};

}  // namespace walden::buffer_internal

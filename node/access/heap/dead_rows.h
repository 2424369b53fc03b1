// The identities of dead rows that a VACUUM has found and whose index entries are still there. Added in table
// order.
#pragma once

#include <algorithm>
#include <vector>

#include "node/access/deform.h"
#include "node/access/index.h"

namespace walden {

class DeadRows : public DeadTids {
 public:
  explicit DeadRows(int64_t memory_kb)
      : limit_(std::max<size_t>(static_cast<size_t>(memory_kb) * 1024 / sizeof(int64_t), 1024)) {}
  // Whether another page's worth may not fit.
  bool IsFull() const { return tids_.size() + kMaxItemsPerPage > limit_; }
  void Add(TupleId tid) { tids_.push_back(TidToInt64(tid)); }
  bool Contains(TupleId tid) const override {
    return std::binary_search(tids_.begin(), tids_.end(), TidToInt64(tid));
  }
  bool empty() const { return tids_.empty(); }
  size_t size() const { return tids_.size(); }
  size_t limit() const { return limit_; }
  TupleId operator[](size_t i) const { return TidFromInt64(tids_[i]); }
  void Clear() { tids_.clear(); }

 private:
  size_t limit_;
  std::vector<int64_t> tids_;
};

}  // namespace walden

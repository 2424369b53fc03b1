// A set of row identities in bounded memory, read in physical order: per table page a bitmap of its line pointers; when memory runs
// out, pages lose their bitmaps and stand for all their rows (lossy), which the reader checks again.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "node/access/tuple.h"

namespace walden {

class TidBitmap {
 public:
  explicit TidBitmap(size_t memory_limit_bytes)
      : max_pages_(std::max<size_t>(memory_limit_bytes / kEntryBytes, 16)) {}

  void Add(TupleId tid);
  void IntersectWith(const TidBitmap& other);
  void UniteWith(const TidBitmap& other);
  bool empty() const { return pages_.empty() && lossy_.empty(); }
  void Clear();

  struct Page {
    BlockNumber block = 0;
    bool lossy = false;             // any row of the page may belong
    bool recheck = false;           // its rows have to be checked again
    std::vector<uint16_t> offsets;  // ascending; empty when lossy
  };
  // The first page from `from` on; false when there is none.
  bool NextPage(BlockNumber from, Page* page) const;

 private:
  static constexpr size_t kWords = 5;  // 64 * 5 line pointers
  static constexpr size_t kEntryBytes = 112;
  struct Bits {
    uint64_t words[kWords] = {};
    bool recheck = false;
  };
  void Shrink();

  size_t max_pages_;
  std::map<BlockNumber, Bits> pages_;
  std::set<BlockNumber> lossy_;
};

}  // namespace walden

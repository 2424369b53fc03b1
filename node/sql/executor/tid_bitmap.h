// A set of row identities in bounded memory, read in physical order: per table page a bitmap of its line pointers (a page with many,
// most of them of versions that are gone, has several); when memory runs out, pages lose their bitmaps and stand for all their rows
// (lossy), which the reader checks again.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "node/access/tuple.h"
#include "node/storage/page.h"

namespace walden {

class TidBitmap {
 public:
  explicit TidBitmap(size_t memory_limit_bytes)
      : max_parts_(std::max<size_t>(memory_limit_bytes / kEntryBytes, 16)) {}

  void Add(TupleId tid);
  void IntersectWith(const TidBitmap& other);
  void UniteWith(const TidBitmap& other);
  bool empty() const { return parts_.empty() && lossy_.empty(); }
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
  static constexpr size_t kWords = 5;
  static constexpr size_t kPartOffsets = kWords * 64;
  static constexpr size_t kParts = (kMaxItemsPerPage + kPartOffsets) / kPartOffsets;
  static constexpr size_t kEntryBytes = 112;
  struct Bits {
    uint64_t words[kWords] = {};
    bool recheck = false;
  };
  // Of line pointers kPartOffsets * n on, page by page.
  using Part = uint64_t;
  static Part FirstPart(BlockNumber block) { return block * Part{kParts}; }
  static BlockNumber BlockOf(Part part) { return static_cast<BlockNumber>(part / kParts); }
  void MakeLossy(BlockNumber block);
  void Shrink();

  size_t max_parts_;
  std::map<Part, Bits> parts_;
  std::set<BlockNumber> lossy_;  // no part is of these
};

}  // namespace walden

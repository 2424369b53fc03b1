// amcheck for heaps: line pointers, headers, lengths, HOT chains, agreement with the visibility map.
#pragma once

#include <functional>
#include <string>

#include "node/access/table.h"

namespace walden {

// Reports each defect found: block, offset (0 = the page), attribute (-1 = the row) and text.
struct HeapDefect {
  BlockNumber block;
  OffsetNumber offset;
  int attno;
  std::string message;
};
// One page by itself, which may hold anything: no byte outside of it is read. After a page without a defect its rows can be deformed.
void VerifyHeapPage(const char* page, BlockNumber block, const TupleDesc& desc, bool has_toast,
                    const std::function<void(const HeapDefect&)>& report);
void VerifyHeap(const TableRef& table, const std::function<void(const HeapDefect&)>& report);

}  // namespace walden

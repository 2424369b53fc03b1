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
void VerifyHeap(const TableRef& table, const std::function<void(const HeapDefect&)>& report);

}  // namespace walden

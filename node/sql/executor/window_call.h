// One window function of a WindowAgg: its value for the current row of a frame.
#pragma once

#include <memory>

#include "node/sql/executor/window_frame.h"

namespace walden {

class WindowCall {
 public:
  virtual ~WindowCall() = default;
  // A new partition begins.
  virtual void StartPartition() = 0;
  // For the frame's current row; rows are visited in order. By-reference results live in `arena`.
  virtual Value Compute(EvalContext& context, WindowFrame& frame, Arena* arena) = 0;
};

// `first_column`: where the function's arguments (then its FILTER) stand in the store's rows.
std::unique_ptr<WindowCall> MakeWindowCall(const WindowFunc& function, RowStore* store, size_t first_column,
                                           MemoryAccount* account);

// Is this the OID of a function that only a window can compute?
bool IsWindowFunction(Oid function);

}  // namespace walden

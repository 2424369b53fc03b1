// A running sum of numerics without a growing trail of intermediate results: an int128 while it lasts, then a numeric in
// a buffer of the state's own. Part of aggregate states: trivially copyable, zero-filled = empty.
#pragma once

#include "node/sql/functions/aggregate.h"
#include "node/types/numeric.h"

namespace walden {

struct NumericSum {
  __int128 scaled;
  int64_t nans, positive_infinities, negative_infinities;
  ArenaBuffer big;  // digits of the part that did not fit, as a kBig numeric; empty if none
  int32_t big_scale;
  int32_t scale;  // of `scaled`

  void Add(CallContext& context, const NumericRef& value);
  void AddInt(__int128 value);
  void Merge(CallContext& context, const NumericSum& from);
  NumericRef Total(Arena& arena) const;
  void Write(std::string* to) const;
  // Returns what is behind the sum.
  std::string_view Read(CallContext& context, std::string_view from);

 private:
  void AddBig(CallContext& context, const NumericRef& value);
  void SpillScaled(CallContext& context);
};

}  // namespace walden

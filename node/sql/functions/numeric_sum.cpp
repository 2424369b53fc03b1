#include "node/sql/functions/numeric_sum.h"

#include "node/base/bytes.h"
#include "node/types/decimal.h"
#include "node/types/element.h"

namespace walden {
namespace {

// Kept far from overflow, so that a sum may be rescaled by 10^18 without a check... only while below this bound.
constexpr __int128 kRescaleBound = static_cast<__int128>(1) << 66;

NumericRef BigView(const ArenaBuffer& digits, int32_t scale) {
  NumericRef ref;
  std::memset(&ref, 0, sizeof(ref));
  ref.kind = NumericKind::kBig;
  ref.digits = digits.data;
  ref.digits_size = digits.size;
  ref.scale = static_cast<int16_t>(scale);
  return ref;
}

}  // namespace

void NumericSum::Add(CallContext& context, const NumericRef& value) {
  switch (value.kind) {
    case NumericKind::kNaN: ++nans; return;
    case NumericKind::kPositiveInfinity: ++positive_infinities; return;
    case NumericKind::kNegativeInfinity: ++negative_infinities; return;
    case NumericKind::kBig: AddBig(context, value); return;
    case NumericKind::kSmall: break;
  }
  __int128 addend = value.scaled;
  if (value.scale < scale) {
    addend *= kPowers10[scale - value.scale];
  } else if (value.scale > scale) {
    if (scaled > kRescaleBound || scaled < -kRescaleBound) SpillScaled(context);
    scaled *= kPowers10[value.scale - scale];
    scale = value.scale;
  }
  if (__builtin_add_overflow(scaled, addend, &addend)) {
    SpillScaled(context);
    Add(context, value);
    return;
  }
  scaled = addend;
}

void NumericSum::AddInt(__int128 value) { scaled += value; }

void NumericSum::SpillScaled(CallContext& context) {
  Arena scratch(&ProcessMemory(), 512);
  NumericRef part = NumericFromInt128(scaled, scale, scratch);
  scaled = 0;
  AddBig(context, part);
}

void NumericSum::AddBig(CallContext& context, const NumericRef& value) {
  Arena scratch(&ProcessMemory(), 512);
  NumericRef before = big.size == 0 ? NumericFromInt64(0) : BigView(big, big_scale);
  NumericRef total = NumericAdd(before, value, scratch);
  big_scale = std::max({big_scale, int32_t{total.scale}, int32_t{value.scale}});
  if (total.kind == NumericKind::kSmall) {  // it came back into range
    big.size = 0;
    NumericSum::Add(context, total);
    return;
  }
  big.Assign(context.arena, {total.digits, total.digits_size});
}

NumericRef NumericSum::Total(Arena& arena) const {
  if (nans > 0 || (positive_infinities > 0 && negative_infinities > 0)) return ParseNumeric("NaN", arena);
  if (positive_infinities > 0) return ParseNumeric("Infinity", arena);
  if (negative_infinities > 0) return ParseNumeric("-Infinity", arena);
  NumericRef total = NumericFromInt128(scaled, scale, arena);
  if (big.size != 0) total = NumericAdd(total, BigView(big, big_scale), arena);
  return total.scale < big_scale ? NumericRound(total, big_scale, arena) : total;
}

void NumericSum::Merge(CallContext& context, const NumericSum& from) {
  nans += from.nans;
  positive_infinities += from.positive_infinities;
  negative_infinities += from.negative_infinities;
  if (from.big.size != 0) AddBig(context, BigView(from.big, from.big_scale));
  Arena scratch(&ProcessMemory(), 512);
  NumericRef rest = NumericFromInt128(from.scaled, from.scale, scratch);
  NumericSum::Add(context, rest);
}

void NumericSum::Write(std::string* to) const {
  to->append(reinterpret_cast<const char*>(this), sizeof(*this));
  to->append(big.view());
}

std::string_view NumericSum::Read(CallContext& context, std::string_view from) {
  std::memcpy(static_cast<void*>(this), from.data(), sizeof(*this));
  uint32_t size = big.size;
  big = ArenaBuffer{};
  big.Append(context.arena, from.substr(sizeof(*this), size));
  return from.substr(sizeof(*this) + size);
}

}  // namespace walden

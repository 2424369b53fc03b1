// Reading rows: whole batches into typed arrays, single rows into Values, system columns. The batch form is
// the hot path of every scan: one tight loop per wanted attribute, specialised by type and nullability.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "node/access/toast.h"
#include "node/access/tuple.h"

namespace walden {

// Where by-reference values go. Values point into the row unless they must be made (compressed, out of line)
// or `copy` asks for copies: then they live in `arena`.
struct DeformContext {
  Arena* arena = nullptr;  // required unless no attribute read can be compressed or out of line
  const ToastSource* toast = nullptr;
  bool copy = false;
};

// One wanted attribute of a batch. `data` is an array of the physical form (value.h); a null row's entry is
// zeroed. `validity`: bit set = not null; the caller presets all bits, deforming clears those of nulls and
// sets has_nulls. `validity` may be null only for a fixed-prefix or system attribute.
struct DeformTarget {
  AttrNumber attno;
  PhysicalType physical;
  void* data;
  uint64_t* validity;
  bool has_nulls;
};

// The loops for one set of wanted attributes of one row format. Built once per scan (or kept with a plan);
// the TupleDesc must outlive it. Not thread-safe (owns scratch memory).
class TupleDeformer {
 public:
  // `attnos` ascending without duplicates; negative ones (system columns) may be anywhere.
  TupleDeformer(const TupleDesc& desc, std::span<const AttrNumber> attnos);

  // Deforms rows into targets[k].data[row_offset + i] for the k-th of `attnos`. Rows must stay put while
  // values that point into them are used (pin the page).
  void DeformBatch(std::span<const TupleView> rows, std::span<DeformTarget> targets, uint32_t row_offset,
                   const DeformContext& context);

 private:
  // What happens at one attribute.
  struct Step {
    AttrNumber attno;
    PhysicalType physical;
    bool dropped;
    int16_t target;  // index into targets, -1 = step over it
    int16_t offset;  // fixed steps only
  };
  void DeformFixed(std::span<const TupleView> rows, std::span<const Step> steps,
                   std::span<DeformTarget> targets, uint32_t row_offset);
  template <bool kNullable>
  void DeformWalking(std::span<const TupleView> rows, std::span<const Step> steps, int start_offset,
                     std::span<DeformTarget> targets, uint32_t row_offset, const DeformContext& context);
  void DeformRow(const TupleView& row, std::span<DeformTarget> targets, uint32_t row_index,
                 const DeformContext& context);
  void DeformSystem(std::span<const TupleView> rows, DeformTarget& target, uint32_t row_offset);

  const TupleDesc& desc_;
  std::vector<int16_t> target_of_;  // by attno - 1, up to last_attno_
  // Rows without nulls: everything up to and including the first variable-width attribute has a fixed offset.
  std::vector<Step> fixed_;
  std::vector<Step> walking_;
  int walking_offset_ = 0;
  // Rows that may have nulls: only the NOT NULL prefix has.
  std::vector<Step> prefix_;
  std::vector<Step> walking_nullable_;
  int nullable_offset_ = 0;
  std::vector<int16_t> system_targets_;
  std::vector<const char*> cursors_;
  int last_attno_ = 0;
};

// Whole row: `values` has desc.size() entries. Attributes beyond what the row stores read as missing or null.
void DeformTuple(const TupleDesc& desc, const TupleView& row, Value* values, const DeformContext& context);
// One attribute, system ones included.
Value GetAttribute(const TupleDesc& desc, const TupleView& row, AttrNumber attno,
                   const DeformContext& context);
// The value stored at `p`.
Datum LoadAttribute(PhysicalType type, const char* p, const DeformContext& context);
// Where attribute `attno` is stored; null when it is null or not stored.
const char* FindAttribute(const TupleDesc& desc, const TupleView& row, AttrNumber attno);

// The commands that created and deleted a version. Requires: this transaction did (combo ids are its own).
CommandId VisibleCmin(const TupleHeader& header);
CommandId VisibleCmax(const TupleHeader& header);

constexpr int64_t TidToInt64(TupleId tid) { return int64_t{tid.block} << 16 | tid.offset; }
constexpr TupleId TidFromInt64(int64_t value) {
  return {static_cast<BlockNumber>(value >> 16), static_cast<OffsetNumber>(value & 0xffff)};
}

}  // namespace walden

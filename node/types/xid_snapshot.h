// pg_snapshot (and txid_snapshot): which transactions were in progress, as a value.
//
// Format (little-endian, no alignment): u64 xmin, u64 xmax, u64 for each transaction in progress, ascending.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "node/base/arena.h"
#include "node/types/type_table.h"

namespace walden {

class XidSnapshotView {
 public:
  explicit XidSnapshotView(std::string_view bytes) : bytes_(bytes) {}
  uint64_t xmin() const { return Word(0); }
  uint64_t xmax() const { return Word(1); }
  size_t count() const { return bytes_.size() / sizeof(uint64_t) - 2; }
  uint64_t running(size_t i) const { return Word(2 + i); }
  // Whether the transaction had ended when the snapshot was taken.
  bool Sees(uint64_t xid) const;

 private:
  uint64_t Word(size_t i) const;
  std::string_view bytes_;
};
std::string_view MakeXidSnapshot(uint64_t xmin, uint64_t xmax, std::span<const uint64_t> running,
                                 Arena& arena);

std::span<const TypeDescriptor> XidSnapshotTypes();

}  // namespace walden

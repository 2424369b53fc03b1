// Strong identifiers used by every module. Trivially copyable; safe in shared memory and on disk
// (little-endian, sizes asserted below).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace walden {

// Object identifier, as in PostgreSQL's catalogs. Write literals as Oid{23}.
enum class Oid : uint32_t { kInvalid = 0 };
constexpr uint32_t OidNumber(Oid oid) { return static_cast<uint32_t>(oid); }
constexpr bool IsValid(Oid oid) { return oid != Oid::kInvalid; }
// The first OID given to user objects; lower ones belong to the bootstrap catalogs.
inline constexpr Oid kFirstNormalOid{16384};

// Transaction id: 64 bits, never wraps. Clients see the low 32 bits (xmin, xmax, txid text forms
// show all 64).
struct Xid {
  uint64_t value = 0;
  constexpr auto operator<=>(const Xid&) const = default;
  constexpr Xid Next() const { return Xid{value + 1}; }
  constexpr bool IsValid() const { return value != 0; }
  constexpr bool IsNormal() const { return value >= 3; }
  constexpr uint32_t Low32() const { return static_cast<uint32_t>(value); }
};
inline constexpr Xid kInvalidXid{0};
inline constexpr Xid kBootstrapXid{1};  // rows written by `walden init`: always committed
inline constexpr Xid kFrozenXid{2};     // rows settled by VACUUM: always committed
inline constexpr Xid kFirstNormalXid{3};

// Set of row lockers / lockers-and-updater; 64 bits, never wraps.
struct MultiXactId {
  uint64_t value = 0;
  constexpr auto operator<=>(const MultiXactId&) const = default;
};

// Byte position in the WAL stream. 0 is invalid.
struct Lsn {
  uint64_t value = 0;
  constexpr auto operator<=>(const Lsn&) const = default;
  constexpr bool IsValid() const { return value != 0; }
  constexpr Lsn operator+(uint64_t bytes) const { return Lsn{value + bytes}; }
  constexpr uint64_t operator-(Lsn other) const { return value - other.value; }
  // "1/6B374D48", as PostgreSQL prints pg_lsn.
  std::string ToString() const;
};
inline constexpr Lsn kInvalidLsn{0};
inline constexpr Lsn kMaxLsn{UINT64_MAX};

using TimelineId = uint32_t;
using CommandId = uint32_t;
using BlockNumber = uint32_t;
using OffsetNumber = uint16_t;  // 1-based line pointer number within a page
using AttrNumber = int16_t;     // 1-based; system columns are negative
inline constexpr BlockNumber kInvalidBlock = UINT32_MAX;
inline constexpr OffsetNumber kInvalidOffset = 0;
inline constexpr CommandId kFirstCommandId = 0;
inline constexpr CommandId kInvalidCommandId = UINT32_MAX;

// Address of a row version (ctid).
struct TupleId {
  BlockNumber block = kInvalidBlock;
  OffsetNumber offset = kInvalidOffset;
  constexpr auto operator<=>(const TupleId&) const = default;
  constexpr bool IsValid() const { return block != kInvalidBlock && offset != kInvalidOffset; }
};

inline constexpr size_t kPageSize = 8192;

static_assert(sizeof(Xid) == 8 && sizeof(Lsn) == 8 && sizeof(Oid) == 4);

}  // namespace walden

template <>
struct std::hash<walden::Xid> {
  size_t operator()(walden::Xid xid) const noexcept { return std::hash<uint64_t>{}(xid.value); }
};
template <>
struct std::hash<walden::Lsn> {
  size_t operator()(walden::Lsn lsn) const noexcept { return std::hash<uint64_t>{}(lsn.value); }
};
template <>
struct std::hash<walden::TupleId> {
  size_t operator()(walden::TupleId tid) const noexcept {
    return std::hash<uint64_t>{}((uint64_t{tid.block} << 16) | tid.offset);
  }
};

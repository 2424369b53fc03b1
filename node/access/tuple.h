// The row format: header, packed attributes, and the functions that form rows. Reading rows: deform.h.
//
// Format: row version on a heap page (little-endian; begins at a multiple of 8 so that the header is aligned)
//   offset size field
//     0     8   xmin        creator, all 64 bits
//     8     8   xmax        deleter or locker: an xid, or a multixact id when kXmaxIsMulti
//    16     4   cid         cmin or cmax, or a combo id of both when kComboCid
//    20     4   ctid.block  the next version of this row, or itself when there is none
//    24     2   ctid.offset kSpeculativeOffset: an unconfirmed INSERT ... ON CONFLICT (block = its token)
//    26     2   infomask2   bits 0-10: attributes stored; 13 keys updated; 14 HOT updated; 15 heap-only
//    28     2   infomask    see RowFlag
//    30     1   hoff        where the attributes begin: 31 + (n + 7) / 8 with kHasNull, else 31, rounded up
//    to 8 31     .   null bitmap, if kHasNull: bit (i - 1) set = attribute i is present; zeros up to hoff
//  hoff     .   present attributes in order, *packed*: no attribute is aligned, loads are unaligned
//
// Format: attributes. Fixed-width ones are their in-memory form (PhysicalWidth bytes). kString and kNumeric
// are a header and a payload:
//   first byte (n << 1) | 1, n > 0     n = bytes of header and payload together, 1..127; payload follows
//   first byte 0x01                    out of line: a ToastPointer follows (17 bytes, 18 in all; toast.h)
//   first byte low bits 00             u32 = n << 2, n = bytes of header and payload together
//   first byte low bits 10             u32 = n << 2 | 2; then u32 raw payload size (low 30 bits) and
//                                      compression method (high 2 bits); then the compressed payload
// A payload of up to 126 bytes always has the short header. kString covers every type that value.h says,
// `name` and cstring included.
//
// Format: payload of numeric
//   byte 0: 0x00..0x3f  small value with this display scale; the rest, 0..8 bytes, is the scaled integer in
//                       the fewest two's complement bytes that hold it (none for zero)
//           0x40        the same with the scale in the next 2 bytes
//           0x80        big: the next 2 bytes are the display scale, then digits as in memory (numeric.h)
//           0xc0 NaN, 0xc1 Infinity, 0xc2 -Infinity
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "node/base/bytes.h"
#include "node/base/check.h"
#include "node/base/ids.h"
#include "node/types/value.h"

namespace walden {

// Marks functions that read, without the lock, what others may be changing: bits that never change (natts,
// null flag), or hints whose wrong value does no harm.
#ifdef __SANITIZE_THREAD__
#define WALDEN_READS_UNLOCKED __attribute__((no_sanitize("thread")))
#else
#define WALDEN_READS_UNLOCKED
#endif

inline constexpr int kMaxAttributes = 1600;
inline constexpr OffsetNumber kSpeculativeOffset = 0xfffe;
inline constexpr OffsetNumber kMovedPartitionsOffset = 0xfffd;

// System columns, as in PostgreSQL.
inline constexpr AttrNumber kSelfItemPointerAttr = -1;  // ctid: kInt64, block << 16 | offset
inline constexpr AttrNumber kMinTransactionIdAttr = -2;
inline constexpr AttrNumber kMinCommandIdAttr = -3;
inline constexpr AttrNumber kMaxTransactionIdAttr = -4;
inline constexpr AttrNumber kMaxCommandIdAttr = -5;
inline constexpr AttrNumber kTableOidAttr = -6;

// Bits of infomask. The values are those that PostgreSQL users meet in pageinspect.
enum RowFlag : uint16_t {
  kHasNull = 0x0001,
  kHasVarWidth = 0x0002,
  kHasExternal = 0x0004,  // some attribute is a ToastPointer
  kXmaxKeyShareLock = 0x0010,
  kComboCid = 0x0020,
  kXmaxExclusiveLock = 0x0040,
  kXmaxLockOnly = 0x0080,  // xmax only locked the row
  kXmaxShareLock = kXmaxExclusiveLock | kXmaxKeyShareLock,
  kXminCommitted = 0x0100,  // hint
  kXminInvalid = 0x0200,    // hint: aborted
  kXminFrozen = kXminCommitted | kXminInvalid,
  kXmaxCommitted = 0x0400,  // hint
  kXmaxInvalid = 0x0800,    // hint, or no xmax
  kXmaxIsMulti = 0x1000,
  kUpdated = 0x2000,  // this version was made by UPDATE
};
inline constexpr uint16_t kXmaxBits =
    kXmaxCommitted | kXmaxInvalid | kXmaxIsMulti | kXmaxLockOnly | kXmaxKeyShareLock | kXmaxExclusiveLock;
// Bits of infomask2.
inline constexpr uint16_t kNattsMask = 0x07ff;
inline constexpr uint16_t kKeysUpdated = 0x2000;
inline constexpr uint16_t kHotUpdated = 0x4000;
inline constexpr uint16_t kHeapOnly = 0x8000;

// Overlays a row in place. Reads and hint-bit writes of infomask race under a shared page lock: such code
// uses std::atomic_ref, see heap/visibility.h.
struct TupleHeader {
  uint64_t xmin_value;
  uint64_t xmax_value;
  uint32_t cid;
  uint32_t ctid_block;
  uint16_t ctid_offset;
  uint16_t infomask2;
  uint16_t infomask;
  uint8_t hoff;
  uint8_t null_bitmap[1];

  Xid xmin() const { return Xid{xmin_value}; }
  Xid xmax() const { return Xid{xmax_value}; }  // meaningless when kXmaxIsMulti
  MultiXactId multi() const { return MultiXactId{xmax_value}; }
  TupleId ctid() const { return {ctid_block, ctid_offset}; }
  void set_ctid(TupleId tid) {
    ctid_block = tid.block;
    ctid_offset = tid.offset;
  }
  WALDEN_READS_UNLOCKED int natts() const { return infomask2 & kNattsMask; }
  WALDEN_READS_UNLOCKED bool has_null() const { return (infomask & kHasNull) != 0; }
  bool is_heap_only() const { return (infomask2 & kHeapOnly) != 0; }
  // The next version of the row is heap-only on the same page.
  bool is_hot_updated() const {
    return (infomask2 & kHotUpdated) != 0 && (infomask & kXmaxInvalid) == 0 && !xmin_is_invalid();
  }
  bool is_speculative() const { return ctid_offset == kSpeculativeOffset; }
  bool xmin_is_frozen() const { return (infomask & kXminFrozen) == kXminFrozen; }
  bool xmin_is_invalid() const { return (infomask & kXminFrozen) == kXminInvalid; }
  // Attribute `attno` (1-based) is null; requires has_null() and attno <= natts().
  bool IsNullAt(int attno) const { return (null_bitmap[(attno - 1) >> 3] & (1 << ((attno - 1) & 7))) == 0; }
  // None of the first `count` attributes is null; requires count <= natts().
  bool ArePresent(int count) const {
    if (!has_null()) return true;
    int whole = count >> 3;
    for (int i = 0; i < whole; ++i) {
      if (null_bitmap[i] != 0xFF) return false;
    }
    int rest = (1 << (count & 7)) - 1;
    return rest == 0 || (null_bitmap[whole] & rest) == rest;
  }
  // Flags as of now; only kHasNull, kHasVarWidth and kHasExternal mean anything without the page lock.
  WALDEN_READS_UNLOCKED uint16_t flags() const { return infomask; }
  const char* attributes() const { return reinterpret_cast<const char*>(this) + hoff; }
};
static_assert(sizeof(TupleHeader) == 32 && offsetof(TupleHeader, null_bitmap) == 31);
inline constexpr size_t kTupleHeaderSize = offsetof(TupleHeader, null_bitmap);
constexpr size_t TupleHoff(bool has_null, int natts) {
  return AlignUp(kTupleHeaderSize + (has_null ? (natts + 7) / 8 : 0), 8);
}
// The longest row that a heap page takes (storage's kMaxItemSize).
inline constexpr size_t kMaxTupleSize = 8152;

// A row somewhere in memory (a pinned page, an arena, a TupleBuffer), which it does not own.
struct TupleView {
  const char* data = nullptr;
  uint32_t size = 0;
  TupleId tid;
  Oid table = Oid::kInvalid;  // for tableoid
  const TupleHeader& header() const { return *reinterpret_cast<const TupleHeader*>(data); }
  const char* end() const { return data + size; }
};

// pg_attribute.attstorage
enum class AttributeStorage : char { kPlain = 'p', kExternal = 'e', kExtended = 'x', kMain = 'm' };

struct AttributeDesc {
  PhysicalType physical = PhysicalType::kInt32;
  AttributeStorage storage = AttributeStorage::kPlain;
  char compression =
      '\0';  // pg_attribute.attcompression: 'l' lz4, 'p' pglz-class, '\0' default_toast_compression
  bool not_null = false;           // a declared NOT NULL: rows written since hold no null
  bool dropped = false;            // reads as null; `physical` still says how to skip what old rows hold
  bool has_missing = false;        // rows stored before ADD COLUMN ... DEFAULT read `missing`
  Datum missing{.words = {0, 0}};  // its bytes live as long as the TupleDesc
  Oid type = Oid::kInvalid;        // not used by access; for whoever prints rows
};

// What a table's rows hold. Immutable; shared by the relation cache, kept alive by whoever scans.
class TupleDesc {
 public:
  explicit TupleDesc(std::vector<AttributeDesc> attributes);
  int size() const { return static_cast<int>(attributes_.size()); }
  const AttributeDesc& operator[](AttrNumber attno) const { return attributes_[attno - 1]; }
  // Where attribute `attno` begins within the attributes of a row without nulls before it; -1 if it follows
  // one of variable width.
  int fixed_offset(AttrNumber attno) const { return fixed_offsets_[attno - 1]; }
  // How many leading attributes have a fixed offset and are not null in rows written from now on. A snapshot of before a
  // SET NOT NULL may see others.
  int fixed_prefix() const { return fixed_prefix_; }

 private:
  std::vector<AttributeDesc> attributes_;
  std::vector<int16_t> fixed_offsets_;
  int fixed_prefix_ = 0;
};

// A set of attribute numbers 1..kMaxAttributes.
class AttrSet {
 public:
  void Add(AttrNumber attno) {
    size_t word = static_cast<size_t>(attno) / 64;
    if (words_.size() <= word) words_.resize(word + 1);
    words_[word] |= uint64_t{1} << (attno % 64);
  }
  bool Contains(AttrNumber attno) const {
    size_t word = static_cast<size_t>(attno) / 64;
    return word < words_.size() && (words_[word] >> (attno % 64) & 1) != 0;
  }
  bool empty() const { return words_.empty(); }
  std::span<const uint64_t> words() const { return words_; }

 private:
  std::vector<uint64_t> words_;
};

// A growable buffer for one formed row, reused from row to row: no malloc after the first few.
class TupleBuffer {
 public:
  // Room for `size` bytes; contents are lost.
  char* Prepare(size_t size);
  char* data() { return reinterpret_cast<char*>(words_.data()); }
  const char* data() const { return reinterpret_cast<const char*>(words_.data()); }
  uint32_t size() const { return size_; }
  void set_size(uint32_t size) { size_ = size; }
  TupleHeader& header() { return *reinterpret_cast<TupleHeader*>(words_.data()); }
  TupleView view() const { return {data(), size_, {}, Oid::kInvalid}; }

 private:
  std::vector<uint64_t> words_;
  uint32_t size_ = 0;
};

// Rows are formed whole, whatever their size: the heap compresses and moves out values (toast) as it stores
// them. `values` has desc.size() entries; dropped attributes are stored as null whatever it says. The
// header's transaction fields are zero. Throws 54000 for a row that no heap could hold (over 1 GB).
void FormTuple(const TupleDesc& desc, const Value* values, TupleBuffer* out);

// The row that an UPDATE makes of `old_row`: attributes in `replaced` come from `values`, the others are
// copied as stored (out-of-line ones stay where they are; missing ones are filled in).
void FormUpdatedTuple(const TupleDesc& desc, const TupleView& old_row, const Value* values,
                      const AttrSet& replaced, TupleBuffer* out);

// Stored form of one value, for indexes: the attribute bytes as in the format above.
size_t StoredSize(PhysicalType type, const Datum& value);
char* StoreAttribute(PhysicalType type, const Datum& value, char* to);  // returns the end

// Variable-width attributes.
inline bool IsExternal(const char* p) { return static_cast<uint8_t>(*p) == 0x01; }
inline bool IsShort(const char* p) { return (*p & 1) != 0; }  // external too
inline bool IsCompressed(const char* p) { return (*p & 3) == 2; }
inline constexpr uint32_t kExternalSize = 18;
// Bytes of header and payload as stored.
inline uint32_t VarSize(const char* p) {
  uint8_t first = static_cast<uint8_t>(*p);
  if (first & 1) return first == 0x01 ? kExternalSize : first >> 1;
  return Load<uint32_t>(p) >> 2;
}
// The payload of a value that is neither external nor compressed.
inline StringRef VarPayload(const char* p) {
  uint8_t first = static_cast<uint8_t>(*p);
  if (first & 1) return {p + 1, static_cast<uint64_t>((first >> 1) - 1)};
  return {p + 4, (Load<uint32_t>(p) >> 2) - 4};
}
// Reads and writes numeric payloads. DecodeNumeric may read up to 8 bytes *before* the payload, never after
// it.
size_t EncodedNumericSize(const NumericRef& value);
char* EncodeNumeric(const NumericRef& value, char* to);  // returns the end
NumericRef DecodeNumeric(StringRef payload);

// Bytes of attribute `type` stored at `p`.
inline uint32_t AttributeSize(PhysicalType type, const char* p) {
  return IsByReference(type) ? VarSize(p) : static_cast<uint32_t>(PhysicalWidth(type));
}

}  // namespace walden

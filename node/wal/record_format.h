// Bytes of WAL records and segments. Owner: wal. Golden file: tests/unit/golden/wal_v1.hex.
//
// The WAL is one byte stream; an LSN is a position in it. Records start at multiples of 8 and may cross
// segment boundaries: nothing but records is in LSN space. A segment file pg_wal/TTTTTTTTXXXXXXXXYYYYYYYY
// (PostgreSQL's names: timeline, then segment number) is a 4 KiB header block followed by 16 MiB of the
// stream.
//
// Format: WAL version 1, little-endian, unaligned
//   record:
//     offset size field
//          0    4 size        bytes of the record, this header included, padding to 8 excluded
//          4    4 crc         CRC-32C over all bytes of the record but this field, then its LSN (8) and
//          timeline
//                             (4). So recycled or foreign-timeline bytes never parse as current.
//          8    8 xid         transaction that wrote it, 0 = none
//         16    2 kind        RecordKind
//         18    1 page_count  number of page references
//         19    1 flags       0
//         20    4 data_size   bytes of the record's own data
//     then page_count times:
//          0    1 id          0..31, ascending
//          1    1 fork
//          2    1 flags       PageRefFlag
//          3    1 owner       0 permanent, 1 unlogged (init fork)
//          4    2 data_size
//          6    2 hole_offset with kRefHasImage: the zeroed gap left out of the image
//          8    2 hole_size
//         10    2 image_size  bytes stored (after compression); kRefHasImage only, else 0
//         12    4 block
//         16   12 tablespace, database, number   absent with kRefSameRelation (that of the previous
//         reference)
//              .. image bytes, then page data bytes
//     then data_size bytes of data, then zeroes to a multiple of 8
//   segment header block (rest zero):
//          0    8 magic       "WALDNWAL"
//          8    4 version     1
//         12    4 timeline
//         16    8 system_id
//         24    8 segment_number
//         32    4 segment_size 16777216
//         36    4 crc         CRC-32C of the 36 bytes before
#pragma once

#include <cstddef>
#include <cstdint>

#include "node/base/ids.h"

namespace walden {

inline constexpr uint64_t kWalSegmentSize = 16 * 1024 * 1024;
inline constexpr uint64_t kWalSegmentHeaderSize = 4096;
inline constexpr uint64_t kWalSegmentFileSize = kWalSegmentSize + kWalSegmentHeaderSize;
inline constexpr uint32_t kWalVersion = 1;
inline constexpr int kMaxRecordPages = 32;
inline constexpr uint32_t kMaxRecordSize = 1u << 30;

struct RecordHeader {
  uint32_t size;
  uint32_t crc;
  uint64_t xid;
  uint16_t kind;
  uint8_t page_count;
  uint8_t flags;
  uint32_t data_size;
};
static_assert(sizeof(RecordHeader) == 24);

enum PageRefFlag : uint8_t {
  kRefHasImage = 1,
  kRefImageLz4 = 2,  // image_size bytes are an LZ4 block of the page without its hole
  kRefSameRelation = 4,
  kRefWillInit = 8,        // redo makes the page from nothing: it is not read
  kRefImageZstd = 32,      // the same as a Zstandard frame
  kRefImageRestores = 16,  // the image is to be restored (absent: only for consistency checking)
};

struct PageRefHeader {
  uint8_t id;
  uint8_t fork;
  uint8_t flags;
  uint8_t owner;
  uint16_t data_size;
  uint16_t hole_offset;
  uint16_t hole_size;
  uint16_t image_size;
  uint32_t block;
};
static_assert(sizeof(PageRefHeader) == 16);
inline constexpr size_t kRefLocatorSize = 12;

struct SegmentHeader {
  char magic[8];
  uint32_t version;
  TimelineId timeline;
  uint64_t system_id;
  uint64_t segment_number;
  uint32_t segment_size;
  uint32_t crc;
};
static_assert(sizeof(SegmentHeader) == 40);

constexpr uint64_t SegmentOf(Lsn lsn) { return lsn.value / kWalSegmentSize; }
constexpr uint64_t OffsetInSegment(Lsn lsn) { return lsn.value % kWalSegmentSize; }
constexpr Lsn SegmentStart(uint64_t segment) { return Lsn{segment * kWalSegmentSize}; }

// Completes a record's CRC: `crc` is that of its bytes without the crc field.
uint32_t FinishRecordCrc(uint32_t crc, Lsn lsn, TimelineId timeline);
// CRC of the `size` bytes of a record in one piece.
uint32_t RecordCrc(const char* record, size_t size, Lsn lsn, TimelineId timeline);

}  // namespace walden

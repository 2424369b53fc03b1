// The layout of a page: header, line pointers growing up, items growing down, special space at the end.
// Owner: storage. Pure functions over 8 KiB of memory: no I/O and no locks; the caller holds the buffer's
// content lock (exclusive to change anything but hint bits).
//
// Format: page version 1 (golden file tests/unit/golden/page_v1.hex), little-endian
//   offset size field
//        0    8 lsn        end LSN of the last WAL record that changed the page (I7); 0 = never logged
//        8    4 checksum   CRC-32C of the page as written to disk (see PageChecksum); meaningless in memory
//       12    2 flags      kPageHasFreeLines...
//       14    2 lower      first byte of free space = end of the line pointers
//       16    2 upper      end of free space = first byte of the lowest item
//       18    2 special    first byte of the special space (kPageSize if there is none)
//       20    1 version    kPageVersion
//       21    3 reserved   0
//       24    8 prune_xid  heap: lowest xid whose end may make something on the page removable; 0 = none.
//                          A hint, set without WAL. Other page kinds leave it 0.
//       32    4 line pointers, each: offset 15 bits | state 2 bits | length 15 bits, lowest bit first
// A page of zeroes is a valid *new* page: allocated, never initialised. Items start at multiples of 8.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "node/base/check.h"
#include "node/base/ids.h"

namespace walden {

inline constexpr uint8_t kPageVersion = 1;

enum PageFlag : uint16_t {
  kPageHasFreeLines = 1,  // hint: some line pointer may be unused
  kPageFull = 2,          // hint: an update found no room here, so pruning is worth while
  kPageAllVisible = 4,    // heap: every row version is visible to everyone
};

struct PageHeader {
  uint64_t lsn;
  uint32_t checksum;
  uint16_t flags;
  uint16_t lower;
  uint16_t upper;
  uint16_t special;
  uint8_t version;
  uint8_t reserved[3];
  uint64_t prune_xid;
};
inline constexpr size_t kPageHeaderSize = 32;
static_assert(sizeof(PageHeader) == kPageHeaderSize);

enum class ItemState : uint32_t {
  kUnused = 0,    // free for reuse; no storage
  kNormal = 1,    // offset and length say where the item is
  kRedirect = 2,  // heap: offset is the line pointer number that continues the chain; length 0
  kDead = 3,      // removed; index entries may still point here. Storage may be present (length > 0)
};

struct ItemId {
  uint32_t word;
  uint32_t offset() const { return word & 0x7FFF; }
  ItemState state() const { return static_cast<ItemState>((word >> 15) & 3); }
  uint32_t length() const { return word >> 17; }
  bool IsUsed() const { return state() != ItemState::kUnused; }
  bool IsNormal() const { return state() == ItemState::kNormal; }
  bool IsRedirected() const { return state() == ItemState::kRedirect; }
  bool IsDead() const { return state() == ItemState::kDead; }
  bool HasStorage() const { return length() != 0; }
  bool IsFree() const { return word >> 15 == 0; }  // unused, without storage
  OffsetNumber redirect() const { return static_cast<OffsetNumber>(offset()); }

  static ItemId Make(uint32_t offset, ItemState state, uint32_t length) {
    return {offset | static_cast<uint32_t>(state) << 15 | length << 17};
  }
  void SetUnused() { *this = Make(0, ItemState::kUnused, 0); }
  void SetDead() { *this = Make(0, ItemState::kDead, 0); }                 // dead without storage
  void MarkDead() { *this = Make(offset(), ItemState::kDead, length()); }  // dead, keeps its storage
  void SetRedirect(OffsetNumber to) { *this = Make(to, ItemState::kRedirect, 0); }
};
static_assert(sizeof(ItemId) == 4);

inline constexpr OffsetNumber kFirstOffset = 1;
// More line pointers than any page can use with items of the least size.
inline constexpr size_t kMaxItemsPerPage = (kPageSize - kPageHeaderSize) / (sizeof(ItemId) + 8);
// The largest item that fits on an otherwise empty page without special space.
inline constexpr size_t kMaxItemSize = (kPageSize - kPageHeaderSize - sizeof(ItemId)) & ~size_t{7};

inline PageHeader* HeaderOf(char* page) { return reinterpret_cast<PageHeader*>(page); }
inline const PageHeader* HeaderOf(const char* page) { return reinterpret_cast<const PageHeader*>(page); }

// The LSN is read and written atomically: a hint's page image may set it under a shared content lock.
inline Lsn PageLsn(const char* page) {
  return Lsn{std::atomic_ref<uint64_t>(const_cast<PageHeader*>(HeaderOf(page))->lsn)
                 .load(std::memory_order_relaxed)};
}
inline void SetPageLsn(char* page, Lsn lsn) {
  std::atomic_ref<uint64_t>(HeaderOf(page)->lsn).store(lsn.value, std::memory_order_relaxed);
}

inline bool PageIsNew(const char* page) { return HeaderOf(page)->upper == 0; }
inline bool PageHasFlag(const char* page, PageFlag flag) { return (HeaderOf(page)->flags & flag) != 0; }
inline void SetPageFlag(char* page, PageFlag flag) { HeaderOf(page)->flags |= flag; }
inline void ClearPageFlag(char* page, PageFlag flag) { HeaderOf(page)->flags &= ~uint16_t{flag}; }
inline Xid PagePruneXid(const char* page) { return Xid{HeaderOf(page)->prune_xid}; }
inline void SetPagePruneXid(char* page, Xid xid) { HeaderOf(page)->prune_xid = xid.value; }
inline char* PageSpecial(char* page) { return page + HeaderOf(page)->special; }
inline const char* PageSpecial(const char* page) { return page + HeaderOf(page)->special; }
inline size_t PageSpecialSize(const char* page) { return kPageSize - HeaderOf(page)->special; }

inline OffsetNumber PageMaxOffset(const char* page) {
  uint16_t lower = HeaderOf(page)->lower;
  return lower <= kPageHeaderSize ? 0 : static_cast<OffsetNumber>((lower - kPageHeaderSize) / sizeof(ItemId));
}
inline ItemId* PageItemId(char* page, OffsetNumber offset) {
  return reinterpret_cast<ItemId*>(page + kPageHeaderSize) + (offset - 1);
}
inline const ItemId* PageItemId(const char* page, OffsetNumber offset) {
  return reinterpret_cast<const ItemId*>(page + kPageHeaderSize) + (offset - 1);
}
// Requires: the line pointer has storage.
inline char* PageItem(char* page, OffsetNumber offset) {
  DCHECK(offset >= 1 && offset <= PageMaxOffset(page) && PageItemId(page, offset)->HasStorage());
  return page + PageItemId(page, offset)->offset();
}
inline const char* PageItem(const char* page, OffsetNumber offset) {
  return PageItem(const_cast<char*>(page), offset);
}
inline size_t PageItemLength(const char* page, OffsetNumber offset) {
  return PageItemId(page, offset)->length();
}

// Makes an empty page; `special_size` is rounded up to a multiple of 8. Everything is zeroed.
void PageInit(char* page, size_t special_size = 0);

// Free bytes for one more item *and* its line pointer (0 if even the pointer does not fit).
size_t PageFreeSpace(const char* page);
// Free bytes between line pointers and items, nothing deducted.
inline size_t PageExactFreeSpace(const char* page) {
  const PageHeader* header = HeaderOf(page);
  return header->upper > header->lower ? header->upper - header->lower : 0;
}
// As PageFreeSpace, but 0 when kMaxItemsPerPage line pointers are all in use (a heap page must not outgrow
// it).
size_t PageHeapFreeSpace(const char* page);

// Adds an item and returns its line pointer number, or kInvalidOffset if there is no room.
// offset kInvalidOffset: reuses an unused line pointer if kPageHasFreeLines, else appends.
// offset given, kInsertShift: moves that and later line pointers up by one (indexes).
// offset given, kInsertAt: that line pointer must be unused or one past the last (redo, heap).
enum class ItemPlacement { kAnywhere, kInsertShift, kInsertAt };
OffsetNumber PageAddItem(char* page, const void* item, size_t size, OffsetNumber offset = kInvalidOffset,
                         ItemPlacement placement = ItemPlacement::kAnywhere);

// Heap: closes the gaps that unused and storage-less line pointers left, keeps every line pointer's number,
// drops unused ones at the end of the array, and sets kPageHasFreeLines as it finds. Requires: cleanup lock.
void PageCompact(char* page);
// The same in two steps, cheaper for a few items on a page without other gaps: the storage of one is given back at once (its line
// pointer becomes unused), then the array of line pointers is looked through.
void PageFreeStorage(char* page, OffsetNumber offset);
void PageTidyLines(char* page);

// Index: removes the line pointers (ascending, distinct) and their items; later ones move down.
void PageRemoveItems(char* page, std::span<const OffsetNumber> offsets);
// Index: frees the storage and the line pointer content but keeps the number (set unused); no renumbering.
void PageFreeItem(char* page, OffsetNumber offset);
// Replaces an item in place under the same number; false if the new size does not fit.
bool PageReplaceItem(char* page, OffsetNumber offset, const void* item, size_t size);

// CRC-32C over the block number and the page with its checksum field as zero; never 0.
uint32_t PageChecksum(const char* page, BlockNumber block);
// Checks after a read: new page, or sane header and (when checksums are on) the right checksum.
bool PageIsValid(const char* page, BlockNumber block, bool checksums);

}  // namespace walden

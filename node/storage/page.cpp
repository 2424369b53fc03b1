#include "node/storage/page.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

#include "node/base/bytes.h"
#include "node/base/crc32c.h"

namespace walden {
namespace {

constexpr size_t kItemAlignment = 8;

struct PlacedItem {
  OffsetNumber number;
  uint16_t offset;
  uint16_t length;  // as stored, unaligned
};

// Moves the items, given in descending order of offset, against the special space. Requires: no two overlap.
void PackItems(char* page, PlacedItem* items, int count) {
  PageHeader* header = HeaderOf(page);
  uint16_t upper = header->special;
  for (int i = 0; i < count;) {
    // A run of items that lie side by side moves as one.
    uint16_t run_end = static_cast<uint16_t>(items[i].offset + AlignUp(items[i].length, kItemAlignment));
    uint16_t run_start = run_end, shift = static_cast<uint16_t>(upper - run_end);
    DCHECK(run_end <= upper);
    for (; i < count; ++i) {
      if (items[i].offset + AlignUp(items[i].length, kItemAlignment) != run_start) break;
      run_start = items[i].offset;
      if (shift == 0) continue;
      ItemId* line = PageItemId(page, items[i].number);
      *line = ItemId::Make(run_start + shift, line->state(), line->length());
    }
    upper = static_cast<uint16_t>(run_start + shift);
    if (shift != 0) std::memmove(page + upper, page + run_start, run_end - run_start);
  }
  header->upper = upper;
}

// In descending order of offset. Items begin at multiples of kItemAlignment, so that a bit for each place sorts them.
int CollectItems(const char* page, PlacedItem* items) {
  constexpr size_t kPlaces = kPageSize / kItemAlignment;
  uint64_t taken[kPlaces / 64] = {};
  OffsetNumber number_at[kPlaces];
  OffsetNumber last = PageMaxOffset(page);
  for (OffsetNumber number = kFirstOffset; number <= last; ++number) {
    const ItemId* line = PageItemId(page, number);
    if (!line->HasStorage()) continue;
    size_t place = line->offset() / kItemAlignment;
    taken[place / 64] |= uint64_t{1} << place % 64;
    number_at[place] = number;
  }
  int count = 0;
  for (size_t word = std::size(taken); word-- > 0;) {
    while (taken[word] != 0) {
      int bit = 63 - std::countl_zero(taken[word]);
      taken[word] ^= uint64_t{1} << bit;
      size_t place = word * 64 + static_cast<size_t>(bit);
      items[count++] = {number_at[place], static_cast<uint16_t>(place * kItemAlignment),
                        static_cast<uint16_t>(PageItemId(page, number_at[place])->length())};
    }
  }
  return count;
}

void Repack(char* page) {
  PlacedItem items[kPageSize / sizeof(ItemId)];
  int count = CollectItems(page, items);
  PackItems(page, items, count);
}

// Closes the gap of an item's storage [at, at + size) by sliding everything below it up.
void RemoveStorage(char* page, uint32_t at, uint32_t size) {
  PageHeader* header = HeaderOf(page);
  std::memmove(page + header->upper + size, page + header->upper, at - header->upper);
  header->upper += static_cast<uint16_t>(size);
  // Which lines move is as good as random: no branch. The offset is the word's low bits.
  ItemId* line = PageItemId(page, kFirstOffset);
  for (ItemId* end = line + PageMaxOffset(page); line < end; ++line) {
    uint32_t moves = static_cast<uint32_t>(line->HasStorage()) & static_cast<uint32_t>(line->offset() < at);
    line->word += size & -moves;
  }
}

OffsetNumber ChooseOffset(char* page) {
  OffsetNumber last = PageMaxOffset(page);
  if (!PageHasFlag(page, kPageHasFreeLines)) return last + 1;
  for (OffsetNumber number = kFirstOffset; number <= last; ++number) {
    if (PageItemId(page, number)->IsFree()) return number;
  }
  ClearPageFlag(page, kPageHasFreeLines);
  return last + 1;
}

}  // namespace

void PageInit(char* page, size_t special_size) {
  special_size = AlignUp(special_size, 8);
  CHECK(special_size < kPageSize - kPageHeaderSize);
  std::memset(page, 0, kPageSize);
  PageHeader* header = HeaderOf(page);
  header->lower = kPageHeaderSize;
  header->upper = header->special = static_cast<uint16_t>(kPageSize - special_size);
  header->version = kPageVersion;
}

size_t PageFreeSpace(const char* page) {
  size_t space = PageExactFreeSpace(page);
  return space < sizeof(ItemId) ? 0 : space - sizeof(ItemId);
}

size_t PageHeapFreeSpace(const char* page) {
  size_t space = PageFreeSpace(page);
  if (space == 0 || PageMaxOffset(page) < kMaxItemsPerPage) return space;
  if (!PageHasFlag(page, kPageHasFreeLines)) return 0;
  OffsetNumber last = PageMaxOffset(page);
  for (OffsetNumber number = kFirstOffset; number <= last; ++number) {
    if (!PageItemId(page, number)->IsUsed()) return space;
  }
  return 0;  // the flag was a stale hint
}

OffsetNumber PageAddItem(char* page, const void* item, size_t size, OffsetNumber offset,
                         ItemPlacement placement) {
  PageHeader* header = HeaderOf(page);
  DCHECK(header->lower >= kPageHeaderSize && header->lower <= header->upper &&
         header->upper <= header->special);
  OffsetNumber limit = PageMaxOffset(page) + 1;
  if (placement == ItemPlacement::kAnywhere) {
    DCHECK(offset == kInvalidOffset);
    offset = ChooseOffset(page);
  }
  if (offset < kFirstOffset || offset > limit) return kInvalidOffset;
  bool shift = placement == ItemPlacement::kInsertShift && offset < limit;
  if (placement == ItemPlacement::kInsertAt && offset < limit) {
    const ItemId* line = PageItemId(page, offset);
    if (line->IsUsed() || line->HasStorage()) return kInvalidOffset;
  }
  size_t new_lower = header->lower + (offset == limit || shift ? sizeof(ItemId) : 0);
  size_t stored = AlignUp(size, kItemAlignment);
  if (size == 0 || new_lower + stored > header->upper) return kInvalidOffset;

  size_t at = header->upper - stored;
  ItemId* line = PageItemId(page, offset);
  if (shift) std::memmove(line + 1, line, (limit - offset) * sizeof(ItemId));
  *line = ItemId::Make(static_cast<uint32_t>(at), ItemState::kNormal, static_cast<uint32_t>(size));
  std::memcpy(page + at, item, size);
  std::memset(page + at + size, 0, stored - size);
  header->lower = static_cast<uint16_t>(new_lower);
  header->upper = static_cast<uint16_t>(at);
  return offset;
}

void PageCompact(char* page) {
  PageTidyLines(page);
  Repack(page);
}

void PageTidyLines(char* page) {
  OffsetNumber last = PageMaxOffset(page);
  while (last >= kFirstOffset && !PageItemId(page, last)->IsUsed()) --last;
  HeaderOf(page)->lower = static_cast<uint16_t>(kPageHeaderSize + last * sizeof(ItemId));
  bool unused = false;
  for (OffsetNumber number = kFirstOffset; number <= last; ++number) {
    ItemId* line = PageItemId(page, number);
    if (line->IsUsed()) continue;
    line->SetUnused();
    unused = true;
  }
  if (unused)
    SetPageFlag(page, kPageHasFreeLines);
  else
    ClearPageFlag(page, kPageHasFreeLines);
}

void PageRemoveItems(char* page, std::span<const OffsetNumber> offsets) {
  if (offsets.empty()) return;
  OffsetNumber last = PageMaxOffset(page), kept = kFirstOffset;
  size_t next = 0;
  for (OffsetNumber number = kFirstOffset; number <= last; ++number) {
    if (next < offsets.size() && offsets[next] == number) {
      ++next;
      continue;
    }
    *PageItemId(page, kept++) = *PageItemId(page, number);
  }
  CHECK(next == offsets.size());  // ascending, distinct, existing
  HeaderOf(page)->lower = static_cast<uint16_t>(kPageHeaderSize + (kept - 1) * sizeof(ItemId));
  Repack(page);
}

void PageFreeStorage(char* page, OffsetNumber offset) {
  ItemId* line = PageItemId(page, offset);
  if (!line->HasStorage()) return;
  uint32_t at = line->offset(), size = static_cast<uint32_t>(AlignUp(line->length(), kItemAlignment));
  line->SetUnused();
  RemoveStorage(page, at, size);
}

void PageFreeItem(char* page, OffsetNumber offset) {
  PageFreeStorage(page, offset);
  PageItemId(page, offset)->SetUnused();
  if (offset == PageMaxOffset(page)) {
    OffsetNumber last = offset;
    while (last >= kFirstOffset && !PageItemId(page, last)->IsUsed()) --last;
    HeaderOf(page)->lower = static_cast<uint16_t>(kPageHeaderSize + last * sizeof(ItemId));
  } else {
    SetPageFlag(page, kPageHasFreeLines);
  }
}

bool PageReplaceItem(char* page, OffsetNumber offset, const void* item, size_t size) {
  ItemId* line = PageItemId(page, offset);
  DCHECK(line->HasStorage() && size > 0);
  uint32_t old_size = static_cast<uint32_t>(AlignUp(line->length(), kItemAlignment));
  uint32_t new_size = static_cast<uint32_t>(AlignUp(size, kItemAlignment));
  ItemState state = line->state();
  if (new_size > old_size + PageExactFreeSpace(page)) return false;
  if (new_size != old_size) {
    uint32_t at = line->offset();
    line->SetUnused();
    RemoveStorage(page, at, old_size);
    HeaderOf(page)->upper -= static_cast<uint16_t>(new_size);
    *line = ItemId::Make(HeaderOf(page)->upper, state, static_cast<uint32_t>(size));
  } else {
    *line = ItemId::Make(line->offset(), state, static_cast<uint32_t>(size));
  }
  char* to = page + line->offset();
  std::memcpy(to, item, size);
  std::memset(to + size, 0, new_size - size);
  return true;
}

uint32_t PageChecksum(const char* page, BlockNumber block) {
  constexpr size_t kAt = offsetof(PageHeader, checksum);
  constexpr uint32_t kZero = 0;
  uint32_t crc = Crc32c(0, &block, sizeof block);
  crc = Crc32c(crc, page, kAt);
  crc = Crc32c(crc, &kZero, sizeof kZero);
  crc = Crc32c(crc, page + kAt + sizeof kZero, kPageSize - kAt - sizeof kZero);
  return crc == 0 ? 1 : crc;
}

bool PageIsValid(const char* page, BlockNumber block, bool checksums) {
  const PageHeader* header = HeaderOf(page);
  if (PageIsNew(page)) {
    return std::all_of(page, page + kPageSize, [](char c) { return c == 0; });
  }
  if (checksums && header->checksum != PageChecksum(page, block)) return false;
  return header->version == kPageVersion && header->lower >= kPageHeaderSize &&
         header->lower <= header->upper && header->upper <= header->special && header->special <= kPageSize &&
         header->special % 8 == 0;
}

}  // namespace walden

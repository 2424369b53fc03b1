#include "node/access/heap/visibility_map.h"

#include <atomic>

#include "node/access/heap/map_fork.h"
#include "node/base/bytes.h"
#include "node/wal/record_builder.h"

namespace walden {

namespace {

size_t ByteOf(BlockNumber heap_block) { return kPageHeaderSize + heap_block % kHeapBlocksPerVmPage / 4; }
int ShiftOf(BlockNumber heap_block) { return static_cast<int>(heap_block % 4) * 2; }

std::atomic_ref<uint8_t> MapByte(const char* map_page, BlockNumber heap_block) {
  return std::atomic_ref<uint8_t>(
      *reinterpret_cast<uint8_t*>(const_cast<char*>(map_page) + ByteOf(heap_block)));
}

}  // namespace

bool VmPinHolds(const BufferPin& pin, const RelFileLocator& rel, BlockNumber heap_block) {
  return pin && pin.Holds({rel, Fork::kVm, VmBlockOf(heap_block)});
}

void VmPinForWrite(const RelFileLocator& rel, BlockNumber heap_block, BufferPin* pin) {
  if (!VmPinHolds(*pin, rel, heap_block)) *pin = PinOrCreateMapPage(rel, Fork::kVm, VmBlockOf(heap_block));
}

void VmPinForRead(const RelFileLocator& rel, BlockNumber heap_block, BufferPin* pin) {
  if (!VmPinHolds(*pin, rel, heap_block)) *pin = PinMapPage(rel, Fork::kVm, VmBlockOf(heap_block));
}

uint8_t VmStatus(const RelFileLocator& rel, BlockNumber heap_block, BufferPin* pin) {
  VmPinForRead(rel, heap_block, pin);
  return *pin ? VmGet(pin->page(), heap_block) : 0;
}

uint8_t VmGet(const char* map_page, BlockNumber heap_block) {
  return MapByte(map_page, heap_block).load(std::memory_order_acquire) >> ShiftOf(heap_block) & kVmAll;
}

void VmSetBits(char* map_page, BlockNumber heap_block, uint8_t bits) {
  if (PageIsNew(map_page)) InitMapPage(map_page);
  MapByte(map_page, heap_block)
      .fetch_or(static_cast<uint8_t>(bits << ShiftOf(heap_block)), std::memory_order_release);
}

void VmClearBits(char* map_page, BlockNumber heap_block, uint8_t bits) {
  if (PageIsNew(map_page)) InitMapPage(map_page);
  MapByte(map_page, heap_block)
      .fetch_and(static_cast<uint8_t>(~(bits << ShiftOf(heap_block))), std::memory_order_release);
}

void VmCount(const RelFileLocator& rel, BlockNumber* all_visible, BlockNumber* all_settled) {
  *all_visible = 0;
  *all_settled = 0;
  BlockNumber map_blocks = RelationBlocks(rel, Fork::kVm, true);
  for (BlockNumber block = 0; block < map_blocks; ++block) {
    BufferPin pin = PinMapPage(rel, Fork::kVm, block);
    if (!pin) continue;
    for (size_t i = kPageHeaderSize; i < kPageSize; i += 8) {
      uint64_t word = Load<uint64_t>(pin.page() + i);
      *all_visible += static_cast<BlockNumber>(__builtin_popcountll(word & 0x5555555555555555ull));
      *all_settled += static_cast<BlockNumber>(__builtin_popcountll(word & 0xaaaaaaaaaaaaaaaaull));
    }
  }
}

BlockNumber VmPrepareTruncate(const RelFileLocator& rel, BlockNumber heap_blocks) {
  BlockNumber old_blocks = RelationBlocks(rel, Fork::kVm, true);
  BlockNumber keep = VmBlockOf(heap_blocks) + (heap_blocks % kHeapBlocksPerVmPage != 0 ? 1 : 0);
  if (keep > old_blocks) return old_blocks;
  if (heap_blocks % kHeapBlocksPerVmPage == 0) return keep;
  BufferPin pin = PinMapPage(rel, Fork::kVm, VmBlockOf(heap_blocks));
  if (!pin) return keep;
  PageLock lock(pin, PageLockMode::kExclusive);
  BlockNumber end = (VmBlockOf(heap_blocks) + 1) * kHeapBlocksPerVmPage;
  for (BlockNumber block = heap_blocks; block < end; ++block) VmClearBits(pin.page(), block, kVmAll);
  pin.MarkDirty();
  // A replay of later records finds the bits cleared: the image goes before the truncation record.
  if (NeedsWal(rel)) LogNewPage(pin.key(), pin.page(), false);
  return keep;
}

}  // namespace walden

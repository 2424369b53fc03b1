#include "node/access/heap/free_space_map.h"

#include <algorithm>
#include <cstring>

#include "node/access/heap/map_fork.h"
#include "node/buffer/buffer_pool.h"
#include "node/shm/process.h"

namespace walden {

namespace {

constexpr int kGroups = 64;
constexpr int kGroupSlots = 124;
constexpr uint32_t kSlots = kGroups * kGroupSlots;
constexpr size_t kBytesPerStep = 32;
constexpr int kMaxRetries = 100;
static_assert(kPageHeaderSize + kGroups + kSlots <= kPageSize);

uint8_t FreeCategory(size_t free) {
  return static_cast<uint8_t>(std::min<size_t>(free / kBytesPerStep, 255));
}
uint8_t NeedCategory(size_t size) {
  return static_cast<uint8_t>(std::clamp<size_t>((size + kBytesPerStep - 1) / kBytesPerStep, 1, 255));
}

uint8_t* GroupMaxima(char* page) { return reinterpret_cast<uint8_t*>(page + kPageHeaderSize); }
uint8_t* Slots(char* page) { return GroupMaxima(page) + kGroups; }
uint8_t PageMax(char* page) { return *std::max_element(GroupMaxima(page), GroupMaxima(page) + kGroups); }

// A map page by level and number within the level.
struct Address {
  int level;
  uint32_t number;
  BlockNumber Block() const {
    if (level == 2) return 0;
    if (level == 1) return 1 + number * (kSlots + 1);
    return 2 + number / kSlots * (kSlots + 1) + number % kSlots;
  }
};

// Sets one slot; returns whether the page's maximum changed and what it is now.
bool SetSlot(BufferPin& pin, uint32_t slot, uint8_t value, uint8_t* page_max) {
  PageLock lock(pin, PageLockMode::kExclusive);
  char* page = pin.page();
  if (PageIsNew(page)) InitMapPage(page);
  uint8_t before = PageMax(page);
  if (Slots(page)[slot] == value) {
    *page_max = before;
    return false;
  }
  Slots(page)[slot] = value;
  uint8_t* group = Slots(page) + slot / kGroupSlots * kGroupSlots;
  GroupMaxima(page)[slot / kGroupSlots] = *std::max_element(group, group + kGroupSlots);
  *page_max = PageMax(page);
  pin.MarkDirtyHint();
  return *page_max != before;
}

void Record(const RelFileLocator& rel, BlockNumber block, uint8_t value) {
  uint32_t number = block;
  for (int level = 0; level <= 2; ++level) {
    Address address{level, number / kSlots};
    BufferPin pin = value == 0 ? PinMapPage(rel, Fork::kFsm, address.Block())
                               : PinOrCreateMapPage(rel, Fork::kFsm, address.Block());
    if (!pin) return;
    uint8_t page_max;
    if (!SetSlot(pin, number % kSlots, value, &page_max)) return;
    value = page_max;
    number /= kSlots;
  }
}

// A slot with at least `need`, looking from `start` on; -1 if none. `*page_max`: the page's true maximum.
int FindSlot(BufferPin& pin, uint8_t need, uint32_t start, uint8_t* page_max) {
  PageLock lock(pin, PageLockMode::kShared);
  char* page = pin.page();
  *page_max = PageMax(page);
  if (*page_max < need) return -1;
  for (int i = 0; i < kGroups; ++i) {
    uint32_t group = (start + static_cast<uint32_t>(i)) % kGroups;
    if (GroupMaxima(page)[group] < need) continue;
    const uint8_t* slots = Slots(page) + group * kGroupSlots;
    for (uint32_t k = 0; k < kGroupSlots; ++k) {
      uint32_t slot = (start + k) % kGroupSlots;
      if (slots[slot] >= need) return static_cast<int>(group * kGroupSlots + slot);
    }
  }
  return -1;
}

}  // namespace

void FsmRecord(const RelFileLocator& rel, BlockNumber block, size_t free) {
  Record(rel, block, FreeCategory(free));
}

BlockNumber FsmFind(const RelFileLocator& rel, size_t size) {
  uint8_t need = NeedCategory(size);
  for (int retry = 0; retry < kMaxRetries; ++retry) {
    uint32_t number = 0;
    int level = 2;
    for (; level >= 0; --level) {
      BufferPin pin = PinMapPage(rel, Fork::kFsm, Address{level, number}.Block());
      uint8_t page_max = 0;
      // Each process begins somewhere else, so that they do not all fill one page.
      uint32_t start = level == 0 ? static_cast<uint32_t>(std::max(self_slot(), 0)) : 0;
      int slot = pin ? FindSlot(pin, need, start, &page_max) : -1;
      pin.Release();
      if (slot < 0) {
        if (level == 2) return kInvalidBlock;
        // The level above promised too much: correct it and start again.
        BufferPin parent = PinMapPage(rel, Fork::kFsm, Address{level + 1, number / kSlots}.Block());
        uint8_t ignored;
        if (parent) SetSlot(parent, number % kSlots, page_max, &ignored);
        break;
      }
      number = number * kSlots + static_cast<uint32_t>(slot);
    }
    if (level < 0) return number;
  }
  return kInvalidBlock;
}

BlockNumber FsmRecordAndFind(const RelFileLocator& rel, BlockNumber block, size_t free, size_t size) {
  FsmRecord(rel, block, free);
  return FsmFind(rel, size);
}

size_t FsmGet(const RelFileLocator& rel, BlockNumber block) {
  BufferPin pin = PinMapPage(rel, Fork::kFsm, Address{0, block / kSlots}.Block());
  if (!pin) return 0;
  PageLock lock(pin, PageLockMode::kShared);
  return size_t{Slots(pin.page())[block % kSlots]} * kBytesPerStep;
}

BlockNumber FsmPrepareTruncate(const RelFileLocator& rel, BlockNumber heap_blocks) {
  BlockNumber old_blocks = RelationBlocks(rel, Fork::kFsm, true);
  if (old_blocks == 0) return 0;
  // The rest of the last map page; pages beyond go away whole and are found missing by searches.
  uint32_t last_page = heap_blocks / kSlots;
  BlockNumber end = (last_page + 1) * kSlots;
  for (BlockNumber block = heap_blocks; block < end; ++block) Record(rel, block, 0);
  return std::min(old_blocks, Address{0, last_page}.Block() + 1);
}

}  // namespace walden

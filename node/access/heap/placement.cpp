#include "node/access/heap/placement.h"

#include <algorithm>

#include "node/access/counted_read.h"
#include "node/access/heap/free_space_map.h"
#include "node/access/heap/visibility_map.h"
#include "node/base/error.h"

namespace walden {

namespace {

// The page where this process last found room, per relation: spares the map for runs of inserts. A wrong
// entry costs one look at a page.
struct TargetCache {
  static constexpr size_t kEntries = 64;
  struct Entry {
    RelFileLocator rel;
    BlockNumber block = kInvalidBlock;
  };
  Entry entries[kEntries];
  Entry& At(const RelFileLocator& rel) {
    return entries[(rel.number * 2654435761u ^ OidNumber(rel.database)) % kEntries];
  }
  BlockNumber Get(const RelFileLocator& rel) {
    Entry& entry = At(rel);
    return entry.rel == rel ? entry.block : kInvalidBlock;
  }
  void Set(const RelFileLocator& rel, BlockNumber block) { At(rel) = {rel, block}; }
};
thread_local TargetCache target_cache;

constexpr BlockNumber kBulkExtendBlocks = 64;

class Placement {
 public:
  Placement(const TableRef& table, size_t size, const InsertOptions& options, BulkInsertState* bulk,
            BufferPin* vm_pin, BufferPin* other, BufferPin* other_vm_pin)
      : table_(table),
        options_(options),
        bulk_(bulk),
        vm_pin_(vm_pin),
        other_(other),
        other_vm_pin_(other_vm_pin) {
    need_ = AlignUp(size, 8);
    reserve_ = kPageSize * (100 - std::min<size_t>(table.fillfactor, 100)) / 100;
    // A row that the fill factor would never let in goes onto an otherwise empty page.
    if (need_ + reserve_ > kMaxItemSize) reserve_ = kMaxItemSize - need_;
  }

  BufferPin Find() {
    OfferAddedBlocks();
    BlockNumber block = FirstCandidate();
    while (block != kInvalidBlock) {
      size_t free = 0;
      BufferPin pin = TryBlock(block, &free);
      if (pin) return Accept(std::move(pin));
      if (options_.skip_fsm) break;
      if (HasOwnBlocks()) {  // in the file's order, not in the map's: rows stay in the order they came in
        FsmRecord(table_.locator, block, free);
        break;
      }
      block = FsmRecordAndFind(table_.locator, block, free, need_ + reserve_);
    }
    return Extend();
  }

 private:
  // Whatever this statement may leave unused is there for others. Done at the next row: no page is locked
  // now.
  void OfferAddedBlocks() {
    if (bulk_ == nullptr || !bulk_->has_unrecorded_blocks) return;
    bulk_->has_unrecorded_blocks = false;
    if (options_.skip_fsm) return;  // a file of our own: the next VACUUM is early enough
    for (BlockNumber block = bulk_->next_own; block < bulk_->end_own; ++block) {
      FsmRecord(table_.locator, block, kPageSize - kPageHeaderSize);
    }
  }

  bool HasOwnBlocks() const { return bulk_ != nullptr && bulk_->next_own != bulk_->end_own; }

  BlockNumber FirstCandidate() {
    if (bulk_ != nullptr && bulk_->pin) return bulk_->pin.block();
    BlockNumber cached = target_cache.Get(table_.locator);
    if (cached != kInvalidBlock) return cached;
    if (options_.skip_fsm) return kInvalidBlock;
    BlockNumber found = FsmFind(table_.locator, need_ + reserve_);
    if (found != kInvalidBlock) return found;
    BlockNumber blocks = RelationBlocks(table_.locator);
    return blocks == 0 ? kInvalidBlock : blocks - 1;
  }

  BufferPin Pin(BlockNumber block) {
    if (bulk_ != nullptr && bulk_->pin && bulk_->pin.block() == block) return std::move(bulk_->pin);
    return ReadPageOf(table_, block, ReadMode::kIfExists, bulk_ != nullptr ? bulk_->strategy.get() : nullptr);
  }

  // Locks the page and `other` in block order. False: the page is `other` itself (and only that is locked).
  void Lock(BufferPin& pin) {
    if (other_ == nullptr) {
      pin.LockExclusive();
    } else if (other_->block() == pin.block()) {
      other_->LockExclusive();
    } else if (other_->block() < pin.block()) {
      other_->LockExclusive();
      pin.LockExclusive();
    } else {
      pin.LockExclusive();
      other_->LockExclusive();
    }
  }
  void Unlock(BufferPin& pin) {
    if (other_ == nullptr || other_->block() != pin.block()) pin.Unlock();
    if (other_ != nullptr) other_->Unlock();
  }
  bool NeedsVmPin(BufferPin& pin, BufferPin* vm_pin) {
    return PageHasFlag(pin.page(), kPageAllVisible) && !VmPinHolds(*vm_pin, table_.locator, pin.block());
  }
  // Locks, with map pages pinned before where they will be needed.
  void LockAndPinMaps(BufferPin& pin) {
    for (;;) {
      Lock(pin);
      bool need_map = NeedsVmPin(pin, vm_pin_);
      bool need_other_map = other_ != nullptr && NeedsVmPin(*other_, other_vm_pin_);
      if (!need_map && !need_other_map) return;
      Unlock(pin);
      if (need_map) VmPinForWrite(table_.locator, pin.block(), vm_pin_);
      if (need_other_map) VmPinForWrite(table_.locator, other_->block(), other_vm_pin_);
    }
  }

  // The page, locked, if it has room; else empty, with what it has in `*free`.
  BufferPin TryBlock(BlockNumber block, size_t* free) {
    BufferPin pin = Pin(block);
    if (!pin) return pin;
    LockAndPinMaps(pin);
    if (PageIsNew(pin.page())) {
      PageInit(pin.page());
      pin.MarkDirty();
    }
    *free = PageHeapFreeSpace(pin.page());
    if (*free >= need_ + reserve_ || (*free >= need_ && PageMaxOffset(pin.page()) == 0)) return pin;
    Unlock(pin);
    return BufferPin();
  }

  BufferPin Accept(BufferPin pin) {
    target_cache.Set(table_.locator, pin.block());
    if (bulk_ != nullptr) bulk_->pin = pin.Share();
    if (other_ != nullptr && other_->block() == pin.block()) return other_->Share();
    return pin;
  }

  BufferPin Extend() {
    for (;;) {
      BufferPin pin = NewBlock();
      PageInit(pin.page());
      pin.MarkDirty();
      // The new block comes after `other`: against the order, so do not wait.
      if (other_ == nullptr) return Accept(std::move(pin));
      if (!other_->TryLockExclusive() || NeedsVmPin(*other_, other_vm_pin_)) {
        if (other_->IsLockedExclusive()) other_->Unlock();
        pin.Unlock();
        LockAndPinMaps(pin);
        if (PageHeapFreeSpace(pin.page()) < need_) {
          Unlock(pin);
          continue;
        }
      }
      return Accept(std::move(pin));
    }
  }

  BufferPin NewBlock() {
    if (bulk_ == nullptr) return ExtendRelation(table_.locator);
    while (HasOwnBlocks()) {
      BufferPin pin = ReadPageOf(table_, bulk_->next_own++, ReadMode::kNormal, bulk_->strategy.get());
      pin.LockExclusive();
      if (PageIsNew(pin.page())) return pin;
      pin.Unlock();
    }
    // The step grows with what the statement has added, so that a small load leaves few empty pages.
    int want = static_cast<int>(std::clamp<BlockNumber>(bulk_->added_blocks / 4, 1, kBulkExtendBlocks));
    int added = 0;
    BufferPin pin = ExtendRelationBy(table_.locator, Fork::kMain, want, &added, bulk_->strategy.get());
    bulk_->added_blocks += static_cast<BlockNumber>(added);
    bulk_->next_own = pin.block() + 1;
    bulk_->end_own = pin.block() + static_cast<BlockNumber>(added);
    bulk_->has_unrecorded_blocks = added > 1;
    return pin;
  }

  const TableRef& table_;
  const InsertOptions& options_;
  BulkInsertState* bulk_;
  BufferPin* vm_pin_;
  BufferPin* other_;
  BufferPin* other_vm_pin_;
  size_t need_;
  size_t reserve_;
};

}  // namespace

BufferPin PlaceRow(const TableRef& table, size_t size, const InsertOptions& options, BulkInsertState* bulk,
                   BufferPin* vm_pin, BufferPin* other, BufferPin* other_vm_pin) {
  if (AlignUp(size, 8) > kMaxTupleSize) {
    throw SqlError(ErrorCode::kProgramLimitExceeded, "row is too big: size {}, maximum size {}", size,
                   kMaxTupleSize);
  }
  return Placement(table, size, options, bulk, vm_pin, other, other_vm_pin).Find();
}

bool ClearAllVisible(BufferPin& pin, BufferPin& vm_pin) {
  if (!PageHasFlag(pin.page(), kPageAllVisible)) return false;
  ClearPageFlag(pin.page(), kPageAllVisible);
  vm_pin.LockExclusive();
  VmClearBits(vm_pin.page(), pin.block(), kVmAll);
  vm_pin.MarkDirty();
  return true;
}

WALDEN_READS_UNLOCKED static bool LooksAllVisible(const char* page) {
  return (HeaderOf(page)->flags & kPageAllVisible) != 0;
}

void LockWithVmPin(const TableRef& table, BufferPin& pin, BufferPin* vm_pin) {
  for (;;) {
    if (LooksAllVisible(pin.page())) VmPinForWrite(table.locator, pin.block(), vm_pin);
    pin.LockExclusive();
    if (!PageHasFlag(pin.page(), kPageAllVisible) || VmPinHolds(*vm_pin, table.locator, pin.block())) return;
    pin.Unlock();
  }
}

}  // namespace walden

#include "node/access/counted_read.h"
#include "node/access/heap/chain.h"
#include "node/access/heap/heap.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/prune.h"
#include "node/access/heap/visibility.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"

namespace walden {

namespace {

// Tables larger than a quarter of the buffer pool do not push everybody else's pages out.
constexpr int kPoolShareForRing = 4;
constexpr BlockNumber kReadAheadBlocks = 32;

TupleView ViewOf(const TableRef& table, char* page, BlockNumber block, OffsetNumber offset) {
  ItemId item = *PageItemId(page, offset);
  return {page + item.offset(), item.length(), {block, offset}, table.oid};
}

// As far as the row's own flags tell: nobody has deleted or locked it, and its creator is not known to have aborted.
bool LooksLive(const TupleHeader& row) {
  uint16_t flags =
      std::atomic_ref<uint16_t>(const_cast<TupleHeader&>(row).infomask).load(std::memory_order_relaxed);
  return (flags & kXmaxInvalid) != 0 && (flags & kXminFrozen) != kXminInvalid;
}

}  // namespace

HeapScan::HeapScan(const TableRef& table, const Snapshot& snapshot, const HeapScanOptions& options)
    : table_(table), snapshot_(snapshot), options_(options) {
  Restart();
  if (options_.bulk && end_ - next_ > static_cast<BlockNumber>(SharedBufferCount() / kPoolShareForRing)) {
    strategy_ = std::make_unique<BufferStrategy>(StrategyKind::kBulkRead);
  }
}

HeapScan::~HeapScan() = default;

void HeapScan::Restart() {
  pin_.Release();
  block_ = kInvalidBlock;
  row_count_ = 0;
  table_.stats.Count(RelationCounter::kScans);
  if (options_.parallel != nullptr) {
    next_ = end_ = 0;
    return;
  }
  next_ = options_.first_block;
  // Rows that are added later belong to transactions that the snapshot does not see, or to later commands.
  end_ = options_.end_block != kInvalidBlock ? options_.end_block : RelationBlocks(table_.locator);
}

bool HeapScan::NextBlock(BlockNumber* block) {
  if (next_ >= end_ && (options_.parallel == nullptr || !options_.parallel->Take(&next_, &end_)))
    return false;
  *block = next_++;
  return true;
}

bool HeapScan::NextPage() {
  BlockNumber block;
  while (NextBlock(&block)) {
    CheckInterrupts();
    pin_.Release();
    bool read_ahead = strategy_ && GetInt(Setting::kEffectiveIoConcurrency) > 0;
    if (read_ahead && block % kReadAheadBlocks == 0 && block + kReadAheadBlocks < end_) {
      PrefetchPages(table_.locator, Fork::kMain, block + kReadAheadBlocks, kReadAheadBlocks);
    }
    pin_ = ReadPageOf(table_, block, ReadMode::kNormal, strategy_.get());
    if (options_.prune) PruneIfWorthwhile(table_, pin_);
    block_ = block;
    CollectRows();
    if (row_count_ + passed_over_ > 0)
      table_.stats.Count(RelationCounter::kTuplesReturned, row_count_ + passed_over_);
    if (row_count_ == 0) continue;
    return true;
  }
  pin_.Release();
  block_ = kInvalidBlock;
  row_count_ = 0;
  return false;
}

void HeapScan::CollectRows() {
  PageLock lock(pin_, PageLockMode::kShared);
  row_count_ = passed_over_ = 0;
  if (!key_) return CollectRowsWith<void>();
  switch (key_->width) {
    case 2: return CollectRowsWith<int16_t>();
    case 4: return CollectRowsWith<int32_t>();
    default: return CollectRowsWith<int64_t>();
  }
}

// T: the key's form in a row; void: there is none.
template <class T>
void HeapScan::CollectRowsWith() {
  char* page = pin_.page();
  OffsetNumber max = PageMaxOffset(page);
  // Every row is visible to everyone: no need to ask about each. (On a standby too: redo sets the bit only
  // after every older snapshot is gone.)
  bool all_visible = PageHasFlag(page, kPageAllVisible) && snapshot_.IsMvcc();
  HintWriter hints(pin_);
  for (OffsetNumber offset = kFirstOffset; offset <= max; ++offset) {
    if (!PageItemId(page, offset)->IsNormal()) continue;
    if constexpr (!std::is_void_v<T>) {
      const TupleHeader* row = RowAt(page, offset);
      bool differs = row->natts() >= key_->attno && row->ArePresent(key_->attno) &&
                     Load<T>(row->attributes() + key_->offset) != key_->value;
      if (differs) {
        passed_over_ += all_visible || LooksLive(*row);
        continue;
      }
    }
    if (all_visible || VisibleToSnapshot(RowAt(page, offset), snapshot_, hints))
      rows_.views[row_count_++] = ViewOf(table_, page, block_, offset);
  }
}

char* HeapFetcher::PinPage(BlockNumber block) {
  PageKey key = table_.Page(block);
  if (!pin_.Holds(key)) {
    pin_ = ReadPageOf(table_, block, ReadMode::kIfExists);
    if (pin_) PruneIfWorthwhile(table_, pin_);
  }
  return pin_ ? pin_.page() : nullptr;
}

bool HeapFetcher::FetchChain(TupleId tid, const Snapshot& snapshot, TupleView* row, bool* all_dead) {
  if (all_dead != nullptr) *all_dead = false;
  char* page = PinPage(tid.block);
  if (page == nullptr) return false;
  PageLock lock(pin_, PageLockMode::kShared);
  HintWriter hints(pin_);
  if (!SearchChain(table_, page, tid, snapshot, hints, row, all_dead)) return false;
  if (index_stats_ != nullptr) index_stats_->Count(RelationCounter::kTuplesFetched);
  return true;
}

bool HeapFetcher::FetchVersion(TupleId tid, const Snapshot& snapshot, TupleView* row) {
  char* page = PinPage(tid.block);
  if (page == nullptr) return false;
  PageLock lock(pin_, PageLockMode::kShared);
  if (tid.offset < kFirstOffset || tid.offset > PageMaxOffset(page) ||
      !PageItemId(page, tid.offset)->IsNormal()) {
    return false;
  }
  HintWriter hints(pin_);
  *row = ViewOf(table_, page, tid.block, tid.offset);
  return VisibleToSnapshot(RowAt(page, tid.offset), snapshot, hints);
}

bool HeapFetcher::FetchAny(TupleId tid, TupleView* row) { return FetchVersion(tid, kSnapshotAny, row); }

TupleId HeapLatestTid(const TableRef& table, TupleId tid, const Snapshot& snapshot) {
  TupleId latest = tid;
  Xid prior_xmax;
  HeapFetcher fetcher(table);
  TupleView row;
  while (fetcher.FetchAny(tid, &row)) {
    BufferPin pin = fetcher.HoldPin();
    PageLock lock(pin, PageLockMode::kShared);
    TupleHeader* header = RowAt(pin.page(), tid.offset);
    if (prior_xmax.IsValid() && header->xmin() != prior_xmax) break;
    HintWriter hints(pin);
    if (VisibleToSnapshot(header, snapshot, hints)) latest = tid;
    if (OnlyLocked(*header) || header->ctid() == tid || header->ctid_offset == kMovedPartitionsOffset) break;
    prior_xmax = UpdateXid(*header);
    tid = header->ctid();
  }
  return latest;
}

}  // namespace walden

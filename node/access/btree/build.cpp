#include "node/access/btree/build.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/access/btree/entry_sorter.h"
#include "node/access/counted_read.h"
#include "node/buffer/buffer_pool.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden::btree {

namespace {

constexpr size_t kNodeRoom = kPageSize - kPageHeaderSize - sizeof(NodeInfo);
constexpr int kInnerFillPercent = 70;

size_t RoomOf(size_t entry_size) { return AlignUp(entry_size, 8) + sizeof(ItemId); }

// Writes sorted entries into pages, level by level, each level one page behind.
class TreeWriter {
 public:
  // `bytes`: entries of at least so many bytes will come.
  TreeWriter(const IndexDesc& index, uint64_t bytes) : index_(index), bytes_to_come_(bytes) {}

  void Add(const Entry& entry) {
    bytes_to_come_ -= std::min<uint64_t>(bytes_to_come_, entry.size);
    AddToLevel(0, entry);
  }

  // Returns the root and its level.
  MetaInfo Finish() {
    for (size_t level = 0; level < levels_.size(); ++level) {
      Level& current = levels_[level];
      bool is_root = level + 1 == levels_.size();
      WritePage(current, nullptr, kNoBlock);
      if (is_root) return {kMagic, kVersion, current.pin.block(), static_cast<uint32_t>(level)};
      AddDownlink(level, current);
    }
    return {kMagic, kVersion, kNoBlock, 0};
  }

 private:
  struct Level {
    BufferPin pin;  // the page being filled
    BlockNumber left = kNoBlock;
    std::string low_key;            // pivot that bounds the page below; empty on the first page of the level
    std::unique_ptr<char[]> image;  // its data items so far
    size_t room_used = 0;
    OffsetNumber entries() const { return PageMaxOffset(image.get()); }
  };

  void AddToLevel(size_t level, const Entry& entry) {
    if (level == levels_.size()) {
      levels_.emplace_back();
      levels_.back().pin = NewPage();
      levels_.back().image = std::make_unique_for_overwrite<char[]>(kPageSize);
      InitNode(levels_.back().image.get(), static_cast<uint32_t>(level), 0);
    }
    Level& current = levels_[level];
    size_t fill = static_cast<size_t>(level == 0 ? index_.fillfactor : kInnerFillPercent);
    size_t limit = kNodeRoom * fill / 100;
    size_t with_entry = current.room_used + RoomOf(entry.size) + RoomOf(entry.size + kTidSize);
    constexpr size_t kLeastEntries = 2;
    bool overfull = with_entry > kNodeRoom || (with_entry > limit && current.entries() >= kLeastEntries);
    if (overfull && current.entries() > 0) FinishPage(level, entry);
    if (level > 0 && current.entries() == 0) {
      AddWithoutKey(current, entry);
    } else {
      AddItem(current, entry.data, entry.size);
    }
  }

  // The first entry of an inner page.
  void AddWithoutKey(Level& level, const Entry& entry) {
    char bare[kEntryHeaderSize];
    std::memcpy(bare, entry.data, sizeof(bare));
    Store<uint16_t>(bare + 6, kInfoPivot);
    if (level.left == kNoBlock) {
      level.low_key.clear();
    } else {
      level.low_key.assign(entry.data, entry.size);
    }
    AddItem(level, bare, sizeof(bare));
  }

  void AddItem(Level& level, const char* data, size_t size) {
    OffsetNumber offset = static_cast<OffsetNumber>(level.entries() + 1);
    CHECK(PageAddItem(level.image.get(), data, size, offset, ItemPlacement::kInsertShift) != kInvalidOffset);
    level.room_used += RoomOf(size);
  }

  // The page is full: `next` begins the page to its right.
  void FinishPage(size_t level, const Entry& next) {
    Level& current = levels_[level];
    EntryBuffer separator;
    FormSeparator(index_, EntryAt(current.image.get(), current.entries()), next, &separator);
    BufferPin next_page = NewPage();
    WritePage(current, &separator, next_page.block());
    AddDownlink(level, current);
    Level& fresh = levels_[level];
    fresh.left = fresh.pin.block();
    fresh.pin = std::move(next_page);
    fresh.low_key.assign(separator.data, separator.size);
    InitNode(fresh.image.get(), static_cast<uint32_t>(level), 0);
    fresh.room_used = 0;
  }

  void AddDownlink(size_t level, const Level& page) {
    EntryBuffer downlink{};
    if (page.low_key.empty()) {
      Store<uint16_t>(downlink.data + 6, kInfoPivot);
      downlink.size = kEntryHeaderSize;
    } else {
      std::memcpy(downlink.data, page.low_key.data(), page.low_key.size());
      downlink.size = static_cast<uint32_t>(page.low_key.size());
    }
    SetChild(downlink.data, page.pin.block());
    AddToLevel(level + 1, downlink.entry());
  }

  BufferPin NewPage() {
    CheckInterrupts();
    if (next_own_ != end_own_) return ReadPageOf(index_, next_own_++);
    // Never more than what is sure to be filled.
    constexpr uint64_t kMostAtOnce = 64;
    int want = static_cast<int>(std::clamp<uint64_t>(bytes_to_come_ / kNodeRoom, 1, kMostAtOnce)), added;
    BufferPin pin = ExtendRelationBy(index_.locator, Fork::kMain, want, &added);
    pin.Unlock();
    next_own_ = pin.block() + 1;
    end_own_ = pin.block() + static_cast<BlockNumber>(added);
    return pin;
  }

  void WritePage(Level& level, const EntryBuffer* high_key, BlockNumber right) {
    EnsureWalSpace();
    PageLock lock(level.pin, PageLockMode::kExclusive);
    char* page = level.pin.page();
    CriticalSection critical;
    std::memcpy(page, level.image.get(), kPageSize);
    Node(page)->left = level.left;
    Node(page)->right = right;
    if (high_key != nullptr) {
      CHECK(PageAddItem(page, high_key->data, high_key->size, kHighKey, ItemPlacement::kInsertShift) !=
            kInvalidOffset);
    }
    level.pin.MarkDirty();
    if (index_.NeedsWal()) LogNewPage(level.pin.key(), page);
  }

  const IndexDesc& index_;
  uint64_t bytes_to_come_;
  // Blocks added to the file and not filled yet.
  BlockNumber next_own_ = 0, end_own_ = 0;
  std::deque<Level> levels_;
};

class BtreeBuild : public IndexBuild {
 public:
  explicit BtreeBuild(const IndexDesc& index)
      : index_(index), sorter_(index, static_cast<size_t>(GetInt(Setting::kMaintenanceWorkMem)) * 1024) {}

  void Add(const Value* values, TupleId tid, bool alive) override {
    ++stats_.table_rows;
    FormEntry(index_, values, tid, &formed_);
    entry_bytes_ += formed_.size;
    sorter_.Add(formed_.entry(), alive);
  }

  IndexBuildStats Finish() override {
    BuildEmpty(index_, Fork::kMain);
    sorter_.Sort();
    deduplicate_ = index_.deduplicate && !index_.unique && index_.desc->size() == index_.key_count() &&
                   std::all_of(index_.keys.begin(), index_.keys.end(),
                               [](const IndexKeyColumn& key) { return key.equal_image; });
    TreeWriter writer(index_, deduplicate_ ? 0 : entry_bytes_);
    Entry entry;
    bool alive;
    while (sorter_.Next(&entry, &alive)) {
      ++stats_.index_rows;
      if (index_.unique && alive) CheckUnique(entry);
      if (deduplicate_)
        Collect(entry, &writer);
      else
        writer.Add(entry);
    }
    FlushCollected(&writer);
    SetRoot(writer.Finish());
    return stats_;
  }

 private:
  void CheckUnique(const Entry& entry) {
    Entry last{last_alive_.data(), static_cast<uint32_t>(last_alive_.size())};
    if (!last_alive_.empty() && ColumnsToSeparate(index_, last, entry) > index_.key_count() &&
        (index_.nulls_not_distinct || !HasNullKey(entry))) {
      std::vector<Value> values(static_cast<size_t>(index_.desc->size()));
      ColumnWalk walk(entry, *index_.desc);
      for (size_t i = 0; i < values.size(); ++i) {
        const char* stored = walk.Next();
        if (stored != nullptr)
          values[i] = {LoadColumn((*index_.desc)[static_cast<AttrNumber>(i + 1)].physical, stored), false};
      }
      (index_.throw_build_duplicate != nullptr ? index_.throw_build_duplicate
                                               : index_.throw_unique_violation)(index_, values.data());
    }
    last_alive_.assign(entry.data, entry.size);
  }

  bool HasNullKey(const Entry& entry) {
    ColumnWalk walk(entry, *index_.desc);
    for (int i = 0; i < index_.key_count(); ++i) {
      if (walk.Next() == nullptr) return true;
    }
    return false;
  }

  void Collect(const Entry& entry, TreeWriter* writer) {
    Entry base{base_.data(), static_cast<uint32_t>(base_.size())};
    size_t size = base_.size() + (tids_.size() + 1) * kTidSize;
    if (!tids_.empty() && (size > kMaxPostingSize || !SameColumns(base, entry))) FlushCollected(writer);
    if (tids_.empty()) base_.assign(entry.data, entry.size);
    tids_.push_back(entry.tid());
  }
  void FlushCollected(TreeWriter* writer) {
    if (tids_.empty()) return;
    EntryBuffer merged;
    FormPosting({base_.data(), static_cast<uint32_t>(base_.size())}, tids_.data(),
                static_cast<int>(tids_.size()), &merged);
    tids_.clear();
    writer->Add(merged.entry());
  }

  void SetRoot(const MetaInfo& meta) {
    EnsureWalSpace();
    BufferPin pin = ReadPageOf(index_, kMetaBlock);
    PageLock lock(pin, PageLockMode::kExclusive);
    CriticalSection critical;
    InitMeta(pin.page(), meta.root, meta.level);
    pin.MarkDirty();
    if (index_.NeedsWal()) LogNewPage(pin.key(), pin.page());
  }

  const IndexDesc& index_;
  EntrySorter sorter_;
  EntryBuffer formed_;
  IndexBuildStats stats_;
  uint64_t entry_bytes_ = 0;
  bool deduplicate_ = false;
  std::string last_alive_;
  std::string base_;
  std::vector<TupleId> tids_;
};

}  // namespace

std::unique_ptr<IndexBuild> BeginBuild(const IndexDesc& index) { return std::make_unique<BtreeBuild>(index); }

void BuildEmpty(const IndexDesc& index, Fork fork) {
  EnsureWalSpace();
  BufferPin pin = ExtendRelation(index.locator, fork);
  PageLock lock(pin, PageLock::Adopt{});
  CriticalSection critical;
  InitMeta(pin.page(), kNoBlock, 0);
  pin.MarkDirty();
  if (NeedsWal(index.locator, fork)) LogNewPage(pin.key(), pin.page());
}

}  // namespace walden::btree

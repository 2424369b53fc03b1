#include "node/access/btree/insert_many.h"

#include <algorithm>
#include <vector>

#include "node/access/btree/insert.h"
#include "node/access/btree/leaf_space.h"
#include "node/access/btree/records.h"
#include "node/shm/interrupts.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden::btree {

namespace {

constexpr int kMostVainLooks = 2;  // for dead versions, by one batch

// The entries as they will be stored, in index order.
class FormedEntries {
 public:
  FormedEntries(const IndexDesc& index, std::span<const NewIndexEntry> entries, size_t* at)
      : index_(index), from_(entries) {
    formed_.reserve(entries.size());
    EntryBuffer entry;
    for (*at = 0; *at < entries.size(); ++*at) {
      FormEntry(index, entries[*at].values, entries[*at].tid, &entry);
      formed_.push_back({bytes_.size(), entry.size, static_cast<uint32_t>(*at)});
      bytes_.insert(bytes_.end(), entry.data, entry.data + entry.size);
    }
    auto before = [this](const Formed& a, const Formed& b) {
      return CompareEntries(index_, EntryOf(a), EntryOf(b)) < 0;
    };
    if (!std::is_sorted(formed_.begin(), formed_.end(), before))
      std::sort(formed_.begin(), formed_.end(), before);
  }

  size_t size() const { return formed_.size(); }
  // Which of the given entries it is.
  size_t From(size_t i) const { return formed_[i].from; }
  Entry EntryNumber(size_t i) const { return EntryOf(formed_[i]); }
  SearchKey Key(size_t i) const {
    const NewIndexEntry& from = from_[formed_[i].from];
    SearchKey key;
    key.values = from.values;
    key.count = index_.key_count();
    key.has_tid = true;
    key.tid = from.tid;
    return key;
  }

 private:
  struct Formed {
    size_t begin;  // in bytes_
    uint32_t size;
    uint32_t from;
  };
  Entry EntryOf(const Formed& formed) const { return {bytes_.data() + formed.begin, formed.size}; }

  const IndexDesc& index_;
  std::span<const NewIndexEntry> from_;
  std::vector<char> bytes_;
  std::vector<Formed> formed_;
};

// Neighbours that go onto one leaf. Nothing is changed before all of them have their places, because comparing may fail.
class LeafRun {
 public:
  LeafRun(const IndexDesc& index, const char* page)
      : index_(index), page_(page), merges_(MayDeduplicate(index)), room_(PageExactFreeSpace(page)) {}

  // Takes the entry, which is greater than those before, if it belongs to the leaf, does not go into the middle of a
  // posting list, and there is room. (The first one belongs to the leaf.)
  bool Take(const SearchKey& key, const Entry& entry) {
    if (last_.count > 0 && !IsRightmost(page_) && CompareKey(index_, key, EntryAt(page_, kHighKey)) > 0)
      return false;
    OffsetNumber place = Place(key);
    if (place <= PageMaxOffset(page_)) {
      Entry there = EntryAt(page_, place);
      if (there.is_posting() && CompareKey(index_, key, there) == 0) return false;
    }
    return Joins(place, entry) ? Join(entry) : Begin(place, entry);
  }

  // Requires: the leaf is locked exclusively, as it was when the entries were taken; at least one was.
  void Apply(BufferPin& leaf) {
    CloseItem();
    CriticalSection critical;
    AddEntries(leaf.page(), {items_, size_});
    leaf.MarkDirty();
    if (!index_.NeedsWal()) return;
    InsertManyRecord rec{item_count_};
    WalRecord record(RecordKind::kBtreeInsertMany);
    record.AddStruct(rec);
    record.AddPage(0, leaf.key(), leaf.page());
    record.AddPageData(0, items_, size_);
    record.InsertAndStamp();
  }

 private:
  // The item that is being put together.
  struct Item {
    OffsetNumber place = 0;  // on the page as it is now
    Entry base{};
    size_t count = 0;  // of row identities
    size_t size = 0;
  };

  // The first item of the page that is not less than the key: mostly the one where the entry before went, or the next.
  OffsetNumber Place(const SearchKey& key) {
    OffsetNumber max = PageMaxOffset(page_);
    if (last_.count == 0) return FindOnPage(index_, key, page_);
    for (OffsetNumber place = last_.place; place < last_.place + 2; ++place) {
      if (place > max || CompareKey(index_, key, EntryAt(page_, place)) <= 0) return place;
    }
    return FindOnPage(index_, key, page_);
  }

  bool Joins(OffsetNumber place, const Entry& entry) const {
    return merges_ && last_.count > 0 && last_.place == place &&
           last_.size + 2 * kTidSize <= kMaxPostingSize && SameColumns(last_.base, entry);
  }
  bool Join(const Entry& entry) {
    size_t columns = last_.base.size;
    size_t size = columns + (last_.count + 1) * kTidSize;
    size_t more = AlignUp(size, 8) - AlignUp(last_.size, 8);
    if (more > room_) return false;
    room_ -= more;
    tids_[last_.count++] = entry.tid();
    last_.size = size;
    return true;
  }
  bool Begin(OffsetNumber place, const Entry& entry) {
    size_t need = AlignUp(entry.size, 8) + sizeof(ItemId);
    if (need > room_) return false;
    room_ -= need;
    CloseItem();
    last_ = {place, entry, 1, entry.size};
    tids_[0] = entry.tid();
    return true;
  }

  void CloseItem() {
    if (last_.count == 0) return;
    EntryBuffer formed;
    FormPosting(last_.base, tids_, static_cast<int>(last_.count), &formed);
    char* to = items_ + size_;
    Store<uint16_t>(to, static_cast<uint16_t>(last_.place + item_count_++));
    Store<uint16_t>(to + 2, static_cast<uint16_t>(formed.size));
    std::memcpy(to + 4, formed.data, formed.size);
    size_ += 4 + formed.size;
  }

  const IndexDesc& index_;
  const char* page_;
  const bool merges_;
  size_t room_;
  Item last_;
  TupleId tids_[kMaxPostingSize / kTidSize + 1];
  uint16_t item_count_ = 0;
  size_t size_ = 0;
  // An item takes no more here than on the page, where it has a line pointer.
  static_assert(sizeof(ItemId) >= 4);
  char items_[kPageSize];
};

}  // namespace

void InsertEntries(const IndexDesc& index, const TableRef& table, std::span<const NewIndexEntry> entries,
                   bool unchanged, size_t* at) {
  FormedEntries formed(index, entries, at);
  // A statement that updates a whole table finds no version that is dead already.
  int looks_left = unchanged ? kMostVainLooks : 0;
  Descent descent;
  for (size_t next = 0; next < formed.size();) {
    CheckInterrupts();
    EnsureWalSpace();
    *at = formed.From(next);
    SearchKey key = formed.Key(next);
    Entry first = formed.EntryNumber(next);
    BufferPin leaf = FindLeaf(index, key, Access::kWrite, &descent);
    if (PageFreeSpace(leaf.page()) < AlignUp(first.size, 8) &&
        !MakeRoom(index, table, leaf, first.size, looks_left > 0))
      --looks_left;
    LeafRun run(index, leaf.page());
    size_t end = next;
    while (end < formed.size() && run.Take(formed.Key(end), formed.EntryNumber(end))) ++end;
    if (end == next) {
      InsertOnLeaf(index, key, first, std::move(leaf), descent);
      ++next;
      continue;
    }
    run.Apply(leaf);
    leaf.Unlock();
    next = end;
  }
}

}  // namespace walden::btree

// Scans copy the matching entries of a page under one shared lock and then hand them out without it. The pin
// is kept only when values are returned: then VACUUM, which needs a cleanup lock here before it lets row
// identities be used again, cannot overtake an index-only scan that trusts the visibility map.
#include "node/access/btree/scan.h"

#include <algorithm>
#include <string>
#include <vector>

#include "node/access/btree/scan_keys.h"
#include "node/access/btree/search.h"
#include "node/access/counted_read.h"
#include "node/shm/interrupts.h"
#include "node/txn/txn_state.h"

namespace walden::btree {

namespace {

struct Item {
  TupleId tid;
  OffsetNumber offset;
  uint32_t columns_at;  // into Position::columns
};

// The matches of one page.
struct Position {
  BlockNumber block = kNoBlock;
  BlockNumber left = kNoBlock;
  BlockNumber right = kNoBlock;
  Lsn lsn;
  bool more_left = false;
  bool more_right = false;
  std::vector<Item> items;
  std::string columns;  // entries, for values
  int current = -1;
  BufferPin pin;

  bool valid() const { return block != kNoBlock; }
  void CopyFrom(const Position& other) {
    block = other.block;
    left = other.left;
    right = other.right;
    lsn = other.lsn;
    more_left = other.more_left;
    more_right = other.more_right;
    items = other.items;
    columns = other.columns;
    current = other.current;
    pin = other.pin ? other.pin.Share() : BufferPin();
  }
};

class BtreeScan : public IndexScan {
 public:
  BtreeScan(const IndexDesc& index, bool want_values)
      : index_(index), want_values_(want_values), conditions_(index), values_(index.desc->size()) {}

  void Rescan(std::span<const ScanKey> keys) override {
    End();
    conditions_.Set(keys);
    state_ = State::kStart;
  }

  bool Next(ScanDirection direction, TupleId* tid) override {
    if (!Step(direction)) return false;
    index_.stats.Count(RelationCounter::kTuplesReturned);
    *tid = here_.items[here_.current].tid;
    return true;
  }

  size_t NextTids(std::span<TupleId> out) override {
    size_t count = 0;
    while (count < out.size() && Step(ScanDirection::kForward)) out[count++] = here_.items[here_.current].tid;
    index_.stats.Count(RelationCounter::kTuplesReturned, static_cast<int64_t>(count));
    return count;
  }

  const Value* values() override {
    const Item& item = here_.items[here_.current];
    Entry entry{here_.columns.data() + item.columns_at, 0};
    ColumnWalk walk(entry, *index_.desc);
    for (int i = 0; i < index_.desc->size(); ++i) {
      const char* stored = walk.Next();
      if (stored == nullptr)
        values_[i] = Value{};
      else
        values_[i] = {LoadColumn((*index_.desc)[static_cast<AttrNumber>(i + 1)].physical, stored), false};
    }
    return values_.data();
  }

  void KillLast() override {
    if (here_.current >= 0 && here_.current < static_cast<int>(here_.items.size()))
      killed_.push_back(here_.current);
  }

  void Mark() override {
    marked_here_ = here_.valid();
    marked_item_ = here_.current;
    mark_state_ = state_;
    mark_ranges_ = conditions_.SaveRanges();
    if (!marked_here_) mark_.block = kNoBlock;
  }

  void Restore() override {
    state_ = mark_state_;
    if (marked_here_) {
      here_.current = marked_item_;
      return;
    }
    ApplyKills();
    here_.CopyFrom(mark_);
    conditions_.RestoreRanges(mark_ranges_);
    marked_here_ = here_.valid();
    marked_item_ = here_.current;
  }

  void End() override {
    ApplyKills();
    here_.pin.Release();
    here_.block = kNoBlock;
    mark_.pin.Release();
    mark_.block = kNoBlock;
    marked_here_ = false;
    state_ = State::kStart;
  }

 private:
  enum class State : uint8_t { kStart, kOnPage, kBeforeFirst, kAfterLast };

  bool Step(ScanDirection direction) {
    if (conditions_.impossible()) return false;
    bool forward = direction == ScanDirection::kForward;
    switch (state_) {
      case State::kBeforeFirst:
      case State::kAfterLast:
        // At an end: further the same way is nothing; back again starts from that end.
        if (forward == (state_ == State::kAfterLast)) return false;
        [[fallthrough]];
      case State::kStart:
        conditions_.FirstRange(direction);
        if (!FindRange(direction)) return Ended(direction);
        return true;
      case State::kOnPage: break;
    }
    here_.current += forward ? 1 : -1;
    if (here_.current >= 0 && here_.current < static_cast<int>(here_.items.size())) return true;
    if (NextPage(direction)) return true;
    return NextRanges(direction) ? true : Ended(direction);
  }

  bool Ended(ScanDirection direction) {
    LeavePage();
    here_.block = kNoBlock;
    here_.items.clear();
    state_ = direction == ScanDirection::kForward ? State::kAfterLast : State::kBeforeFirst;
    return false;
  }

  bool NextRanges(ScanDirection direction) {
    return conditions_.NextRange(direction) && FindRange(direction);
  }

  // Goes to the first match of the current range, or of the next range that has one.
  bool FindRange(ScanDirection direction) {
    do {
      CheckInterrupts();
      LeavePage();
      index_.stats.Count(RelationCounter::kScans);
      BufferPin pin;
      OffsetNumber offset;
      if (!FindStart(direction, &pin, &offset)) return false;
      if (ReadMatches(std::move(pin), offset, direction) || NextPage(direction)) return true;
    } while (conditions_.NextRange(direction));
    return false;
  }

  // False: the index is empty.
  bool FindStart(ScanDirection direction, BufferPin* pin, OffsetNumber* offset) {
    SearchKey key;
    bool forward = direction == ScanDirection::kForward;
    if (!conditions_.StartKey(direction, &key)) {
      *pin = FindEdge(index_, !forward);
      if (!*pin) return false;
      *offset = forward ? FirstData(pin->page()) : PageMaxOffset(pin->page());
      return true;
    }
    *pin = FindLeaf(index_, key, Access::kRead, nullptr);
    if (!*pin) return false;
    *offset = FindOnPage(index_, key, pin->page());
    if (!forward) --*offset;
    return true;
  }

  // Collects matches from `offset` on in `direction`. Takes over the shared lock. False: none on this page.
  bool ReadMatches(BufferPin pin, OffsetNumber offset, ScanDirection direction) {
    char* page = pin.page();
    bool forward = direction == ScanDirection::kForward;
    here_.block = pin.block();
    here_.left = Node(page)->left;
    here_.right = Node(page)->right;
    here_.lsn = PageLsn(page);
    here_.more_left = here_.left != kNoBlock;
    here_.more_right = here_.right != kNoBlock;
    here_.items.clear();
    here_.columns.clear();
    bool ignore_killed = !InRecovery();
    OffsetNumber first = FirstData(page);
    OffsetNumber max = PageMaxOffset(page);
    for (OffsetNumber i = offset; i >= first && i <= max;
         i = static_cast<OffsetNumber>(forward ? i + 1 : i - 1)) {
      Entry entry = EntryAt(page, i);
      bool past_end = false;
      bool killed = ignore_killed && PageItemId(page, i)->IsDead();
      if (conditions_.Matches(entry, direction, &past_end) && !killed) AddItems(entry, i, forward);
      if (past_end) {
        (forward ? here_.more_right : here_.more_left) = false;
        break;
      }
    }
    if (!forward) std::reverse(here_.items.begin(), here_.items.end());
    // A separator beyond the range says that the next page has nothing, without reading it.
    if (forward && here_.more_right && !here_.items.empty() && HighKeyIsPastEnd(page))
      here_.more_right = false;
    pin.Unlock();
    if (want_values_) here_.pin = std::move(pin);
    here_.current = forward ? 0 : static_cast<int>(here_.items.size()) - 1;
    state_ = State::kOnPage;
    return !here_.items.empty();
  }

  bool HighKeyIsPastEnd(const char* page) {
    Entry high_key = EntryAt(page, kHighKey);
    if (high_key.columns() < index_.key_count()) return false;
    bool past_end = false;
    conditions_.Matches(high_key, ScanDirection::kForward, &past_end);
    return past_end;
  }

  void AddItems(const Entry& entry, OffsetNumber offset, bool forward) {
    uint32_t columns_at = static_cast<uint32_t>(here_.columns.size());
    if (want_values_) here_.columns.append(entry.data, entry.columns_end());
    int count = entry.tid_count();
    for (int i = 0; i < count; ++i)
      here_.items.push_back({entry.tid(forward ? i : count - 1 - i), offset, columns_at});
  }

  // Moves on until a page has matches; false at the end of the range.
  bool NextPage(ScanDirection direction) {
    for (;;) {
      CheckInterrupts();
      bool forward = direction == ScanDirection::kForward;
      if (!(forward ? here_.more_right : here_.more_left)) return false;
      LeavePage();
      BufferPin pin = forward ? StepRight() : StepLeft();
      if (!pin) return false;
      OffsetNumber start = forward ? FirstData(pin.page()) : PageMaxOffset(pin.page());
      if (ReadMatches(std::move(pin), start, direction)) return true;
    }
  }

  BufferPin StepRight() {
    BlockNumber next = here_.right;
    while (next != kNoBlock) {
      BufferPin pin = LockNode(index_, next, Access::kRead);
      if (!IsDeleted(pin.page())) return pin;
      next = Node(pin.page())->right;
      pin.Unlock();
    }
    return BufferPin();
  }

  // The page now to the left of here_.block. The left link may be old: that page may have been split (then
  // the wanted one is to its right) or deleted.
  BufferPin StepLeft() {
    BlockNumber from = here_.block;
    BlockNumber left = here_.left;
    while (left != kNoBlock) {
      CheckInterrupts();
      constexpr int kRightSteps = 4;
      BufferPin pin = LockNode(index_, left, Access::kRead);
      for (int i = 0; i < kRightSteps; ++i) {
        if (!IsDeleted(pin.page()) && Node(pin.page())->right == from) return pin;
        if (IsRightmost(pin.page())) break;
        BlockNumber right = Node(pin.page())->right;
        pin.Unlock();
        pin = LockNode(index_, right, Access::kRead);
      }
      pin.Unlock();
      // Start again from the page itself, or from what took over its place.
      pin = LockNode(index_, from, Access::kRead);
      while (IsDeleted(pin.page())) {
        from = Node(pin.page())->right;
        pin.Unlock();
        pin = LockNode(index_, from, Access::kRead);
      }
      left = Node(pin.page())->left;
      pin.Unlock();
    }
    return BufferPin();
  }

  void LeavePage() {
    ApplyKills();
    if (marked_here_) {
      int current = here_.current;
      here_.current = marked_item_;
      mark_.CopyFrom(here_);
      here_.current = current;
      marked_here_ = false;
    }
    here_.pin.Release();
  }

  // Marks entries whose rows are dead, if the page is still as it was read.
  void ApplyKills() {
    if (killed_.empty()) return;
    std::vector<int> killed = std::move(killed_);
    killed_.clear();
    if (InRecovery() || !here_.valid() || !index_.NeedsWal()) return;
    BufferPin pin = ReadPageOf(index_, here_.block);
    PageLock lock(pin, PageLockMode::kShared);
    char* page = pin.page();
    if (PageLsn(page) != here_.lsn) return;
    std::sort(killed.begin(), killed.end());
    bool changed = false;
    for (size_t i = 0; i < killed.size(); ++i) {
      OffsetNumber offset = here_.items[killed[i]].offset;
      if (PageItemId(page, offset)->IsDead()) continue;
      // A posting list may go only when all of it is dead.
      auto of_entry = [&](int item) { return here_.items[item].offset == offset; };
      auto dead = std::count_if(killed.begin(), killed.end(), of_entry);
      if (dead < EntryAt(page, offset).tid_count()) continue;
      PageItemId(page, offset)->MarkDead();
      changed = true;
    }
    if (!changed) return;
    Node(page)->flags |= kHasGarbage;
    pin.MarkDirtyHint();
  }

  const IndexDesc& index_;
  bool want_values_;
  ScanConditions conditions_;
  std::vector<Value> values_;
  State state_ = State::kStart;
  Position here_;
  std::vector<int> killed_;
  // The mark: on the current page, or a copy of one left behind.
  bool marked_here_ = false;
  int marked_item_ = -1;
  Position mark_;
  State mark_state_ = State::kStart;
  std::vector<size_t> mark_ranges_;
};

}  // namespace

std::unique_ptr<IndexScan> BeginScan(const IndexDesc& index, bool want_values) {
  return std::make_unique<BtreeScan>(index, want_values);
}

}  // namespace walden::btree

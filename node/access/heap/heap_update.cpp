#include <bit>
#include <cstring>
#include <optional>

#include "node/access/counted_read.h"
#include "node/access/heap/heap.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/placement.h"
#include "node/access/heap/row_wait.h"
#include "node/access/heap/toast.h"
#include "node/access/heap/visibility.h"
#include "node/access/heap/visibility_map.h"
#include "node/base/error.h"
#include "node/shm/interrupts.h"
#include "node/txn/clog.h"
#include "node/txn/transaction.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {

namespace {

// Whether some column of `columns` is stored differently. Values equal but stored in two ways count as
// changed.
bool ColumnsDiffer(const TupleDesc& desc, const AttrSet* columns, const TupleView& a, const TupleView& b) {
  if (columns == nullptr) return false;
  std::span<const uint64_t> words = columns->words();
  for (size_t w = 0; w < words.size(); ++w) {
    for (uint64_t bits = words[w]; bits != 0; bits &= bits - 1) {
      AttrNumber attno = static_cast<AttrNumber>(w * 64 + static_cast<size_t>(std::countr_zero(bits)));
      if (attno > desc.size()) continue;
      const char* in_a = FindAttribute(desc, a, attno);
      const char* in_b = FindAttribute(desc, b, attno);
      if ((in_a == nullptr) != (in_b == nullptr)) return true;
      if (in_a == nullptr) continue;
      uint32_t size = AttributeSize(desc[attno].physical, in_a);
      if (size != AttributeSize(desc[attno].physical, in_b) || std::memcmp(in_a, in_b, size) != 0)
        return true;
    }
  }
  return false;
}

class Update {
 public:
  Update(const TableRef& table, TupleId tid, TupleBuffer* row, CommandId cid)
      : table_(table),
        tid_(tid),
        row_(row),
        cid_(cid),
        xid_(CurrentXid()),
        old_pin_(ReadPageOf(table, tid.block)),
        waiter_(table, old_pin_, &old_vm_pin_, tid, "updating") {}

  TupleResult Run(const Snapshot* crosscheck, WaitPolicy wait, TupleFailure* failure,
                  UpdateOutcome* outcome) {
    waiter_.Lock();
    CheckRowExists(table_, old_pin_.page(), tid_);
    keys_changed_ = ColumnsDiffer(*table_.desc, table_.key_columns, OldView(), row_->view());
    indexed_changed_ = ColumnsDiffer(*table_.desc, table_.indexed_columns, OldView(), row_->view());
    mode_ = keys_changed_ ? RowLockMode::kExclusive : RowLockMode::kNoKeyExclusive;
    TupleResult result = AwaitAndPlace(crosscheck, wait);
    outcome->lock_mode = mode_;
    if (result != TupleResult::kOk) {
      Fail(result, failure);
      return result;
    }
    Apply(outcome);
    if (OldHasExternal()) DeleteToasted(table_, OldView(), &new_view_);
    return TupleResult::kOk;
  }

 private:
  TupleHeader* OldRow() { return RowAt(old_pin_.page(), tid_.offset); }
  TupleView OldView() {
    return {PageItem(old_pin_.page(), tid_.offset),
            static_cast<uint32_t>(PageItemLength(old_pin_.page(), tid_.offset)), tid_, table_.oid};
  }
  bool OldHasExternal() { return (OldRow()->infomask & kHasExternal) != 0; }

  // Until the old version may be changed and both pages are locked with room for the new one.
  TupleResult AwaitAndPlace(const Snapshot* crosscheck, WaitPolicy wait) {
    for (;;) {
      TupleResult result = AwaitUpdatable(crosscheck, wait);
      if (result != TupleResult::kOk) return result;
      if (!fitted_checked_) {
        // Storing long values needs other pages: leave this one meanwhile, then look again.
        fitted_checked_ = true;
        if (NeedsFitting()) {
          old_pin_.Unlock();
          Fit();
          waiter_.Lock();
          continue;
        }
      }
      // Right away on the same page, if there is room.
      if (PageHeapFreeSpace(old_pin_.page()) >= AlignUp(stored_->size(), 8)) {
        new_page_ = old_pin_.Share();
        return TupleResult::kOk;
      }
      XmaxState before(*OldRow());
      TupleId old_ctid = OldRow()->ctid();
      old_pin_.Unlock();
      new_page_ = PlaceRow(table_, stored_->size(), {}, nullptr, &new_vm_pin_, &old_pin_, &old_vm_pin_);
      if (!before.Changed(*OldRow()) && OldRow()->ctid() == old_ctid) return TupleResult::kOk;
      if (!SamePage()) new_page_.Unlock();
    }
  }

  TupleResult AwaitUpdatable(const Snapshot* crosscheck, WaitPolicy wait) {
    for (;;) {
      TupleResult result = waiter_.Check(cid_);
      if (result == TupleResult::kInvisible) {
        throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "attempted to update invisible tuple");
      }
      if (result == TupleResult::kBeingModified) {
        RowWaiter::Outcome outcome = waiter_.WaitToChange(mode_, wait);
        if (outcome.look_again) continue;
        result = outcome.result;
      }
      if (result == TupleResult::kOk && crosscheck != nullptr && !waiter_.VisibleTo(*crosscheck)) {
        result = TupleResult::kUpdated;
      }
      return result;
    }
  }

  bool NeedsFitting() {
    return row_->size() > table_.toast_tuple_target || (row_->header().infomask & kHasExternal) != 0;
  }
  void Fit() {
    TupleView old_view = OldView();
    fitted_.emplace();
    if (ToastRow(table_, row_->view(), &old_view, cid_, &*fitted_))
      stored_ = &*fitted_;
    else
      fitted_.reset();
  }

  void Fail(TupleResult result, TupleFailure* failure) {
    FillFailure(*OldRow(), result, failure);
    old_pin_.Unlock();
    // Values stored for the version that never came to be.
    TupleView old_view = OldView();
    if (fitted_) DeleteToasted(table_, fitted_->view(), &old_view);
  }

  bool SamePage() { return new_page_.block() == old_pin_.block(); }

  // The lockers of the old version that still count hold the new one too.
  NewXmax CarriedXmax() {
    const TupleHeader& old_row = *OldRow();
    NewXmax carried{0, kXmaxInvalid, 0};
    if (old_row.infomask & kXmaxInvalid) return carried;
    if (old_row.infomask & kXmaxIsMulti) {
      if (!MultiXactRunning(old_row.multi(), true)) return carried;
      carried = {old_row.xmax_value, 0, 0};
      MultiXactFlags(old_row.multi(), &carried.infomask, &carried.infomask2);
      return carried;
    }
    bool running =
        IsCurrentXid(old_row.xmax()) || LookupCommit(old_row.xmax()).status == XidStatus::kInProgress;
    if (!running || !(old_row.infomask & kXmaxLockOnly)) return carried;
    return {old_row.xmax_value, kXmaxKeyShareLock | kXmaxLockOnly, 0};
  }

  void PrepareNewRow(const NewXmax& carried, bool hot) {
    constexpr uint16_t kFormFlags = kHasNull | kHasVarWidth | kHasExternal;
    TupleHeader& header = stored_->header();
    header.xmin_value = xid_.value;
    header.xmax_value = carried.xmax;
    header.cid = cid_;
    header.infomask = static_cast<uint16_t>((header.infomask & kFormFlags) | kUpdated | carried.infomask);
    header.infomask2 =
        static_cast<uint16_t>((header.infomask2 & kNattsMask) | carried.infomask2 | (hot ? kHeapOnly : 0));
  }

  void Apply(UpdateOutcome* outcome) {
    bool same_page = SamePage();
    bool hot = same_page && !indexed_changed_;
    NewXmax old_xmax = ComputeNewXmax(*OldRow(), xid_, mode_, true);
    NewXmax carried = CarriedXmax();
    NewCid cmax = CmaxFor(*OldRow(), cid_);
    PrepareNewRow(carried, hot);
    TupleId new_tid;
    {
      CriticalSection critical;
      bool old_cleared = ClearAllVisible(old_pin_, old_vm_pin_);
      bool new_cleared = !same_page && ClearNewVisible(old_cleared);
      if (!same_page) SetPageFlag(old_pin_.page(), kPageFull);
      NotePrunable(old_pin_.page(), xid_);
      OffsetNumber offset = PageAddItem(new_page_.page(), stored_->data(), stored_->size());
      CHECK(offset != kInvalidOffset);
      new_tid = {new_page_.block(), offset};
      TupleHeader* new_row = RowAt(new_page_.page(), offset);
      new_row->set_ctid(new_tid);
      TupleHeader* old_row = OldRow();
      SetXmax(old_row, old_xmax.xmax, old_xmax.infomask, old_xmax.infomask2);
      SetCmax(old_row, cmax);
      old_row->infomask2 =
          static_cast<uint16_t>(hot ? old_row->infomask2 | kHotUpdated : old_row->infomask2 & ~kHotUpdated);
      old_row->set_ctid(new_tid);
      old_pin_.MarkDirty();
      if (!same_page) {
        NotePrunable(new_page_.page(), xid_);
        new_page_.MarkDirty();
      }
      Log(hot, new_tid, old_xmax, carried, old_cleared, new_cleared);
      if (old_cleared) old_vm_pin_.Unlock();
      if (new_cleared && !vm_shared_) new_vm_pin_.Unlock();
    }
    new_view_ = {PageItem(new_page_.page(), new_tid.offset),
                 static_cast<uint32_t>(PageItemLength(new_page_.page(), new_tid.offset)), new_tid,
                 table_.oid};
    if (!same_page) new_page_.Unlock();
    old_pin_.Unlock();
    outcome->tid = new_tid;
    outcome->hot = hot;
    stored_->header().set_ctid(new_tid);
    row_->header().set_ctid(new_tid);
  }

  // Both heap pages may have their bits on one map page, which is then locked already.
  bool ClearNewVisible(bool old_cleared) {
    if (!PageHasFlag(new_page_.page(), kPageAllVisible)) return false;
    vm_shared_ = old_cleared && old_vm_pin_.SamePage(new_vm_pin_);
    if (!vm_shared_) return ClearAllVisible(new_page_, new_vm_pin_);
    ClearPageFlag(new_page_.page(), kPageAllVisible);
    VmClearBits(old_vm_pin_.page(), new_page_.block(), kVmAll);
    return true;
  }

  void Log(bool hot, TupleId new_tid, const NewXmax& old_xmax, const NewXmax& carried, bool old_cleared,
           bool new_cleared) {
    if (!table_.NeedsWal()) return;
    bool same_page = SamePage();
    HeapUpdateRecord rec{};
    rec.old_xmax = old_xmax.xmax;
    rec.new_xmax = carried.xmax;
    rec.old_offset = tid_.offset;
    rec.old_infomask = old_xmax.infomask;
    rec.old_infomask2 = old_xmax.infomask2;
    rec.new_offset = new_tid.offset;
    if (same_page) ShareBytes(&rec);
    bool new_map = same_page ? old_cleared : new_cleared;
    rec.flags = static_cast<uint8_t>((new_map ? kRecNewPageVmCleared : 0) |
                                     (!same_page && old_cleared ? kRecOldPageVmCleared : 0));
    const TupleHeader& header = stored_->header();
    WalRowHeader row_header{header.infomask2, header.infomask, header.hoff, 0};
    bool init =
        !same_page && new_tid.offset == kFirstOffset && PageMaxOffset(new_page_.page()) == kFirstOffset;
    WalRecord record(hot ? RecordKind::kHeapHotUpdate : RecordKind::kHeapUpdate);
    record.AddStruct(rec);
    record.AddPage(kRefNewPage, new_page_.key(), new_page_.page(), kWalStandard | (init ? kWalWillInit : 0));
    record.AddPageStruct(kRefNewPage, row_header);
    record.AddPageData(kRefNewPage, stored_->data() + kTupleHeaderSize + rec.prefix,
                       stored_->size() - kTupleHeaderSize - rec.prefix - rec.suffix);
    if (!same_page) record.AddPage(kRefOldPage, old_pin_.key(), old_pin_.page());
    if (new_map) {
      BufferPin& map = same_page || vm_shared_ ? old_vm_pin_ : new_vm_pin_;
      record.AddPage(kRefNewVm, map.key(), map.page(), 0);
    }
    if (!same_page && old_cleared && !(new_map && vm_shared_)) {
      record.AddPage(kRefOldVm, old_vm_pin_.key(), old_vm_pin_.page(), 0);
    }
    record.InsertAndStamp();
  }

  // Leaves out of the record what the new version has in common with the old one.
  void ShareBytes(HeapUpdateRecord* rec) {
    TupleView old_view = OldView();
    const char* a = old_view.data + kTupleHeaderSize;
    const char* b = stored_->data() + kTupleHeaderSize;
    size_t a_size = old_view.size - kTupleHeaderSize;
    size_t b_size = stored_->size() - kTupleHeaderSize;
    size_t limit = std::min(a_size, b_size);
    size_t prefix = 0;
    while (prefix < limit && a[prefix] == b[prefix]) ++prefix;
    size_t suffix = 0;
    while (suffix < limit - prefix && a[a_size - 1 - suffix] == b[b_size - 1 - suffix]) ++suffix;
    rec->prefix = static_cast<uint16_t>(prefix);
    rec->suffix = static_cast<uint16_t>(suffix);
  }

  const TableRef& table_;
  TupleId tid_;
  TupleBuffer* row_;
  CommandId cid_;
  Xid xid_;
  BufferPin old_vm_pin_;
  BufferPin new_vm_pin_;
  BufferPin old_pin_;
  BufferPin new_page_;
  RowWaiter waiter_;
  std::optional<TupleBuffer> fitted_;
  TupleBuffer* stored_ = row_;
  TupleView new_view_;
  RowLockMode mode_ = RowLockMode::kNoKeyExclusive;
  bool keys_changed_ = false;
  bool indexed_changed_ = false;
  bool fitted_checked_ = false;
  bool vm_shared_ = false;
};

}  // namespace

TupleResult HeapUpdate(const TableRef& table, TupleId tid, TupleBuffer* row, CommandId cid,
                       const Snapshot* crosscheck, WaitPolicy wait, TupleFailure* failure,
                       UpdateOutcome* outcome) {
  EnsureWalSpace();
  TupleResult result = Update(table, tid, row, cid).Run(crosscheck, wait, failure, outcome);
  if (result == TupleResult::kOk) table.stats.CountUpdate(NestLevel(), outcome->hot);
  return result;
}

}  // namespace walden

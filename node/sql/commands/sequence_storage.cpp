#include "node/sql/commands/sequence_storage.h"

#include <cstring>

#include "node/access/tuple.h"
#include "node/base/error.h"
#include "node/buffer/redo.h"
#include "node/shm/interrupts.h"
#include "node/storage/page.h"
#include "node/txn/durability.h"
#include "node/wal/record_builder.h"

namespace walden {
namespace {

// Format: the row's attributes, packed as any row's: i64 last_value, i64 log_cnt, bool is_called.
constexpr size_t kRowBytes = 17;

TupleBuffer FormRow(const TupleDesc& desc, const SequenceState& state) {
  Value values[3];
  for (Value& value : values) value.is_null = false;
  values[0].datum.i64 = state.last_value;
  values[1].datum.i64 = state.log_count;
  values[2].datum.b = state.is_called;
  TupleBuffer buffer;
  FormTuple(desc, values, &buffer);
  TupleHeader& header = buffer.header();
  header.xmin_value = kFrozenXid.value;
  header.infomask |= kXminFrozen | kXmaxInvalid;
  header.set_ctid({0, 1});
  return buffer;
}

char* RowAttributes(char* page) {
  char* item = PageItem(page, 1);
  return item + reinterpret_cast<const TupleHeader*>(item)->hoff;
}

void StoreState(char* page, const SequenceState& state) {
  char* at = RowAttributes(page);
  Store<int64_t>(at, state.last_value);
  Store<int64_t>(at + 8, state.log_count);
  at[16] = state.is_called ? 1 : 0;
}

// Format: Sequence/LOG: page 0 with its whole row as data; redo makes the page anew.
void LogRow(const PageKey& key, char* page) {
  WalRecord record(RecordKind::kSequenceLog);
  record.AddPage(0, key, page, kWalStandard | kWalWillInit);
  record.AddPageData(0, PageItem(page, 1), PageItemLength(page, 1));
  record.InsertAndStamp();
}

void RedoLog(RedoContext& redo) {
  RedoPage page = redo.OpenPage(0);
  if (!page.NeedsRedo()) return;
  std::string_view row = redo.record().FindPage(0)->data;
  PageInit(page.page());
  PageAddItem(page.page(), row.data(), row.size());
  page.Finish();
}

void Describe(const DecodedRecord& record, std::string* out) {
  const auto* page = record.FindPage(0);
  if (page == nullptr || page->data.size() < sizeof(TupleHeader)) return;
  auto header = Load<TupleHeader>(page->data.data());
  if (page->data.size() < header.hoff + kRowBytes) return;
  *out += "last_value " + std::to_string(Load<int64_t>(page->data.data() + header.hoff));
}

constexpr RecordHandler kHandlers[] = {{RecordKind::kSequenceLog, RedoLog, Describe}};

}  // namespace

void InitSequenceFile(const Relation& sequence, const SequenceState& state) {
  const RelFileLocator& locator = sequence.table.locator;
  TupleBuffer row = FormRow(*sequence.desc, state);
  std::vector<Fork> forks{Fork::kMain};
  if (locator.IsUnlogged()) forks.push_back(Fork::kInit);
  for (Fork fork : forks) {
    BufferPin pin = ExtendRelation(locator, fork);
    PageLock lock(pin, PageLock::Adopt{});
    CriticalSection critical;
    PageInit(pin.page());
    PageAddItem(pin.page(), row.data(), row.size());
    pin.MarkDirty();
    if (NeedsWal(locator, fork)) LogRow({locator, fork, 0}, pin.page());
  }
}

LockedSequence::LockedSequence(const Relation& sequence)
    : pin_(ReadPage({sequence.table.locator, Fork::kMain, 0})),
      lock_(pin_, PageLockMode::kExclusive),
      needs_wal_(NeedsWal(sequence.table.locator)),
      key_{sequence.table.locator, Fork::kMain, 0} {
  if (PageMaxOffset(pin_.page()) < 1) {
    throw SqlError(ErrorCode::kDataCorrupted, "bad magic number in sequence \"{}\"", sequence.name());
  }
}

SequenceState LockedSequence::Read() const {
  if (needs_wal_) RaiseSeenLsn(lsn());
  const char* at = RowAttributes(pin_.page());
  return {Load<int64_t>(at), Load<int64_t>(at + 8), at[16] != 0};
}

void LockedSequence::Write(const SequenceState& state, const SequenceState* logged) {
  CriticalSection critical;
  pin_.MarkDirty();
  if (logged != nullptr && needs_wal_) {
    StoreState(pin_.page(), *logged);
    LogRow(key_, pin_.page());
  }
  StoreState(pin_.page(), state);
}

Lsn LockedSequence::lsn() const { return PageLsn(pin_.page()); }

std::span<const RecordHandler> SequenceRecordHandlers() { return kHandlers; }

}  // namespace walden

#include <cstring>
#include <vector>

#include "node/access/compression.h"
#include "node/access/deform.h"
#include "node/access/heap/heap.h"
#include "node/access/heap/toast.h"
#include "node/base/error.h"
#include "node/txn/transaction.h"

namespace walden {

namespace {

constexpr uint32_t kSizeMask = (uint32_t{1} << 30) - 1;
enum ChunkColumn : AttrNumber { kChunkId = 1, kChunkSeq = 2, kChunkData = 3 };

// Scans the chunks of one value in order.
class ChunkScan {
 public:
  ChunkScan(const ToastTable& toast, Oid value_id)
      : scan_(toast.index.method->BeginScan(toast.index, false)), fetcher_(toast.table) {
    key_.attno = kChunkId;
    key_.value = {Datum{.i64 = static_cast<int32_t>(OidNumber(value_id))}, false};
    scan_->Rescan({&key_, 1});
  }
  // The next stored chunk that anybody may still need.
  bool Next(const Snapshot& snapshot, TupleView* row) {
    TupleId tid;
    while (scan_->Next(ScanDirection::kForward, &tid)) {
      if (fetcher_.FetchChain(tid, snapshot, row)) return true;
    }
    return false;
  }

 private:
  ScanKey key_;
  std::unique_ptr<IndexScan> scan_;
  HeapFetcher fetcher_;
};

bool ValueIdInUse(const ToastTable& toast, Oid value_id) {
  TupleView row;
  return ChunkScan(toast, value_id).Next(kSnapshotAny, &row);
}

Oid NewValueId(const ToastTable& toast) {
  Oid id;
  do {
    id = toast.new_value_id();
  } while (ValueIdInUse(toast, id));
  return id;
}

void StoreChunks(const ToastTable& toast, Oid value_id, std::string_view stored, CommandId cid) {
  TupleBuffer row;
  BulkInsertState bulk(false);
  for (uint32_t sequence = 0; !stored.empty(); ++sequence) {
    std::string_view chunk = stored.substr(0, kToastChunkSize);
    stored.remove_prefix(chunk.size());
    Value values[3] = {{Datum{.i64 = static_cast<int32_t>(OidNumber(value_id))}, false},
                       {Datum{.i64 = static_cast<int32_t>(sequence)}, false},
                       {StringDatum(chunk), false}};
    FormTuple(*toast.table.desc, values, &row);
    TupleId tid = HeapInsert(toast.table, &row, cid, {}, &bulk);
    toast.index.method->Insert(toast.index, toast.table, values, tid, UniqueCheck::kYes, false);
  }
}

void DeleteChunks(const ToastTable& toast, Oid value_id) {
  ChunkScan chunks(toast, value_id);
  CommandId cid = CurrentCommandId(true);
  struct Chunk {
    TupleId tid;
    bool of_this_command;
  };
  std::vector<Chunk> found;
  for (TupleView row; chunks.Next(kSnapshotSelf, &row);) {
    const TupleHeader& header = row.header();
    found.push_back({row.tid, IsCurrentXid(header.xmin()) && VisibleCmin(header) >= cid});
  }
  for (const Chunk& chunk : found) {
    if (chunk.of_this_command) {
      HeapAbortSpeculative(toast.table, chunk.tid);
      continue;
    }
    TupleFailure failure;
    TupleResult result = HeapDelete(toast.table, chunk.tid, cid, nullptr, WaitPolicy::kBlock, &failure);
    if (result != TupleResult::kOk) {
      throw SqlError(ErrorCode::kInternalError, "chunk of toast value {} was changed concurrently",
                     OidNumber(value_id));
    }
  }
}

// A row taken apart for fitting: where each attribute is and what becomes of it.
struct Part {
  const char* stored = nullptr;  // null: null
  uint32_t size = 0;
  bool tried_compression = false;
  bool fixed_place = false;  // may not be moved out any more
};

class Fitter {
 public:
  Fitter(const TableRef& table, const TupleView& row, const TupleView* old_row, CommandId cid)
      : table_(table), desc_(*table.desc), row_(row), old_row_(old_row), cid_(cid), parts_(desc_.size() + 1) {
    const TupleHeader& header = row.header();
    const char* p = header.attributes();
    for (int attno = 1; attno <= header.natts(); ++attno) {
      if (header.has_null() && header.IsNullAt(attno)) continue;
      parts_[attno] = {p, AttributeSize(desc_[attno].physical, p)};
      p += parts_[attno].size;
    }
  }

  bool Run(TupleBuffer* fitted) {
    TakeInForeignValues();
    size_t target = table_.toast_tuple_target;
    ForEachLargest(
        target, true, [&](int attno) { return TryCompress(attno) || TryMoveIfHuge(attno); },
        AttributeStorage::kExtended, AttributeStorage::kExternal);
    ForEachLargest(
        target, false, [&](int attno) { return MoveOut(attno); }, AttributeStorage::kExtended,
        AttributeStorage::kExternal);
    ForEachLargest(
        target, true, [&](int attno) { return TryCompress(attno); }, AttributeStorage::kMain,
        AttributeStorage::kMain);
    ForEachLargest(
        kMaxTupleSize, false, [&](int attno) { return MoveOut(attno); }, AttributeStorage::kMain,
        AttributeStorage::kMain);
    if (!changed_) return false;
    Assemble(fitted);
    return true;
  }

 private:
  size_t RowSize() const {
    size_t size = row_.header().hoff;
    for (const Part& part : parts_) size += part.size;
    return size;
  }

  bool SharedWithOldRow(int attno) {
    if (old_row_ == nullptr) return false;
    const char* old_stored = FindAttribute(desc_, *old_row_, static_cast<AttrNumber>(attno));
    return old_stored != nullptr && VarSize(old_stored) == parts_[attno].size &&
           std::memcmp(old_stored, parts_[attno].stored, parts_[attno].size) == 0;
  }

  // Out-of-line values stay if they are the old version's; others (of another row) are read in first.
  void TakeInForeignValues() {
    for (int attno = 1; attno <= desc_.size(); ++attno) {
      Part& part = parts_[attno];
      if (part.stored == nullptr || !IsByReference(desc_[attno].physical) || !IsExternal(part.stored))
        continue;
      part.fixed_place = true;
      if (SharedWithOldRow(attno)) continue;
      StringRef payload = DetoastPayload(part.stored, &arena_, table_.toast);
      Replace(attno, StoreInArena(payload));
      part.fixed_place = false;
    }
  }
  std::string_view StoreInArena(StringRef payload) {
    Datum datum{.string = payload};
    char* to = static_cast<char*>(arena_.Allocate(StoredSize(PhysicalType::kString, datum), 1));
    return {to, static_cast<size_t>(StoreAttribute(PhysicalType::kString, datum, to) - to)};
  }
  void Replace(int attno, std::string_view stored) {
    parts_[attno].stored = stored.data();
    parts_[attno].size = static_cast<uint32_t>(stored.size());
    changed_ = true;
  }

  // Applies `act` to the largest candidate until the row fits `limit` or none is left.
  template <class F>
  void ForEachLargest(size_t limit, bool compressing, F act, AttributeStorage one, AttributeStorage other) {
    while (RowSize() > limit) {
      int largest = 0;
      for (int attno = 1; attno <= desc_.size(); ++attno) {
        const Part& part = parts_[attno];
        AttributeStorage storage = desc_[attno].storage;
        if (part.stored == nullptr || part.fixed_place || !IsByReference(desc_[attno].physical)) continue;
        if (storage != one && storage != other) continue;
        if (compressing ? part.tried_compression || IsCompressed(part.stored) : part.size <= kExternalSize)
          continue;
        if (!compressing && table_.toast == nullptr) continue;
        if (largest == 0 || part.size > parts_[largest].size) largest = attno;
      }
      if (largest == 0) return;
      act(largest);
    }
  }

  bool TryCompress(int attno) {
    Part& part = parts_[attno];
    part.tried_compression = true;
    if (desc_[attno].storage == AttributeStorage::kExternal || IsExternal(part.stored) ||
        IsCompressed(part.stored)) {
      return false;
    }
    StringRef payload = VarPayload(part.stored);
    CompressionMethod method = ChosenCompression(desc_[attno].compression);
    std::string_view compressed = Compress(method, payload.view(), arena_);
    if (compressed.empty()) return false;
    size_t size = compressed.size() + 8;
    char* to = static_cast<char*>(arena_.Allocate(size, 1));
    Store<uint32_t>(to, static_cast<uint32_t>(size) << 2 | 2);
    Store<uint32_t>(to + 4, static_cast<uint32_t>(payload.size) | static_cast<uint32_t>(method) << 30);
    std::memcpy(to + 8, compressed.data(), compressed.size());
    Replace(attno, {to, size});
    return true;
  }
  // A value that alone would not fit goes out at once, before others are compressed in vain.
  bool TryMoveIfHuge(int attno) {
    return parts_[attno].size > table_.toast_tuple_target && table_.toast != nullptr && MoveOut(attno);
  }

  bool MoveOut(int attno) {
    const Part& part = parts_[attno];
    ToastPointer pointer{};
    std::string_view stored;
    if (IsCompressed(part.stored)) {
      uint32_t info = Load<uint32_t>(part.stored + 4);
      stored = {part.stored + 8, part.size - 8};
      pointer.raw_size = info & kSizeMask;
      pointer.method = static_cast<CompressionMethod>(info >> 30);
    } else {
      StringRef payload = VarPayload(part.stored);
      stored = payload.view();
      pointer.raw_size = static_cast<uint32_t>(payload.size);
      pointer.method = CompressionMethod::kNone;
    }
    pointer.stored_size = static_cast<uint32_t>(stored.size());
    pointer.toast_table = table_.toast->table.oid;
    pointer.value_id = NewValueId(*table_.toast);
    StoreChunks(*table_.toast, pointer.value_id, stored, cid_);
    char* to = static_cast<char*>(arena_.Allocate(kExternalSize, 1));
    StoreToastPointer(pointer, to);
    Replace(attno, {to, kExternalSize});
    parts_[attno].fixed_place = true;
    return true;
  }

  void Assemble(TupleBuffer* fitted) {
    size_t hoff = row_.header().hoff;
    char* to = fitted->Prepare(RowSize());
    std::memcpy(to, row_.data, hoff);
    TupleHeader& header = fitted->header();
    header.infomask &= static_cast<uint16_t>(~kHasExternal);
    to += hoff;
    for (int attno = 1; attno <= desc_.size(); ++attno) {
      const Part& part = parts_[attno];
      if (part.stored == nullptr) continue;
      if (IsByReference(desc_[attno].physical) && IsExternal(part.stored)) header.infomask |= kHasExternal;
      std::memcpy(to, part.stored, part.size);
      to += part.size;
    }
  }

  const TableRef& table_;
  const TupleDesc& desc_;
  const TupleView& row_;
  const TupleView* old_row_;
  CommandId cid_;
  Arena arena_;
  std::vector<Part> parts_;
  bool changed_ = false;
};

}  // namespace

std::string_view ToastTable::Fetch(const ToastPointer& pointer, Arena& arena) const {
  char* to = arena.NewArray<char>(pointer.stored_size);
  ChunkScan chunks(*this, pointer.value_id);
  uint32_t expected = 0;
  size_t filled = 0;
  // Whoever can see the row may see its chunks, whatever has happened to them since.
  for (TupleView row; filled < pointer.stored_size && chunks.Next(kSnapshotAny, &row);) {
    DeformContext context;
    uint32_t sequence = static_cast<uint32_t>(GetAttribute(*table.desc, row, kChunkSeq, context).datum.i32);
    std::string_view data = GetAttribute(*table.desc, row, kChunkData, context).datum.string.view();
    if (sequence != expected || data.size() > pointer.stored_size - filled) {
      throw SqlError(ErrorCode::kDataCorrupted,
                     "unexpected chunk number {} (expected {}) for toast value {} in {}", sequence, expected,
                     OidNumber(pointer.value_id), table.name);
    }
    std::memcpy(to + filled, data.data(), data.size());
    filled += data.size();
    ++expected;
  }
  if (filled != pointer.stored_size) {
    throw SqlError(ErrorCode::kDataCorrupted, "missing chunk number {} for toast value {} in {}", expected,
                   OidNumber(pointer.value_id), table.name);
  }
  return {to, pointer.stored_size};
}

bool ToastRow(const TableRef& table, const TupleView& row, const TupleView* old_row, CommandId cid,
              TupleBuffer* fitted) {
  return Fitter(table, row, old_row, cid).Run(fitted);
}

void DeleteToasted(const TableRef& table, const TupleView& row, const TupleView* kept_by) {
  if (table.toast == nullptr) return;
  const TupleHeader& header = row.header();
  const char* p = header.attributes();
  for (int attno = 1; attno <= header.natts(); ++attno) {
    if (header.has_null() && header.IsNullAt(attno)) continue;
    PhysicalType type = (*table.desc)[attno].physical;
    if (IsByReference(type) && IsExternal(p)) {
      const char* kept =
          kept_by == nullptr ? nullptr : FindAttribute(*table.desc, *kept_by, static_cast<AttrNumber>(attno));
      bool is_kept = kept != nullptr && IsExternal(kept) && std::memcmp(kept, p, kExternalSize) == 0;
      if (!is_kept) DeleteChunks(*table.toast, LoadToastPointer(p).value_id);
    }
    p += AttributeSize(type, p);
  }
}

}  // namespace walden

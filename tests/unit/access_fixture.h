// A running private node for the access layer, and a table (id int4, payload text) with an index on id.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "private_node.h"

#include "node/access/btree/btree.h"
#include "node/access/btree/records.h"
#include "node/access/heap/heap.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/toast.h"
#include "node/access/heap/vacuum.h"
#include "node/access/heap/verify.h"
#include "node/base/error.h"
#include "node/buffer/redo.h"
#include "node/buffer/relation_storage.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/txn/durability.h"
#include "node/txn/horizon.h"
#include "node/txn/id_counters.h"
#include "node/txn/snapshot.h"
#include "node/txn/txn_records.h"
#include "node/wal/reader.h"
#include "node/wal/record_handler.h"

namespace walden {

inline int CompareInt32(const Datum& a, const Datum& b, const void*) {
  return a.i32 < b.i32 ? -1 : a.i32 > b.i32;
}
inline int CompareText(const Datum& a, const Datum& b, const void*) {
  return a.string.view().compare(b.string.view());
}
[[noreturn]] inline void ThrowDuplicate(const IndexDesc& index, const Value*) {
  throw SqlError(ErrorCode::kUniqueViolation, "duplicate key value violates unique constraint \"{}\"",
                 index.name);
}

inline Value Int(int32_t value) { return {Datum{.i64 = value}, false}; }
inline Value Text(std::string_view value) { return {StringDatum(value), false}; }

class AccessTest : public PrivateNodeTest {
 protected:
  explicit AccessTest(int shared_buffers = 512)
      : PrivateNodeTest({"base/5", "global", "pg_wal/archive_status", "pg_tblspc"}) {
    OverrideSetting(Setting::kSharedBuffers, std::to_string(shared_buffers));
    OverrideSetting(Setting::kFsync, "off");
    BindRecordHandlers(StorageRecordHandlers());
    BindRecordHandlers(TxnRecordHandlers());
    BindRecordHandlers(HeapRecordHandlers());
    BindRecordHandlers(btree::BtreeRecordHandlers());
    Start(kStart, true);
    DescribeTable();
  }
  ~AccessTest() override {
    Stop();
    ResetSettingsForTest();
  }

  void Start(Lsn at, bool open) { PrivateNodeTest::Start(at, CheckpointData{}, open); }

  static RelFileLocator Locator(uint32_t number) { return {kDefaultTablespace, Oid{5}, number}; }

  void DescribeTable() {
    std::vector<AttributeDesc> columns(2);
    columns[0].physical = PhysicalType::kInt32;
    columns[0].not_null = true;
    columns[1].physical = PhysicalType::kString;
    columns[1].storage = AttributeStorage::kExtended;
    desc_ = std::make_unique<TupleDesc>(columns);
    table_.locator = Locator(20000);
    table_.oid = Oid{20000};
    table_.name = "t";
    table_.desc = desc_.get();
    indexed_.Add(1);
    table_.indexed_columns = &indexed_;
    table_.key_columns = &indexed_;
    index_desc_ = std::make_unique<TupleDesc>(std::vector<AttributeDesc>{columns[0]});
    index_ = MakeIndex(20001, "t_pkey", index_desc_.get(), true);
  }

  static IndexDesc MakeIndex(uint32_t number, const char* name, const TupleDesc* desc, bool unique) {
    IndexDesc index;
    index.locator = Locator(number);
    index.oid = Oid{number};
    index.name = name;
    index.method = &BtreeMethod();
    index.desc = desc;
    IndexKeyColumn key;
    key.compare = CompareInt32;
    key.order = KeyOrder::kInt32;
    key.equal_image = true;
    index.keys = {key};
    index.unique = unique;
    index.throw_unique_violation = ThrowDuplicate;
    return index;
  }

  void CreateTable() {
    BeginTransaction();
    CurrentXid();
    CreateRelationStorage(table_.locator, 1);
    CreateRelationStorage(index_.locator, 1);
    BtreeMethod().BuildEmpty(index_, Fork::kMain);
    Commit();
  }
  // As a session does: the answer waits until the commit is durable, and with that settled.
  static void Commit() {
    CommitTransaction();
    AwaitSeenDurable();
  }

  TupleId Insert(int32_t id, std::string_view payload, bool with_index = true) {
    Value values[2] = {Int(id), Text(payload)};
    TupleBuffer row;
    FormTuple(*desc_, values, &row);
    TupleId tid = HeapInsert(table_, &row, CurrentCommandId(true));
    if (with_index) BtreeMethod().Insert(index_, table_, values, tid, UniqueCheck::kYes, false);
    return tid;
  }

  // Sets the payload of the version at `tid`.
  TupleResult UpdatePayload(TupleId tid, int32_t id, std::string_view payload, TupleId* new_tid = nullptr,
                            WaitPolicy wait = WaitPolicy::kBlock) {
    HeapFetcher fetcher(table_);
    TupleView old_row;
    EXPECT_TRUE(fetcher.FetchAny(tid, &old_row));
    Value values[2] = {Int(id), Text(payload)};
    AttrSet replaced;
    replaced.Add(1);
    replaced.Add(2);
    TupleBuffer row;
    FormUpdatedTuple(*desc_, old_row, values, replaced, &row);
    fetcher.Release();
    TupleFailure failure;
    UpdateOutcome outcome;
    TupleResult result =
        HeapUpdate(table_, tid, &row, CurrentCommandId(true), nullptr, wait, &failure, &outcome);
    if (result == TupleResult::kOk && !outcome.hot) {
      BtreeMethod().Insert(index_, table_, values, outcome.tid, UniqueCheck::kYes, false);
    }
    if (new_tid != nullptr) *new_tid = result == TupleResult::kOk ? outcome.tid : failure.ctid;
    return result;
  }

  TupleResult Delete(TupleId tid, WaitPolicy wait = WaitPolicy::kBlock) {
    TupleFailure failure;
    return HeapDelete(table_, tid, CurrentCommandId(true), nullptr, wait, &failure);
  }

  struct Row {
    int32_t id;
    std::string payload;
    TupleId tid;
    bool operator==(const Row& other) const { return id == other.id && payload == other.payload; }
  };
  Row RowOf(const TupleView& view) {
    MemoryAccount account("test");
    Arena arena(&account);
    DeformContext context{&arena, table_.toast, false};
    Value values[2];
    DeformTuple(*desc_, view, values, context);
    return {values[0].datum.i32, std::string(values[1].datum.string.view()), view.tid};
  }
  std::vector<Row> Scan(const Snapshot& snapshot) {
    std::vector<Row> rows;
    HeapScan scan(table_, snapshot);
    while (scan.NextPage()) {
      for (const TupleView& view : scan.rows()) rows.push_back(RowOf(view));
    }
    return rows;
  }
  std::vector<Row> Scan() {
    SnapshotHold snapshot = LatestSnapshot();
    return Scan(*snapshot);
  }
  // Rows with this id by the index.
  std::vector<Row> LookUp(int32_t id) {
    SnapshotHold snapshot = LatestSnapshot();
    std::vector<Row> rows;
    auto scan = BtreeMethod().BeginScan(index_, false);
    ScanKey key;
    key.value = Int(id);
    scan->Rescan({&key, 1});
    HeapFetcher fetcher(table_);
    TupleId tid;
    while (scan->Next(ScanDirection::kForward, &tid)) {
      TupleView view;
      bool all_dead;
      if (fetcher.FetchChain(tid, *snapshot, &view, &all_dead))
        rows.push_back(RowOf(view));
      else if (all_dead)
        scan->KillLast();
    }
    return rows;
  }

  void ExpectSound() {
    VerifyHeap(table_, [](const HeapDefect& defect) {
      ADD_FAILURE() << "heap block " << defect.block << " offset " << defect.offset << ": " << defect.message;
    });
    VerifyBtree(index_);
  }

  std::unique_ptr<TupleDesc> desc_;
  std::unique_ptr<TupleDesc> index_desc_;
  AttrSet indexed_;
  TableRef table_;
  IndexDesc index_;
};

}  // namespace walden

#include "node/access/heap/prune.h"
#include "node/access/pglz.h"
#include "tests/unit/access_fixture.h"

namespace walden {
namespace {

class HeapTest : public AccessTest {
 protected:
  HeapTest() { CreateTable(); }
};

TEST_F(HeapTest, OwnRowsAreVisibleFromTheNextCommandOn) {
  BeginTransaction();
  Insert(1, "one");
  EXPECT_TRUE(Scan().empty());
  CommandCounterIncrement();
  EXPECT_EQ(Scan(), (std::vector<Row>{{1, "one", {}}}));
  Commit();
  BeginTransaction();
  EXPECT_EQ(LookUp(1), (std::vector<Row>{{1, "one", {}}}));
  Commit();
  ExpectSound();
}

TEST_F(HeapTest, AbortedRowsAreNot) {
  BeginTransaction();
  Insert(1, "one");
  AbortTransaction();
  BeginTransaction();
  EXPECT_TRUE(Scan().empty());
  Insert(1, "again");
  Commit();
  BeginTransaction();
  EXPECT_EQ(LookUp(1).size(), 1u);
  Commit();
}

TEST_F(HeapTest, SnapshotsKeepOldVersions) {
  BeginTransaction();
  TupleId tid = Insert(1, "old");
  Commit();
  BeginTransaction();
  SetIsolation(IsolationLevel::kRepeatableRead);
  SnapshotHold before = TransactionSnapshot();
  InProcesses(1, 1, [&](int) {
    BeginTransaction();
    EXPECT_EQ(UpdatePayload(tid, 1, "new"), TupleResult::kOk);
    Commit();
  });
  EXPECT_EQ(Scan(*before)[0].payload, "old");
  EXPECT_EQ(Scan()[0].payload, "new");
  before.Reset();
  Commit();
}

TEST_F(HeapTest, HotUpdatesAddNoIndexEntryAndArePruned) {
  BeginTransaction();
  TupleId tid = Insert(1, std::string(500, 'a'));
  Commit();
  TupleId current = tid;
  for (int i = 0; i < 100; ++i) {
    BeginTransaction();
    {
      auto rows = LookUp(1);
      ASSERT_EQ(rows.size(), 1u);
      current = rows[0].tid;
    }
    ASSERT_EQ(UpdatePayload(current, 1, std::string(500, static_cast<char>('a' + i % 26)), &current),
              TupleResult::kOk);
    Commit();
  }
  EXPECT_LE(RelationBlocks(table_.locator), 2u) << "dead versions were not removed on access";
  int entries = 0;
  VerifyBtree(index_, [&](TupleId) { ++entries; });
  EXPECT_LE(entries, 3);
  BeginTransaction();
  EXPECT_EQ(LookUp(1).size(), 1u);
  Commit();
  ExpectSound();
}

TEST_F(HeapTest, LongChainsArePrunedOnRoomyPages) {
  BeginTransaction();
  TupleId current = Insert(1, "a");
  Commit();
  size_t most_versions = 0;
  for (int i = 0; i < 80; ++i) {
    BeginTransaction();
    auto rows = LookUp(1);
    ASSERT_EQ(rows.size(), 1u);
    ASSERT_EQ(UpdatePayload(rows[0].tid, 1, std::string(1, static_cast<char>('a' + i % 26)), &current),
              TupleResult::kOk);
    Commit();
    BufferPin pin = ReadPage(table_.Page(0));
    PageLock lock(pin, PageLockMode::kShared);
    size_t versions = 0;
    for (OffsetNumber offset = kFirstOffset; offset <= PageMaxOffset(pin.page()); ++offset)
      versions += PageItemId(pin.page(), offset)->IsNormal();
    most_versions = std::max(most_versions, versions);
    ASSERT_GT(PageExactFreeSpace(pin.page()), kPageSize / 4) << "the page must stay roomy";
  }
  EXPECT_GT(most_versions, kLongChain);
  EXPECT_LE(most_versions, kLongChain + 3);
  ExpectSound();
}

TEST_F(HeapTest, UniqueIndexRefusesASecondLiveRow) {
  BeginTransaction();
  TupleId tid = Insert(7, "x");
  Commit();
  BeginTransaction();
  EXPECT_THROW(Insert(7, "y"), SqlError);
  AbortTransaction();
  BeginTransaction();
  EXPECT_EQ(Delete(tid), TupleResult::kOk);
  CommandCounterIncrement();
  Insert(7, "z");
  Commit();
  BeginTransaction();
  EXPECT_EQ(LookUp(7), (std::vector<Row>{{7, "z", {}}}));
  Commit();
}

TEST_F(HeapTest, ConcurrentDeleteIsReported) {
  BeginTransaction();
  TupleId tid = Insert(1, "x");
  Commit();
  BeginTransaction();
  EXPECT_EQ(Delete(tid), TupleResult::kOk);
  EXPECT_EQ(Delete(tid), TupleResult::kSelfModified);
  InProcesses(1, 1, [&](int) {
    BeginTransaction();
    EXPECT_EQ(Delete(tid, WaitPolicy::kReturn), TupleResult::kBeingModified);
    EXPECT_EQ(Delete(tid, WaitPolicy::kSkip), TupleResult::kWouldBlock);
    EXPECT_THROW(Delete(tid, WaitPolicy::kError), SqlError);
    AbortTransaction();
  });
  Commit();
  BeginTransaction();
  EXPECT_EQ(Delete(tid), TupleResult::kDeleted);
  AbortTransaction();
}

TEST_F(HeapTest, RowLocksOfAllStrengths) {
  BeginTransaction();
  TupleId tid = Insert(1, "x");
  Commit();
  const RowLockMode modes[] = {RowLockMode::kKeyShare, RowLockMode::kShare, RowLockMode::kNoKeyExclusive,
                               RowLockMode::kExclusive};
  for (RowLockMode held : modes) {
    BeginTransaction();
    TupleFailure failure;
    ASSERT_EQ(HeapLock(table_, tid, CurrentCommandId(true), held, WaitPolicy::kBlock, true, &failure),
              TupleResult::kOk);
    for (RowLockMode wanted : modes) {
      InProcesses(1, 1, [&](int) {
        BeginTransaction();
        TupleFailure other;
        TupleResult result =
            HeapLock(table_, tid, CurrentCommandId(true), wanted, WaitPolicy::kSkip, true, &other);
        EXPECT_EQ(result, RowLocksConflict(held, wanted) ? TupleResult::kWouldBlock : TupleResult::kOk)
            << static_cast<int>(held) << " " << static_cast<int>(wanted);
        AbortTransaction();
      });
    }
    Commit();
  }
  BeginTransaction();
  EXPECT_EQ(Scan().size(), 1u);
  Commit();
  ExpectSound();
}

TEST_F(HeapTest, KeyShareLockersDoNotBlockUpdatesOfOtherColumns) {
  BeginTransaction();
  TupleId tid = Insert(1, "x");
  Commit();
  BeginTransaction();
  TupleFailure failure;
  ASSERT_EQ(HeapLock(table_, tid, CurrentCommandId(true), RowLockMode::kKeyShare, WaitPolicy::kBlock, true,
                     &failure),
            TupleResult::kOk);
  TupleId next;
  InProcesses(1, 1, [&](int) {
    BeginTransaction();
    EXPECT_EQ(UpdatePayload(tid, 1, "y", &next, WaitPolicy::kSkip), TupleResult::kOk);
    Commit();
    // The new version is locked too: its key may not change.
    BeginTransaction();
    EXPECT_EQ(UpdatePayload(next, 2, "z", nullptr, WaitPolicy::kSkip), TupleResult::kWouldBlock);
    AbortTransaction();
  });
  Commit();
  BeginTransaction();
  EXPECT_EQ(Scan(), (std::vector<Row>{{1, "y", {}}}));
  EXPECT_EQ(UpdatePayload(next, 2, "z"), TupleResult::kOk);
  Commit();
  ExpectSound();
}

TEST_F(HeapTest, SavepointRollbackRestoresTheRow) {
  BeginTransaction();
  TupleId tid = Insert(1, "x");
  CommandCounterIncrement();
  BeginSubtransaction();
  EXPECT_EQ(UpdatePayload(tid, 1, "y"), TupleResult::kOk);
  CommandCounterIncrement();
  EXPECT_EQ(Scan()[0].payload, "y");
  AbortSubtransaction();
  EXPECT_EQ(Scan(), (std::vector<Row>{{1, "x", {}}}));
  CommandCounterIncrement();
  EXPECT_EQ(UpdatePayload(tid, 1, "z"), TupleResult::kOk);
  Commit();
  BeginTransaction();
  EXPECT_EQ(Scan(), (std::vector<Row>{{1, "z", {}}}));
  Commit();
  ExpectSound();
}

TEST_F(HeapTest, ConcurrentCountersAddUp) {
  BeginTransaction();
  Insert(1, "0");
  Commit();
  constexpr int kThreads = 4;
  constexpr int kRounds = 50;
  InProcesses(1, kThreads, [&](int) {
    for (int done = 0; done < kRounds;) {
      BeginTransaction();
      SnapshotHold statement = LatestSnapshot();
      std::vector<Row> rows = LookUp(1);
      ASSERT_EQ(rows.size(), 1u);
      TupleFailure failure;
      TupleId tid = rows[0].tid;
      // Follow the row to its newest version under a lock, as READ COMMITTED does.
      TupleResult result;
      while ((result = HeapLock(table_, tid, CurrentCommandId(true), RowLockMode::kExclusive,
                                WaitPolicy::kBlock, false, &failure)) == TupleResult::kUpdated) {
        tid = failure.ctid;
      }
      ASSERT_EQ(result, TupleResult::kOk);
      HeapFetcher fetcher(table_);
      TupleView view;
      ASSERT_TRUE(fetcher.FetchAny(tid, &view));
      int value = std::stoi(RowOf(view).payload);
      fetcher.Release();
      ASSERT_EQ(UpdatePayload(tid, 1, std::to_string(value + 1)), TupleResult::kOk);
      statement.Reset();
      Commit();
      ++done;
    }
  });
  BeginTransaction();
  std::vector<Row> rows = LookUp(1);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].payload, std::to_string(kThreads * kRounds));
  Commit();
  ExpectSound();
}

TEST_F(HeapTest, SpeculativeInsertion) {
  BeginTransaction();
  Value values[2] = {Int(1), Text("s")};
  TupleBuffer row;
  FormTuple(*desc_, values, &row);
  InsertOptions options;
  options.speculative = true;
  options.speculative_token = 77;
  TupleId first = HeapInsert(table_, &row, CurrentCommandId(true), options);
  HeapAbortSpeculative(table_, first);
  TupleId second = HeapInsert(table_, &row, CurrentCommandId(true), options);
  HeapFinishSpeculative(table_, second);
  Commit();
  BeginTransaction();
  EXPECT_EQ(Scan(), (std::vector<Row>{{1, "s", {}}}));
  Commit();
}

TEST_F(HeapTest, MultiInsertFillsPages) {
  BeginTransaction();
  std::vector<TupleBuffer> buffers(500);
  std::vector<TupleBuffer*> rows;
  std::vector<std::string> payloads;
  for (int i = 0; i < 500; ++i) {
    Value values[2] = {Int(i), Text("some payload")};
    FormTuple(*desc_, values, &buffers[i]);
    rows.push_back(&buffers[i]);
  }
  std::vector<TupleId> tids(500);
  BulkInsertState bulk(false);
  HeapMultiInsert(table_, rows, CurrentCommandId(true), {}, &bulk, tids.data());
  bulk.pin.Release();
  Commit();
  BeginTransaction();
  std::vector<Row> found = Scan();
  ASSERT_EQ(found.size(), 500u);
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(found[i].id, i);
    EXPECT_EQ(found[i].tid, tids[i]);
  }
  Commit();
  EXPECT_LE(RelationBlocks(table_.locator), 5u);
}

TEST_F(HeapTest, BulkLoadsOfferTheBlocksTheyLeave) {
  BeginTransaction();
  std::string payload(1000, 'p');
  {
    BulkInsertState bulk(true);
    for (int i = 0; i < 1000; ++i) {
      Value values[2] = {Int(i), Text(payload)};
      TupleBuffer row;
      FormTuple(*desc_, values, &row);
      HeapInsert(table_, &row, CurrentCommandId(true), {}, &bulk);
    }
  }
  BlockNumber blocks = RelationBlocks(table_.locator);
  EXPECT_LE(blocks, 1000u / 7 + 17);
  for (int i = 1000; i < 1100; ++i) Insert(i, payload, false);
  EXPECT_LE(RelationBlocks(table_.locator), 1100u / 7 + 2 + 15);
  Commit();
  BeginTransaction();
  EXPECT_EQ(Scan().size(), 1100u);
  Commit();
}

// The blocks that a load has added are offered to all, but it fills them one after the other.
TEST_F(HeapTest, BulkLoadsKeepTheOrderOfTheirRows) {
  BeginTransaction();
  std::string payload(1000, 'p');
  BulkInsertState bulk(true);
  TupleId last;
  for (int i = 0; i < 8000; ++i) {
    Value values[2] = {Int(i), Text(payload)};
    TupleBuffer row;
    FormTuple(*desc_, values, &row);
    TupleId tid = HeapInsert(table_, &row, CurrentCommandId(true), {}, &bulk);
    if (i > 0) {
      ASSERT_TRUE(last < tid) << i;
    }
    last = tid;
  }
  bulk.pin.Release();
  Commit();
}

TEST_F(HeapTest, VacuumRemovesMarksAndTruncates) {
  BeginTransaction();
  std::vector<TupleId> tids;
  for (int i = 0; i < 2000; ++i) tids.push_back(Insert(i, "payload of some length"));
  Commit();
  BeginTransaction();
  for (int i = 0; i < 2000; ++i) {
    if (i % 2 == 0 || i > 1000) {
      ASSERT_EQ(Delete(tids[i]), TupleResult::kOk);
    }
  }
  Commit();
  BlockNumber before = RelationBlocks(table_.locator);
  const IndexDesc* indexes[] = {&index_};
  VacuumOptions options;
  options.try_exclusive_lock = [] { return true; };
  options.release_exclusive_lock = [] {};
  BeginTransaction();
  VacuumResult result = VacuumTable(table_, indexes, options, before, 2000);
  Commit();
  EXPECT_EQ(result.live_rows, 500);
  EXPECT_EQ(result.index_scans, 1);
  EXPECT_EQ(result.indexes[0].entries, 500);
  EXPECT_GT(result.pages_removed, 0u);
  EXPECT_EQ(result.all_visible_pages, RelationBlocks(table_.locator));
  int entries = 0;
  VerifyBtree(index_, [&](TupleId) { ++entries; });
  EXPECT_EQ(entries, 500);
  ExpectSound();
  BeginTransaction();
  EXPECT_EQ(Scan().size(), 500u);
  BufferPin vm;
  EXPECT_TRUE(HeapPageIsAllVisible(table_, 0, &vm));
  vm.Release();
  Insert(5000, "new");
  Commit();
  EXPECT_LE(RelationBlocks(table_.locator), before) << "freed space was not used again";
  BeginTransaction();
  options.settle = true;
  result = VacuumTable(table_, indexes, options, before, 500);
  EXPECT_TRUE(result.settled_advanced);
  Commit();
  BeginTransaction();
  EXPECT_EQ(Scan().size(), 501u);
  Commit();
  ExpectSound();
}

class ToastTest : public HeapTest {
 protected:
  ToastTest() {
    std::vector<AttributeDesc> columns(3);
    columns[2].physical = PhysicalType::kString;
    toast_desc_ = std::make_unique<TupleDesc>(columns);
    std::vector<AttributeDesc> keys(2);
    toast_key_desc_ = std::make_unique<TupleDesc>(keys);
    toast_.table.locator = Locator(20010);
    toast_.table.oid = Oid{20010};
    toast_.table.name = "pg_toast_20000";
    toast_.table.desc = toast_desc_.get();
    toast_.index = MakeIndex(20011, "pg_toast_20000_index", toast_key_desc_.get(), true);
    toast_.index.keys.resize(2, toast_.index.keys[0]);
    toast_.index.deduplicate = false;
    toast_.new_value_id = [] {
      static uint32_t next = 50000;
      return Oid{next++};
    };
    BeginTransaction();
    CurrentXid();
    CreateRelationStorage(toast_.table.locator, 1);
    CreateRelationStorage(toast_.index.locator, 1);
    BtreeMethod().BuildEmpty(toast_.index, Fork::kMain);
    Commit();
    table_.toast = &toast_;
  }
  size_t LiveChunks() {
    SnapshotHold snapshot = LatestSnapshot();
    size_t count = 0;
    HeapScan scan(toast_.table, *snapshot);
    while (scan.NextPage()) count += scan.rows().size();
    return count;
  }
  static std::string Noise(size_t size, uint64_t seed) {
    Random random(seed);
    std::string text;
    while (text.size() < size) text += static_cast<char>(random.Below(256));
    return text;
  }

  std::unique_ptr<TupleDesc> toast_desc_;
  std::unique_ptr<TupleDesc> toast_key_desc_;
  ToastTable toast_;
};

TEST(Pglz, ValuesComeBack) {
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    // Letters from a small alphabet, with stretches that repeat earlier ones.
    std::string text;
    size_t size = 1 + random.Below(20000);
    while (text.size() < size) {
      if (!text.empty() && random.Below(3) == 0) {
        size_t from = random.Below(text.size());
        text += text.substr(from, 1 + random.Below(600));
      } else {
        text += static_cast<char>('a' + random.Below(1 + random.Below(20)));
      }
    }
    std::string packed(text.size() + text.size() / 8 + 16, '\0');
    size_t packed_size = PglzCompress(text, {packed.data(), packed.size()});
    if (packed_size == 0) continue;
    std::string back(text.size(), '\0');
    ASSERT_TRUE(PglzDecompress({packed.data(), packed_size}, {back.data(), back.size()}));
    ASSERT_EQ(back, text);
    // Cut, or for another size, it is refused; damaged, it never writes outside.
    EXPECT_FALSE(PglzDecompress({packed.data(), packed_size - 1}, {back.data(), back.size()}));
    EXPECT_FALSE(PglzDecompress({packed.data(), packed_size}, {back.data(), back.size() - 1}));
    packed[random.Below(packed_size)] ^= static_cast<char>(1 + random.Below(255));
    PglzDecompress({packed.data(), packed_size}, {back.data(), back.size()});
  }
}

// The format is PostgreSQL's: a control byte of a literal and a copy of 18 + 19 bytes from one byte before.
TEST(Pglz, Format) {
  std::string text(38, 'x');
  char packed[64];
  size_t size = PglzCompress(text, packed);
  EXPECT_EQ(std::string(packed, size), std::string("\x02x\x0f\x01\x13", 5));
}

TEST_F(ToastTest, LongValuesAreCompressedOrMovedOut) {
  std::string repetitive(100000, 'r');
  std::string noise = Noise(100000, 3);
  BeginTransaction();
  Insert(1, repetitive);
  TupleId tid = Insert(2, noise);
  Commit();
  BeginTransaction();
  EXPECT_EQ(LookUp(1)[0].payload, repetitive);
  EXPECT_EQ(LookUp(2)[0].payload, noise);
  EXPECT_EQ(LiveChunks(), (100000u + kToastChunkSize - 1) / kToastChunkSize)
      << "only the second is stored out of line";
  Commit();
  ExpectSound();

  // An update of another column keeps the stored value; a new value replaces it.
  BeginTransaction();
  HeapFetcher fetcher(table_);
  TupleView old_row;
  ASSERT_TRUE(fetcher.FetchAny(tid, &old_row));
  AttrSet replaced;
  replaced.Add(1);
  Value values[2] = {Int(20), {}};
  TupleBuffer row;
  FormUpdatedTuple(*desc_, old_row, values, replaced, &row);
  fetcher.Release();
  TupleFailure failure;
  UpdateOutcome outcome;
  ASSERT_EQ(
      HeapUpdate(table_, tid, &row, CurrentCommandId(true), nullptr, WaitPolicy::kBlock, &failure, &outcome),
      TupleResult::kOk);
  EXPECT_FALSE(outcome.hot);
  EXPECT_EQ(outcome.lock_mode, RowLockMode::kExclusive);
  Commit();
  BeginTransaction();
  EXPECT_EQ(LiveChunks(), 51u);
  EXPECT_EQ(Scan()[1].payload, noise);
  EXPECT_EQ(UpdatePayload(outcome.tid, 20, Noise(5000, 4)), TupleResult::kOk);
  Commit();
  BeginTransaction();
  EXPECT_EQ(LiveChunks(), 3u);
  EXPECT_EQ(Scan()[1].payload, Noise(5000, 4));
  EXPECT_EQ(Delete(Scan()[1].tid), TupleResult::kOk);
  Commit();
  BeginTransaction();
  EXPECT_EQ(LiveChunks(), 0u);
  Commit();
}

TEST_F(HeapTest, SampleIsComplete) {
  BeginTransaction();
  for (int i = 0; i < 1000; ++i) Insert(i, "payload", false);
  Commit();
  BeginTransaction();
  Random random(1);
  Arena arena;
  RowSample sample = SampleRows(table_, 300, random, arena);
  EXPECT_EQ(sample.rows.size(), 300u);
  EXPECT_EQ(sample.live_rows, 1000);
  EXPECT_TRUE(std::is_sorted(sample.rows.begin(), sample.rows.end(),
                             [](const TupleView& a, const TupleView& b) { return a.tid < b.tid; }));
  Commit();
}

}  // namespace
}  // namespace walden

// Replaying the WAL into an empty data directory gives the pages that the primary had.
#include <map>
#include <set>

#include "node/access/heap/visibility_map.h"
#include "node/base/random.h"
#include "tests/unit/access_fixture.h"

namespace walden {
namespace {

class AccessRecoveryTest : public AccessTest {
 protected:
  AccessRecoveryTest() : AccessTest(2048) { CreateTable(); }

  using Pages = std::map<PageKey, std::string>;

  // All pages of the relations, without what may differ.
  Pages Capture() {
    Pages pages;
    for (const RelFileLocator& rel : {table_.locator, index_.locator}) {
      for (Fork fork : {Fork::kMain, Fork::kVm}) {
        BlockNumber blocks = RelationBlocks(rel, fork, true);
        for (BlockNumber block = 0; block < blocks; ++block) {
          BufferPin pin = ReadPage({rel, fork, block});
          PageLock lock(pin, PageLockMode::kShared);
          std::string copy(pin.page(), kPageSize);
          Mask(rel, fork, block, copy.data());
          pages[{rel, fork, block}] = copy;
        }
      }
    }
    return pages;
  }
  void Mask(const RelFileLocator& rel, Fork fork, BlockNumber block, char* page) {
    PageHeader* header = HeaderOf(page);
    if (PageIsNew(page)) return;
    RecordKind kind = rel == index_.locator ? RecordKind::kBtreeInsertLeaf : RecordKind::kHeapInsert;
    if (fork == Fork::kMain) FindRecordHandler(kind)->mask(page, block);
    header->lsn = 0;
    header->checksum = 0;
    if (header->upper > header->lower) std::memset(page + header->lower, 0, header->upper - header->lower);
  }

  // Throws away files and memory, then replays everything, or up to the n-th split of a btree page.
  void CrashAndReplay(int stop_after_splits = INT32_MAX) {
    Flush(InsertPosition());
    Stop();
    std::filesystem::remove_all(directory_ + "/base/5");
    std::filesystem::create_directories(directory_ + "/base/5");
    Start(kStart, false);
    SetInRecovery(true);
    FileWalSource source("pg_wal", 1);
    WalReader reader(&source);
    reader.Seek(kStart);
    DecodedRecord record;
    replayed_.clear();
    while (replayed_[RecordKind::kBtreeSplit] < stop_after_splits &&
           reader.Next(&record) == ReadResult::kRecord) {
      ObserveRedoXid(record.xid);
      EXPECT_FALSE(DescribeRecord(record).empty());
      const RecordHandler* handler = FindRecordHandler(record.kind);
      if (handler == nullptr || handler->redo == nullptr) continue;
      RedoContext context(record, false);
      handler->redo(context);
      ++replayed_[record.kind];
    }
    end_ = reader.position();
    CheckMissingPages();
  }
  void OpenAgain() {
    OpenWalForWriting({end_, 1, 42, end_});
    TxnEndRecovery(end_, false);
  }

  void ExpectSamePages(const Pages& before, const Pages& after) {
    ASSERT_EQ(before.size(), after.size());
    int shown = 0;
    for (const auto& [key, page] : before) {
      auto it = after.find(key);
      ASSERT_TRUE(it != after.end());
      if (it->second == page) continue;
      size_t at = 0;
      while (page[at] == it->second[at]) ++at;
      ADD_FAILURE() << "relation " << key.rel.number << " " << ForkName(key.fork) << " block " << key.block
                    << " differs at byte " << at;
      if (++shown == 5) return;
    }
  }

  std::map<RecordKind, int> replayed_;
  Lsn end_;
};

TEST_F(AccessRecoveryTest, ReplayGivesTheSamePagesAndRows) {
  Random random(11);
  std::map<int32_t, TupleId> live;
  int32_t next_id = 0;
  for (int round = 0; round < 60; ++round) {
    BeginTransaction();
    bool abort = random.Below(6) == 0;
    std::map<int32_t, TupleId> during = live;
    for (int i = 0; i < 60; ++i) {
      uint64_t what = random.Below(10);
      if (what < 5 || during.empty()) {
        int32_t id = next_id++;
        during[id] = Insert(id, std::string(random.Below(120), 'p'));
      } else {
        auto it = during.lower_bound(static_cast<int32_t>(random.Below(static_cast<uint64_t>(next_id))));
        if (it == during.end()) it = during.begin();
        if (what < 8) {
          TupleId moved;
          ASSERT_EQ(UpdatePayload(it->second, it->first, std::string(random.Below(200), 'q'), &moved),
                    TupleResult::kOk);
          it->second = moved;
        } else if (what == 8) {
          ASSERT_EQ(Delete(it->second), TupleResult::kOk);
          during.erase(it);
        } else {
          TupleFailure failure;
          ASSERT_EQ(HeapLock(table_, it->second, CurrentCommandId(true), RowLockMode::kShare,
                             WaitPolicy::kBlock, true, &failure),
                    TupleResult::kOk);
        }
      }
      CommandCounterIncrement();
    }
    if (abort) {
      AbortTransaction();
    } else {
      Commit();
      live = during;
    }
    BeginTransaction();
    ASSERT_EQ(Scan().size(), live.size());
    Commit();
    if (round % 15 == 14) {
      BeginTransaction();
      const IndexDesc* indexes[] = {&index_};
      VacuumOptions options;
      options.settle = round > 30;
      VacuumTable(table_, indexes, options, 10, 100);
      Commit();
    }
  }
  BeginTransaction();
  std::vector<Row> rows = Scan();
  Commit();
  ExpectSound();
  Pages before = Capture();
  CrashAndReplay();
  Pages after = Capture();
  ExpectSamePages(before, after);
  for (RecordKind kind :
       {RecordKind::kHeapInsert, RecordKind::kHeapDelete, RecordKind::kHeapUpdate, RecordKind::kHeapHotUpdate,
        RecordKind::kHeapLock, RecordKind::kHeapPrune, RecordKind::kHeapVacuum, RecordKind::kHeapVisible,
        RecordKind::kHeapSettle, RecordKind::kBtreeInsertLeaf, RecordKind::kBtreeSplit,
        RecordKind::kBtreeNewRoot, RecordKind::kBtreeVacuum}) {
    EXPECT_GT(replayed_[kind], 0) << "no record of kind " << FindRecordKind(kind)->name;
  }
  OpenAgain();
  BeginTransaction();
  EXPECT_EQ(Scan(), rows);
  for (const auto& [id, tid] : live) EXPECT_EQ(LookUp(id).size(), 1u) << id;
  Commit();
  ExpectSound();
}

TEST_F(AccessRecoveryTest, ManyEntriesAtOnceAndPostingLists) {
  index_.unique = false;
  Random random(5);
  BeginTransaction();
  CurrentXid();
  size_t count = 0, removed = 0;
  for (int round = 0; round < 60; ++round) {
    std::vector<Value> keys(300);
    std::vector<NewIndexEntry> entries;
    for (size_t i = 0; i < keys.size(); ++i, ++count) {
      keys[i] = Int(static_cast<int32_t>(random.Below(round % 2 == 0 ? 10 : 100000)));
      entries.push_back(
          {&keys[i], {static_cast<BlockNumber>(count / 100), static_cast<OffsetNumber>(count % 100 + 1)}});
    }
    size_t at = 0;
    BtreeMethod().InsertMany(index_, table_, entries, false, &at);
    if (round % 20 != 19) continue;
    struct Dead : DeadTids {
      bool Contains(TupleId tid) const override { return tid.offset % 3 == 0; }
    } dead;
    IndexVacuumStats stats;
    BtreeMethod().BulkDelete(index_, dead, &stats);
    removed += static_cast<size_t>(stats.entries_removed);
  }
  Commit();
  Pages before = Capture();
  CrashAndReplay();
  ExpectSamePages(before, Capture());
  EXPECT_GT(replayed_[RecordKind::kBtreeInsertMany], 100);
  EXPECT_GT(replayed_[RecordKind::kBtreeDedup], 10);
  EXPECT_GT(replayed_[RecordKind::kBtreeVacuum], 10);
  EXPECT_GT(removed, count / 4);
  size_t entries = 0;
  VerifyBtree(index_, [&](TupleId) { ++entries; });
  EXPECT_EQ(entries, count - removed);
}

// A crash between a split and the downlink of its right half: readers move right, the next writer finishes
// it.
TEST_F(AccessRecoveryTest, IncompleteSplitsAreFinishedLater) {
  index_.unique = false;
  auto add = [&](int i) {
    Value values[] = {Int(static_cast<int32_t>((i * 7919) % 60000))};
    BtreeMethod().Insert(index_, table_, values,
                         {static_cast<BlockNumber>(i / 100), static_cast<OffsetNumber>(i % 100 + 1)},
                         UniqueCheck::kNo, false);
  };
  auto count = [&] {
    std::set<TupleId> entries;
    VerifyBtree(index_, [&](TupleId tid) { entries.insert(tid); });
    return entries.size();
  };
  BeginTransaction();
  CurrentXid();
  for (int i = 0; i < 60000; ++i) add(i);
  Commit();
  CrashAndReplay();
  EXPECT_EQ(count(), 60000u);
  int splits = replayed_[RecordKind::kBtreeSplit];
  ASSERT_GT(splits, 100);
  // From late to early: each replay cuts the log.
  for (int stop : {splits, splits - 1, splits / 2, 3, 2, 1}) {
    CrashAndReplay(stop);
    EXPECT_EQ(replayed_[RecordKind::kBtreeSplit], stop);
    size_t before = count();
    OpenAgain();
    BeginTransaction();
    CurrentXid();
    for (int i = 60000; i < 64000; ++i) add(i);
    Commit();
    EXPECT_EQ(count(), before + 4000);
    SetInRecovery(false);
  }
}

}  // namespace
}  // namespace walden

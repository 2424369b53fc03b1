#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "node/base/random.h"
#include "tests/unit/access_fixture.h"

namespace walden {
namespace {

// An index without a table: entries are made up, nothing is checked for uniqueness.
struct Dead : DeadTids {
  std::set<TupleId> tids;
  bool Contains(TupleId tid) const override { return tids.count(tid) != 0; }
};

class BtreeTest : public AccessTest {
 protected:
  using Model = std::multimap<int32_t, TupleId>;

  BtreeTest() {
    index_.unique = false;
    CreateTable();
    BeginTransaction();
    CurrentXid();
  }
  IndexDesc MakeEmptyIndex(uint32_t oid, const char* name, bool deduplicate) {
    IndexDesc index = MakeIndex(oid, name, index_desc_.get(), false);
    index.deduplicate = deduplicate;
    CreateRelationStorage(index.locator, 1);
    BtreeMethod().BuildEmpty(index, Fork::kMain);
    return index;
  }
  // Rows of the model that die.
  static Dead TakeOut(Model& model, const std::function<bool(int32_t key)>& dies) {
    Dead dead;
    for (auto it = model.begin(); it != model.end();) {
      bool kill = dies(it->first);
      if (kill) dead.tids.insert(it->second);
      it = kill ? model.erase(it) : std::next(it);
    }
    return dead;
  }
  void Add(const IndexDesc& index, int32_t key, TupleId tid) {
    Value values[] = {Int(key)};
    BtreeMethod().Insert(index, table_, values, tid, UniqueCheck::kNo, false);
  }
  void AddMany(const IndexDesc& index, std::span<const std::pair<int32_t, TupleId>> rows) {
    std::vector<Value> values;
    std::vector<NewIndexEntry> entries;
    for (const auto& [key, tid] : rows) values.push_back(Int(key));
    for (size_t i = 0; i < rows.size(); ++i) entries.push_back({&values[i], rows[i].second});
    size_t at = 0;
    BtreeMethod().InsertMany(index, table_, entries, false, &at);
  }
  static TupleId Tid(uint32_t n) { return {n / 200, static_cast<OffsetNumber>(n % 200 + 1)}; }

  std::vector<TupleId> Collect(const IndexDesc& index, std::vector<ScanKey> keys,
                               ScanDirection direction = ScanDirection::kForward) {
    auto scan = BtreeMethod().BeginScan(index, false);
    scan->Rescan(keys);
    std::vector<TupleId> found;
    TupleId tid;
    while (scan->Next(direction, &tid)) found.push_back(tid);
    EXPECT_FALSE(scan->Next(direction, &tid));
    return found;
  }
  static ScanKey Key(Strategy strategy, int32_t value) {
    ScanKey key;
    key.strategy = strategy;
    key.value = Int(value);
    return key;
  }
  static std::vector<TupleId> Sorted(std::vector<TupleId> tids) {
    std::sort(tids.begin(), tids.end());
    return tids;
  }

  void ExpectMatches(const IndexDesc& index, const Model& model, Random& random) {
    std::multiset<TupleId> entries;
    VerifyBtree(index, [&](TupleId tid) { entries.insert(tid); });
    EXPECT_EQ(entries.size(), model.size());
    for (int i = 0; i < 30; ++i) {
      int32_t low = static_cast<int32_t>(random.Below(1200)) - 100;
      int32_t high = low + static_cast<int32_t>(random.Below(200));
      std::vector<TupleId> expected;
      for (auto it = model.lower_bound(low); it != model.end() && it->first < high; ++it)
        expected.push_back(it->second);
      std::vector<ScanKey> keys = {Key(Strategy::kGreaterEqual, low), Key(Strategy::kLess, high)};
      std::vector<TupleId> forward = Collect(index, keys);
      EXPECT_EQ(Sorted(forward), Sorted(expected));
      std::vector<TupleId> backward = Collect(index, keys, ScanDirection::kBackward);
      std::reverse(backward.begin(), backward.end());
      EXPECT_EQ(backward, forward);
      expected.clear();
      for (auto [it, end] = model.equal_range(low); it != end; ++it) expected.push_back(it->second);
      EXPECT_EQ(Collect(index, {Key(Strategy::kEqual, low)}), Sorted(expected));
    }
  }
};

TEST_F(BtreeTest, RandomInsertsAndDeletesAgainstAModel) {
  for (uint64_t seed : {1, 2, 3}) {
    Random random(seed);
    IndexDesc index = MakeEmptyIndex(static_cast<uint32_t>(21000 + seed), "random", seed != 2);
    Model model;
    uint32_t next = 0;
    for (int round = 0; round < 4; ++round) {
      int32_t keys = seed == 3 ? 20 : 1000;  // many duplicates: posting lists and splits of them
      for (int i = 0; i < 3000; ++i) {
        int32_t key = static_cast<int32_t>(random.Below(static_cast<uint64_t>(keys)));
        TupleId tid = Tid((next++ * 7919u) % 100003u);
        Add(index, key, tid);
        model.emplace(key, tid);
      }
      ExpectMatches(index, model, random);
      Dead dead = TakeOut(
          model, [&](int32_t key) { return random.Below(3) == 0 || (round == 2 && key > 300 && key < 700); });
      IndexVacuumStats stats;
      BtreeMethod().BulkDelete(index, dead, &stats);
      EXPECT_EQ(stats.entries_removed, dead.tids.size());
      BtreeMethod().VacuumCleanup(index, &stats);
      EXPECT_EQ(stats.entries, model.size());
      if (round == 2 && seed != 3) {
        EXPECT_GT(stats.pages_deleted, 0u);
      }
      ExpectMatches(index, model, random);
    }
  }
}

TEST_F(BtreeTest, ManyAtOnceAgainstAModel) {
  for (uint64_t seed : {1, 2, 3, 4}) {
    Random random(seed);
    IndexDesc index = MakeEmptyIndex(static_cast<uint32_t>(21020 + seed), "many", seed != 2);
    Model model;
    uint32_t next = 0;
    uint64_t keys = seed == 3 ? 20 : 1000;  // many duplicates: lists, also in the middle of lists
    for (int round = 0; round < 30; ++round) {
      std::vector<std::pair<int32_t, TupleId>> rows;
      uint32_t count = static_cast<uint32_t>(random.Below(1000));
      for (uint32_t i = 0; i < count; ++i) {
        // In the order of the heap, as an UPDATE of all rows makes them, or anywhere.
        TupleId tid = Tid(seed == 4 ? next++ : (next++ * 7919u) % 100003u);
        rows.emplace_back(static_cast<int32_t>(random.Below(keys)), tid);
      }
      AddMany(index, rows);
      model.insert(rows.begin(), rows.end());
      if (round % 10 == 9) ExpectMatches(index, model, random);
      if (round % 7 != 6) continue;
      Dead dead = TakeOut(model, [&](int32_t) { return random.Below(3) == 0; });
      IndexVacuumStats stats;
      BtreeMethod().BulkDelete(index, dead, &stats);
    }
  }
}

TEST_F(BtreeTest, ARowUnderAnIdentityThatOnceSeparatedLeaves) {
  for (bool deduplicate : {false, true}) {
    IndexDesc index = MakeEmptyIndex(21030 + deduplicate, "equal", deduplicate);
    std::vector<TupleId> all(8000);
    for (uint32_t n = 0; n < all.size(); ++n) all[n] = Tid(n);
    for (TupleId tid : all) Add(index, 7, tid);
    VerifyBtree(index);
    // Each row goes once, and another comes in its place.
    for (uint32_t half : {0u, 1u}) {
      Dead dead;
      for (uint32_t n = half; n < all.size(); n += 2) dead.tids.insert(all[n]);
      IndexVacuumStats stats;
      BtreeMethod().BulkDelete(index, dead, &stats);
      for (TupleId tid : dead.tids) Add(index, 7, tid);
      VerifyBtree(index);
      EXPECT_EQ(Collect(index, {Key(Strategy::kEqual, 7)}), all);
    }
  }
}

TEST_F(BtreeTest, EqualEntriesOfABatchShareLists) {
  std::vector<std::pair<int32_t, TupleId>> rows;
  for (uint32_t n = 0; n < 20000; ++n) rows.emplace_back(7, Tid(n));
  for (size_t at = 0; at < rows.size(); at += 1000) AddMany(index_, std::span(rows).subspan(at, 1000));
  VerifyBtree(index_);
  EXPECT_EQ(Collect(index_, {Key(Strategy::kEqual, 7)}).size(), rows.size());
  EXPECT_LE(RelationBlocks(index_.locator), 20000u * 6 / 8192 * 100 / 80 + 4);
}

TEST_F(BtreeTest, WhichOfManyIsTooLargeIsTold) {
  TupleDesc text({(*desc_)[2]});
  IndexDesc index = MakeIndex(21030, "texts", &text, false);
  index.keys[0].compare = CompareText;
  index.keys[0].order = KeyOrder::kBytes;
  CreateRelationStorage(index.locator, 1);
  BtreeMethod().BuildEmpty(index, Fork::kMain);
  std::string large(9000, 'x');
  Value values[] = {Text("b"), Text(large), Text("a")};
  NewIndexEntry entries[] = {{&values[0], Tid(1)}, {&values[1], Tid(2)}, {&values[2], Tid(3)}};
  size_t at = 0;
  EXPECT_THROW(BtreeMethod().InsertMany(index, table_, entries, false, &at), SqlError);
  EXPECT_EQ(at, 1u);
}

// Found by sessions that changed the same catalog rows at once: the index lost the newest version of one.
TEST_F(BtreeTest, APostingListMarkedDeadTakesInARow) {
  IndexDesc index = MakeEmptyIndex(21010, "postings", true);
  constexpr uint32_t kRows = 2000;  // more than a leaf holds one by one
  for (uint32_t n = 0; n < kRows; ++n) Add(index, 5, Tid(2 * n));
  {
    auto scan = BtreeMethod().BeginScan(index, false);
    ScanKey all = Key(Strategy::kEqual, 5);
    scan->Rescan({&all, 1});
    for (TupleId tid; scan->Next(ScanDirection::kForward, &tid);) scan->KillLast();
    scan->End();
  }
  ASSERT_LT(Collect(index, {Key(Strategy::kEqual, 5)}).size(), kRows / 2) << "few entries were marked dead";
  for (uint32_t n : {101u, 1001u, 1999u}) {
    Add(index, 5, Tid(n));
    std::vector<TupleId> found = Collect(index, {Key(Strategy::kEqual, 5)});
    EXPECT_TRUE(std::binary_search(found.begin(), found.end(), Tid(n))) << n;
  }
}

TEST_F(BtreeTest, AscendingInsertsFillPages) {
  for (int i = 0; i < 20000; ++i) Add(index_, i, Tid(static_cast<uint32_t>(i)));
  VerifyBtree(index_);
  EXPECT_LE(RelationBlocks(index_.locator), 20000u * 20 / 8192 * 100 / 85 + 4);
  EXPECT_EQ(BtreeMethod().TreeHeight(index_), 1);
  std::vector<TupleId> all = Collect(index_, {});
  ASSERT_EQ(all.size(), 20000u);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
}

TEST_F(BtreeTest, ArraysNullsAndMarks) {
  for (int i = 0; i < 3000; ++i) Add(index_, i, Tid(static_cast<uint32_t>(i)));
  Value null_key[] = {Value{}};
  BtreeMethod().Insert(index_, table_, null_key, Tid(90000), UniqueCheck::kNo, false);
  Value elements[] = {Int(2500), Int(7), Value{}, Int(7), Int(100), Int(99999)};
  ScanKey any;
  any.kind = ScanKey::Kind::kArray;
  any.values = elements;
  EXPECT_EQ(Collect(index_, {any}), (std::vector<TupleId>{Tid(7), Tid(100), Tid(2500)}));
  EXPECT_EQ(Collect(index_, {any}, ScanDirection::kBackward),
            (std::vector<TupleId>{Tid(2500), Tid(100), Tid(7)}));
  ScanKey is_null;
  is_null.kind = ScanKey::Kind::kIsNull;
  EXPECT_EQ(Collect(index_, {is_null}), (std::vector<TupleId>{Tid(90000)}));
  ScanKey is_not_null;
  is_not_null.kind = ScanKey::Kind::kIsNotNull;
  EXPECT_EQ(Collect(index_, {is_not_null}).size(), 3000u);
  EXPECT_EQ(Collect(index_, {Key(Strategy::kGreater, 2990)}).size(), 9u);
  EXPECT_EQ(Collect(index_, {Key(Strategy::kLess, 5)}, ScanDirection::kBackward).size(), 5u);

  auto scan = BtreeMethod().BeginScan(index_, true);
  ScanKey from = Key(Strategy::kGreaterEqual, 10);
  scan->Rescan({&from, 1});
  TupleId tid;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(scan->Next(ScanDirection::kForward, &tid));
  scan->Mark();
  for (int i = 0; i < 1500; ++i) ASSERT_TRUE(scan->Next(ScanDirection::kForward, &tid));
  EXPECT_EQ(tid, Tid(1514));
  scan->Restore();
  EXPECT_EQ(scan->values()[0].datum.i32, 14);
  ASSERT_TRUE(scan->Next(ScanDirection::kForward, &tid));
  EXPECT_EQ(tid, Tid(15));
  ASSERT_TRUE(scan->Next(ScanDirection::kBackward, &tid));
  EXPECT_EQ(tid, Tid(14));
  scan->End();
}

TEST_F(BtreeTest, BulkBuildEqualsInserts) {
  Random random(5);
  IndexDesc built = MakeIndex(21050, "built", index_desc_.get(), false);
  CreateRelationStorage(built.locator, 1);
  auto build = BtreeMethod().BeginBuild(built);
  Model model;
  for (uint32_t i = 0; i < 120000; ++i) {
    int32_t key = static_cast<int32_t>(random.Below(1000));
    Value values[] = {Int(key)};
    build->Add(values, Tid(i), true);
    model.emplace(key, Tid(i));
  }
  EXPECT_EQ(build->Finish().index_rows, 120000);
  ExpectMatches(built, model, random);
  for (uint32_t i = 200000; i < 203000; ++i) {
    int32_t key = static_cast<int32_t>(random.Below(1000));
    Add(built, key, Tid(i));
    model.emplace(key, Tid(i));
  }
  ExpectMatches(built, model, random);
}

TEST_F(BtreeTest, BuildSpillsToDisk) {
  OverrideSetting(Setting::kMaintenanceWorkMem, "1024");
  IndexDesc built = MakeIndex(21051, "spilled", index_desc_.get(), true);
  CreateRelationStorage(built.locator, 1);
  auto build = BtreeMethod().BeginBuild(built);
  constexpr uint32_t kRows = 200000;
  for (uint32_t i = 0; i < kRows; ++i) {
    Value values[] = {Int(static_cast<int32_t>((i * 7919u) % kRows))};
    build->Add(values, Tid(i), true);
  }
  build->Finish();
  VerifyBtree(built);
  EXPECT_EQ(Collect(built, {}).size(), kRows);
}

// Blocks are added many at a time, but never one that nothing comes into.
TEST_F(BtreeTest, BuildFillsEveryBlock) {
  uint32_t number = 21060;
  for (uint32_t rows : {0u, 1u, 300u, 900u, 40000u}) {
    for (bool ordered : {false, true}) {
      IndexDesc built = MakeIndex(number++, "filled", index_desc_.get(), true);
      built.fillfactor = ordered ? 100 : 90;
      CreateRelationStorage(built.locator, 1);
      auto build = BtreeMethod().BeginBuild(built);
      for (uint32_t i = 0; i < rows; ++i) {
        Value values[] = {Int(static_cast<int32_t>(ordered ? i : i * 7919u % rows))};
        build->Add(values, Tid(i), true);
      }
      build->Finish();
      BlockNumber blocks = RelationBlocks(built.locator);
      for (BlockNumber block = 0; block < blocks; ++block)
        EXPECT_FALSE(PageIsNew(ReadPage({built.locator, Fork::kMain, block}).page())) << rows << " " << block;
      VerifyBtree(built);
      EXPECT_EQ(Collect(built, {}).size(), rows);
    }
  }
}

TEST_F(BtreeTest, BuildFindsDuplicates) {
  IndexDesc built = MakeIndex(21052, "duplicates", index_desc_.get(), true);
  CreateRelationStorage(built.locator, 1);
  auto build = BtreeMethod().BeginBuild(built);
  Value values[] = {Int(1)};
  build->Add(values, Tid(1), true);
  build->Add(values, Tid(2), false);
  build->Add(values, Tid(3), true);
  EXPECT_THROW(build->Finish(), SqlError);
}

// One of them came in order, the other did not.
TEST_F(BtreeTest, BuildFindsDuplicatesAmongOrderedAndSorted) {
  IndexDesc built = MakeIndex(21054, "duplicates", index_desc_.get(), true);
  CreateRelationStorage(built.locator, 1);
  auto build = BtreeMethod().BeginBuild(built);
  uint32_t row = 0;
  for (int32_t key : {1, 5, 9, 3, 7, 5}) {
    Value values[] = {Int(key)};
    build->Add(values, Tid(++row), true);
  }
  EXPECT_THROW(build->Finish(), SqlError);
}

TEST_F(BtreeTest, SeveralColumnsDescendingAndIncluded) {
  std::vector<AttributeDesc> columns(3);
  columns[0].physical = PhysicalType::kString;
  columns[1].physical = PhysicalType::kInt32;
  columns[2].physical = PhysicalType::kString;
  TupleDesc desc(columns);
  IndexDesc index = MakeIndex(21053, "three", &desc, false);
  index.keys.resize(2, index.keys[0]);
  index.keys[0].compare = CompareText;
  index.keys[0].order = KeyOrder::kCompare;
  index.keys[1].descending = true;
  index.keys[1].nulls_first = true;
  CreateRelationStorage(index.locator, 1);
  BtreeMethod().BuildEmpty(index, Fork::kMain);
  Random random(9);
  std::vector<std::tuple<std::string, int, TupleId>> model;
  for (uint32_t i = 0; i < 4000; ++i) {
    std::string text = std::string(1 + random.Below(30), 'a') + std::to_string(random.Below(50));
    int number = static_cast<int>(random.Below(20)) - 1;
    Value values[] = {Text(text), number < 0 ? Value{} : Int(number), Text("included")};
    BtreeMethod().Insert(index, table_, values, Tid(i), UniqueCheck::kNo, false);
    model.emplace_back(text, number < 0 ? INT32_MIN : -number, Tid(i));
  }
  std::sort(model.begin(), model.end());
  VerifyBtree(index);
  std::vector<TupleId> expected;
  for (const auto& [text, number, tid] : model) expected.push_back(tid);
  EXPECT_EQ(Collect(index, {}), expected);
  auto scan = BtreeMethod().BeginScan(index, true);
  const auto& [text, number, tid] = model[2000];
  ScanKey keys[2];
  keys[0].value = Text(text);
  keys[1].attno = 2;
  keys[1].strategy = Strategy::kGreater;
  keys[1].value = Int(5);
  scan->Rescan(keys);
  size_t count = 0;
  for (TupleId found; scan->Next(ScanDirection::kForward, &found); ++count) {
    EXPECT_EQ(scan->values()[0].datum.string.view(), text);
    EXPECT_GT(scan->values()[1].datum.i32, 5);
    EXPECT_EQ(scan->values()[2].datum.string.view(), "included");
  }
  size_t wanted = static_cast<size_t>(std::count_if(model.begin(), model.end(), [&](const auto& row) {
    return std::get<0>(row) == text && std::get<1>(row) != INT32_MIN && -std::get<1>(row) > 5;
  }));
  EXPECT_EQ(count, wanted);
}

TEST_F(BtreeTest, ConcurrentInsertsScansAndVacuum) {
  Commit();
  constexpr int kThreads = 4;
  constexpr int kRows = 3000;
  InProcesses(1, kThreads + 1, [&](int n) {
    BeginTransaction();
    CurrentXid();
    if (n == kThreads) {
      Dead dead;
      for (int i = 0; i < 5; ++i) {
        IndexVacuumStats stats;
        BtreeMethod().BulkDelete(index_, dead, &stats);
      }
    } else {
      // Half of them add many entries at a time.
      Random random(static_cast<uint64_t>(n));
      std::vector<std::pair<int32_t, TupleId>> rows;
      for (int i = 0; i < kRows; ++i) {
        rows.emplace_back(static_cast<int32_t>(random.Below(5000)),
                          Tid(static_cast<uint32_t>(n * kRows + i)));
        if (n % 2 == 0) Add(index_, rows.back().first, rows.back().second);
        if (n % 2 == 1 && rows.size() == 100) AddMany(index_, rows);
        if (n % 2 == 0 || rows.size() == 100) rows.clear();
        if (i % 500 == 0) {
          auto found =
              Collect(index_, {}, i % 1000 == 0 ? ScanDirection::kForward : ScanDirection::kBackward);
          EXPECT_EQ(std::set<TupleId>(found.begin(), found.end()).size(), found.size());
        }
      }
    }
    Commit();
  });
  size_t entries = 0;
  VerifyBtree(index_, [&](TupleId) { ++entries; });
  EXPECT_EQ(entries, static_cast<size_t>(kThreads * kRows));
  BeginTransaction();
}

}  // namespace
}  // namespace walden

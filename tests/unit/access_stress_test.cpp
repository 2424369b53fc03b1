// Transfers between accounts while snapshots add up the balances and VACUUM runs: every snapshot sees the same sum.
#include <atomic>

#include "node/access/heap/visibility_map.h"
#include "node/base/random.h"
#include "tests/unit/access_fixture.h"

namespace walden {
namespace {

class StressTest : public AccessTest {
 protected:
  static constexpr int kAccounts = 40;
  static constexpr int kOpening = 1000;

  StressTest() : AccessTest(1024) {
    CreateTable();
    BeginTransaction();
    for (int id = 0; id < kAccounts; ++id) Insert(id, std::to_string(kOpening));
    Commit();
  }

  // Locks the newest version of the account, as READ COMMITTED does after a wait; returns its balance.
  int LockAccount(int id, RowLockMode mode, TupleId* tid) {
    // Keeps the versions on the way to the newest one from being removed, as a statement's snapshot does.
    SnapshotHold statement = LatestSnapshot();
    std::vector<Row> rows = LookUp(id);
    EXPECT_EQ(rows.size(), 1u) << "account " << id;
    *tid = rows[0].tid;
    TupleFailure failure;
    TupleResult result;
    while ((result = HeapLock(table_, *tid, CurrentCommandId(true), mode, WaitPolicy::kBlock, false,
                              &failure)) == TupleResult::kUpdated) {
      *tid = failure.ctid;
    }
    EXPECT_EQ(result, TupleResult::kOk);
    HeapFetcher fetcher(table_);
    TupleView view;
    EXPECT_TRUE(fetcher.FetchAny(*tid, &view));
    return std::stoi(RowOf(view).payload);
  }

  void Transfer(Random& random) {
    int low = static_cast<int>(random.Below(kAccounts - 1));
    int high = low + 1 + static_cast<int>(random.Below(static_cast<uint64_t>(kAccounts - 1 - low)));
    int amount = static_cast<int>(random.Below(100));
    bool in_savepoint = random.Below(4) == 0;
    bool abort = random.Below(8) == 0;
    // Different lengths, so that some updates leave their page.
    std::string padding(random.Below(60), ' ');
    BeginTransaction();
    if (random.Below(3) == 0) {
      TupleId ignored;
      LockAccount(low, RowLockMode::kKeyShare, &ignored);
    }
    if (in_savepoint) BeginSubtransaction();
    TupleId from, to;
    int from_balance = LockAccount(low, RowLockMode::kNoKeyExclusive, &from);
    int to_balance = LockAccount(high, RowLockMode::kNoKeyExclusive, &to);
    EXPECT_EQ(UpdatePayload(from, low, padding + std::to_string(from_balance - amount)), TupleResult::kOk);
    EXPECT_EQ(UpdatePayload(to, high, padding + std::to_string(to_balance + amount)), TupleResult::kOk);
    if (in_savepoint) {
      if (random.Below(2) == 0)
        AbortSubtransaction();
      else
        CommitSubtransaction();
    }
    if (abort)
      AbortTransaction();
    else
      Commit();
  }

  void CheckSum() {
    BeginTransaction();
    SnapshotHold snapshot = LatestSnapshot();
    for (int pass = 0; pass < 2; ++pass) {
      int sum = 0;
      std::vector<Row> rows = Scan(*snapshot);
      EXPECT_EQ(rows.size(), static_cast<size_t>(kAccounts));
      for (const Row& row : rows) sum += std::stoi(row.payload);
      EXPECT_EQ(sum, kAccounts * kOpening);
    }
    snapshot.Reset();
    Commit();
  }

  void RunVacuum(bool settle) {
    const IndexDesc* indexes[] = {&index_};
    VacuumOptions options;
    options.settle = settle;
    BeginTransaction();
    VacuumTable(table_, indexes, options, 10, kAccounts);
    Commit();
  }
};

TEST_F(StressTest, SumsStayTheSame) {
  constexpr int kWorkers = 4;
  constexpr int kTransfers = 300;
  std::atomic<int> running{kWorkers};
  InProcesses(1, kWorkers + 2, [&](int n) {
    Random random(static_cast<uint64_t>(n) + 1);
    if (n < kWorkers) {
      for (int i = 0; i < kTransfers && !HasFailure(); ++i) Transfer(random);
      --running;
    } else if (n == kWorkers) {
      while (running > 0 && !HasFailure()) CheckSum();
    } else {
      for (int i = 0; running > 0 && !HasFailure(); ++i) RunVacuum(i % 3 == 0);
    }
  });
  CheckSum();
  RunVacuum(true);
  RunVacuum(true);
  BlockNumber all_visible;
  BlockNumber all_settled;
  VmCount(table_.locator, &all_visible, &all_settled);
  EXPECT_EQ(all_settled, RelationBlocks(table_.locator)) << "nothing runs: everything can be settled";
  CheckSum();
  ExpectSound();
  BeginTransaction();
  for (int id = 0; id < kAccounts; ++id) EXPECT_EQ(LookUp(id).size(), 1u);
  Commit();
}

}  // namespace
}  // namespace walden

#include <gtest/gtest.h>
#include <unistd.h>

#include <fmt/format.h>
#include <cstring>
#include <thread>

#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/shm/private_region.h"
#include "node/stats/activity.h"
#include "node/stats/counter_tables.h"
#include "node/stats/counters.h"

namespace walden {
namespace {

constexpr Oid kDatabase{5};

class Stats : public ::testing::Test {
 protected:
  static RelationSums Sums(uint32_t relation) {
    RelationSums sums = {};
    ReadRelationSums(kDatabase, Oid{relation}, &sums);
    return sums;
  }
  PrivateRegion region_{
      {{Area::kActivity, ActivityAreaSize, ActivityAreaInit}, {Area::kStats, StatsAreaSize, StatsAreaInit}}};
};

TEST_F(Stats, CountsAreFoldedOnce) {
  ThreadIdentity me(0);
  BeginCounting();
  SetStatsDatabase(kDatabase);
  RelationStats table(kDatabase, Oid{16384});
  table.Count(RelationCounter::kScans);
  table.Count(RelationCounter::kTuplesReturned, 10);
  Count(DatabaseCounter::kCommits);
  FoldAllBlocks();
  FoldAllBlocks();
  EXPECT_EQ(Sums(16384)[RelationCounter::kTuplesReturned], 10u);
  table.Count(RelationCounter::kTuplesReturned, 5);
  FoldOwnBlock();
  EXPECT_EQ(Sums(16384)[RelationCounter::kTuplesReturned], 15u);
  DatabaseSums sums;
  ASSERT_TRUE(ReadDatabaseSums(kDatabase, &sums));
  EXPECT_EQ(sums[DatabaseCounter::kCommits], 1u);
}

TEST_F(Stats, AFullBlockStartsAnewAndHandlesFollow) {
  ThreadIdentity me(0);
  BeginCounting();
  SetStatsDatabase(kDatabase);
  std::vector<RelationStats> tables;
  for (uint32_t i = 0; i < 1000; ++i) tables.emplace_back(kDatabase, Oid{20000 + i});
  for (int round = 0; round < 3; ++round) {
    for (RelationStats& table : tables) table.Count(RelationCounter::kScans);
  }
  FoldOwnBlock();
  for (uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(Sums(20000 + i)[RelationCounter::kScans], 3u) << i;
}

TEST_F(Stats, ProcessesAddUpAndLeaveTheirCountsBehind) {
  constexpr int kProcesses = 32;
  std::vector<std::thread> threads;
  for (int n = 0; n < kProcesses; ++n) {
    threads.emplace_back([n] {
      ThreadIdentity me(n);
      BeginCounting();
      SetStatsDatabase(kDatabase);
      RelationStats table(kDatabase, Oid{16384});
      for (int i = 0; i < 1000; ++i) table.Count(RelationCounter::kTuplesReturned);
    });
  }
  ThreadIdentity collector(kProcesses);
  for (int i = 0; i < 50; ++i) FoldAllBlocks();
  for (std::thread& thread : threads) thread.join();
  FoldAllBlocks();
  EXPECT_EQ(Sums(16384)[RelationCounter::kTuplesReturned], kProcesses * 1000u);
}

TEST_F(Stats, EstimatesFollowTheEndOfTransactionsAndSavepoints) {
  ThreadIdentity me(0);
  BeginCounting();
  SetStatsDatabase(kDatabase);
  RelationStats table(kDatabase, Oid{16384});
  table.CountInsert(1, 100);
  table.CountInsert(2, 10);
  StatsAtSubtransactionEnd(2, false);  // 10 dead rows
  table.CountInsert(2, 20);
  table.CountUpdate(2, true);
  StatsAtSubtransactionEnd(2, true);
  StatsAtTransactionEnd(true);
  table.CountDelete(1, 5);
  StatsAtTransactionEnd(false);
  FoldOwnBlock();
  RelationSums sums = Sums(16384);
  EXPECT_EQ(sums[RelationCounter::kTuplesInserted], 130u);
  EXPECT_EQ(sums[RelationCounter::kLiveTuples], 120u);
  EXPECT_EQ(sums[RelationCounter::kDeadTuples], 11u);
  EXPECT_EQ(sums[RelationCounter::kTuplesHotUpdated], 1u);
  table.ReportVacuum(120, 0, true);
  EXPECT_EQ(Sums(16384)[RelationCounter::kDeadTuples], 0u);
  EXPECT_EQ(Sums(16384)[RelationCounter::kAutovacuums], 1u);
  EXPECT_NE(Sums(16384)[StatsTime::kAutovacuum], 0);
}

TEST_F(Stats, SumsSurviveARestartAndDroppedRelationsGo) {
  std::string path = fmt::format("/tmp/walden-stats-{}", getpid());
  ThreadIdentity me(0);
  BeginCounting();
  SetStatsDatabase(kDatabase);
  RelationStats(kDatabase, Oid{16384}).Count(RelationCounter::kScans, 7);
  RelationStats(kDatabase, Oid{16385}).Count(RelationCounter::kScans, 8);
  FoldOwnBlock();
  SaveStats(path);
  ForgetRelationStats(kDatabase, Oid{16384});
  ResetRelationStats(kDatabase, Oid{16385});
  RelationSums sums;
  EXPECT_FALSE(ReadRelationSums(kDatabase, Oid{16384}, &sums));
  EXPECT_EQ(Sums(16385)[RelationCounter::kScans], 0u);
  LoadStats(path);
  EXPECT_EQ(Sums(16384)[RelationCounter::kScans], 7u);
  EXPECT_EQ(Sums(16385)[RelationCounter::kScans], 8u);
  std::string content = ReadWholeFile(path);
  content[40] ^= 1;
  WriteWholeFileDurably(path, content);
  ResetDatabaseStats(kDatabase);
  LoadStats(path);  // damaged: ignored
  EXPECT_EQ(Sums(16385)[RelationCounter::kScans], 0u);
  UnlinkIfExists(path);
}

TEST_F(Stats, CreatedAndDroppedRelationsFollowTheEndOfTransactions) {
  ThreadIdentity me(0);
  BeginCounting();
  SetStatsDatabase(kDatabase);
  auto known = [](uint32_t relation) {
    RelationSums sums;
    return ReadRelationSums(kDatabase, Oid{relation}, &sums);
  };
  auto use = [](uint32_t relation) {
    RelationStats(kDatabase, Oid{relation}).Count(RelationCounter::kScans);
    FoldOwnBlock();
  };
  use(16384);
  StatsOfCreatedRelation(kDatabase, Oid{16384}, 1);
  use(16385);
  StatsOfCreatedRelation(kDatabase, Oid{16385}, 2);
  StatsAtSubtransactionEnd(2, false);
  EXPECT_FALSE(known(16385));
  StatsAtTransactionEnd(true);
  EXPECT_TRUE(known(16384));
  StatsOfDroppedRelation(kDatabase, Oid{16384}, 1);
  StatsAtTransactionEnd(false);
  EXPECT_TRUE(known(16384));
  RelationStats(kDatabase, Oid{16384}).Count(RelationCounter::kScans);
  StatsOfDroppedRelation(kDatabase, Oid{16384}, 1);
  StatsAtTransactionEnd(true);
  EXPECT_FALSE(known(16384));
  FoldAllBlocks();  // what was counted before the drop does not bring it back
  EXPECT_FALSE(known(16384));
  // Places of forgotten rows serve again, however many came and went.
  for (uint32_t i = 0; i < 100000; ++i) {
    DescribeRelation(kDatabase, Oid{20000 + i}, {});
    ForgetRelationStats(kDatabase, Oid{20000 + i});
  }
  use(16386);
  EXPECT_TRUE(known(16386));
}

TEST_F(Stats, TransactionCountsBeginWithTheTransaction) {
  ThreadIdentity me(0);
  BeginCounting();
  SetStatsDatabase(kDatabase);
  RelationStats table(kDatabase, Oid{16384});
  uint64_t values[kRelationCounters];
  table.Count(RelationCounter::kScans, 3);
  StatsAtTransactionEnd(true);
  EXPECT_FALSE(ReadTransactionCounts(kDatabase, Oid{16384}, values));
  table.Count(RelationCounter::kScans, 2);
  FoldAllBlocks();
  for (uint32_t i = 0; i < 300; ++i) RelationStats(kDatabase, Oid{20000 + i}).Count(RelationCounter::kScans);
  table.Count(RelationCounter::kScans, 5);
  EXPECT_TRUE(ReadTransactionCounts(kDatabase, Oid{16384}, values));
  EXPECT_EQ(values[static_cast<size_t>(RelationCounter::kScans)], 7u);
  StatsAtTransactionEnd(true);
  FoldAllBlocks();
  EXPECT_EQ(Sums(16384)[RelationCounter::kScans], 10u);
}

TEST_F(Stats, NodeCountersAndNamesSurviveARestart) {
  std::string path = fmt::format("/tmp/walden-stats-node-{}", getpid());
  ThreadIdentity me(0);
  BeginCounting();
  Count(NodeCounter::kWalRecords, 5);
  CountArchived("000000010000000000000001", true);
  RelationLabel label = {};
  std::strcpy(label.schema, "public");
  std::strcpy(label.name, "t");
  label.kind = 'r';
  DescribeRelation(kDatabase, Oid{16384}, label);
  DescribeDatabase(kDatabase, "postgres");
  FoldOwnBlock();
  SaveStats(path);
  ResetNodeStats(NodeGroup::kWal);
  ResetNodeStats(NodeGroup::kArchiver);
  ForgetDatabaseStats(kDatabase);
  NodeSums node;
  ReadNodeSums(&node);
  EXPECT_EQ(node[NodeCounter::kWalRecords], 0u);
  EXPECT_STREQ(node.archived.wal, "");
  EXPECT_NE(node.reset_times[static_cast<size_t>(NodeGroup::kWal)], 0);
  LoadStats(path);
  ReadNodeSums(&node);
  EXPECT_EQ(node[NodeCounter::kWalRecords], 5u);
  EXPECT_EQ(node[NodeCounter::kArchived], 1u);
  EXPECT_STREQ(node.archived.wal, "000000010000000000000001");
  EXPECT_STREQ(Sums(16384).label.name, "t");
  DatabaseSums sums;
  ASSERT_TRUE(ReadDatabaseSums(kDatabase, &sums));
  EXPECT_STREQ(sums.name, "postgres");
  UnlinkIfExists(path);
}

TEST_F(Stats, ActivityIsReadWhileItChanges) {
  std::atomic<bool> done{false};
  std::thread writer([&] {
    ThreadIdentity me(0);
    BeginActivity();
    SetActivityClient("10.0.0.7", 54924);
    for (int i = 0; i < 20000; ++i)
      SetActivityState(ActivityState::kActive, std::string(100, static_cast<char>('a' + i % 26)));
    SetActivityState(ActivityState::kIdle);
    done = true;
    while (done) std::this_thread::yield();
  });
  int slot = SlotsOf(ProcessKind::kBackend).first;
  ActivityRow row;
  while (!done) {
    if (!ReadActivity(slot, &row) || row.query.empty()) continue;
    EXPECT_EQ(row.query, std::string(100, row.query[0]));
  }
  ASSERT_TRUE(ReadActivity(slot, &row));
  EXPECT_EQ(row.state, ActivityState::kIdle);
  EXPECT_EQ(row.remote_host, "10.0.0.7");
  EXPECT_EQ(row.backend_type, "client backend");
  EXPECT_EQ(row.query.size(), 100u);
  done = false;
  writer.join();
  EXPECT_FALSE(ReadActivity(slot, &row));
}

TEST_F(Stats, LongQueriesAreCutAtACharacter) {
  ThreadIdentity me(0);
  BeginActivity();
  std::string query(1022, 'x');
  query += "\xC3\xA9tude";
  SetActivityState(ActivityState::kActive, query);
  ActivityRow row;
  ASSERT_TRUE(ReadActivity(self_slot(), &row));
  EXPECT_LE(row.query.size(), 1024u);
  EXPECT_NE(static_cast<unsigned char>(row.query.back()), 0xC3);
}

}  // namespace
}  // namespace walden

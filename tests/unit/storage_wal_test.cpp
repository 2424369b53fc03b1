#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <thread>

#include "node/base/crc32c.h"
#include "node/base/random.h"
#include "node/storage/page.h"
#include "node/wal/reader.h"
#include "node/wal/record_builder.h"
#include "tests/unit/storage_golden.h"
#include "tests/unit/storage_node.h"

namespace walden {
namespace {

std::vector<DecodedRecord> ReadAll(Lsn from, std::string* end_reason = nullptr) {
  FileWalSource source("pg_wal", 1);
  WalReader reader(&source);
  reader.Seek(from);
  std::vector<DecodedRecord> records;
  for (;;) {
    DecodedRecord record;
    if (reader.Next(&record) != ReadResult::kRecord) break;
    records.push_back(std::move(record));
  }
  if (end_reason != nullptr) *end_reason = reader.error();
  return records;
}

Lsn InsertNoop(std::string_view data) {
  EnsureWalSpace();
  WalRecord record(RecordKind::kNoop);
  record.AddData(data);
  return record.Insert();
}

TEST(WalTest, RecordsRoundTrip) {
  StorageNode node;
  wal_writer_xid = Xid{77};
  Lsn first = InsertNoop("hello");
  wal_writer_xid = kInvalidXid;
  Lsn second = InsertNoop(std::string(100000, 'x'));
  EXPECT_LT(FlushedLsn(), first);
  Flush(second);
  EXPECT_EQ(FlushedLsn(), second);
  std::string reason;
  auto records = ReadAll(kTestWalStart, &reason);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].data, "hello");
  EXPECT_EQ(records[0].xid, Xid{77});
  EXPECT_EQ(records[0].end, first);
  EXPECT_EQ(records[1].start, first);
  EXPECT_EQ(records[1].data.size(), 100000u);
  EXPECT_EQ(records[1].end, second);
  EXPECT_NE(reason.find("invalid record length"), std::string::npos);
}

TEST(WalTest, ImageOnFirstChangeAfterCheckpointOnly) {
  StorageNode node;
  alignas(8) char page[kPageSize];
  PageInit(page);
  PageAddItem(page, "tuple", 5);
  PageKey key{StorageNode::Relation(), Fork::kMain, 3};
  auto change = [&] {
    WalRecord record(RecordKind::kFullPageImage);
    record.AddPage(0, key, page);
    record.AddPageData(0, "delta");
    return record.InsertAndStamp();
  };
  change();  // page LSN 0: image
  change();  // newer than the redo point: data
  BeginRedoEpoch();
  change();  // image again
  Flush(InsertPosition());
  auto records = ReadAll(kTestWalStart);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_TRUE(records[0].pages[0].HasImage());
  EXPECT_EQ(records[0].PageData(0), "");
  EXPECT_FALSE(records[1].pages[0].HasImage());
  EXPECT_EQ(records[1].PageData(0), "delta");
  EXPECT_TRUE(records[2].pages[0].HasImage());
  EXPECT_EQ(records[2].pages[0].key, key);
  char restored[kPageSize];
  ASSERT_TRUE(records[2].pages[0].RestoreImage(restored));
  EXPECT_EQ(std::string_view(PageItem(restored, 1), 5), "tuple");
  EXPECT_LT(records[2].bytes.size(), 200u) << "the hole is left out";
}

TEST(WalTest, CompressedImagesRestore) {
  StorageNode node;
  OverrideSetting(Setting::kWalCompression, "lz4");
  alignas(8) char page[kPageSize];
  PageInit(page);
  std::string item(4000, 'a');
  PageAddItem(page, item.data(), item.size());
  Lsn end = LogNewPage({StorageNode::Relation(), Fork::kMain, 0}, page);
  Flush(end);
  auto records = ReadAll(kTestWalStart);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_LT(records[0].bytes.size(), 500u);
  char restored[kPageSize];
  ASSERT_TRUE(records[0].pages[0].RestoreImage(restored));
  EXPECT_EQ(std::string_view(PageItem(restored, 1), 4000), item);
}

TEST(WalTest, TwoStepInsertPublishesItsEndBeforeCopying) {
  StorageNode node;
  WalRecord record(RecordKind::kNoop);
  record.AddData("commit");
  record.Prepare();
  Lsn end = record.Reserve();
  EXPECT_EQ(end, InsertPosition());
  record.Finish();
  Flush(end);
  EXPECT_EQ(ReadAll(kTestWalStart).at(0).data, "commit");
}

// Every record of every thread is read back, in the order of LSNs, across segment boundaries and a ring that
// is far smaller than what is written.
TEST(WalTest, ConcurrentInsertersAndFlushers) {
  StorageNode node(64, 8);  // 64 kB of WAL buffers
  constexpr int kThreads = 32, kRecords = 200;
  std::mutex mutex;
  std::map<uint64_t, std::string> expected;
  auto work = [&](int thread) {
    ThreadIdentity me(thread + 1);
    Random random(static_cast<uint64_t>(thread));
    for (int i = 0; i < kRecords; ++i) {
      std::string data(random.Below(i % 50 == 0 ? 100000 : 4000), static_cast<char>('A' + thread));
      Lsn end = InsertNoop(data);
      if (i % 10 == 0) Flush(end);
      std::lock_guard guard(mutex);
      expected.emplace(end.value, std::move(data));
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
  Flush(InsertPosition());
  EXPECT_GT(SegmentOf(InsertPosition()), 1u);
  auto records = ReadAll(kTestWalStart);
  ASSERT_EQ(records.size(), expected.size());
  auto next = expected.begin();
  for (const DecodedRecord& record : records) {
    ASSERT_EQ(record.end.value, next->first);
    ASSERT_EQ(record.data, next->second);
    ++next;
  }
}

TEST(WalTest, BuffersServeWhatIsStillThere) {
  StorageNode node(64, 8);
  Lsn start = InsertPosition();
  Lsn end = InsertNoop(std::string(1000, 'q'));
  char bytes[1024];
  ASSERT_TRUE(ReadWalBuffers(start, bytes, 1024));
  EXPECT_EQ(bytes[500], 'q');
  for (int i = 0; i < 100; ++i) InsertNoop(std::string(1000, 'r'));
  EXPECT_FALSE(ReadWalBuffers(start, bytes, 1024));
  EXPECT_LT(end, InsertPosition());
}

// Whatever byte the log breaks off at, the reader returns whole records only.
TEST(WalTest, TornTailIsDetectedAtEveryByte) {
  StorageNode node;
  Lsn a = InsertNoop("first record"), b = InsertNoop("second record, a bit longer");
  Flush(b);
  std::string path = WalSegmentPath(1, 1);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  size_t at = kWalSegmentHeaderSize + OffsetInSegment(a), size = b - a;
  std::string good(size, 0);
  file.seekg(static_cast<std::streamoff>(at));
  file.read(good.data(), static_cast<std::streamsize>(size));
  size_t meaningful = size;
  while (good[meaningful - 1] == 0) --meaningful;
  for (size_t kept = 0; kept < meaningful; ++kept) {
    std::string torn = good.substr(0, kept) + std::string(size - kept, 0);
    file.seekp(static_cast<std::streamoff>(at));
    file.write(torn.data(), static_cast<std::streamsize>(size));
    file.flush();
    ASSERT_EQ(ReadAll(kTestWalStart).size(), 1u) << kept;
  }
}

TEST(WalTest, CrcCoversPositionAndTimeline) {
  std::string record(40, 'z');
  uint32_t crc = RecordCrc(record.data(), record.size(), Lsn{1000}, 1);
  EXPECT_NE(crc, RecordCrc(record.data(), record.size(), Lsn{1008}, 1));
  EXPECT_NE(crc, RecordCrc(record.data(), record.size(), Lsn{1000}, 2));
}

TEST(WalTest, OldRecordsBehindTheEndAreErased) {
  StorageNode node;
  Lsn a = InsertNoop("keep"), b = InsertNoop("lost to the crash");
  InsertNoop("lost as well");
  Flush(InsertPosition());
  node.Crash();
  OpenWalForWriting({a, 1, kTestSystemId, kTestWalStart});
  ASSERT_EQ(InsertNoop("LOST TO THE CRASH"), b) << "same length: the third record would fit on again";
  Flush(b);
  auto records = ReadAll(kTestWalStart);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].data, "LOST TO THE CRASH");
}

TEST(WalTest, SwitchEndsTheSegment) {
  StorageNode node;
  InsertNoop("a");
  Lsn switched = SwitchWalSegment();
  EXPECT_EQ(SegmentOf(switched), 1u);
  EXPECT_EQ(InsertPosition(), SegmentStart(2));
  EXPECT_EQ(SwitchWalSegment(), SegmentStart(2)) << "nothing to switch";
  Flush(InsertNoop("b"));
  auto records = ReadAll(kTestWalStart);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[2].start, SegmentStart(2));
}

TEST(WalTest, ReaderFindsARecordBoundary) {
  StorageNode node;
  InsertNoop(std::string(500, 'a'));
  Lsn second = InsertPosition();
  Flush(InsertNoop("target"));
  FileWalSource source("pg_wal", 1);
  WalReader reader(&source);
  ASSERT_TRUE(reader.SeekToRecord(kTestWalStart + 16));
  EXPECT_EQ(reader.position(), second);
}

// The format on disk: if this fails, existing WAL and archives cannot be read any more.
TEST(WalTest, GoldenFile) {
  StorageNode node;
  alignas(8) char page[kPageSize];
  PageInit(page, 8);
  PageAddItem(page, "item", 4);
  WalRecord record(RecordKind::kFullPageImage);
  record.SetXid(Xid{0x0102030405060708});
  record.AddData("own data");
  record.AddPage(0, {StorageNode::Relation(), Fork::kMain, 9}, page);
  record.AddPage(3, {StorageNode::Relation(), Fork::kVm, 1}, page, kWalNoImage);
  record.AddPageData(3, "page data");
  Flush(record.Insert());
  std::ifstream file(WalSegmentPath(1, 1), std::ios::binary);
  std::string bytes(kWalSegmentHeaderSize + 512, 0);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ExpectGolden("wal_v1", bytes);
}

TEST(WalTest, SegmentNamesAndHeaders) {
  EXPECT_EQ(WalSegmentName(1, 1), "000000010000000000000001");
  EXPECT_EQ(WalSegmentName(2, 258), "000000020000000100000002");
  TimelineId timeline;
  uint64_t segment;
  ASSERT_TRUE(ParseWalSegmentName("000000020000000100000002", &timeline, &segment));
  EXPECT_EQ(timeline, 2u);
  EXPECT_EQ(segment, 258u);
  EXPECT_FALSE(ParseWalSegmentName("00000002000000010000000g", &timeline, &segment));
  std::string reason;
  EXPECT_TRUE(CheckWalSegmentHeader(MakeWalSegmentHeader(1, 5, 9), 1, 5, 9, &reason));
  EXPECT_FALSE(CheckWalSegmentHeader(MakeWalSegmentHeader(1, 5, 8), 1, 5, 9, &reason));
  EXPECT_NE(reason.find("different database system"), std::string::npos);
}

}  // namespace
}  // namespace walden

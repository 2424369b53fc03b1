// Base backups without a network: what is copied, how it travels, what the receiver refuses.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "node/base/crc32c.h"
#include "node/base/error.h"
#include "node/os/file.h"
#include "node/shm/process.h"
#include "replication/backup_files.h"
#include "replication/backup_writer.h"

namespace walden::replication {
namespace {

class BackupTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/walden_backup_XXXXXX";
    root_ = mkdtemp(name);
    for (const char* directory :
         {"base/5", "global", "pg_wal/archive_status", "pg_replslot/s1", "pg_csn", "pg_xact"})
      MakeDirectories(root_ + "/" + directory);
    Put("PG_VERSION", "15\n");
    Put("base/5/16384", std::string(300000, 'x'));
    Put("base/5/16384.1", "second");
    Put("base/5/16385", "unlogged");
    Put("base/5/16385_fsm", "unlogged");
    Put("base/5/16385_init", "init");
    Put("base/5/t3_16386", "temporary");
    Put("base/5/pgsql_tmp1", "temporary");
    Put("global/pg_control", "control");
    Put("pg_wal/000000010000000000000001", "wal");
    Put("pg_replslot/s1/state", "slot");
    Put("pg_csn/0", "csn");
    Put("pg_xact/0000", "");
    Put("postmaster.pid", "1\n");
  }
  void TearDown() override { RemoveTree(root_); }
  void Put(const std::string& path, const std::string& content) {
    WriteWholeFileDurably(root_ + "/" + path, content);
  }

  // Reads everything that the reader makes, as one side would send it.
  std::vector<std::string> Messages(std::vector<BackupFile> files, bool compress = false,
                                    bool batches = true) {
    MainQueue queue;
    BackupFileReader reader(queue, {root_, 0, compress, batches}, std::move(files));
    std::vector<std::string> messages;
    for (;;) {
      self().latch.Reset();
      OutMessage message;
      if (reader.Pop(&message)) {
        messages.push_back(message.head + message.tail);
        continue;
      }
      if (reader.Finished()) return messages;
      WaitLatch(-1, WaitEvent::kNone);
    }
  }

  std::string root_;
};

std::string Start() {
  v1::BaseBackupReply reply;
  reply.mutable_started()->set_start_lsn(1);
  return reply.SerializeAsString();
}
std::string Finish() {
  v1::BaseBackupReply reply;
  reply.mutable_finished()->set_stop_lsn(2);
  return reply.SerializeAsString();
}
v1::BackupPiece Piece(const std::string& path, uint32_t data_bytes) {
  v1::BackupPiece piece;
  if (!path.empty()) piece.mutable_start()->set_path(path);
  piece.set_data_bytes(data_bytes);
  return piece;
}
v1::BackupPiece WholePiece(const std::string& path, const std::string& content) {
  v1::BackupPiece piece = Piece(path, static_cast<uint32_t>(content.size()));
  piece.mutable_end()->set_crc32c(Crc32c(0, content.data(), content.size()));
  piece.mutable_end()->set_size_bytes(content.size());
  return piece;
}
std::string Batch(const std::vector<v1::BackupPiece>& pieces, const std::string& data,
                  uint32_t raw_bytes = 0) {
  v1::BaseBackupReply reply;
  for (const v1::BackupPiece& piece : pieces) *reply.mutable_batch()->add_pieces() = piece;
  reply.mutable_batch()->set_raw_bytes(raw_bytes);
  reply.mutable_batch()->set_data(data);
  return reply.SerializeAsString();
}
std::string FileStart(const std::string& path) {
  v1::BaseBackupReply reply;
  reply.mutable_file()->set_path(path);
  return reply.SerializeAsString();
}

TEST_F(BackupTest, ListsWhatBelongsToTheData) {
  std::vector<std::string> paths;
  for (const BackupFile& file : ListBackupFiles(root_)) paths.push_back(file.path);
  EXPECT_EQ(paths.back(), "global/pg_control");
  auto has = [&](const std::string& path) { return std::count(paths.begin(), paths.end(), path) == 1; };
  for (const char* path :
       {"PG_VERSION", "base/5/16384", "base/5/16384.1", "base/5/16385_init", "pg_xact/0000", "pg_wal",
        "pg_wal/archive_status", "pg_replslot", "pg_csn", "global"}) {
    EXPECT_TRUE(has(path)) << path;
  }
  for (const char* path :
       {"base/5/16385", "base/5/16385_fsm", "base/5/t3_16386", "base/5/pgsql_tmp1", "postmaster.pid",
        "pg_wal/000000010000000000000001", "pg_replslot/s1", "pg_csn/0"}) {
    EXPECT_FALSE(has(path)) << path;
  }
}

TEST_F(BackupTest, TravelsWhole) {
  for (int way = 0; way < 4; ++way) {
    bool compress = way & 1, batches = way & 2;
    std::string target = fmt::format("{}/copy{}", root_, way);
    std::vector<BackupFile> files = ListBackupFiles(root_);
    std::erase_if(files, [](const BackupFile& file) { return file.path.starts_with("copy"); });
    files.push_back({"backup_label", false, 0600, 5, "label"});
    files.push_back({"dropped_meanwhile", false, 0600, 5, {}});
    MakeDirectories(target);
    BackupWriter writer(target);
    writer.OnMessage(Start());
    for (const std::string& message : Messages(files, compress, batches)) writer.OnMessage(message);
    writer.OnMessage(Finish());
    EXPECT_TRUE(writer.finished());
    EXPECT_EQ(ReadWholeFile(target + "/base/5/16384"), std::string(300000, 'x'));
    EXPECT_EQ(ReadWholeFile(target + "/backup_label"), "label");
    EXPECT_EQ(ReadWholeFile(target + "/pg_xact/0000"), "");
    EXPECT_TRUE(IsDirectory(target + "/pg_csn"));
    EXPECT_FALSE(PathExists(target + "/dropped_meanwhile"));
  }
}

TEST_F(BackupTest, RefusesPathsThatLeaveTheDirectory) {
  for (const char* path : {"/etc/passwd", "../x", "a/../../x", "a//b", "", ".", "a/"}) {
    BackupWriter writer(root_);
    writer.OnMessage(Start());
    EXPECT_THROW(writer.OnMessage(FileStart(path)), SqlError) << path;
    // An empty one begins nothing in a batch: there is no file for what follows.
    EXPECT_THROW(writer.OnMessage(Batch({WholePiece("good", "x"), WholePiece(path, "y")}, "xy")), SqlError)
        << path;
  }
}

TEST_F(BackupTest, RefusesDamageAndDisorder) {
  std::vector<std::string> messages = Messages({{"PG_VERSION", false, 0600, 3, {}}}, false, false);
  ASSERT_EQ(messages.size(), 3u);
  {
    BackupWriter writer(root_ + "/base");
    EXPECT_THROW(writer.OnMessage(messages[0]), SqlError) << "before the start";
    writer.OnMessage(Start());
    EXPECT_THROW(writer.OnMessage(messages[1]), SqlError) << "data without a file";
    writer.OnMessage(messages[0]);
    EXPECT_THROW(writer.OnMessage(Finish()), SqlError) << "in the middle of a file";
  }
  BackupWriter writer(root_ + "/base");
  writer.OnMessage(Start());
  writer.OnMessage(messages[0]);
  std::string damaged = messages[1];
  damaged.back() ^= 1;
  writer.OnMessage(damaged);
  EXPECT_THROW(writer.OnMessage(messages[2]), SqlError) << "checksum";
}

TEST_F(BackupTest, SmallFilesShareAMessage) {
  std::vector<BackupFile> files;
  files.reserve(302);
  for (int i = 0; i < 300; ++i)
    files.push_back({fmt::format("small{}", i), false, 0600, 5, fmt::format("{:05}", i)});
  files.push_back({"large", false, 0600, 3 << 20, std::string(3 << 20, 'l')});
  files.push_back({"empty", false, 0640, 0, ""});
  std::vector<std::string> messages = Messages(files);
  EXPECT_EQ(messages.size(), 4u);  // 3 MB and a little
  BackupWriter writer(root_ + "/base");
  writer.OnMessage(Start());
  std::vector<WholeFile> whole;
  uint64_t bytes = 0;
  for (const std::string& message : messages) {
    EXPECT_EQ(writer.OnMessage(message), BackupWriter::Step::kFiles);
    whole.insert(whole.end(), writer.whole_files().begin(), writer.whole_files().end());
    bytes += writer.last_bytes();
  }
  ASSERT_EQ(whole.size(), files.size());
  EXPECT_EQ(bytes, 1500u + (3 << 20));
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(whole[i].path, files[i].path);
    EXPECT_EQ(whole[i].bytes, files[i].size_bytes);
    EXPECT_EQ(ReadWholeFile(root_ + "/base/" + files[i].path), *files[i].content) << files[i].path;
  }
}

// The rest of a WAL segment.
TEST_F(BackupTest, ZerosAreToldNotSent) {
  std::string segment(16 << 20, '\0');
  segment.replace(0, 3000, std::string(3000, 'w'));
  segment.replace(9 << 20, 5, "later");
  for (bool batches : {true, false}) {
    std::vector<BackupFile> files = {{"segment", false, 0600, segment.size(), segment},
                                     {"zeros", false, 0600, 100000, std::string(100000, '\0')},
                                     {"behind", false, 0600, 1, "b"}};
    size_t sent = 0;
    std::string target = root_ + (batches ? "/with" : "/without");
    MakeDirectories(target);
    BackupWriter writer(target);
    writer.OnMessage(Start());
    uint64_t bytes = 0;
    for (const std::string& message : Messages(files, false, batches)) {
      writer.OnMessage(message);
      sent += message.size();
      bytes += writer.last_bytes();
    }
    EXPECT_EQ(bytes, segment.size() + 100001);
    EXPECT_EQ(sent < 1 << 20, batches);
    for (const BackupFile& file : files)
      EXPECT_TRUE(ReadWholeFile(target + "/" + file.path) == *file.content) << file.path;
  }
}

TEST_F(BackupTest, ManyEmptyFilesAreMoreThanOneBatch) {
  std::vector<BackupFile> files;
  files.reserve(2500);
  for (int i = 0; i < 2500; ++i) files.push_back({fmt::format("f{}", i), false, 0600, 0, ""});
  EXPECT_EQ(Messages(files).size(), 3u);
}

TEST_F(BackupTest, RefusesBatchesThatLie) {
  v1::BackupPiece damaged = WholePiece("a", "x");
  damaged.mutable_end()->set_crc32c(1);
  v1::BackupPiece longer = WholePiece("a", "x");
  longer.mutable_end()->set_size_bytes(2);
  v1::BackupPiece directory = Piece("d", 1);
  directory.mutable_start()->set_kind(v1::BackupFileStart::DIRECTORY);
  v1::BackupPiece ended_directory = WholePiece("d", "");
  ended_directory.mutable_start()->set_kind(v1::BackupFileStart::DIRECTORY);
  v1::BackupPiece zeros = Piece("a", 1), endless = zeros, zeros_of_nobody = Piece("", 0);
  zeros.mutable_start()->set_size_bytes(100);
  zeros.set_zero_bytes(100);
  endless.set_zero_bytes(UINT32_MAX);
  zeros_of_nobody.set_zero_bytes(1);
  const std::pair<const char*, std::string> lies[] = {
      {"a piece longer than the batch", Batch({Piece("a", 4)}, "abc")},
      {"far longer", Batch({Piece("a", UINT32_MAX)}, "abc")},
      {"data of nobody", Batch({Piece("a", 2)}, "abc")},
      {"no piece", Batch({}, "abc")},
      {"data without a file", Batch({Piece("", 3)}, "abc")},
      {"an end without a file", Batch({WholePiece("", "")}, "")},
      {"a file within a file", Batch({Piece("a", 1), Piece("b", 1)}, "ab")},
      {"content of a directory", Batch({directory}, "x")},
      {"the end of a directory", Batch({ended_directory}, "")},
      {"more zeros than announced", Batch({zeros}, "x")},
      {"far more zeros", Batch({endless}, "x")},
      {"zeros without a file", Batch({zeros_of_nobody}, "")},
      {"a wrong checksum", Batch({damaged}, "x")},
      {"a wrong size", Batch({longer}, "x")},
      {"not compressed", Batch({WholePiece("a", "x")}, "x", 100)},
      {"much too large", Batch({WholePiece("a", "x")}, "x", UINT32_MAX)}};
  for (const auto& [what, message] : lies) {
    BackupWriter writer(root_ + "/base");
    writer.OnMessage(Start());
    EXPECT_THROW(writer.OnMessage(message), SqlError) << what;
    BackupWriter early(root_ + "/base");
    EXPECT_THROW(early.OnMessage(message), SqlError) << what << ", before the start";
  }
  std::string good = Batch({WholePiece("a", "abcdef"), WholePiece("b", "")}, "abcdef");
  for (size_t size = 1; size < good.size(); ++size) {
    BackupWriter writer(root_ + "/base");
    writer.OnMessage(Start());
    EXPECT_THROW(writer.OnMessage(good.substr(0, size)), SqlError) << "cut after " << size << " bytes";
  }
}

// Where the payload stands last it is not copied; wherever it stands, it is found.
TEST(MessagesTest, PayloadsOfBackupsStayWhereTheyAre) {
  v1::BackupBatch batch;
  *batch.add_pieces() = Piece("a", 3);
  OutMessage message = EncodeBackupBatch(batch, "abc");
  std::string bytes = message.head + message.tail;
  v1::BaseBackupReply reply;
  std::string_view payload = DecodeBackup(bytes, &reply);
  EXPECT_EQ(payload, "abc");
  EXPECT_EQ(payload.data(), bytes.data() + bytes.size() - 3);
  ASSERT_EQ(reply.batch().pieces_size(), 1);
  EXPECT_EQ(reply.batch().pieces(0).start().path(), "a");
  // `raw_bytes` and another piece behind it.
  v1::BackupBatch behind;
  behind.set_raw_bytes(7);
  *behind.add_pieces() = Piece("b", 0);
  std::string body = bytes.substr(2) + behind.SerializeAsString();
  bytes = std::string{bytes[0], static_cast<char>(body.size())} + body;
  EXPECT_EQ(DecodeBackup(bytes, &reply), "abc");
  EXPECT_EQ(reply.batch().raw_bytes(), 7u);
  EXPECT_EQ(reply.batch().pieces_size(), 2);
  EXPECT_EQ(DecodeBackup(Start(), &reply), "");
  EXPECT_TRUE(reply.has_started());
  EXPECT_THROW(DecodeBackup(std::string("\x4a\x05x"), &reply), SqlError);
}

TEST_F(BackupTest, TheReaderStopsWhenNobodyListens) {
  MainQueue queue;
  BackupFileReader reader(queue, {root_, 32, false}, ListBackupFiles(root_));
}

}  // namespace
}  // namespace walden::replication

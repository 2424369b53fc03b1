// Base backups without a network: what is copied, how it travels, what the receiver refuses.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

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
  std::vector<std::string> Messages(std::vector<BackupFile> files, bool compress = false) {
    MainQueue queue;
    BackupFileReader reader(queue, {root_, 0, compress}, std::move(files));
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
  for (bool compress : {false, true}) {
    std::string target = root_ + (compress ? "/copy1" : "/copy0");
    std::vector<BackupFile> files = ListBackupFiles(root_);
    std::erase_if(files, [](const BackupFile& file) { return file.path.starts_with("copy"); });
    files.push_back({"backup_label", false, 0600, 5, "label"});
    files.push_back({"dropped_meanwhile", false, 0600, 5, {}});
    MakeDirectories(target);
    BackupWriter writer(target);
    writer.OnMessage(Start());
    for (const std::string& message : Messages(files, compress)) writer.OnMessage(message);
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
  }
}

TEST_F(BackupTest, RefusesDamageAndDisorder) {
  std::vector<std::string> messages = Messages({{"PG_VERSION", false, 0600, 3, {}}});
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

TEST_F(BackupTest, TheReaderStopsWhenNobodyListens) {
  MainQueue queue;
  BackupFileReader reader(queue, {root_, 32, false}, ListBackupFiles(root_));
}

}  // namespace
}  // namespace walden::replication

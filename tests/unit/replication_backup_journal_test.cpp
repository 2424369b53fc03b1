// The journal of an incomplete base backup: what an interrupted run leaves for the next one.
#include <gtest/gtest.h>
#include <unistd.h>

#include "node/base/crc32c.h"
#include "node/base/error.h"
#include "node/os/file.h"
#include "replication/backup_journal.h"

namespace walden::replication {
namespace {

class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/walden_journal_XXXXXX";
    root_ = mkdtemp(name);
    MakeDirectories(root_ + "/global");
    MakeDirectories(root_ + "/pg_wal");
  }
  void TearDown() override { RemoveTree(root_); }
  void Put(const std::string& path, const std::string& content) {
    WriteWholeFileDurably(root_ + "/" + path, content);
  }
  void PutWhole(BackupJournal& journal, const std::string& path, const std::string& content) {
    Put(path, content);
    journal.FilesAreWhole({{path, content.size(), Crc32c(0, content.data(), content.size())}});
  }
  void Fill(bool all = false) {
    BackupJournal journal(root_);
    journal.Begin({7, Lsn{0x1000028}, 3, true, "walden_basebackup_0123456789abcdef"});
    journal.SlotMade("r1");
    PutWhole(journal, "backup_label", "label");
    PutWhole(journal, "a file", "content");
    PutWhole(journal, "postgresql.auto.conf", "");
    PutWhole(journal, "pg_wal/000000010000000000000001", "wal");
    if (all) PutWhole(journal, "global/pg_control", "control");
  }

  std::string root_;
};

TEST_F(JournalTest, TellsTheNextRunWhatIsWhole) {
  Fill();
  BackupJournal journal(root_);
  EXPECT_TRUE(journal.Resumable());
  EXPECT_FALSE(journal.HasAllFiles());
  EXPECT_EQ(journal.start().system_id, 7u);
  EXPECT_EQ(journal.start().lsn, Lsn{0x1000028});
  EXPECT_EQ(journal.start().timeline, 3u);
  EXPECT_TRUE(journal.start().from_standby);
  EXPECT_EQ(journal.start().hold, "walden_basebackup_0123456789abcdef");
  EXPECT_EQ(journal.made_slot(), "r1");
  EXPECT_TRUE(journal.files().contains("a file"));
  EXPECT_FALSE(journal.files().contains("pg_wal/000000010000000000000001"));
  EXPECT_EQ(journal.WholeBytes(), 12u);
  journal.Verify();
  EXPECT_EQ(journal.files().size(), 3u);
  journal.Remove();
  EXPECT_FALSE(PathExists(root_ + "/" + std::string(kBackupJournal)));
}

TEST_F(JournalTest, ForgetsFilesThatAreNotWhatArrived) {
  Fill();
  Put("a file", "contenT");
  BackupJournal journal(root_);
  journal.Verify();
  EXPECT_TRUE(journal.Resumable());
  EXPECT_FALSE(journal.files().contains("a file"));
}

TEST_F(JournalTest, RefusesWhatCannotBeMended) {
  Fill();
  UnlinkIfExists(root_ + "/backup_label");
  EXPECT_THROW(BackupJournal(root_).Verify(), SqlError);
}

TEST_F(JournalTest, CopiesNothingAgainOnceAllWasThere) {
  Fill(true);
  {
    BackupJournal journal(root_);
    EXPECT_TRUE(journal.HasAllFiles());
    Put("postgresql.auto.conf", "primary_conninfo = ''\n");  // what the command adds at the end
    journal.Verify();
  }
  Put("a file", "");
  EXPECT_THROW(BackupJournal(root_).Verify(), SqlError);
}

TEST_F(JournalTest, KnowsWhatWasCopiedOfSettingsThatGotLongerSince) {
  {
    BackupJournal journal(root_);
    journal.Begin({7, Lsn{0x1000}, 1, false, "hold"});
    PutWhole(journal, "backup_label", "label");
    PutWhole(journal, "postgresql.auto.conf", "work_mem = '4MB'\n");
    PutWhole(journal, "global/pg_control", "control");
  }
  for (const char* good : {"work_mem = '4MB'\n", "work_mem = '4MB'\nprimary_conninfo = ''\n"}) {
    Put("postgresql.auto.conf", good);
    BackupJournal(root_).Verify();
  }
  for (const char* bad : {"", "work_mem", "work_mem = '5MB'\nprimary_conninfo = ''\n"}) {
    Put("postgresql.auto.conf", bad);
    EXPECT_THROW(BackupJournal(root_).Verify(), SqlError) << bad;
  }
}

TEST_F(JournalTest, ALineThatWasBeingWrittenDoesNotCount) {
  Fill();
  std::string path = root_ + "/" + std::string(kBackupJournal);
  std::string text = ReadWholeFile(path);
  WriteWholeFileDurably(path, text + "file 3 000");
  BackupJournal journal(root_);
  EXPECT_EQ(journal.files().size(), 3u);
  PutWhole(journal, "x", "y");
  EXPECT_EQ(ReadWholeFile(path).substr(0, text.size() + 7), text + "file 1 ");
}

TEST_F(JournalTest, OneProcessFillsADirectory) {
  Fill();
  BackupJournal journal(root_);
  EXPECT_THROW(BackupJournal{root_}, SqlError);
}

TEST_F(JournalTest, RefusesAnotherFile) {
  Put(std::string(kBackupJournal), "something else\n");
  EXPECT_THROW(BackupJournal{root_}, SqlError);
}

}  // namespace
}  // namespace walden::replication

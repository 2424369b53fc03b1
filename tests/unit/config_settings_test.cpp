#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

#include "node/base/error.h"
#include "node/config/conf_file.h"
#include "node/config/session_settings.h"
#include "node/config/setting_rows.h"
#include "node/config/setting_values.h"
#include "node/config/settings.h"
#include "node/os/file.h"

namespace walden {
namespace {

class Settings : public ::testing::Test {
 protected:
  void SetUp() override { ResetSettingsForTest(); }
  void TearDown() override { ResetSettingsForTest(); }
  static void Set(const char* name, const char* value, SetAction action = SetAction::kSet) {
    SetSetting(name, value, {.action = action, .is_superuser = true});
  }
  // "SQLSTATE message / hint" of the error that setting raises.
  static std::string Failure(const char* name, const char* value, bool superuser = true) {
    try {
      SetSetting(name, value, {.is_superuser = superuser});
    } catch (const SqlError& error) {
      std::string text = fmt::format("{} {}", SqlState(error.code()), error.what());
      if (!error.fields().hint.empty()) text += " / " + error.fields().hint;
      return text;
    }
    return "";
  }
};

TEST_F(Settings, RowsAreNamedOnceAndBootValuesAreInRange) {
  std::set<std::string> names;
  for (const SettingRow& row : SettingRows()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    if (row.type == SettingType::kInt) {
      EXPECT_GE(static_cast<double>(row.boot.integer), row.low) << row.name;
      EXPECT_LE(static_cast<double>(row.boot.integer), row.high) << row.name;
    }
  }
}

// Texts as PostgreSQL 15 prints them.
TEST_F(Settings, ErrorsReadAsPostgres) {
  EXPECT_EQ(Failure("work_mem", "abc"), "22023 invalid value for parameter \"work_mem\": \"abc\"");
  EXPECT_EQ(Failure("work_mem", "1"),
            "22023 1 kB is outside the valid range for parameter \"work_mem\" (64 .. 2147483647)");
  EXPECT_EQ(Failure("statement_timeout", "5 kB"),
            "22023 invalid value for parameter \"statement_timeout\": \"5 kB\" / Valid units for this "
            "parameter are \"us\", \"ms\", "
            "\"s\", \"min\", \"h\", and \"d\".");
  EXPECT_EQ(Failure("work_mem", "999999999999999999"),
            "22023 invalid value for parameter \"work_mem\": \"999999999999999999\" / Value exceeds integer "
            "range.");
  EXPECT_EQ(Failure("nosuch", "1"), "42704 unrecognized configuration parameter \"nosuch\"");
  EXPECT_EQ(Failure("1a.b", "1"), "42602 invalid configuration parameter name \"1a.b\"");
  EXPECT_EQ(Failure("enable_seqscan", "maybe"),
            "22023 parameter \"enable_seqscan\" requires a Boolean value");
  EXPECT_EQ(Failure("synchronous_commit", "x"),
            "22023 invalid value for parameter \"synchronous_commit\": \"x\" / Available values: local, "
            "remote_write, "
            "remote_apply, on, off.");
  EXPECT_EQ(Failure("port", "1"), "55P02 parameter \"port\" cannot be changed without restarting the server");
  EXPECT_EQ(Failure("fsync", "off"), "55P02 parameter \"fsync\" cannot be changed now");
  EXPECT_EQ(Failure("server_version", "1"), "55P02 parameter \"server_version\" cannot be changed");
  EXPECT_EQ(Failure("log_connections", "on"),
            "55P02 parameter \"log_connections\" cannot be set after connection start");
  EXPECT_EQ(Failure("seq_page_cost", "-1"),
            "22023 -1 is outside the valid range for parameter \"seq_page_cost\" (0 .. 1.79769e+308)");
  EXPECT_EQ(Failure("log_min_messages", "debug1", false),
            "42501 permission denied to set parameter \"log_min_messages\"");
}

TEST_F(Settings, ShowUsesTheLargestUnit) {
  Set("statement_timeout", "1.5s");
  EXPECT_EQ(ShowSetting("statement_timeout"), "1500ms");
  Set("statement_timeout", "90min");
  EXPECT_EQ(ShowSetting("statement_timeout"), "90min");
  Set("work_mem", "1.5GB");
  EXPECT_EQ(ShowSetting("WORK_MEM"), "1536MB");
  EXPECT_EQ(GetInt(Setting::kWorkMem), 1536 * 1024);
  Set("vacuum_cost_delay", "1500us");
  EXPECT_EQ(ShowSetting("vacuum_cost_delay"), "1500us");
  EXPECT_EQ(ShowSetting("random_page_cost"), "4");
  EXPECT_EQ(ShowSetting("shared_buffers"), "128MB");
  Set("myapp.user", "alice");
  EXPECT_EQ(ShowSetting("MyApp.User"), "alice");
}

TEST_F(Settings, AbortRestoresWhatTheTransactionSet) {
  int level = OpenSettingLevel();
  Set("work_mem", "1MB");
  CloseSettingLevel(level, false);
  EXPECT_EQ(ShowSetting("work_mem"), "4MB");
  level = OpenSettingLevel();
  Set("work_mem", "1MB");
  Set("work_mem", "2MB", SetAction::kLocal);
  EXPECT_EQ(ShowSetting("work_mem"), "2MB");
  CloseSettingLevel(level, true);
  EXPECT_EQ(ShowSetting("work_mem"), "1MB");
}

TEST_F(Settings, SavepointsNest) {
  int transaction = OpenSettingLevel();
  Set("work_mem", "1MB");
  int savepoint = OpenSettingLevel();
  Set("work_mem", "2MB");
  CloseSettingLevel(savepoint, false);
  EXPECT_EQ(ShowSetting("work_mem"), "1MB");
  savepoint = OpenSettingLevel();
  Set("work_mem", "3MB");
  CloseSettingLevel(savepoint, true);
  EXPECT_EQ(ShowSetting("work_mem"), "3MB");
  CloseSettingLevel(transaction, false);
  EXPECT_EQ(ShowSetting("work_mem"), "4MB");
}

// As PostgreSQL: a SET LOCAL in a released savepoint lasts until the transaction ends.
TEST_F(Settings, LocalInSavepointLastsForTheTransaction) {
  int transaction = OpenSettingLevel();
  int savepoint = OpenSettingLevel();
  Set("work_mem", "2MB", SetAction::kLocal);
  CloseSettingLevel(savepoint, true);
  EXPECT_EQ(ShowSetting("work_mem"), "2MB");
  CloseSettingLevel(transaction, true);
  EXPECT_EQ(ShowSetting("work_mem"), "4MB");
}

TEST_F(Settings, AFunctionsSetClauseEndsWithIt) {
  Set("work_mem", "1MB");
  {
    SettingScope scope;
    Set("work_mem", "8MB", SetAction::kSave);
    EXPECT_EQ(ShowSetting("work_mem"), "8MB");
  }
  EXPECT_EQ(ShowSetting("work_mem"), "1MB");
}

TEST_F(Settings, ResetGoesToTheBestDefault) {
  SetSetting(
      "work_mem", "16MB",
      {.context = SettingContext::kSuperuser, .source = SettingSource::kDatabase, .is_superuser = true});
  Set("work_mem", "1MB");
  SetSetting("work_mem", std::nullopt, {});
  EXPECT_EQ(ShowSetting("work_mem"), "16MB");
  SetSetting("work_mem", "32MB", {.context = SettingContext::kSighup, .source = SettingSource::kFile});
  EXPECT_EQ(ShowSetting("work_mem"), "16MB");  // the file is weaker than the database's setting
}

TEST_F(Settings, ASessionsChangesAreUndoneAsAWhole) {
  Set("myapp.kept", "of the file");
  int assigned = 0;
  InstallSettingHooks(Setting::kWorkMem, {.assign = [&] { ++assigned; }});
  std::vector<SettingAssignment> before = ChangedSettings();
  BeginSessionSettings();
  int level = OpenSettingLevel();
  Set("work_mem", "99kB");
  Set("search_path", "a, b", SetAction::kLocal);
  Set("myapp.kept", "other");
  Set("myapp.new", "x");
  SetSetting("datestyle", "German", {.source = SettingSource::kClient});
  InstallSettingHooks(Setting::kDateStyle, {.show = [] { return std::string("hooked"); }});
  CloseSettingLevel(level, true);
  EXPECT_EQ(ShowSetting("work_mem"), "99kB");
  assigned = 0;
  UndoSessionSettings();
  EXPECT_EQ(assigned, 1);
  EXPECT_EQ(ShowSetting("work_mem"), "4MB");
  EXPECT_EQ(ShowSetting("search_path"), "\"$user\", public");
  EXPECT_NE(ShowSetting("datestyle"), "hooked");
  EXPECT_EQ(ShowSetting("myapp.kept"), "of the file");
  EXPECT_EQ(Failure("myapp.new", "y"), "");  // unknown again, so it can be made
  EXPECT_THROW(ShowSetting("myapp.newer"), SqlError);
  std::vector<SettingAssignment> after = ChangedSettings();
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i].value, before[i].value) << after[i].name;
  InstallSettingHooks(Setting::kWorkMem, {});
}

TEST_F(Settings, CheckHooksCanonicalise) {
  InstallSettingHooks(Setting::kApplicationName, {.check = [](ProposedValue& value) {
                        for (char& c : value.text)
                          if (c < 32 || c > 126) c = '?';
                      }});
  Set("application_name", "a\tb");
  EXPECT_EQ(ShowSetting("application_name"), "a?b");
  InstallSettingHooks(Setting::kApplicationName, {});
}

class ConfFile : public Settings {
 protected:
  void SetUp() override {
    Settings::SetUp();
    char pattern[] = "/tmp/walden-conf-XXXXXX";
    dir_ = mkdtemp(pattern);
  }
  void TearDown() override {
    RemoveTree(dir_);
    Settings::TearDown();
  }
  void Write(const std::string& name, const std::string& text) {
    WriteWholeFileDurably(dir_ + "/" + name, text);
  }
  std::string dir_;
};

TEST_F(ConfFile, LastEntryWinsAndIncludesAreFollowed) {
  Write("a.conf", "work_mem = 1MB # one\ninclude 'b.conf'\napplication_name = 'it''s \\'x\\''\n");
  Write("b.conf", "work_mem 2MB\n\n# nothing\nlog_line_prefix='%m '\n");
  Write("postgresql.auto.conf", "statement_timeout = '3s'\n");
  ASSERT_TRUE(LoadConfiguration(dir_ + "/a.conf", dir_, SettingContext::kPostmaster));
  EXPECT_EQ(ShowSetting("work_mem"), "2MB");
  EXPECT_EQ(ShowSetting("application_name"), "it's 'x'");
  EXPECT_EQ(ShowSetting("log_line_prefix"), "%m ");
  EXPECT_EQ(ShowSetting("statement_timeout"), "3s");
}

TEST_F(ConfFile, AReloadAppliesWhatIsRightUnlessANameIsUnknown) {
  Write("a.conf", "work_mem = 1MB\nfsync = off\n");
  ASSERT_TRUE(LoadConfiguration(dir_ + "/a.conf", dir_, SettingContext::kPostmaster));
  Write("a.conf", "work_mem = 2MB\nnosuch = 1\n");
  EXPECT_FALSE(LoadConfiguration(dir_ + "/a.conf", dir_, SettingContext::kSighup));
  EXPECT_EQ(ShowSetting("work_mem"), "1MB");
  Write("a.conf", "work_mem = 2MB\nport = 1234\nmaintenance_work_mem = much\n");
  EXPECT_FALSE(LoadConfiguration(dir_ + "/a.conf", dir_, SettingContext::kSighup));
  EXPECT_EQ(ShowSetting("work_mem"), "2MB");
  EXPECT_EQ(ShowSetting("fsync"), "on");  // its line is gone
  EXPECT_EQ(ShowSetting("port"), "5432");
  EXPECT_TRUE(StateOf(Setting::kPort).pending_restart);
}

TEST_F(ConfFile, SyntaxErrorsNameTheLine) {
  std::vector<ConfEntry> entries;
  try {
    ParseConfText("work_mem = 1MB\nport = = 5\n", "x.conf", &entries);
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_STREQ(error.what(), "syntax error in file \"x.conf\" line 2, near token \"=\"");
  }
}

TEST_F(ConfFile, AlterSystemRewritesOneEntry) {
  WriteAutoConf(dir_, "work_mem", "1MB");
  WriteAutoConf(dir_, "archive_command", "cp '%p' \\x");
  WriteAutoConf(dir_, "work_mem", std::nullopt);
  std::vector<ConfEntry> entries;
  ParseConfFile(dir_ + "/postgresql.auto.conf", &entries);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].value, "cp '%p' \\x");
}

}  // namespace
}  // namespace walden

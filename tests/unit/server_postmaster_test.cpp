// The postmaster over stand-in process mains: what starts when, crash and restart, shutdown, clients. Real
// processes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <set>

#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/catalog/bootstrap.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/os/process.h"
#include "node/recovery/control_file.h"
#include "node/server/background_worker.h"
#include "node/server/composition.h"
#include "node/server/data_directory.h"
#include "node/server/logger.h"
#include "node/server/page_files.h"
#include "node/server/postmaster.h"
#include "node/server/process_mains.h"
#include "node/shm/interrupts.h"
#include "node/shm/log_context.h"
#include "node/shm/postmaster_link.h"

namespace walden {
namespace {

int WaitForEnd(const ChildStart&) {
  while (!InterruptPending(Interrupt::kTerminate) && !InterruptPending(Interrupt::kShutdown)) {
    self().latch.Reset();
    if (!InterruptPending(Interrupt::kTerminate) && !InterruptPending(Interrupt::kShutdown))
      WaitLatch(-1, WaitEvent::kNone);
  }
  return 0;
}
int CheckpointerStandIn(const ChildStart&) {
  while (!InterruptPending(Interrupt::kShutdown)) {
    self().latch.Reset();
    if (!InterruptPending(Interrupt::kShutdown)) WaitLatch(-1, WaitEvent::kNone);
  }
  Log(Severity::kLog, "stand-in checkpoint");
  return 0;
}
int RecoveredAtOnce(const ChildStart&) { return 0; }
int StandbyForEver(const ChildStart& start) {
  NotifyPostmaster(PostmasterRequest::kRecoveryStarted);
  NotifyPostmaster(PostmasterRequest::kRecoveryConsistent);
  SetSignalHandler(SIGUSR2, [](int) { _exit(0); });
  return WaitForEnd(start);
}

// Tells the verdict, then echoes until the client goes or the process is told to end.
bool EchoServer(Descriptor client, Admission verdict) {
  char byte = static_cast<char>('0' + static_cast<int>(verdict));
  [[maybe_unused]] ssize_t put = write(client.fd(), &byte, 1);
  while (!InterruptPending(Interrupt::kTerminate)) {
    if (WaitLatchOrSocket(client.fd(), POLLIN, -1, WaitEvent::kClientRead) == 0) {
      self().latch.Reset();
      continue;
    }
    char buffer[64];
    ssize_t got = read(client.fd(), buffer, sizeof buffer);
    if (got <= 0) return false;
    put = write(client.fd(), buffer, static_cast<size_t>(got));
  }
  return false;
}

constexpr uint64_t kSystemId = 7711050949136067913;

template <class Condition>
::testing::AssertionResult Eventually(Condition&& condition) {
  int64_t deadline_us = MonotonicUs() + 20000000;
  while (!condition()) {
    if (MonotonicUs() > deadline_us) return ::testing::AssertionFailure() << "not within 20 s";
    usleep(5000);
  }
  return ::testing::AssertionSuccess();
}

class PostmasterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/walden-pm-XXXXXX";
    dir_ = mkdtemp(pattern);
    MakeDirectory(dir_ + "/global");
    MakeDirectory(dir_ + "/base");
    WriteWholeFileDurably(dir_ + "/PG_VERSION", "15\n");
    WriteWholeFileDurably(dir_ + "/pg_hba.conf", "local all all trust\n");
    WriteWholeFileDurably(
        dir_ + "/postgresql.conf",
        "listen_addresses = ''\nmax_connections = 3\nsuperuser_reserved_connections = 0\nshared_buffers = "
        "128kB\n"
        "max_worker_processes = 2\nlog_min_messages = debug1\nmax_wal_senders = 0\narchive_mode = off\n");
    Append("unix_socket_directories = '" + dir_ + "'\nlogging_collector = on\nlog_filename = 'walden.log'\n");
    MakeDirectory(dir_ + "/pg_stat");
    ControlFile control = {};
    control.system_id = kSystemId;
    ComposeNode();
    control.catalog_version = CatalogVersion();
    WriteControlFile(control, dir_ + "/global/pg_control");
  }
  void TearDown() override {
    std::string log;
    if (HasFailure() && TryReadWholeFile(dir_ + "/log/walden.log", &log)) std::fputs(log.c_str(), stderr);
    if (postmaster_ > 0) {
      kill(postmaster_, SIGQUIT);
      waitpid(postmaster_, nullptr, 0);
    }
    RemoveTree(dir_);
  }
  void Append(const std::string& text) {
    WriteWholeFileDurably(dir_ + "/postgresql.conf", ReadWholeFile(dir_ + "/postgresql.conf") + text, 0644);
  }

  void Start(ProcessMain startup = RecoveredAtOnce) {
    constexpr uid_t kNobody = 65534;
    if (geteuid() == 0 && RunShellCommand("chown -R 65534 " + dir_) != 0) FAIL();
    postmaster_ = fork();
    if (postmaster_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (geteuid() == 0 && setuid(kNobody) != 0) _exit(9);
    prctl(PR_SET_DUMPABLE, 1);
    for (size_t kind = 0; kind < static_cast<size_t>(ProcessKind::kCount); ++kind) {
      if (static_cast<ProcessKind>(kind) != ProcessKind::kLogger &&
          static_cast<ProcessKind>(kind) != ProcessKind::kBackend &&
          static_cast<ProcessKind>(kind) != ProcessKind::kBackgroundWorker) {
        SetProcessMain(static_cast<ProcessKind>(kind), WaitForEnd);
      }
    }
    SetProcessMain(ProcessKind::kStartup, startup);
    SetProcessMain(ProcessKind::kCheckpointer, CheckpointerStandIn);
    serve_client = EchoServer;
    _exit(RunPostmaster({dir_, {}, -1}));
  }

  // Short name of each child: "checkpointer" -> pid. Waiting backends share one name; see Backends().
  std::multimap<std::string, pid_t> Children() {
    std::multimap<std::string, pid_t> children;
    std::string list;
    std::string path = fmt::format("/proc/{}/task/{}/children", postmaster_, postmaster_);
    if (!TryReadWholeFile(path, &list)) return children;
    for (const char* at = list.c_str(); *at != '\0';) {
      char* end;
      pid_t pid = static_cast<pid_t>(std::strtol(at, &end, 10));
      if (end == at) break;
      at = *end == ' ' ? end + 1 : end;
      std::string name;
      if (!TryReadWholeFile(fmt::format("/proc/{}/comm", pid), &name)) continue;
      children.emplace(name.substr(0, name.size() - 1), pid);
    }
    return children;
  }
  pid_t Pid(const std::string& name) {
    auto children = Children();
    auto found = children.find(name);
    return found == children.end() ? 0 : found->second;
  }
  bool HasStatus(const std::string& status) {
    std::optional<PidFile> file = ReadPidFile(dir_);
    return file && file->status == status;
  }
  bool LogSays(const std::string& text) {
    std::string log;
    return TryReadWholeFile(dir_ + "/log/walden.log", &log) && log.find(text) != std::string::npos;
  }
  int ExitCode() {
    int status;
    waitpid(postmaster_, &status, 0);
    postmaster_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  // A connection and the verdict that it got.
  Descriptor Connect(char* verdict) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::string path = dir_ + "/.s.PGSQL.5432";
    std::memcpy(address.sun_path, path.c_str(), path.size());
    Descriptor client(socket(AF_UNIX, SOCK_STREAM, 0));
    if (connect(client.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) return Descriptor();
    timeval limit{20, 0};
    setsockopt(client.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (read(client.fd(), verdict, 1) != 1) *verdict = '?';
    return client;
  }

  std::string dir_;
  pid_t postmaster_ = 0;
};

TEST_F(PostmasterTest, StartsWhatShouldRunAndStopsInOrder) {
  Start();
  ASSERT_TRUE(Eventually([&] { return HasStatus("ready"); }));
  for (const char* name : {"checkpointer", "background writ", "walwriter", "autovacuum laun",
                           "stats collector", "metrics exporte", "logger"}) {
    EXPECT_TRUE(Eventually([&] { return Pid(name) != 0; })) << name;
  }
  EXPECT_EQ(Pid("archiver"), 0);
  EXPECT_EQ(Pid("startup"), 0);
  kill(postmaster_, SIGINT);
  EXPECT_EQ(ExitCode(), 0);
  EXPECT_TRUE(LogSays("stand-in checkpoint"));
  EXPECT_TRUE(LogSays("database system is shut down"));
  EXPECT_FALSE(PathExists(dir_ + "/postmaster.pid"));
  EXPECT_FALSE(PathExists(dir_ + "/.s.PGSQL.5432"));
  EXPECT_TRUE(Region::ListByPrefix(SharedMemoryPrefix(dir_, kSystemId)).empty());
}

// I2, for every kind that shares memory.
TEST_F(PostmasterTest, KilledMemorySharersBringAFreshRegion) {
  Start();
  ASSERT_TRUE(Eventually([&] { return HasStatus("ready"); }));
  for (const char* name :
       {"backend", "checkpointer", "background writ", "walwriter", "autovacuum laun", "stats collector"}) {
    ASSERT_TRUE(Eventually([&] { return Pid(name) != 0 && Pid("logger") != 0; })) << name;
    pid_t logger = Pid("logger");
    pid_t victim = Pid(name);
    std::string memory = ReadPidFile(dir_)->shared_memory;
    kill(victim, SIGKILL);
    ASSERT_TRUE(Eventually([&] { return HasStatus("ready") && ReadPidFile(dir_)->shared_memory != memory; }))
        << name;
    EXPECT_EQ(Pid("logger"), logger) << name;
    ASSERT_TRUE(Eventually([&] { return Pid("metrics exporte") != 0; }));
    char verdict;
    ASSERT_TRUE(Connect(&verdict).is_open());
    EXPECT_EQ(verdict, '0') << name;
  }
  EXPECT_TRUE(LogSays("was terminated by signal 9: Killed"));
  EXPECT_EQ(Region::ListByPrefix(SharedMemoryPrefix(dir_, kSystemId)).size(), 1u);
}

// I2: logger and metrics exporter are only restarted.
TEST_F(PostmasterTest, KilledExemptProcessesAreReplaced) {
  Start();
  ASSERT_TRUE(
      Eventually([&] { return HasStatus("ready") && Pid("logger") != 0 && Pid("metrics exporte") != 0; }));
  pid_t checkpointer = Pid("checkpointer");
  for (const char* name : {"logger", "metrics exporte"}) {
    pid_t victim = Pid(name);
    kill(victim, SIGKILL);
    EXPECT_TRUE(Eventually([&] { return Pid(name) != 0 && Pid(name) != victim; })) << name;
  }
  EXPECT_EQ(Pid("checkpointer"), checkpointer);
}

TEST_F(PostmasterTest, KillingThePostmasterTakesEverybodyAndTheNextStartNeedsNoCleaning) {
  Start();
  ASSERT_TRUE(Eventually([&] { return HasStatus("ready"); }));
  auto children = Children();
  ASSERT_GE(children.size(), 8u);
  kill(postmaster_, SIGKILL);
  waitpid(postmaster_, nullptr, 0);
  Start();
  EXPECT_TRUE(Eventually([&] { return HasStatus("ready"); }));
  for (const auto& [name, pid] : children)
    EXPECT_TRUE(Eventually([&, pid = pid] { return !ProcessExists(pid); })) << name;
  EXPECT_EQ(Region::ListByPrefix(SharedMemoryPrefix(dir_, kSystemId)).size(), 1u);
}

TEST_F(PostmasterTest, ASecondPostmasterRefuses) {
  Start();
  ASSERT_TRUE(Eventually([&] { return HasStatus("ready"); }));
  pid_t first = std::exchange(postmaster_, 0);
  Start();
  EXPECT_EQ(ExitCode(), 1);
  postmaster_ = first;
  char verdict;
  EXPECT_TRUE(Connect(&verdict).is_open());
}

TEST_F(PostmasterTest, ClientsBeyondTheLimitAreToldSo) {
  Start();
  ASSERT_TRUE(Eventually([&] { return HasStatus("ready"); }));
  std::vector<Descriptor> clients;
  char verdict;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(Connect(&verdict));
    EXPECT_EQ(verdict, '0');
  }
  Descriptor fourth = Connect(&verdict);
  EXPECT_EQ(verdict, static_cast<char>('0' + static_cast<int>(Admission::kTooMany)));
  clients.pop_back();
  EXPECT_TRUE(Eventually([&] { return Connect(&verdict).is_open() && verdict == '0'; }));
  // Smart shutdown waits for those that are there.
  kill(postmaster_, SIGTERM);
  ASSERT_TRUE(Eventually([&] { return HasStatus("stopping"); }));
  Descriptor late = Connect(&verdict);
  EXPECT_EQ(verdict, static_cast<char>('0' + static_cast<int>(Admission::kShuttingDown)));
  EXPECT_EQ(write(clients[0].fd(), "x", 1), 1);
  char echo;
  EXPECT_EQ(read(clients[0].fd(), &echo, 1), 1);
  clients.clear();
  late.Close();
  fourth.Close();
  EXPECT_EQ(ExitCode(), 0);
}

TEST_F(PostmasterTest, AStandbyServesAndIsPromoted) {
  Start(StandbyForEver);
  ASSERT_TRUE(Eventually([&] { return HasStatus("standby"); }));
  EXPECT_EQ(Pid("walwriter"), 0);
  char verdict;
  EXPECT_TRUE(Connect(&verdict).is_open());
  EXPECT_EQ(verdict, '0');
  WriteWholeFileDurably(dir_ + "/promote", "");
  kill(postmaster_, SIGUSR1);
  EXPECT_TRUE(Eventually([&] { return HasStatus("ready") && Pid("walwriter") != 0; }));
}

TEST_F(PostmasterTest, AFailingStartupProcessEndsTheStart) {
  Start([](const ChildStart&) { return 1; });
  EXPECT_EQ(ExitCode(), 1);
  EXPECT_TRUE(LogSays("aborting startup due to startup process failure"));
}

TEST_F(PostmasterTest, AutovacuumWorkersStartOnRequestAndReloadIsPassedOn) {
  Start();
  ASSERT_TRUE(Eventually([&] { return HasStatus("ready"); }));
  Append("log_line_prefix = 'reloaded %b: '\narchive_command = 'true'\n");
  kill(postmaster_, SIGHUP);
  EXPECT_TRUE(Eventually([&] { return LogSays("parameter \"log_line_prefix\" changed"); }));
  kill(Pid("metrics exporte"), SIGKILL);
  EXPECT_TRUE(Eventually([&] { return LogSays("reloaded postmaster: LOG:  metrics exporter process"); }));
}

TEST_F(PostmasterTest, ABackgroundWorkerThatEndsNormallyIsDone) {
  Start();
  ASSERT_TRUE(Eventually([&] { return Pid("checksum scrubb") != 0; }));
  pid_t worker = Pid("checksum scrubb");
  pid_t checkpointer = Pid("checkpointer");
  kill(worker, SIGTERM);  // a normal end: done for good
  EXPECT_TRUE(Eventually([&] { return Pid("checksum scrubb") == 0; }));
  EXPECT_EQ(Pid("checkpointer"), checkpointer);
}

// Containers give /dev/shm 64 MB, where ftruncate succeeds and touching is SIGBUS.
TEST_F(PostmasterTest, ASmallDevShmIsRefusedWithSizesAndRemedy) {
  Append("shared_buffers = 128MB\nlogging_collector = off\n");
  if (geteuid() == 0 && RunShellCommand("chown -R 65534 " + dir_) != 0) FAIL();
  std::string log = dir_ + "/start.log";
  pid_t child = fork();
  if (child == 0) {
    int flags = geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
    if (unshare(flags) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=64m") != 0) {
      _exit(77);
    }
    if (geteuid() == 0 && flags == CLONE_NEWNS && setuid(65534) != 0) _exit(9);
    int fd = open(log.c_str(), O_WRONLY | O_CREAT, 0644);
    dup2(fd, STDERR_FILENO);
    _exit(RunPostmaster({dir_, {}, -1}));
  }
  int status;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no mount namespaces here";
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
  std::string text = ReadWholeFile(log);
  EXPECT_NE(text.find("MB needed, 64 MB free in /dev/shm"), std::string::npos) << text;
  EXPECT_NE(text.find("--shm-size"), std::string::npos) << text;
}

TEST(PageFiles, AreKnownByName) {
  PageFile file;
  EXPECT_TRUE(ParsePageFileName("16384", &file));
  EXPECT_EQ(file.number, 16384u);
  EXPECT_TRUE(ParsePageFileName("16384_vm.2", &file));
  EXPECT_EQ(file.fork, Fork::kVm);
  EXPECT_EQ(file.FirstBlock(), 2 * kBlocksPerSegment);
  for (const char* name : {"pg_control", "t3_16384", "16384_x", "PG_VERSION", "16384.", "16384.1x"}) {
    EXPECT_FALSE(ParsePageFileName(name, &file)) << name;
  }
}

TEST(LogAssembler, PutsChunksOfManyProcessesTogether) {
  auto chunk = [](int pid, uint8_t bit, bool last, std::string_view text) {
    LogChunkHeader header{{0, 0}, static_cast<uint16_t>(text.size()), pid, bit, last};
    return std::string(reinterpret_cast<const char*>(&header), sizeof header) + std::string(text);
  };
  std::string stream = chunk(1, kLogStderr, false, "one ") + chunk(2, kLogStderr, true, "two\n") + "stray\n" +
                       chunk(1, kLogCsv, true, "c\n") + chunk(1, kLogStderr, true, "end\n");
  std::string out;
  LogAssembler assembler;
  auto emit = [&](uint8_t bit, std::string_view text) { out += fmt::format("{}:{}", bit, text); };
  for (char c : stream) assembler.Feed({&c, 1}, emit);
  assembler.Flush(emit);
  std::string joined;
  for (char c : out) joined += c;
  EXPECT_NE(joined.find("1:two\n"), std::string::npos);
  EXPECT_NE(joined.find("1:one end\n"), std::string::npos);
  EXPECT_NE(joined.find("2:c\n"), std::string::npos);
}

TEST(LogFormat, PrefixEscapesAndContinuationLines) {
  ResetSettingsForTest();
  log_context() = LogContext{};
  log_context().user_name = "alice";
  log_context().database_name = "sampledb";
  log_context().remote_host = "10.0.0.7";
  log_context().remote_port = 54924;
  log_context().statement = "SELECT 1/0";
  ErrorFields fields;
  fields.code = ErrorCode::kDivisionByZero;
  fields.message = "division by zero\nsecond";
  EXPECT_EQ(FormatLogPrefix("%u@%d %r %h|%6u|%-7u|%e %%%q", fields),
            "alice@sampledb 10.0.0.7(54924) 10.0.0.7| alice|alice  |22012 %");
  SetSetting("log_line_prefix", "%q%u ", {.context = SettingContext::kSighup});
  EXPECT_EQ(FormatLogText(fields),
            "alice ERROR:  division by zero\n\tsecond\nalice STATEMENT:  SELECT 1/0\n");
  log_context() = LogContext{};
  EXPECT_EQ(FormatLogPrefix("a%q%u", fields), "a");
  ResetSettingsForTest();
}

}  // namespace
}  // namespace walden

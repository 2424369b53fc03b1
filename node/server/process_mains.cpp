#include "node/server/process_mains.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>

#include "metrics/exporter.h"
#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/buffer/buffer_pool.h"
#include "node/config/conf_file.h"
#include "node/os/process.h"
#include "node/recovery/background_processes.h"
#include "node/server/autovacuum.h"
#include "node/server/background_worker.h"
#include "node/server/fatal_signals.h"
#include "node/server/logger.h"
#include "node/server/stats_collector.h"
#include "node/shm/interrupts.h"
#include "node/shm/log_context.h"
#include "node/shm/lwlock.h"
#include "node/stats/activity.h"
#include "node/stats/counters.h"
#include "node/txn/transaction.h"

namespace walden {

int LoggerMain(const ChildStart& start);

namespace {

int WaitUntilTold(const ChildStart&) {
  for (;;) {
    self().latch.Reset();
    if (InterruptPending(Interrupt::kTerminate) || InterruptPending(Interrupt::kShutdown)) return 0;
    CheckInterrupts();
    WaitLatch(-1, WaitEvent::kBackendPoolMain);
  }
}

// Told to end during recovery: not an error of its own.
int StartupMain(const ChildStart&) {
  try {
    RunStartup();
    return 0;
  } catch (const SqlError& error) {
    if (error.code() != ErrorCode::kAdminShutdown) throw;
    return 1;
  }
}
int RedoWorkerMain(const ChildStart&) { return RunRedoWorker() ? 0 : 1; }
template <void (*kRun)()>
int Loop(const ChildStart&) {
  kRun();
  return 0;
}

int AutovacuumWorkerMain(const ChildStart& start) {
  RunAutovacuumWorker(start.worker);
  return 0;
}
int BackgroundWorkerMain(const ChildStart& start) { return RunBackgroundWorker(start.worker); }

// Sessions end by an error at the next safe point and reload between statements; the loops of background processes
// look for the request to end themselves, and reload wherever they look.
void SetInterruptManners(ProcessKind kind) {
  bool runs_sql = kind == ProcessKind::kBackend || kind == ProcessKind::kAutovacuumWorker ||
                  kind == ProcessKind::kBackgroundWorker;
  if (runs_sql) return;
  SetInterruptHandler(Interrupt::kReload, [] { ReloadConfiguration(); });
  // The startup process may be deep in replay: it ends like a session.
  if (kind == ProcessKind::kStartup) return;
  SetInterruptHandler(Interrupt::kTerminate, nullptr);
}

// Slot and number of the transaction, as pg_locks shows it; empty outside of one.
std::string VirtualXidText() {
  if (self_slot() < 0) return "";
  // A session has a number also between transactions.
  uint64_t local = CurrentVirtualLocal();
  bool is_session = self().kind.load(std::memory_order_relaxed) == ProcessKind::kBackend;
  return local == 0 && !is_session ? "" : fmt::format("{}/{}", self_slot(), local);
}

void LogAndDrop(const std::exception& error) {
  if (const SqlError* sql = dynamic_cast<const SqlError*>(&error)) {
    LogError(std::max(sql->fields().severity, Severity::kFatal), *sql);
  } else {
    Log(Severity::kFatal, "{}", error.what());
  }
}

}  // namespace

namespace {

using MainTable = std::array<ProcessMain, static_cast<size_t>(ProcessKind::kCount)>;
MainTable MakeMains() {
  MainTable mains;
  mains.fill(WaitUntilTold);
  auto bind = [&](ProcessKind kind, ProcessMain main) { mains[static_cast<size_t>(kind)] = main; };
  bind(ProcessKind::kLogger, LoggerMain);
  bind(ProcessKind::kBackgroundWorker, BackgroundWorkerMain);
  bind(ProcessKind::kBackend, BackendMain);
  bind(ProcessKind::kStartup, StartupMain);
  bind(ProcessKind::kRedoWorker, RedoWorkerMain);
  bind(ProcessKind::kCheckpointer, Loop<RunCheckpointer>);
  bind(ProcessKind::kBackgroundWriter, Loop<RunBackgroundWriter>);
  bind(ProcessKind::kWalWriter, Loop<RunWalWriter>);
  bind(ProcessKind::kArchiver, Loop<RunArchiver>);
  bind(ProcessKind::kStatsCollector, Loop<RunStatsCollector>);
  bind(ProcessKind::kMetricsExporter, Loop<RunMetricsExporter>);
  bind(ProcessKind::kWalSender, WalSenderMain);
  bind(ProcessKind::kWalReceiver, WalReceiverMain);
  bind(ProcessKind::kAutovacuumLauncher, Loop<RunAutovacuumLauncher>);
  bind(ProcessKind::kAutovacuumWorker, AutovacuumWorkerMain);
  return mains;
}
MainTable mains = MakeMains();

}  // namespace

ProcessMain MainOf(ProcessKind kind) { return mains[static_cast<size_t>(kind)]; }
void SetProcessMain(ProcessKind kind, ProcessMain main) { mains[static_cast<size_t>(kind)] = main; }

void ShowProcess(ProcessKind kind) {
  SetProcessTitle(fmt::format("walden: {}", ProcessTitle(kind)));
  log_context() = LogContext{};
  log_context().process_type = BackendTypeName(kind);
  log_context().start_time_us = WallClockUs();
  log_context().virtual_xid = VirtualXidText;
  log_context().current_xid = [] { return self_slot() < 0 ? 0 : TopXidIfAny().value; };
  BeginActivity();
}

void RunChild(const ChildStart& start) {
  int exit_code = 1;
  try {
    ShowProcess(start.kind);
    InstallProcessSignalHandlers();
    InstallFatalSignalHandlers();
    SetInterruptManners(start.kind);
    BeginCounting();
    PoisonUnpinnedPages();
    exit_code = MainOf(start.kind)(start);
  } catch (const std::exception& error) {
    LogAndDrop(error);
  }
  // What the process held in shared memory goes back by its exit handlers; private memory goes with the
  // process.
  ReleaseAllLwLocks();
  ReleaseSelf();
  _exit(exit_code);
}

}  // namespace walden

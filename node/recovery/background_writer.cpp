// The background writer and the WAL writer.
#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/buffer/buffer_pool.h"
#include "node/config/settings.h"
#include "node/recovery/background_processes.h"
#include "node/recovery/recovery_shared.h"
#include "node/shm/interrupts.h"
#include "node/storage/relation_file.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

constexpr int64_t kRunningTransactionsIntervalUs = 15 * 1000000;
constexpr int64_t kCloseFilesIntervalUs = 60 * 1000000;

struct Rounds {
  int64_t last_us = 0;
  int64_t last_running_us = 0;
  Lsn last_running;
  int64_t last_close_us = 0;
};

// Lets standbys and recovery know, now and then, which transactions run; only if something happened since.
void LogRunningIfDue(Rounds* rounds) {
  int64_t now = MonotonicUs();
  if (!WalIsWritable() || now - rounds->last_running_us < kRunningTransactionsIntervalUs) return;
  rounds->last_running_us = now;
  if (InsertPosition() == rounds->last_running ||
      InsertPosition() == Lsn{Recovery()->last_checkpoint_end.load()})
    return;
  rounds->last_running = LogRunningTransactions();
  RequestFlush(rounds->last_running);
}

// False when it was woken in between, for WAL segments.
bool IsRoundDue(Rounds* rounds) {
  int64_t now = MonotonicUs();
  if (now - rounds->last_us < GetInt(Setting::kBgwriterDelay) * 900) return false;  // a timer may end early
  rounds->last_us = now;
  return true;
}

// Errors of a round (a full disk, a damaged file) are logged; the process goes on.
template <class Work>
void Guarded(Work&& work) {
  try {
    work();
  } catch (const SqlError& error) {
    EmitLog(error.fields());
    ReleaseAllLwLocks();
    ReleaseAllPins();
    WaitLatch(1000, WaitEvent::kBgwriterMain);
  }
}

}  // namespace

void RunBackgroundWriter() {
  Rounds rounds;
  bool idle = false;
  rounds.last_close_us = rounds.last_running_us = MonotonicUs();
  while (!InterruptPending(Interrupt::kTerminate)) {
    self().latch.Reset();
    CheckInterrupts();
    Guarded([&] {
      if (IsRoundDue(&rounds)) idle = BackgroundWriterRound();
      PreallocateWalSegments();
      LogRunningIfDue(&rounds);
    });
    if (MonotonicUs() - rounds.last_close_us > kCloseFilesIntervalUs) {
      CloseAllRelationFiles();  // files that others dropped must not keep their disk space
      rounds.last_close_us = MonotonicUs();
    }
    int64_t delay = GetInt(Setting::kBgwriterDelay);
    WaitLatch(idle ? delay * 50 : delay, idle ? WaitEvent::kBgwriterHibernate : WaitEvent::kBgwriterMain);
  }
}

void RunWalWriter() {
  RegisterWalWriter();
  int idle_rounds = 0;
  while (!InterruptPending(Interrupt::kTerminate)) {
    self().latch.Reset();
    CheckInterrupts();
    idle_rounds = WalWriterCycle() ? 0 : idle_rounds + 1;
    int64_t delay = GetInt(Setting::kWalWriterDelay);
    WaitLatch(idle_rounds > 50 ? delay * 3 : delay, WaitEvent::kWalWriterMain);
  }
  UnregisterWalWriter();
  // Committers that were left to this process find their own way.
  if (WalIsWritable()) Flush(InsertPosition());
}

}  // namespace walden

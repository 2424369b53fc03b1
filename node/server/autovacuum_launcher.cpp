#include <algorithm>
#include <map>
#include <new>
#include <vector>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/invalidation.h"
#include "node/config/settings.h"
#include "node/server/autovacuum.h"
#include "node/server/autovacuum_area.h"
#include "node/server/autovacuum_tables.h"
#include "node/shm/interrupts.h"
#include "node/shm/postmaster_link.h"
#include "node/shm/process.h"
#include "node/stats/counter_tables.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

constexpr int64_t kShortestWaitMs = 100;
constexpr int64_t kStartTimeoutUs = 60 * 1000000LL;

class Launcher {
 public:
  void Run() {
    while (!InterruptPending(Interrupt::kTerminate) && !InterruptPending(Interrupt::kShutdown)) {
      self().latch.Reset();
      CheckInterrupts();
      if (!GetBool(Setting::kAutovacuum)) return;
      GiveUpOnLateWorkers();
      int64_t now = MonotonicUs();
      if (now >= list_due_us_) ListDatabases(now);
      while (LaunchOne(now)) {
      }
      WaitLatch(WaitMs(now), WaitEvent::kAutovacuumMain);
    }
  }

 private:
  static int64_t NapUs() { return GetInt(Setting::kAutovacuumNaptime) * 1000000; }

  // Databases that exist, and in which something was counted: new ones are due at their place in the round.
  void ListDatabases(int64_t now) {
    list_due_us_ = now + NapUs();
    std::map<Oid, int64_t> due;
    try {
      BeginTransaction();
      bool settling = SettlingIsDue();
      for (const PgDatabaseRow& row : ReadRows<PgDatabaseRow>(Oid::kInvalid, {})) {
        DatabaseSums sums;
        if (!settling && (!row.datallowconn || !ReadDatabaseSums(row.oid, &sums))) continue;
        auto old = due_.find(row.oid);
        due[row.oid] = old != due_.end() ? std::min(old->second, now + NapUs()) : 0;
      }
      CommitTransaction();
    } catch (const SqlError& error) {
      EmitLog(error.fields());
      AbortTransaction();
      return;
    }
    int64_t stagger = due.empty() ? 0 : NapUs() / static_cast<int64_t>(due.size()), next = now;
    for (auto& [database, at] : due) {
      if (at == 0) at = next;
      next += stagger;
    }
    due_ = std::move(due);
  }

  // Asks for a worker for the database that is due longest. False: nothing is due, or all workers are busy.
  bool LaunchOne(int64_t now) {
    auto longest = std::min_element(due_.begin(), due_.end(),
                                    [](const auto& a, const auto& b) { return a.second < b.second; });
    if (longest == due_.end() || longest->second > now) return false;
    AutovacuumArea& area = TheAutovacuum();
    LwLockGuard guard(area.lock, LwMode::kExclusive);
    for (int number = 0; number < area.count; ++number) {
      AutovacuumPlace& place = area.places()[number];
      if (place.state.load() != AutovacuumState::kFree) continue;
      place.database = longest->first;
      place.asked_us = now;
      place.relation.store(Oid::kInvalid);
      place.balanced.store(false);
      place.state.store(AutovacuumState::kAsked);
      longest->second = now + NapUs();
      guard.Release();
      NotifyPostmaster(PostmasterRequest::kStartAutovacuumWorker, number);
      return true;
    }
    return false;
  }

  static void GiveUpOnLateWorkers() {
    AutovacuumArea& area = TheAutovacuum();
    LwLockGuard guard(area.lock, LwMode::kExclusive);
    for (int number = 0; number < area.count; ++number) {
      AutovacuumPlace& place = area.places()[number];
      if (place.state.load() != AutovacuumState::kAsked || MonotonicUs() - place.asked_us < kStartTimeoutUs)
        continue;
      place.state.store(AutovacuumState::kFree);
      Log(Severity::kWarning, "autovacuum worker took too long to start; canceled");
    }
  }

  // Until the next database is due; the end of a worker wakes too.
  int64_t WaitMs(int64_t now) const {
    int64_t next = list_due_us_;
    for (const auto& [database, at] : due_) next = std::min(next, at);
    AutovacuumArea& area = TheAutovacuum();
    bool busy = std::none_of(area.places(), area.places() + area.count, [](const AutovacuumPlace& place) {
      return place.state.load() == AutovacuumState::kFree;
    });
    if (busy) return kStartTimeoutUs / 1000;
    return std::max((next - now) / 1000, kShortestWaitMs);
  }

  std::map<Oid, int64_t> due_;
  int64_t list_due_us_ = 0;
};

}  // namespace

void RunAutovacuumLauncher() {
  Log(Severity::kDebug1, "autovacuum launcher started");
  TheAutovacuum().launcher_slot.store(self_slot());
  OnProcessExit([] { TheAutovacuum().launcher_slot.store(-1); });
  JoinInvalidations();
  Launcher().Run();
  Log(Severity::kDebug1, "autovacuum launcher shutting down");
}

size_t AutovacuumAreaSize() {
  return sizeof(AutovacuumArea) +
         static_cast<size_t>(GetInt(Setting::kAutovacuumMaxWorkers)) * sizeof(AutovacuumPlace);
}

void AutovacuumAreaInit(void* at) {
  AutovacuumArea* area = new (at) AutovacuumArea{};
  area->lock.Init(LwRank::kAutovacuum);
  area->launcher_slot.store(-1);
  area->count = static_cast<int32_t>(GetInt(Setting::kAutovacuumMaxWorkers));
  for (int number = 0; number < area->count; ++number) new (&area->places()[number]) AutovacuumPlace{};
}

}  // namespace walden

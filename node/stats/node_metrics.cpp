// Processes, sessions and shared memory as metrics.
#include <algorithm>
#include <map>
#include <string>

#include "node/base/clock.h"
#include "node/config/settings.h"
#include "node/shm/lwlock.h"
#include "node/shm/process.h"
#include "node/shm/server_state.h"
#include "node/stats/activity.h"
#include "node/stats/counter_tables.h"
#include "node/stats/metrics.h"

namespace walden {
namespace {

constexpr std::string_view kPhaseNames[] = {"starting", "recovering", "hot standby", "running", "stopping"};
constexpr ActivityState kStates[] = {
    ActivityState::kActive,
    ActivityState::kIdle,
    ActivityState::kIdleInTransaction,
    ActivityState::kIdleInTransactionAborted,
    ActivityState::kFastpath,
    ActivityState::kDisabled,
};

double UnixSeconds(TimestampUs time) { return static_cast<double>(time + kUnixEpochToPostgresUs) / 1e6; }

void AddServerState(MetricSink& sink) {
  const ServerState* state = TheServerState();
  if (state == nullptr) return;
  NodePhase phase = state->phase.load(std::memory_order_relaxed);
  sink.Add(Metric::kUp, phase == NodePhase::kRunning || phase == NodePhase::kHotStandby ? 1 : 0);
  for (size_t i = 0; i < std::size(kPhaseNames); ++i) {
    sink.Add(Metric::kPhase, static_cast<size_t>(phase) == i ? 1 : 0, {kPhaseNames[i]});
  }
  sink.Add(Metric::kStartTime, UnixSeconds(state->start_time_us.load(std::memory_order_relaxed)));
  sink.Add(Metric::kConfigLoadTime, UnixSeconds(state->reload_time_us.load(std::memory_order_relaxed)));
  sink.Add(Metric::kCrashRestarts, state->restarts.load(std::memory_order_relaxed));
  for (size_t rank = 0; rank < static_cast<size_t>(LwRank::kCount); ++rank) {
    sink.Add(Metric::kLwLockWaits,
             static_cast<double>(state->lwlock_waits[rank].load(std::memory_order_relaxed)),
             {LwRankName(static_cast<LwRank>(rank))});
  }
}

void AddAreas(MetricSink& sink) {
  for (const AreaInfo& area : ListAreas())
    sink.Add(Metric::kAreaBytes, static_cast<double>(area.size_bytes), {area.name});
}

// The exempt kinds have no slot: the logger's and the exporter's own life is not seen here.
void AddProcesses(MetricSink& sink) {
  std::map<uint32_t, int> waiting;
  for (size_t i = 0; i < static_cast<size_t>(ProcessKind::kCount); ++i) {
    ProcessKind kind = static_cast<ProcessKind>(i);
    SlotRange range = SlotsOf(kind);
    if (range.count == 0) continue;
    int living = 0;
    uint64_t starts = 0;
    for (int slot = range.first; slot < range.first + range.count; ++slot) {
      starts += SlotAt(slot).generation.load(std::memory_order_relaxed);
      if (SlotAt(slot).pid.load(std::memory_order_relaxed) == 0) continue;
      ++living;
      uint32_t event = SlotAt(slot).wait_event.load(std::memory_order_relaxed);
      if (event != 0) ++waiting[event];
    }
    sink.Add(Metric::kProcesses, living, {BackendTypeName(kind)});
    sink.Add(Metric::kProcessStarts, static_cast<double>(starts), {BackendTypeName(kind)});
  }
  // Several lightweight locks may share a name: their waiters are one sample.
  std::map<std::pair<std::string_view, std::string_view>, int> by_name;
  for (auto [event, count] : waiting) by_name[{WaitEventType(event), WaitEventName(event)}] += count;
  for (auto [name, count] : by_name) sink.Add(Metric::kWaiting, count, {name.first, name.second});
}

struct StateSums {
  int sessions[std::size(kStates)] = {};
  TimestampUs oldest_transaction[std::size(kStates)] = {};  // 0: none
  int total = 0;
};

void CountSession(const ActivityRow& row, StateSums* sums) {
  ++sums->total;
  const ActivityState* state = std::find(std::begin(kStates), std::end(kStates), row.state);
  if (state == std::end(kStates)) return;
  size_t at = static_cast<size_t>(state - kStates);
  ++sums->sessions[at];
  TimestampUs& oldest = sums->oldest_transaction[at];
  if (row.transaction_start != 0 && (oldest == 0 || row.transaction_start < oldest))
    oldest = row.transaction_start;
}

void AddSessions(MetricSink& sink) {
  sink.Add(Metric::kConnections, CountSessions());
  sink.Add(Metric::kConnectionsMax, static_cast<double>(GetInt(Setting::kMaxConnections)));
  sink.Add(Metric::kConnectionsReserved, static_cast<double>(GetInt(Setting::kSuperuserReservedConnections)));
  std::map<Oid, StateSums> databases;
  ActivityRow row;
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) {
    if (ReadActivity(slot, &row) && row.database != Oid::kInvalid)
      CountSession(row, &databases[row.database]);
  }
  TimestampUs now = WallClockUs();
  for (const NamedDatabase& database : NamedDatabases()) {
    const StateSums& sums = databases[database.oid];
    std::string oid = std::to_string(OidNumber(database.oid));
    sink.Add(Metric::kBackends, sums.total, {oid, database.name});
    for (size_t i = 0; i < std::size(kStates); ++i) {
      std::string_view state = ActivityStateName(kStates[i]);
      TimestampUs oldest = sums.oldest_transaction[i];
      sink.Add(Metric::kActivityCount, sums.sessions[i], {database.name, state});
      sink.Add(Metric::kActivityMaxTx,
               oldest == 0 ? 0 : std::max(0.0, static_cast<double>(now - oldest) / 1e6),
               {database.name, state});
    }
  }
}

}  // namespace

void NodeMetrics(MetricSink& sink) {
  AddServerState(sink);
  AddAreas(sink);
  AddProcesses(sink);
  AddSessions(sink);
}

}  // namespace walden

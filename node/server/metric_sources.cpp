#include "node/server/metric_sources.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "node/base/clock.h"
#include "node/buffer/buffer_pool.h"
#include "node/config/settings.h"
#include "node/recovery/checkpoint.h"
#include "node/recovery/recovery_state.h"
#include "node/session/version.h"
#include "node/stats/metrics.h"
#include "node/storage/page.h"
#include "node/txn/durability.h"
#include "node/txn/horizon.h"
#include "node/txn/id_counters.h"
#include "node/txn/lease.h"
#include "node/txn/sender_slots.h"
#include "node/txn/transaction_slots.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

double Bytes(Lsn lsn) { return static_cast<double>(lsn.value); }
double AgeSeconds(TimestampUs time) { return std::max(0.0, static_cast<double>(WallClockUs() - time) / 1e6); }

Lsn OldestSnapshot() {
  uint64_t oldest = UINT64_MAX;
  for (int slot = 0; slot < TransactionSlotCount(); ++slot) {
    oldest = std::min(oldest, TransactionSlotOf(slot).snapshot_csn.load(std::memory_order_relaxed));
  }
  return oldest == UINT64_MAX ? PublishedLsn() : Lsn{oldest};
}

// Lag by the primary's clock, so that an idle pair shows none: what it had when it spoke last, less what is replayed,
// and the time since then. A replica that hears nothing falls behind by its own clock.
double LagSeconds(const PrimaryWord& word, Lsn replayed) {
  TimestampUs commit = LastReplayedCommitTime();
  if (word.heard == 0) return commit == 0 || ReceivedLsn() <= replayed ? 0 : AgeSeconds(commit);
  bool streaming = GetReceiverState() == ReceiverState::kStreaming;
  if (replayed >= word.end) return streaming ? 0 : AgeSeconds(word.heard);
  double behind = commit == 0 ? 0 : std::max(0.0, static_cast<double>(word.sent - commit) / 1e6);
  return behind + AgeSeconds(word.heard);
}

Standing StandingOfNode() {
  Standing standing;
  standing.in_recovery = InRecovery();
  standing.may_commit = LeaseHeld();
  if (!standing.in_recovery) return standing;
  Lsn replayed = ReplayedLsn();
  PrimaryWord word = LastPrimaryWord();
  Lsn known = std::max(ReceivedLsn(), word.end);
  if (known > replayed) standing.lag_bytes = known - replayed;
  standing.lag_seconds = LagSeconds(word, replayed);
  return standing;
}

void WalMetrics(MetricSink& sink) {
  sink.Add(Metric::kSharedBuffers, static_cast<double>(SharedBufferCount()) * kPageSize);
  sink.Add(Metric::kWalInsertLsn, Bytes(WalIsWritable() ? InsertPosition() : ReplayedLsn()));
  sink.Add(Metric::kWalFlushLsn,
           Bytes(WalIsWritable() ? FlushedLsn() : std::max(ReceivedLsn(), ReplayedLsn())));
  sink.Add(Metric::kWalTimeline, static_cast<double>(InRecovery() ? ReplayedTimeline() : WalTimeline()));
  sink.Add(Metric::kRedoLsn, Bytes(LastCheckpointRedo()));
}

void TransactionMetrics(MetricSink& sink) {
  sink.Add(Metric::kPublishedLsn, Bytes(PublishedLsn()));
  sink.Add(Metric::kSettledLsn, Bytes(SettledLsn()));
  sink.Add(Metric::kNextXid, static_cast<double>(NextXid().value));
  sink.Add(Metric::kOldestRunningXid, static_cast<double>(OldestRunningXid().value));
  sink.Add(Metric::kOldestSnapshotLsn, Bytes(OldestSnapshot()));
  sink.Add(Metric::kLeaseHeld, LeaseHeld() ? 1 : 0);
}

void ReplicaMetrics(MetricSink& sink) {
  Standing standing = StandingOfNode();
  sink.Add(Metric::kIsReplica, standing.in_recovery ? 1 : 0);
  sink.Add(Metric::kReplicaLag, standing.lag_seconds);
  sink.Add(Metric::kReplicaLagBytes, static_cast<double>(standing.lag_bytes));
  TimestampUs commit = standing.in_recovery ? LastReplayedCommitTime() : 0;
  sink.Add(Metric::kLastReplay, commit == 0 ? 0 : AgeSeconds(commit));
  sink.Add(Metric::kReplayLsn, Bytes(ReplayedLsn()));
  sink.Add(Metric::kReceiveLsn, Bytes(ReceivedLsn()));
  sink.Add(Metric::kReplayPaused, standing.in_recovery && GetReplayPause() == ReplayPause::kPaused ? 1 : 0);
  bool streaming = standing.in_recovery && GetReceiverState() == ReceiverState::kStreaming;
  sink.Add(Metric::kReceiverStreaming, streaming ? 1 : 0);
}

// A copy: the owner may be writing the name just now.
template <size_t kSize>
std::string TextOf(const char (&name)[kSize]) {
  return std::string(name, strnlen(name, kSize));
}

void AddSender(MetricSink& sink, int index) {
  const SenderSlot& sender = Sender(index);
  SenderState state = sender.state.load(std::memory_order_acquire);
  std::string application = TextOf(sender.application_name);
  std::string address = TextOf(sender.client_address);
  std::string number = std::to_string(index);
  std::string_view state_name = SenderStateName(state);
  Lsn current = WalIsWritable() ? FlushedLsn() : ReplayedLsn();
  Lsn applied{sender.apply_lsn.load(std::memory_order_relaxed)};
  sink.Add(Metric::kSenderCurrentLsn, Bytes(current), {application, address, number, state_name});
  sink.Add(Metric::kSenderDiff, applied < current ? static_cast<double>(current - applied) : 0,
           {application, address, number, state_name});
  sink.Add(Metric::kSenderSync, sender.sync_priority.load(std::memory_order_relaxed) != 0 ? 1 : 0,
           {application, address, number});
  struct Stage {
    std::string_view name;
    const std::atomic<uint64_t>& lsn;
    const std::atomic<int64_t>* lag_us;
  };
  const Stage stages[] = {{"sent", sender.sent_lsn, nullptr},
                          {"write", sender.write_lsn, &sender.write_lag_us},
                          {"flush", sender.flush_lsn, &sender.flush_lag_us},
                          {"apply", sender.apply_lsn, &sender.apply_lag_us}};
  for (const Stage& stage : stages) {
    sink.Add(Metric::kSenderLsn, static_cast<double>(stage.lsn.load(std::memory_order_relaxed)),
             {application, address, number, stage.name});
    int64_t lag_us = stage.lag_us == nullptr ? -1 : stage.lag_us->load(std::memory_order_relaxed);
    if (lag_us >= 0)
      sink.Add(Metric::kSenderLag, static_cast<double>(lag_us) / 1e6,
               {application, address, number, stage.name});
  }
}

void SenderMetrics(MetricSink& sink) {
  sink.Add(Metric::kSyncConfigured, SyncReplicationConfigured() ? 1 : 0);
  int connected = 0;
  for (int i = 0; i < MaxSenderSlots(); ++i) {
    SenderState state = Sender(i).state.load(std::memory_order_acquire);
    if (state == SenderState::kUnused || state == SenderState::kBackup) continue;
    ++connected;
    AddSender(sink, i);
  }
  sink.Add(Metric::kSenders, connected);
}

void VersionMetric(MetricSink& sink) {
  sink.Add(Metric::kStatic, 1, {VersionText(), GetString(Setting::kServerVersion)});
}

}  // namespace

void RegisterMetricSources() {
  for (MetricSource source : {NodeMetrics, CounterMetrics, VersionMetric, WalMetrics, TransactionMetrics,
                              ReplicaMetrics, SenderMetrics, SettingMetrics}) {
    RegisterMetricSource(source);
  }
  BindStanding(StandingOfNode);
}

}  // namespace walden

// Applies records in the order that their scopes demand: in the startup process, or, when there is much to replay, with redo
// workers (processes that the postmaster forks). A record of pages goes to the owners of its pages (RedoShare, buffer/redo.h);
// a barrier waits until everything before it is applied and is applied by the dispatcher. The end of a transaction waits in a
// list until everything before it is applied, while later records are dispatched already. Owner: recovery; used by the
// startup process only. README has the rules.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "node/base/ids.h"
#include "node/recovery/redo_queue.h"
#include "node/wal/reader.h"

namespace walden {

enum class RouteKind : uint8_t {
  kNothing,     // no redo
  kPages,       // each owner of a page replays its part
  kDispatcher,  // in the dispatcher, without waiting for workers
  kEnd,         // the end of a transaction, once everything earlier is applied
  kBarrier,     // in the dispatcher, once everything earlier is applied
};
// `hot_standby`: queries may be running.
RouteKind RouteRecord(const DecodedRecord& record, bool hot_standby);

class RedoDispatcher {
 public:
  explicit RedoDispatcher(bool check_consistency);
  ~RedoDispatcher();
  RedoDispatcher(const RedoDispatcher&) = delete;
  RedoDispatcher& operator=(const RedoDispatcher&) = delete;
  // Queries come. Requires: drained.
  void set_hot_standby(bool on) { hot_standby_ = on; }

  void Dispatch(const DecodedRecord& record);
  // Everything that was dispatched is applied and announced.
  void Drain();
  // Drains: there is nothing to replay for a moment. What comes then is replayed here until it is much again.
  void Pause();
  // Everything below is applied, ends of transactions too; announced (AnnounceReplayed).
  Lsn AppliedUpTo() const { return applied_; }
  // PANIC unless every page that was not found, here or in a worker, is explained. Drains.
  void CheckMissing();
  // Replay is over: the workers end.
  void Dismiss();

 private:
  void Apply(const DecodedRecord& record, RedoShare share = {});
  void ApplyWithoutWorkers(const DecodedRecord& record);
  void Route(const DecodedRecord& record);
  void Settle(const DecodedRecord& record);
  bool IsUnread(const DecodedRecord& record);
  void FanOut(const DecodedRecord& record);
  void Hold(const DecodedRecord& record);
  void Advance();
  void Announce(Lsn upto);
  void PublishAll(RedoWake wake);
  bool AllIdle();
  template <class Condition>
  void AwaitWorkers(DispatcherWait wait, Condition condition);
  void LookForWorkers(const DecodedRecord& record);
  static bool AllReady();
  static void AwaitReadiness();
  void Send(int worker, const RedoMessage& message, const void* payload);
  void Broadcast(RedoCommand command, const void* payload, size_t size);
  static void PassOnForgotten(const MissingRange& range);

  bool check_consistency_;
  bool hot_standby_ = false;
  std::vector<RedoWriter> writers_;        // one for each worker
  bool asked_for_ = false;                 // the postmaster starts the workers
  bool manned_ = false;                    // all are there
  bool parallel_ = false;                  // and work: records may be under way
  Lsn busy_since_ = kMaxLsn;               // where replay went on after its last pause
  std::deque<DecodedRecord> ends_;         // of transactions, not applied yet
  std::vector<DecodedRecord> spare_ends_;  // their memory, to be used again
  Lsn unread_;               // nobody reads below, nor will before it is shown (KeepSnapshotsFrom)
  Lsn awaited_;              // who wants a snapshot waits until this is shown
  uint32_t since_look_ = 0;  // records since Advance
  uint32_t looks_ = 0;
  TimelineId timeline_ = 0;
  Lsn dispatched_, applied_;
};

}  // namespace walden

// Where recovery is, in shared memory (area kRecovery), and what others ask of it. Owner: recovery. The
// startup process writes the positions; everybody reads them.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "node/base/clock.h"
#include "node/base/ids.h"

namespace walden {

size_t RecoveryShmSize();
void RecoveryShmInit(void* area);

// ---- positions ----
Lsn ReplayedLsn();  // everything below is applied; pg_last_wal_replay_lsn
TimelineId ReplayedTimeline();
Lsn ReceivedLsn();  // flushed by the WAL receiver; pg_last_wal_receive_lsn
TimelineId ReceivedTimeline();
TimestampUs LastReplayedCommitTime();  // pg_last_xact_replay_timestamp; 0: none
bool RecoveryIsConsistent();
// Sleeps until ReplayedLsn() >= lsn (WAIT FOR, remote_apply on this side, tests). False after timeout_ms.
bool WaitForReplay(Lsn lsn, int64_t timeout_ms);
// Callback after each advance that somebody may wait for (remote_apply acknowledgements). At most 4.
void OnReplayed(void (*callback)(Lsn replayed));

// ---- control ----
enum class ReplayPause : uint32_t { kNotPaused, kPauseRequested, kPaused };
ReplayPause GetReplayPause();
void SetReplayPause(bool pause);  // pg_wal_replay_pause / resume
void RequestPromotion();          // pg_promote, `walden promote`; sets the startup process's latch
bool PromotionRequested();

// ---- WAL receiver ----
// The startup process says from where it wants to be fed; the receiver reports what it has written and
// flushed.
// kStopped: no process. kWaiting: the last request is done with, as far as it went; the process waits for another.
enum class ReceiverState : uint32_t { kStopped, kStarting, kStreaming, kWaiting };
struct StreamRequest {
  Lsn start;  // start of a segment
  TimelineId timeline;
};
ReceiverState GetReceiverState();
// Startup: asks the postmaster for a receiver (or the waiting one) to stream from there.
void RequestStreaming(const StreamRequest& request);
void RequestStreamingStop();
// Receiver: takes the request; false if it should end. Then reports; each call wakes the startup process.
bool TakeStreamRequest(StreamRequest* request);
void ReportReceived(Lsn flushed, TimelineId timeline);
void SetReceiverState(ReceiverState state);
bool StreamingStopRequested();
// What the primary announced as settled (I8), kept across restarts: what was received and not announced stays
// invisible after one too. Not synced: an older value shows less. kMaxLsn: none was ever announced here.
void SaveAnnouncedSettled(Lsn settled);
Lsn LoadAnnouncedSettled();
// Receiver: its latch is set once ReplayedLsn() >= lsn; false: that is so already.
bool TellWhenReplayed(Lsn lsn);

// What pg_stat_wal_receiver shows besides. The receiver describes its connection, then notes every message.
struct ReceiverConnection {
  char slot_name[64];
  char sender_host[256];
  int32_t sender_port;
  char conninfo[1024];  // without secrets
};
struct ReceiverInfo {
  int32_t pid;  // 0: no receiver
  ReceiverState state;
  Lsn start;
  TimelineId start_timeline;
  Lsn written, flushed;
  TimelineId timeline;
  TimestampUs last_message_sent, last_message_received;
  Lsn latest_end;  // end of the primary's WAL as it said last, and when that last moved
  TimestampUs latest_end_time;
  ReceiverConnection connection;
};
void DescribeReceiver(const ReceiverConnection& connection);
void NoteReceiverMessage(TimestampUs sent, Lsn primary_end);
void ReportWritten(Lsn written);
// The primary's last message, without a lock: fields may stem from two messages. Zeros before the first.
struct PrimaryWord {
  Lsn end;            // of its WAL
  TimestampUs sent;   // by its clock
  TimestampUs heard;  // by ours
};
PrimaryWord LastPrimaryWord();
ReceiverInfo GetReceiverInfo();

}  // namespace walden

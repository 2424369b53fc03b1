// The write-ahead log: positions, flushing, segments. Owner: wal; state in shared memory area kWal.
//
// Inserting: a process announces a lower bound of where it will write, reserves a range of the stream with
// one atomic step on the insert word (position and redo epoch together), copies into the ring of WAL buffers,
// and withdraws the announcement. Nothing serialises inserters. All bytes below InsertedUpTo() are complete.
// Flushing: whoever finds no flush running flushes for everybody; committers that arrive meanwhile sleep, and
// the WAL writer takes them all with the next flush, so a lone committer never pays for a process switch.
// Lock order: page content locks < WAL (nothing is taken while inserting). WalWriteLock is held over file
// I/O; nobody waits for an inserter while holding it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "node/base/ids.h"
#include "node/wal/record_format.h"

namespace walden {

size_t WalShmSize();
int64_t AutomaticWalBuffers();  // blocks that wal_buffers = -1 stands for
void WalShmInit(void* area);

// The transaction that records of this process belong to (top or sub); txn keeps it up to date.
extern constinit thread_local Xid wal_writer_xid;

// ---- positions ----
Lsn InsertPosition();  // end of the last reserved record = start of the next
Lsn WrittenLsn();      // handed to the operating system up to here
Lsn FlushedLsn();      // durable up to here; one atomic load
TimelineId WalTimeline();
// Waits until every record reserved below `upto` has been copied, and returns a position at or above it up to
// which that is true.
Lsn InsertedUpTo(Lsn upto);

// ---- flushing ----
// Returns when WAL up to `upto` is durable. Never fails: an I/O error is a PANIC. Wait events WALWrite,
// WALSync. No-op in recovery for what was read from disk.
void Flush(Lsn upto);
// For asynchronous commit: have the WAL writer flush up to here soon; never waits.
void RequestFlush(Lsn upto);
// The newest asynchronous commit end that RequestFlush was told.
Lsn RequestedFlushLsn();
// Calls back (in the process that flushed, after each advance of FlushedLsn, holding no lock). txn moves
// settled_lsn, replication wakes its senders. At most 4; bound before the first fork.
void OnFlushed(void (*callback)(Lsn flushed));

// What Flush does while WAL is not writable (recovery): raise the minimum recovery point before a page is
// written.
void OnRecoveryFlush(void (*callback)(Lsn page_lsn));
// Called under write_lock when a segment is complete and durable: archiving, checkpoint triggers. Must be
// short.
void OnSegmentComplete(void (*callback)(uint64_t segment));

// ---- space ----
// Makes sure that segments for at least the next 16 MiB exist. Cheap when they do. Throws 53100 when the disk
// is full: call it before a critical section, so that a full disk fails the statement and not the node.
void EnsureWalSpace();

// ---- checkpoints ----
// The epoch protocol: the insert word holds the epoch; a record whose page-image decisions were made under
// another epoch than its reservation's is assembled again.
Lsn RedoLsn();  // pages with LSN <= this need an image when changed
// Fixes the redo point at the current insert position and starts a new epoch, in one atomic step.
Lsn BeginRedoEpoch();
// Full-page images even if full_page_writes is off (a base backup is running); counted, begins a new epoch.
void ForcePageImages(bool on);

// While one exists in a process, a checkpoint whose redo point was fixed meanwhile waits for its end before
// it writes anything: for actions whose WAL record precedes the change that the checkpoint must see (commit
// record before CLOG; hint image before the dirty bit). Keep it short; never wait for a lock inside.
// Nestable.
class DelayCheckpoint {
 public:
  DelayCheckpoint();
  ~DelayCheckpoint();
  DelayCheckpoint(const DelayCheckpoint&) = delete;
  DelayCheckpoint& operator=(const DelayCheckpoint&) = delete;
};
// Checkpointer: waits until every DelayCheckpoint that was in force at the call has ended.
void WaitForCheckpointDelays();

// ---- start and end of life ----
struct WalStart {
  Lsn insert_position;  // the next record goes here (a multiple of 8)
  TimelineId timeline;
  uint64_t system_id;
  Lsn redo;  // of the last checkpoint
};
// Startup process, at the end of recovery (or init): opens the log for writing. The ring is loaded with the
// bytes before insert_position in its 8 KiB block, so that the block can be rewritten.
void OpenWalForWriting(const WalStart& start);
// True between OpenWalForWriting and the shutdown checkpoint: WAL may be inserted. False on a standby.
bool WalIsWritable();
void CloseWalForWriting();  // after the shutdown checkpoint record; later inserts are a PANIC

// Ends the current segment (pg_switch_wal). Returns the end of what was written; no-op at a segment's start.
Lsn SwitchWalSegment();

// ---- segments ----
std::string WalSegmentName(TimelineId timeline, uint64_t segment);  // "000000010000000000000001"
bool ParseWalSegmentName(std::string_view name, TimelineId* timeline, uint64_t* segment);
std::string WalSegmentPath(TimelineId timeline, uint64_t segment);  // "pg_wal/..."
enum class SegmentFill : uint8_t {
  kZeroes,  // durable: records that are written and synced one by one are soon on disk
  kHole,  // for what is there as a whole and comes now. After a power failure it may be there without its header
};
// Makes a segment with its header if it does not exist. Throws 53100.
void CreateWalSegment(TimelineId timeline, uint64_t segment, uint64_t system_id,
                      SegmentFill fill = SegmentFill::kZeroes);
// Start of a new timeline in the middle of a segment: the new segment begins with a copy of the old one's
// bytes before `upto`, zeroes behind.
void CopyWalSegment(TimelineId from, TimelineId to, Lsn upto, uint64_t system_id);
// Checks magic, version, system id, timeline and number; a reason if it does not belong here.
bool CheckWalSegmentHeader(const SegmentHeader& header, TimelineId timeline, uint64_t segment,
                           uint64_t system_id, std::string* reason);
SegmentHeader MakeWalSegmentHeader(TimelineId timeline, uint64_t segment, uint64_t system_id);
// Creates or recycles segments ahead of the insert position; background processes call it. Returns how many.
int PreallocateWalSegments();
// After a checkpoint: takes the segments below `keep_from_segment` of timelines up to `timeline` that
// `may_recycle` (archived?) allows. They become future segments below `recycle_until`; what is more is
// removed. `gone` hears of each.
void RecycleWalSegments(uint64_t keep_from_segment, uint64_t recycle_until, TimelineId timeline,
                        bool (*may_recycle)(const std::string& name), void (*gone)(const std::string& name));

// Copies bytes [at, at+size) from the WAL buffers if they are all still there; false if not (read the file
// then). Requires at + size <= InsertedUpTo. Safe against concurrent overwriting: validated after the copy.
bool ReadWalBuffers(Lsn at, char* to, size_t size);

// ---- the WAL writer's work; the process loop is in recovery/wal_writer.h ----
// Writes and flushes what is worth it now; true if it did anything.
bool WalWriterCycle();
void RegisterWalWriter();  // this process serves flush requests
void UnregisterWalWriter();

}  // namespace walden

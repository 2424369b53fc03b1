// Which files must be fsynced, or unlinked, by the checkpointer. Writers put requests into a queue in shared
// memory; the checkpointer absorbs them into its private table and acts at each checkpoint. If the queue is
// full and cannot be compacted, the writer fsyncs itself. Owner: storage. Invariant: a page written before a
// checkpoint's redo point was read by it is in the queue (or the table) before the checkpoint calls
// SyncPendingFiles.
#pragma once

#include <cstddef>
#include <cstdint>

#include "node/storage/relation_file.h"

namespace walden {

// A file that can wait for its fsync: a relation segment, or a page file of another module (CLOG ...).
// kRelationDirectory: the directory of a database's files, whose entries are new; of `rel` only tablespace and database
// count.
enum class SyncKind : uint8_t { kRelation, kXact, kMultiXactOffsets, kMultiXactMembers, kRelationDirectory };
struct SyncTag {
  SyncKind kind = SyncKind::kRelation;
  Fork fork = Fork::kMain;
  uint32_t segment = 0;  // relation: segment of the fork; others: file number
  RelFileLocator rel;
  constexpr auto operator<=>(const SyncTag&) const = default;
};

size_t SyncQueueShmSize();
void SyncQueueShmInit(void* area);

// Called by whoever wrote. Never throws; may fsync (PANIC if that fails).
void RequestSync(const SyncTag& tag);
// Forget pending requests of files about to be unlinked.
void ForgetSyncs(const RelFileLocator& rel);
void ForgetSync(const RelFileLocator& rel, Fork fork);
void ForgetDatabaseSyncs(Oid database);
// Unlink the (already truncated) first segment after the next checkpoint.
void RequestUnlinkAfterCheckpoint(const RelFileLocator& rel);

// Checkpointer (or the startup process while there is none) only: makes this process the owner of the private
// table; requests of this process go straight into it.
void BecomeSyncOwner();
void AbsorbSyncRequests();
// Starts a new cycle: unlinks requested from now on wait for the next checkpoint.
void BeginSyncCycle();
// fsyncs all that is pending. Returns the number of files.
int SyncPendingFiles();
// Executes the unlinks requested before BeginSyncCycle.
void UnlinkPendingFiles();
// Counts unlinks and truncations of relation files, so that other processes close descriptors of unlinked
// files.
uint64_t FileDropGeneration();
void AdvanceFileDropGeneration();
// The path for tags that are not relations; bound by the owner of the kind before use.
using SyncPathFunction = void (*)(const SyncTag& tag, char* path, size_t size);
void BindSyncPath(SyncKind kind, SyncPathFunction function);

}  // namespace walden

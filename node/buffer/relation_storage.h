// Creating, truncating and dropping relation storage inside transactions. Owner: buffer.
//
// A created file is removed if the transaction (or subtransaction) aborts, or crashes before its commit
// record: create logs a record first. A dropped file is removed only after the commit is durable: its locator
// is carried by the commit record, so replay and standbys remove it too. txn calls the functions of the
// second part. Crash point: between file creation and commit: an orphaned file of an aborted transaction may
// stay; harmless.
#pragma once

#include <span>
#include <vector>

#include "node/base/ids.h"
#include "node/storage/relation_file.h"
#include "node/wal/record_handler.h"

namespace walden {

// Creates the main fork (for unlogged relations the caller also creates the init fork), WAL-logged for
// permanent ones, and schedules its removal should the (sub)transaction at `nest_level` abort. 1 = top level.
void CreateRelationStorage(const RelFileLocator& rel, int nest_level);
// Creates one more fork of an existing relation; logged if NeedsWal.
void CreateRelationFork(const RelFileLocator& rel, Fork fork);
// Schedules removal at commit; cancelled if the level aborts.
void DropRelationStorage(const RelFileLocator& rel, int nest_level);
// Was the file made by the subtransaction at `nest_level`, or by one that has become part of it?
bool StorageMadeAtLevel(const RelFileLocator& rel, int nest_level);
// Forgets a scheduled removal at abort (index build kept, swap of files).
void KeepRelationStorage(const RelFileLocator& rel, bool at_commit);

// Cuts forks immediately (not transactional; VACUUM, TRUNCATE of a file created in this transaction). Logged
// and flushed before any file shrinks. Requires: AccessExclusive lock on the relation.
struct ForkSize {
  Fork fork;
  BlockNumber blocks;
};
void TruncateRelationStorage(const RelFileLocator& rel, std::span<const ForkSize> sizes);

// ---- for txn ----
// What a commit (or abort) record must name: also what rolled back savepoints had made. Permanent and unlogged relations, not temporary
// ones.
std::vector<RelFileLocator> PendingFileDrops(bool at_commit);
// After the record is durable (commit) or after abort: drops buffers and unlinks; clears the list. Never
// throws: a failed unlink is a WARNING.
void ExecutePendingFileDrops(bool at_commit);
void SubCommitPendingFileDrops(int nest_level);  // entries of this level pass to the parent
void SubAbortPendingFileDrops(int nest_level);   // executes the aborts of this level
// PREPARE TRANSACTION: the state file carries them now.
void ForgetPendingFileDrops();
bool HasPendingFileDrops();

// Replay of a commit or abort record, and COMMIT PREPARED: drop buffers and files, forget missing pages.
void DropRelationFiles(std::span<const RelFileLocator> rels, bool redo);

// After a crash, before (false) and after (true) replay: unlogged relations are emptied back to their init
// fork, and temporary files are removed.
void ResetUnloggedRelations(bool after_replay);
void RemoveTemporaryRelationFiles();

std::span<const RecordHandler> StorageRecordHandlers();  // Storage/CREATE, TRUNCATE and XLOG/FPI*

}  // namespace walden

// Files of whole databases: copying a template, removing one. Record family Database.
//
// CREATE DATABASE copies page by page through the buffer pool and logs every page, so that neither a checkpoint nor a
// quiet source directory is needed, and a replica gets the same files.
// Crash point: before the commit: CreateRelationStorage's records remove the files again, an empty directory may stay.
// DROP DATABASE removes the files only after its commit: a crash in between leaves an orphaned directory, nothing else.
#include <charconv>
#include <cstring>
#include <map>

#include "node/buffer/buffer_pool.h"
#include "node/buffer/redo.h"
#include "node/buffer/relation_storage.h"
#include "node/catalog/bootstrap.h"
#include "node/catalog/database_records.h"
#include "node/os/file.h"
#include "node/shm/interrupts.h"
#include "node/stats/counter_tables.h"
#include "node/storage/page.h"
#include "node/storage/sync_queue.h"
#include "node/txn/transaction.h"
#include "node/txn/transaction_hooks.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

// Format: data of Database/CREATE and Database/DROP.
struct DatabaseRecord {
  Oid database;
  Oid tablespace;
};
static_assert(sizeof(DatabaseRecord) == 8);

constexpr std::string_view kVersionText = "15\n";

void MakeDatabaseDirectory(const DatabaseRecord& at) {
  std::string directory = DatabaseDirectory(at.tablespace, at.database);
  if (!PathExists(directory)) MakeDirectory(directory);
  WriteWholeFileDurably(directory + "/PG_VERSION", kVersionText);
}

void RemoveDatabase(const DatabaseRecord& at) {
  DropDatabaseBuffers(at.database);
  ForgetDatabaseStats(at.database);
  ForgetDatabaseSyncs(at.database);
  CloseDatabaseFiles(at.database);
  AdvanceFileDropGeneration();
  RemoveTree(DatabaseDirectory(at.tablespace, at.database));
}

Lsn LogDatabase(RecordKind kind, const DatabaseRecord& at) {
  CriticalSection critical;
  WalRecord record(kind);
  record.AddStruct(at);
  return record.Insert();
}

struct SourceForks {
  bool present[kForkCount] = {};
};

// Relation files of a database by number, from their names: 1259, 1259_fsm, 1259_vm.1 ...
std::map<uint32_t, SourceForks> ListRelations(Oid database, Oid tablespace) {
  std::map<uint32_t, SourceForks> found;
  for (const std::string& name : ListDirectory(DatabaseDirectory(tablespace, database))) {
    uint32_t number = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || number == 0) continue;
    std::string_view rest(end, name.data() + name.size() - end);
    for (int fork = 0; fork < kForkCount; ++fork) {
      std::string suffix = fork == 0 ? "" : "_" + std::string(ForkName(static_cast<Fork>(fork)));
      if (rest == suffix) found[number].present[fork] = true;
    }
  }
  return found;
}

void CopyFork(const RelFileLocator& from, const RelFileLocator& to, Fork fork) {
  BlockNumber blocks = RelationBlocks(from, fork);
  BufferStrategy read_ring(StrategyKind::kBulkRead), write_ring(StrategyKind::kBulkWrite);
  for (BlockNumber block = 0; block < blocks; ++block) {
    CheckInterrupts();
    char copy[kPageSize];
    {
      BufferPin source = ReadPage({from, fork, block}, ReadMode::kNormal, &read_ring);
      PageLock lock(source, PageLockMode::kShared);
      std::memcpy(copy, source.page(), kPageSize);
    }
    BufferPin target = ExtendRelation(to, fork, &write_ring);
    {
      CriticalSection critical;
      std::memcpy(target.page(), copy, kPageSize);
      target.MarkDirty();
      if (NeedsWal(to, fork)) LogNewPage({to, fork, block}, target.page(), false);
    }
    target.Unlock();
  }
}

void CopyRelation(uint32_t number, const SourceForks& forks, RelFileLocator from, RelFileLocator to) {
  from.number = to.number = number;
  bool unlogged = forks.present[static_cast<int>(Fork::kInit)];
  if (unlogged) from.owner = to.owner = RelFileLocator::kUnlogged;
  CreateRelationStorage(to, NestLevel());
  CopyFork(from, to, Fork::kMain);
  // The free space map is found again by VACUUM.
  for (Fork fork : {Fork::kVm, Fork::kInit}) {
    if (!forks.present[static_cast<int>(fork)]) continue;
    CreateRelationFork(to, fork);
    CopyFork(from, to, fork);
  }
}

void RedoCreate(RedoContext& redo) { MakeDatabaseDirectory(redo.record().Struct<DatabaseRecord>()); }

void RedoDrop(RedoContext& redo) {
  DatabaseRecord at = redo.record().Struct<DatabaseRecord>();
  ForgetMissingPagesOfDatabase(at.database);
  RemoveDatabase(at);
}

RedoConflict DropConflict(const DecodedRecord& record) {
  return {.database = record.Struct<DatabaseRecord>().database, .ends_sessions = true};
}

void Describe(const DecodedRecord& record, std::string* out) {
  DatabaseRecord at = record.Struct<DatabaseRecord>();
  *out += "dir " + std::to_string(OidNumber(at.tablespace)) + "/" + std::to_string(OidNumber(at.database));
}

constexpr RecordHandler kHandlers[] = {
    {RecordKind::kDatabaseCreate, RedoCreate, Describe},
    {RecordKind::kDatabaseDrop, RedoDrop, Describe, nullptr, DropConflict},
};

void RemoveAfterCommit(void* argument) {
  auto* at = static_cast<DatabaseRecord*>(argument);
  Flush(LogDatabase(RecordKind::kDatabaseDrop, *at));
  RemoveDatabase(*at);
  delete at;
}

void RemoveAfterAbort(void* argument) {
  auto* at = static_cast<DatabaseRecord*>(argument);
  RemoveDatabase(*at);
  delete at;
}

}  // namespace

void CopyDatabaseFiles(Oid source, Oid source_tablespace, Oid target, Oid target_tablespace) {
  DatabaseRecord at{target, target_tablespace};
  OnAbort(RemoveAfterAbort, new DatabaseRecord(at));
  LogDatabase(RecordKind::kDatabaseCreate, at);
  MakeDatabaseDirectory(at);
  RelFileLocator from{source_tablespace, source, 0, 0}, to{target_tablespace, target, 0, 0};
  for (const auto& [number, forks] : ListRelations(source, source_tablespace))
    CopyRelation(number, forks, from, to);
}

void DropDatabaseFiles(Oid database, Oid tablespace) {
  OnCommit(RemoveAfterCommit, new DatabaseRecord{database, tablespace});
}

std::span<const RecordHandler> DatabaseRecordHandlers() { return kHandlers; }

}  // namespace walden

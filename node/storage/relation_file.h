// Relation files: where a relation's pages live on disk. Names and layout are PostgreSQL's:
//   global/<number>                               shared catalogs (tablespace 1664)
//   base/<database>/<number>[_fsm|_vm|_init][.<segment>]     default tablespace 1663
//   pg_tblspc/<tablespace>/PG_15_<catversion>/<database>/...  others
//   .../t<slot>_<number>...                       temporary relations of the session in that process slot
// in segments of 1 GiB. Owner: storage. Only the buffer pool, bulk builders and recovery call Read/Write.
//
// Every function keeps its open files in a per-process cache. Whoever unlinks or shortens a file moves a
// shared generation, and every process closes its descriptors of unlinked files at its next file operation.
// Errors: SqlError with PostgreSQL's file-access SQLSTATEs; disk full is 53100 and leaves the file as it was.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "node/base/ids.h"

namespace walden {

inline constexpr Oid kDefaultTablespace{1663};
inline constexpr Oid kGlobalTablespace{1664};
inline constexpr BlockNumber kBlocksPerSegment = 131072;  // 1 GiB

// Which file. `owner` says who may lose it: it decides WAL logging and which buffers hold the pages, so it is
// part of the identity and every layer knows it without asking the catalog.
struct RelFileLocator {
  Oid tablespace{};
  Oid database{};       // 0 for shared catalogs
  uint32_t number = 0;  // pg_class.relfilenode
  uint32_t owner = 0;   // 0 permanent, 1 unlogged, 2 + process slot: temporary

  static constexpr uint32_t kUnlogged = 1;
  static constexpr uint32_t kFirstTemporary = 2;
  constexpr bool IsPermanent() const { return owner == 0; }
  constexpr bool IsUnlogged() const { return owner == kUnlogged; }
  constexpr bool IsTemporary() const { return owner >= kFirstTemporary; }
  constexpr int TemporarySlot() const { return static_cast<int>(owner - kFirstTemporary); }
  constexpr auto operator<=>(const RelFileLocator&) const = default;
};
static_assert(sizeof(RelFileLocator) == 16);

enum class Fork : uint8_t { kMain, kFsm, kVm, kInit };
inline constexpr int kForkCount = 4;
std::string_view ForkName(Fork fork);  // "main", "fsm", "vm", "init"

// True if changes of this fork are WAL-logged (and hints log images): permanent relations, and init forks.
constexpr bool NeedsWal(const RelFileLocator& rel, Fork fork = Fork::kMain) {
  return rel.IsPermanent() || (rel.IsUnlogged() && fork == Fork::kInit);
}

struct PageKey {
  RelFileLocator rel;
  Fork fork = Fork::kMain;
  BlockNumber block = 0;
  constexpr auto operator<=>(const PageKey&) const = default;
};

// Path relative to the data directory, of segment 0 ("base/5/16384_fsm") or of a later one (".2").
std::string RelationPath(const RelFileLocator& rel, Fork fork, uint32_t segment = 0);
// The directory that holds a database's files in a tablespace: "base/5".
std::string DatabaseDirectory(Oid tablespace, Oid database);
inline constexpr std::string_view kTablespaceVersionDirectory = "PG_15_202209061";

// Creates the fork's first segment. Existing file: error unless `may_exist` (redo).
void CreateRelationFile(const RelFileLocator& rel, Fork fork, bool may_exist = false);
bool RelationFileExists(const RelFileLocator& rel, Fork fork);
// Length in blocks (lseek); 0 if the file is missing and `missing_is_empty`.
BlockNumber RelationBlocks(const RelFileLocator& rel, Fork fork = Fork::kMain, bool missing_is_empty = false);
// Removes all segments of the fork(s); absent files are not an error. Buffers must be dropped first. The
// first main segment of a permanent relation is only truncated when `keep_until_checkpoint`, so that its
// number is not used again before the next checkpoint (a crash would replay old records into the new file).
void UnlinkRelationFiles(const RelFileLocator& rel, bool keep_until_checkpoint);
void UnlinkRelationFork(const RelFileLocator& rel, Fork fork);
// Cuts the fork to `blocks`. Buffers beyond must be dropped first.
void TruncateRelationFile(const RelFileLocator& rel, Fork fork, BlockNumber blocks);

// Reads whole pages, `count` neighbours in one call; they may cross segments. A short read throws XX001
// "could not read block ...: read only N of M bytes".
void ReadRelationPages(const PageKey& first, char* const* pages, int count);
// The same, but returns how many whole pages there were before the end of the fork.
int ReadRelationPagesUpTo(const PageKey& first, char* const* pages, int count);
// Writes over existing pages, from a private copy that carries the checksum: hint bits may change underneath.
// `sync`: register the segment for fsync at the next checkpoint (temporary relations never are; others pass
// false only when they call SyncRelationFile themselves).
void WriteRelationPages(const PageKey& first, const char* const* pages, int count, bool sync = true);
// Appends zeroed pages [first.block, first.block + count): 53100 with nothing changed if the disk is full.
void ExtendRelationFile(const PageKey& first, int count, bool sync = true);
// Asks the kernel to read ahead.
void PrefetchRelationPages(const PageKey& first, int count);
// Asks the kernel to start writing back (checkpoint_flush_after and the like).
void WritebackRelationPages(const PageKey& first, int count);
// fsyncs every segment of the fork now. A failed fsync is a PANIC (the kernel may have dropped the pages).
void SyncRelationFile(const RelFileLocator& rel, Fork fork);

// Closes this process's descriptors: of one relation, of one database, of all.
void CloseRelationFiles(const RelFileLocator& rel);
void CloseDatabaseFiles(Oid database);
void CloseAllRelationFiles();

// Whether pages carry checksums in this cluster (control file); set once at start, before any page is read.
extern bool data_checksums_enabled;

}  // namespace walden

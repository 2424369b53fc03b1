#include "node/buffer/relation_storage.h"

#include <algorithm>
#include <iterator>

#include "node/base/bytes.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/buffer/buffer_pool.h"
#include "node/buffer/redo.h"
#include "node/shm/interrupts.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

// Format: Storage/CREATE: 0 locator (16)  16 fork (4).
struct CreateRecord {
  RelFileLocator rel;
  uint32_t fork;
};
static_assert(sizeof(CreateRecord) == 20);
// Format: Storage/TRUNCATE: 0 locator (16)  16 count (4), then count times: fork (4) blocks (4).
struct TruncateHeader {
  RelFileLocator rel;
  uint32_t count;
};
struct TruncateFork {
  uint32_t fork;
  uint32_t blocks;
};

struct PendingDrop {
  RelFileLocator rel;
  bool at_commit;
  int nest_level;
};
thread_local std::vector<PendingDrop> pending;
// Files of savepoints that were rolled back: gone here, and the record of the transaction's end tells it to who replays.
thread_local std::vector<RelFileLocator> undone;

void LogCreate(const RelFileLocator& rel, Fork fork) {
  EnsureWalSpace();
  CreateRecord body{rel, static_cast<uint32_t>(fork)};
  WalRecord record(RecordKind::kRelationCreate);
  record.AddStruct(body);
  record.Insert();
}

}  // namespace

void CreateRelationStorage(const RelFileLocator& rel, int nest_level) {
  CreateRelationFile(rel, Fork::kMain);
  pending.push_back({rel, false, nest_level});
  MaybeFault(FaultPoint::kFileCreated);
  if (NeedsWal(rel)) LogCreate(rel, Fork::kMain);
}

void CreateRelationFork(const RelFileLocator& rel, Fork fork) {
  CreateRelationFile(rel, fork);
  if (NeedsWal(rel, fork)) LogCreate(rel, fork);
}

void DropRelationStorage(const RelFileLocator& rel, int nest_level) {
  pending.push_back({rel, true, nest_level});
}

bool StorageMadeAtLevel(const RelFileLocator& rel, int nest_level) {
  for (const PendingDrop& drop : pending) {
    if (!drop.at_commit && drop.rel == rel) return drop.nest_level == nest_level;
  }
  return false;
}

void KeepRelationStorage(const RelFileLocator& rel, bool at_commit) {
  std::erase_if(pending,
                [&](const PendingDrop& drop) { return drop.rel == rel && drop.at_commit == at_commit; });
}

namespace {

void TruncateFiles(const RelFileLocator& rel, std::span<const ForkSize> sizes) {
  for (const ForkSize& size : sizes) {
    DropRelationBuffersFrom(rel, size.fork, size.blocks);
    if (RelationFileExists(rel, size.fork)) TruncateRelationFile(rel, size.fork, size.blocks);
  }
}

Lsn LogTruncate(const RelFileLocator& rel, std::span<const ForkSize> sizes) {
  TruncateFork forks[kForkCount];
  uint32_t count = 0;
  for (const ForkSize& size : sizes) forks[count++] = {static_cast<uint32_t>(size.fork), size.blocks};
  TruncateHeader header{rel, count};
  WalRecord record(RecordKind::kRelationTruncate);
  record.AddStruct(header);
  record.AddData(forks, count * sizeof(TruncateFork));
  return record.Insert();
}

}  // namespace

void TruncateRelationStorage(const RelFileLocator& rel, std::span<const ForkSize> sizes) {
  if (!NeedsWal(rel)) {
    TruncateFiles(rel, sizes);
    return;
  }
  EnsureWalSpace();
  // A checkpoint that does not replay the record must find the files cut. And once the record is durable the
  // cut must happen: dropped dirty pages would otherwise come back in an older state.
  DelayCheckpoint delay;
  CriticalSection critical;
  Flush(LogTruncate(rel, sizes));
  TruncateFiles(rel, sizes);
  MaybeFault(FaultPoint::kFileTruncated);
}

// ---- the end of a transaction ----

std::vector<RelFileLocator> PendingFileDrops(bool at_commit) {
  std::vector<RelFileLocator> rels;
  for (const PendingDrop& drop : pending) {
    if (drop.at_commit == at_commit && !drop.rel.IsTemporary()) rels.push_back(drop.rel);
  }
  rels.insert(rels.end(), undone.begin(), undone.end());
  return rels;
}

namespace {

void DropQuietly(std::span<const RelFileLocator> rels) {
  if (rels.empty()) return;
  try {
    DropRelationFiles(rels, false);
  } catch (const SqlError& error) {
    Log(Severity::kWarning, "{}", error.what());
  }
}

}  // namespace

void ExecutePendingFileDrops(bool at_commit) {
  std::vector<PendingDrop> drops = std::move(pending);
  ForgetPendingFileDrops();
  std::vector<RelFileLocator> rels;
  for (const PendingDrop& drop : drops) {
    if (drop.at_commit == at_commit) rels.push_back(drop.rel);
  }
  DropQuietly(rels);
}

void SubCommitPendingFileDrops(int nest_level) {
  for (PendingDrop& drop : pending) {
    if (drop.nest_level >= nest_level) drop.nest_level = nest_level - 1;
  }
}

void SubAbortPendingFileDrops(int nest_level) {
  std::vector<RelFileLocator> rels;
  std::erase_if(pending, [&](const PendingDrop& drop) {
    if (drop.nest_level < nest_level) return false;
    if (!drop.at_commit) rels.push_back(drop.rel);
    return true;
  });
  DropQuietly(rels);
  std::copy_if(rels.begin(), rels.end(), std::back_inserter(undone),
               [](const RelFileLocator& rel) { return !rel.IsTemporary(); });
}

void ForgetPendingFileDrops() {
  pending.clear();
  undone.clear();
}
bool HasPendingFileDrops() { return !pending.empty() || !undone.empty(); }

void DropRelationFiles(std::span<const RelFileLocator> rels, bool redo) {
  DropBuffersOfRelations(rels);
  for (const RelFileLocator& rel : rels) {
    for (int fork = 0; redo && fork < kForkCount; ++fork) ForgetMissingPages(rel, static_cast<Fork>(fork), 0);
    UnlinkRelationFiles(rel, true);
  }
}

// ---- records ----

namespace {

void RedoImages(RedoContext& redo) {
  for (const PageRef& ref : redo.record().pages) {
    RedoAction action = redo.OpenPage(ref.id).action();
    if (action != RedoAction::kRestored && action != RedoAction::kElsewhere) {
      throw SqlError(ErrorCode::kDataCorrupted, "unexpected image record without image at {}",
                     redo.start().ToString());
    }
  }
}

void RedoCreate(RedoContext& redo) {
  auto body = redo.record().Struct<CreateRecord>();
  CreateRelationFile(body.rel, static_cast<Fork>(body.fork), true);
}

std::vector<ForkSize> TruncateSizes(const DecodedRecord& record) {
  auto header = record.Struct<TruncateHeader>();
  std::string_view rest = record.AfterStruct<TruncateHeader>();
  std::vector<ForkSize> sizes;
  for (uint32_t i = 0; i < header.count && rest.size() >= (i + 1) * sizeof(TruncateFork); ++i) {
    auto fork = Load<TruncateFork>(rest.data() + i * sizeof(TruncateFork));
    sizes.push_back({static_cast<Fork>(fork.fork), fork.blocks});
  }
  return sizes;
}

void RedoTruncate(RedoContext& redo) {
  RelFileLocator rel = redo.record().Struct<TruncateHeader>().rel;
  std::vector<ForkSize> sizes = TruncateSizes(redo.record());
  // The file may be gone already, or never have been written.
  CreateRelationFile(rel, Fork::kMain, true);
  Flush(redo.lsn());  // raises the minimum recovery point before the file shrinks
  for (const ForkSize& size : sizes) ForgetMissingPages(rel, size.fork, size.blocks);
  TruncateFiles(rel, sizes);
}

void DescribeCreate(const DecodedRecord& record, std::string* out) {
  auto body = record.Struct<CreateRecord>();
  *out += RelationPath(body.rel, static_cast<Fork>(body.fork));
}
void DescribeTruncate(const DecodedRecord& record, std::string* out) {
  *out += RelationPath(record.Struct<TruncateHeader>().rel, Fork::kMain);
  for (const ForkSize& size : TruncateSizes(record))
    *out += fmt::format(" {} to {} blocks", ForkName(size.fork), size.blocks);
}
void DescribeNothing(const DecodedRecord&, std::string*) {}

constexpr RecordHandler kHandlers[] = {
    {RecordKind::kFullPageImage, RedoImages, DescribeNothing},
    {RecordKind::kFullPageImageForHint, RedoImages, DescribeNothing},
    {RecordKind::kRelationCreate, RedoCreate, DescribeCreate},
    {RecordKind::kRelationTruncate, RedoTruncate, DescribeTruncate},
};

}  // namespace

std::span<const RecordHandler> StorageRecordHandlers() { return kHandlers; }

}  // namespace walden

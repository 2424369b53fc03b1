#include "node/storage/relation_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/os/file.h"
#include "node/shm/wait_events.h"
#include "node/storage/open_files.h"
#include "node/storage/page.h"
#include "node/storage/sync_queue.h"

namespace walden {

bool data_checksums_enabled = true;

namespace {

using open_files::IfMissing;

constexpr int kPagesPerCall = 32;
struct alignas(64) Bounce {
  char bytes[kPagesPerCall * kPageSize];
};
// One per process: copies for checksums on the way out, scattered pages on the way in. Not in thread-local storage itself,
// which every thread pays for, and which the small stacks of library threads (civetweb, gRPC) are taken from.
char* BounceBuffer() {
  static thread_local std::unique_ptr<Bounce> buffer;
  if (buffer == nullptr) buffer = std::make_unique_for_overwrite<Bounce>();
  return buffer->bytes;
}

uint32_t SegmentNumber(BlockNumber block) { return block / kBlocksPerSegment; }
uint64_t OffsetInFile(BlockNumber block) { return uint64_t{block % kBlocksPerSegment} * kPageSize; }
// How many of `count` pages from `block` on lie in its segment and fit one call.
int RunLength(BlockNumber block, int count) {
  int left = static_cast<int>(kBlocksPerSegment - block % kBlocksPerSegment);
  return std::min({count, left, kPagesPerCall});
}

void RegisterSync(const RelFileLocator& rel, Fork fork, uint32_t segment) {
  if (rel.IsTemporary()) return;
  RequestSync({SyncKind::kRelation, fork, segment, rel});
}

// A new file's entry must be durable when the checkpoint that covers its contents is.
void RegisterNewFile(const RelFileLocator& rel, Fork fork, uint32_t segment) {
  if (rel.IsTemporary()) return;
  RegisterSync(rel, fork, segment);
  SyncTag directory{.kind = SyncKind::kRelationDirectory};
  directory.rel.tablespace = rel.tablespace;
  directory.rel.database = rel.database;
  RequestSync(directory);
}

bool SegmentExists(const RelFileLocator& rel, Fork fork, uint32_t segment) {
  return open_files::Segment(rel, fork, segment, IfMissing::kReturnNull) != nullptr;
}

void UnlinkSegment(const std::string& path) noexcept {
  int result = fs().Unlink(path.c_str());
  if (result < 0 && result != -ENOENT) {
    Log(Severity::kWarning, "could not remove file \"{}\": {}", path, std::strerror(-result));
  }
}

// Frees the space at once even if another process still has the file open.
void EmptyAndUnlink(const RelFileLocator& rel, Fork fork, uint32_t segment) {
  int error = 0;
  std::string path = RelationPath(rel, fork, segment);
  File file = File::TryOpen(path, O_RDWR, &error);
  if (file.is_open()) fs().Truncate(file.fd(), 0);
  UnlinkSegment(path);
}

uint32_t SegmentCount(const RelFileLocator& rel, Fork fork) {
  uint32_t segment = 0;
  while (PathExists(RelationPath(rel, fork, segment))) ++segment;
  return segment;
}

}  // namespace

void CreateRelationFile(const RelFileLocator& rel, Fork fork, bool may_exist) {
  if (may_exist) MakeDirectories(DatabaseDirectory(rel.tablespace, rel.database));
  open_files::Segment(rel, fork, 0, may_exist ? IfMissing::kCreate : IfMissing::kCreateNew);
  RegisterNewFile(rel, fork, 0);
}

bool RelationFileExists(const RelFileLocator& rel, Fork fork) { return SegmentExists(rel, fork, 0); }

BlockNumber RelationBlocks(const RelFileLocator& rel, Fork fork, bool missing_is_empty) {
  uint64_t blocks = 0;
  for (uint32_t segment = 0;; ++segment) {
    bool may_miss = segment > 0 || missing_is_empty;
    File* file =
        open_files::Segment(rel, fork, segment, may_miss ? IfMissing::kReturnNull : IfMissing::kThrow);
    if (file == nullptr) break;
    uint64_t in_segment = file->Size() / kPageSize;
    blocks += std::min<uint64_t>(in_segment, kBlocksPerSegment);
    if (in_segment < kBlocksPerSegment) break;
  }
  return static_cast<BlockNumber>(std::min<uint64_t>(blocks, kInvalidBlock - 1));
}

void UnlinkRelationFork(const RelFileLocator& rel, Fork fork) {
  open_files::CloseFork(rel, fork);
  ForgetSync(rel, fork);
  for (uint32_t segment = SegmentCount(rel, fork); segment-- > 0;) EmptyAndUnlink(rel, fork, segment);
  AdvanceFileDropGeneration();
}

void UnlinkRelationFiles(const RelFileLocator& rel, bool keep_until_checkpoint) {
  open_files::Close(rel);
  ForgetSyncs(rel);
  for (int fork = kForkCount - 1; fork > 0; --fork) UnlinkRelationFork(rel, static_cast<Fork>(fork));
  uint32_t segments = SegmentCount(rel, Fork::kMain);
  bool keep_first = keep_until_checkpoint && rel.IsPermanent() && segments > 0;
  for (uint32_t segment = segments; segment-- > (keep_first ? 1u : 0u);)
    EmptyAndUnlink(rel, Fork::kMain, segment);
  if (keep_first) {
    int error = 0;
    File file = File::TryOpen(RelationPath(rel, Fork::kMain), O_RDWR, &error);
    if (file.is_open()) fs().Truncate(file.fd(), 0);
    RequestUnlinkAfterCheckpoint(rel);
  }
  AdvanceFileDropGeneration();
}

void TruncateRelationFile(const RelFileLocator& rel, Fork fork, BlockNumber blocks) {
  WaitEventScope waiting(WaitEvent::kDataFileTruncate);
  uint32_t last_kept = blocks == 0 ? 0 : SegmentNumber(blocks - 1);
  for (uint32_t segment = SegmentCount(rel, fork); segment-- > 0;) {
    if (segment > last_kept) {
      open_files::CloseFork(rel, fork);
      EmptyAndUnlink(rel, fork, segment);
      continue;
    }
    File* file = open_files::Segment(rel, fork, segment, IfMissing::kThrow);
    uint64_t keep = uint64_t{blocks - segment * kBlocksPerSegment} * kPageSize;
    if (segment == last_kept && file->Size() > keep) file->Truncate(keep);
    RegisterSync(rel, fork, segment);
    break;
  }
  AdvanceFileDropGeneration();
}

int ReadRelationPagesUpTo(const PageKey& first, char* const* pages, int count) {
  WaitEventScope waiting(WaitEvent::kDataFileRead);
  int done = 0;
  while (done < count) {
    BlockNumber block = first.block + static_cast<BlockNumber>(done);
    int run = RunLength(block, count - done);
    IfMissing if_missing = block == 0 ? IfMissing::kThrow : IfMissing::kReturnNull;
    File* file = open_files::Segment(first.rel, first.fork, SegmentNumber(block), if_missing);
    if (file == nullptr) return done;
    char* to = run == 1 ? pages[done] : BounceBuffer();
    size_t got = file->ReadAt(to, static_cast<size_t>(run) * kPageSize, OffsetInFile(block));
    int whole = static_cast<int>(got / kPageSize);
    for (int i = 0; run > 1 && i < whole; ++i) std::memcpy(pages[done + i], to + i * kPageSize, kPageSize);
    done += whole;
    if (whole < run) return done;
  }
  return done;
}

void ReadRelationPages(const PageKey& first, char* const* pages, int count) {
  int done = ReadRelationPagesUpTo(first, pages, count);
  if (done == count) return;
  BlockNumber block = first.block + static_cast<BlockNumber>(done);
  throw SqlError(ErrorCode::kDataCorrupted,
                 "could not read block {} in file \"{}\": read only {} of {} bytes", block,
                 RelationPath(first.rel, first.fork, SegmentNumber(block)), 0, kPageSize);
}

void WriteRelationPages(const PageKey& first, const char* const* pages, int count, bool sync) {
  WaitEventScope waiting(WaitEvent::kDataFileWrite);
  char* copy = BounceBuffer();
  for (int done = 0; done < count;) {
    BlockNumber block = first.block + static_cast<BlockNumber>(done);
    int run = RunLength(block, count - done);
    for (int i = 0; i < run; ++i) {
      char* page = copy + static_cast<size_t>(i) * kPageSize;
      std::memcpy(page, pages[done + i], kPageSize);
      HeaderOf(page)->checksum = 0;
      if (data_checksums_enabled && !PageIsNew(page)) {
        HeaderOf(page)->checksum = PageChecksum(page, block + static_cast<BlockNumber>(i));
      }
    }
    uint32_t segment = SegmentNumber(block);
    File* file = open_files::Segment(first.rel, first.fork, segment, IfMissing::kThrow);
    file->WriteAt(copy, static_cast<size_t>(run) * kPageSize, OffsetInFile(block));
    if (sync) RegisterSync(first.rel, first.fork, segment);
    done += run;
  }
}

namespace {

// Appends `count` zeroed pages within one segment; on failure the file is cut back to where it ended.
void ExtendSegment(const PageKey& at, int count) {
  File* file = open_files::Segment(
      at.rel, at.fork, SegmentNumber(at.block),
      at.block % kBlocksPerSegment == 0 && at.block > 0 ? IfMissing::kCreate : IfMissing::kThrow);
  if (at.block % kBlocksPerSegment == 0 && at.block > 0)
    RegisterNewFile(at.rel, at.fork, SegmentNumber(at.block));
  static const Bounce kZeroes{};
  uint64_t offset = OffsetInFile(at.block);
  ssize_t want = static_cast<ssize_t>(count) * static_cast<ssize_t>(kPageSize);
  ssize_t wrote = fs().Extend(file->fd(), kZeroes.bytes, static_cast<size_t>(want), offset);
  if (wrote == want) return;
  int error = wrote < 0 ? static_cast<int>(-wrote) : ENOSPC;
  fs().Truncate(file->fd(), offset);
  throw FileError(error, fmt::format("could not extend file \"{}\"", file->path()))
      .WithHint("Check free disk space.");
}

}  // namespace

void ExtendRelationFile(const PageKey& first, int count, bool sync) {
  WaitEventScope waiting(WaitEvent::kDataFileExtend);
  if (uint64_t{first.block} + static_cast<uint64_t>(count) >= kInvalidBlock) {
    throw SqlError(ErrorCode::kProgramLimitExceeded, "cannot extend file \"{}\" beyond {} blocks",
                   RelationPath(first.rel, first.fork), kInvalidBlock);
  }
  for (int done = 0; done < count;) {
    PageKey at = first;
    at.block += static_cast<BlockNumber>(done);
    int run = RunLength(at.block, count - done);
    ExtendSegment(at, run);
    MaybeFault(FaultPoint::kFileExtended);
    if (sync) RegisterSync(at.rel, at.fork, SegmentNumber(at.block));
    done += run;
  }
}

void PrefetchRelationPages(const PageKey& first, int count) {
  for (int done = 0; done < count;) {
    BlockNumber block = first.block + static_cast<BlockNumber>(done);
    int run = RunLength(block, count - done);
    File* file = open_files::Segment(first.rel, first.fork, SegmentNumber(block), IfMissing::kReturnNull);
    if (file == nullptr) return;
    file->Prefetch(OffsetInFile(block), static_cast<uint64_t>(run) * kPageSize);
    done += run;
  }
}

void WritebackRelationPages(const PageKey& first, int count) {
  WaitEventScope waiting(WaitEvent::kDataFileFlush);
  for (int done = 0; done < count;) {
    BlockNumber block = first.block + static_cast<BlockNumber>(done);
    int run = std::min(count - done, static_cast<int>(kBlocksPerSegment - block % kBlocksPerSegment));
    File* file = open_files::Segment(first.rel, first.fork, SegmentNumber(block), IfMissing::kReturnNull);
    if (file == nullptr) return;
    file->StartWriteBack(OffsetInFile(block), static_cast<uint64_t>(run) * kPageSize);
    done += run;
  }
}

void SyncRelationFile(const RelFileLocator& rel, Fork fork) {
  WaitEventScope waiting(WaitEvent::kDataFileImmediateSync);
  for (uint32_t segment = 0;; ++segment) {
    File* file = open_files::Segment(rel, fork, segment, IfMissing::kReturnNull);
    if (file == nullptr) return;
    file->SyncOrPanic();
  }
}

void CloseRelationFiles(const RelFileLocator& rel) { open_files::Close(rel); }
void CloseDatabaseFiles(Oid database) { open_files::CloseDatabase(database); }
void CloseAllRelationFiles() { open_files::CloseAll(); }

}  // namespace walden

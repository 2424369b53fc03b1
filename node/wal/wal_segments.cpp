// Segment files: making them ahead, recycling them, opening the one that is written.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "node/base/check.h"
#include "node/base/crc32c.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/shm/interrupts.h"
#include "node/shm/wait_events.h"
#include "node/wal/wal.h"
#include "node/wal/wal_shared.h"

namespace walden {

using namespace wal_internal;

std::string WalSegmentName(TimelineId timeline, uint64_t segment) {
  // 256 segments of 16 MiB make one 4 GiB "log file", as PostgreSQL names them.
  return fmt::format("{:08X}{:08X}{:08X}", timeline, segment / 256, segment % 256);
}

std::string WalSegmentPath(TimelineId timeline, uint64_t segment) {
  return "pg_wal/" + WalSegmentName(timeline, segment);
}

bool ParseWalSegmentName(std::string_view name, TimelineId* timeline, uint64_t* segment) {
  if (name.size() != 24) return false;
  uint64_t parts[3] = {};
  for (size_t i = 0; i < 24; ++i) {
    char c = name[i];
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return false;
    parts[i / 8] = parts[i / 8] << 4 | static_cast<uint64_t>(digit);
  }
  if (parts[2] >= 256) return false;
  *timeline = static_cast<TimelineId>(parts[0]);
  *segment = parts[1] * 256 + parts[2];
  return true;
}

SegmentHeader MakeWalSegmentHeader(TimelineId timeline, uint64_t segment, uint64_t system_id) {
  SegmentHeader header{};
  std::memcpy(header.magic, "WALDNWAL", 8);
  header.version = kWalVersion;
  header.timeline = timeline;
  header.system_id = system_id;
  header.segment_number = segment;
  header.segment_size = kWalSegmentSize;
  header.crc = Crc32c(0, &header, offsetof(SegmentHeader, crc));
  return header;
}

bool CheckWalSegmentHeader(const SegmentHeader& header, TimelineId timeline, uint64_t segment,
                           uint64_t system_id, std::string* reason) {
  SegmentHeader wanted = MakeWalSegmentHeader(timeline, segment, system_id);
  if (std::memcmp(&header, &wanted, sizeof wanted) == 0) return true;
  if (std::memcmp(header.magic, wanted.magic, 8) != 0 ||
      header.crc != Crc32c(0, &header, offsetof(SegmentHeader, crc))) {
    *reason = "it is not a WAL segment or its header is damaged";
  } else if (header.version != wanted.version) {
    *reason = fmt::format("it has WAL format version {}, this program has {}", header.version, kWalVersion);
  } else if (header.system_id != system_id) {
    *reason = fmt::format("it is from a different database system: its system identifier is {}, ours is {}",
                          header.system_id, system_id);
  } else {
    *reason = fmt::format("it holds segment {}", WalSegmentName(header.timeline, header.segment_number));
  }
  return false;
}

namespace {

constexpr size_t kFillBytes = 1024 * 1024;

std::string TemporarySegmentPath() {
  return fmt::format("pg_wal/{}{}.{}", kTemporaryPrefix, getpid(), self_slot());
}

void WriteHeader(const File& file, TimelineId timeline, uint64_t segment, uint64_t system_id) {
  char block[kWalSegmentHeaderSize] = {};
  SegmentHeader header = MakeWalSegmentHeader(timeline, segment, system_id);
  std::memcpy(block, &header, sizeof header);
  file.WriteAt(block, sizeof block, 0);
}

// Gives the finished temporary file its name unless a segment of that name exists. False if one does.
bool InstallSegment(const std::string& temporary, const std::string& path) {
  int result = fs().Link(temporary.c_str(), path.c_str());
  fs().Unlink(temporary.c_str());
  if (result == -EEXIST) return false;
  if (result < 0)
    throw FileError(-result, fmt::format("could not link file \"{}\" to \"{}\"", temporary, path));
  MaybeFault(FaultPoint::kWalSegmentInstalled);
  FsyncDirectory("pg_wal");
  return true;
}

// Removes the temporary file if making the segment fails half-way: a full disk must not stay full of it.
class TemporaryGuard {
 public:
  explicit TemporaryGuard(std::string path) : path_(std::move(path)) { fs().Unlink(path_.c_str()); }
  ~TemporaryGuard() {
    if (!path_.empty()) fs().Unlink(path_.c_str());
  }
  void Done() { path_.clear(); }

 private:
  std::string path_;
};

struct Writing {
  File file;
  TimelineId timeline = 0;
  uint64_t segment = UINT64_MAX;
};
thread_local Writing writing;

}  // namespace

void CreateWalSegment(TimelineId timeline, uint64_t segment, uint64_t system_id, SegmentFill fill) {
  std::string path = WalSegmentPath(timeline, segment);
  if (PathExists(path)) return;
  std::string temporary = TemporarySegmentPath();
  TemporaryGuard guard(temporary);
  {
    WaitEventScope waiting(WaitEvent::kWalInitWrite);
    File file = File::Open(temporary, O_RDWR | O_CREAT | O_EXCL);
    WriteHeader(file, timeline, segment, system_id);
    if (fill == SegmentFill::kHole)
      file.Truncate(kWalSegmentFileSize);
    else if (GetBool(Setting::kWalInitZero))
      WriteZeroes(file, kWalSegmentHeaderSize, kWalSegmentFileSize);
    else
      WriteZeroes(file, kWalSegmentFileSize - 1, kWalSegmentFileSize);
    if (fill == SegmentFill::kZeroes && GetBool(Setting::kFsync)) file.Sync();
  }
  MaybeFault(FaultPoint::kWalSegmentMade);
  InstallSegment(temporary, path);
  guard.Done();
}

void CopyWalSegment(TimelineId from, TimelineId to, Lsn upto, uint64_t system_id) {
  uint64_t segment = SegmentOf(upto), keep = OffsetInSegment(upto);
  std::string path = WalSegmentPath(to, segment), temporary = TemporarySegmentPath();
  TemporaryGuard guard(temporary);
  {
    File file = File::Open(temporary, O_RDWR | O_CREAT | O_EXCL);
    WriteHeader(file, to, segment, system_id);
    if (keep > 0) {
      File source = File::Open(WalSegmentPath(from, segment), O_RDONLY);
      std::unique_ptr<char[]> bytes(new char[keep]);
      source.ReadExactlyAt(bytes.get(), keep, kWalSegmentHeaderSize);
      file.WriteAt(bytes.get(), keep, kWalSegmentHeaderSize);
    }
    WriteZeroes(file, kWalSegmentHeaderSize + keep, kWalSegmentFileSize);
    file.Sync();
  }
  UnlinkIfExists(path);
  InstallSegment(temporary, path);
  guard.Done();
}

void wal_internal::WriteZeroes(const File& file, uint64_t from, uint64_t to) {
  static const std::unique_ptr<char[]> kZeroes(new char[kFillBytes]());
  for (uint64_t at = from; at < to;) {
    uint64_t run = std::min<uint64_t>(to - at, kFillBytes);
    file.WriteAt(kZeroes.get(), run, at);
    at += run;
  }
}

File* wal_internal::SegmentForWriting(TimelineId timeline, uint64_t segment, uint64_t system_id) {
  if (writing.segment == segment && writing.timeline == timeline && writing.file.is_open())
    return &writing.file;
  std::string path = WalSegmentPath(timeline, segment);
  auto method = GetEnum<WalSyncMethod>(Setting::kWalSyncMethod);
  int flags = O_RDWR;
  if (method == WalSyncMethod::kOpenSync) flags |= O_SYNC;
  if (method == WalSyncMethod::kOpenDatasync) flags |= O_DSYNC;
  int error = 0;
  File file = File::TryOpen(path, flags, &error);
  if (!file.is_open()) {
    CreateWalSegment(timeline, segment, system_id);
    file = File::Open(path, flags);
  }
  writing.file = std::move(file);
  writing.timeline = timeline;
  writing.segment = segment;
  return &writing.file;
}

void wal_internal::CloseSegmentForWriting() {
  writing.file.Close();
  writing.segment = UINT64_MAX;
}

void wal_internal::AdvancePreparedEnd(WalShared* wal) {
  TimelineId timeline = wal->timeline.load();
  uint64_t end = wal->prepared_end.load();
  while (PathExists(WalSegmentPath(timeline, SegmentOf(Lsn{end})))) {
    uint64_t next = end + kWalSegmentSize;
    if (wal->prepared_end.compare_exchange_strong(end, next)) end = next;
  }
}

namespace {

int PrepareUpTo(WalShared* wal, Lsn wanted) {
  int made = 0;
  while (wal->prepared_end.load() < wanted.value) {
    uint64_t segment = SegmentOf(Lsn{wal->prepared_end.load()});
    CreateWalSegment(wal->timeline.load(), segment, wal->system_id.load());
    ++made;
    AdvancePreparedEnd(wal);
  }
  return made;
}

}  // namespace

void EnsureWalSpace() {
  WalShared* wal = Shared();
  if (__builtin_expect(
          wal->position().value + kWalSegmentSize <= wal->prepared_end.load(std::memory_order_relaxed), 1))
    return;
  if (!WalIsWritable() || CriticalSection::Inside()) return;
  PrepareUpTo(wal, wal->position() + kWalSegmentSize);
}

int PreallocateWalSegments() {
  WalShared* wal = Shared();
  if (!WalIsWritable()) return 0;
  wal->maker_slot.store(self_slot(), std::memory_order_relaxed);
  return PrepareUpTo(wal, wal->position() + 3 * kWalSegmentSize);
}

namespace {

// Turns an old segment into a future one. The old name goes away first, so no reader mistakes it.
bool RecycleSegment(const std::string& old_path, TimelineId timeline, uint64_t segment, uint64_t system_id) {
  std::string temporary = TemporarySegmentPath();
  TemporaryGuard guard(temporary);
  RenamePath(old_path, temporary);
  MaybeFault(FaultPoint::kWalSegmentRecycling);
  {
    File file = File::Open(temporary, O_RDWR);
    if (file.Size() != kWalSegmentFileSize) return false;
    WriteHeader(file, timeline, segment, system_id);
    file.Sync();
  }
  bool installed = InstallSegment(temporary, WalSegmentPath(timeline, segment));
  guard.Done();
  return installed;
}

}  // namespace

void RecycleWalSegments(uint64_t keep_from_segment, uint64_t recycle_until, TimelineId timeline,
                        bool (*may_recycle)(const std::string& name), void (*gone)(const std::string& name)) {
  WalShared* wal = Shared();
  uint64_t system_id = wal->system_id.load();
  for (const std::string& name : ListDirectory("pg_wal")) {
    TimelineId file_timeline;
    uint64_t segment;
    if (name.starts_with(kErasedPrefix)) UnlinkIfExists("pg_wal/" + name);
    if (!ParseWalSegmentName(name, &file_timeline, &segment) || segment >= keep_from_segment) continue;
    if (file_timeline > timeline || !may_recycle(name)) continue;
    std::string path = "pg_wal/" + name;
    uint64_t next = SegmentOf(Lsn{wal->prepared_end.load()});
    if (GetBool(Setting::kWalRecycle) && WalIsWritable() && next < recycle_until) {
      RecycleSegment(path, timeline, next, system_id);
      AdvancePreparedEnd(wal);
    } else {
      UnlinkIfExists(path);
    }
    gone(name);
  }
}

}  // namespace walden

#include "replication/received_wal.h"

#include <algorithm>

#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/recovery/archive.h"
#include "node/shm/wait_events.h"
#include "node/wal/wal.h"

namespace walden::replication {

void ReceivedWal::Open(TimelineId timeline, uint64_t segment, Lsn coming) {
  if (file_.is_open() && timeline_ == timeline && segment_ == segment) return;
  Sync();
  std::string path = WalSegmentPath(timeline, segment);
  // Who is far behind fills whole segments at once: zeroes would only be one more round to the disk.
  SegmentFill fill = coming >= SegmentStart(segment + 1) ? SegmentFill::kHole : SegmentFill::kZeroes;
  CreateWalSegment(timeline, segment, system_id_, fill);
  file_ = File::Open(path, O_RDWR);
  SegmentHeader header{};
  std::string reason;
  bool usable = file_.ReadAt(&header, sizeof header, 0) == sizeof header &&
                CheckWalSegmentHeader(header, timeline, segment, system_id_, &reason);
  if (!usable) {
    // What another life of this directory left under that name.
    Log(Severity::kLog, "WAL file \"{}\" is replaced: {}", path, reason);
    file_.Close();
    UnlinkIfExists(path);
    CreateWalSegment(timeline, segment, system_id_, fill);
    file_ = File::Open(path, O_RDWR);
  }
  timeline_ = timeline;
  segment_ = segment;
}

void ReceivedWal::Write(TimelineId timeline, Lsn at, std::string_view bytes, Lsn coming) {
  while (!bytes.empty()) {
    Open(timeline, SegmentOf(at), coming);
    uint64_t offset = OffsetInSegment(at);
    size_t part = std::min<uint64_t>(bytes.size(), kWalSegmentSize - offset);
    {
      WaitEventScope shown(WaitEvent::kWalWrite);
      file_.WriteAt(bytes.data(), part, kWalSegmentHeaderSize + offset);
    }
    dirty_ = true;
    at = at + part;
    bytes.remove_prefix(part);
    if (offset + part == kWalSegmentSize) Complete();
  }
}

void ReceivedWal::Sync() {
  if (!dirty_) return;
  if (GetBool(Setting::kFsync)) {
    WaitEventScope shown(WaitEvent::kWalSync);
    file_.SyncOrPanic(true);
  }
  dirty_ = false;
}

void ReceivedWal::Complete() {
  Sync();
  file_.Close();
  // Otherwise the primary's archiver has it.
  if (GetEnum<ArchiveMode>(Setting::kArchiveMode) == ArchiveMode::kAlways)
    NotifyArchiver(WalSegmentName(timeline_, segment_));
}

}  // namespace walden::replication

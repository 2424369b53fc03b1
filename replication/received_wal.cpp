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
  if (file_ != nullptr && timeline_ == timeline && segment_ == segment) return;
  if (dirty_) Sync();  // a timeline that ends within its segment
  std::string path = WalSegmentPath(timeline, segment);
  // Who is far behind fills whole segments at once: zeroes would only be one more round to the disk.
  SegmentFill fill = coming >= SegmentStart(segment + 1) ? SegmentFill::kHole : SegmentFill::kZeroes;
  CreateWalSegment(timeline, segment, system_id_, fill);
  File file = File::Open(path, O_RDWR);
  SegmentHeader header{};
  std::string reason;
  bool usable = file.ReadAt(&header, sizeof header, 0) == sizeof header &&
                CheckWalSegmentHeader(header, timeline, segment, system_id_, &reason);
  if (!usable) {
    // What another life of this directory left under that name.
    Log(Severity::kLog, "WAL file \"{}\" is replaced: {}", path, reason);
    file.Close();
    UnlinkIfExists(path);
    CreateWalSegment(timeline, segment, system_id_, fill);
    file = File::Open(path, O_RDWR);
  }
  file_ = std::make_shared<File>(std::move(file));
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
      file_->WriteAt(bytes.data(), part, kWalSegmentHeaderSize + offset);
    }
    dirty_ = true;
    at = written_ = at + part;
    bytes.remove_prefix(part);
    if (offset + part == kWalSegmentSize) Complete();
  }
}

void ReceivedWal::Sync() {
  WaitEventScope shown(WaitEvent::kWalSync);
  if (dirty_ && GetBool(Setting::kFsync)) file_->SyncOrPanic(true);
  dirty_ = false;
  if (syncing_) syncing_->Await();
  Synced();
}

void ReceivedWal::BeginSync() {
  if (dirty_ && (!syncing_ || syncing_->Idle())) HandOver();
}

void ReceivedWal::HandOver() {
  if (!syncing_) syncing_.emplace();
  syncing_->Begin(GetBool(Setting::kFsync) ? file_ : nullptr, written_);
  dirty_ = false;
}

Lsn ReceivedWal::Synced() {
  if (!syncing_) return {};
  Lsn durable = syncing_->Done();
  while (!to_tell_.empty() && to_tell_.front().end <= durable) {
    NotifyArchiver(to_tell_.front().name);
    to_tell_.pop_front();
  }
  return durable;
}

void ReceivedWal::Complete() {
  HandOver();
  file_.reset();
  // Otherwise the primary's archiver has it.
  if (GetEnum<ArchiveMode>(Setting::kArchiveMode) == ArchiveMode::kAlways)
    to_tell_.push_back({written_, WalSegmentName(timeline_, segment_)});
}

}  // namespace walden::replication

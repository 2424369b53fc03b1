#include "replication/wal_tail.h"

#include <algorithm>

#include "node/base/error.h"
#include "node/wal/wal.h"

namespace walden::replication {

std::string WalTail::Read(TimelineId timeline, const TimelineHistory& history, Lsn at, size_t size) {
  std::string bytes(size, '\0');
  bool in_buffers = WalIsWritable() && timeline == WalTimeline() && ReadWalBuffers(at, bytes.data(), size);
  if (!in_buffers) ReadFiles(timeline, history, at, bytes.data(), size);
  return bytes;
}

void WalTail::ReadFiles(TimelineId timeline, const TimelineHistory& history, Lsn at, char* to, size_t size) {
  while (size > 0) {
    uint64_t segment = SegmentOf(at), offset = OffsetInSegment(at);
    size_t part = std::min<uint64_t>(size, kWalSegmentSize - offset);
    bool whole =
        Open(timeline, history, segment) && file_.ReadAt(to, part, kWalSegmentHeaderSize + offset) == part;
    // Looked at after the reading: the file may have been recycled under our hands.
    if (!whole || !IsStill()) {
      file_.Close();
      throw SqlError(ErrorCode::kUndefinedFile, "requested WAL segment {} has already been removed",
                     WalSegmentName(timeline, segment))
          .WithHint(
              "A replication slot keeps WAL for an absent replica. \"walden basebackup\" makes a new "
              "replica.");
    }
    at = at + part;
    to += part;
    size -= part;
  }
}

bool WalTail::Open(TimelineId timeline, const TimelineHistory& history, uint64_t segment) {
  if (file_.is_open() && file_segment_ == segment && asked_timeline_ == timeline) return true;
  asked_timeline_ = timeline;
  if (TryOpen(timeline, segment)) return true;
  for (const TimelineSpan& span : history) {
    bool holds_copy = span.timeline > timeline && SegmentOf(span.begin) <= segment;
    if (holds_copy && TryOpen(span.timeline, segment)) return true;
  }
  return false;
}

bool WalTail::TryOpen(TimelineId timeline, uint64_t segment) {
  int error = 0;
  file_ = File::TryOpen(WalSegmentPath(timeline, segment), O_RDONLY, &error);
  file_timeline_ = timeline;
  file_segment_ = segment;
  if (file_.is_open() && IsStill()) return true;
  file_.Close();
  return false;
}

bool WalTail::IsStill() const {
  SegmentHeader header{};
  std::string reason;
  return file_.ReadAt(&header, sizeof header, 0) == sizeof header &&
         CheckWalSegmentHeader(header, file_timeline_, file_segment_, system_id_, &reason);
}

}  // namespace walden::replication

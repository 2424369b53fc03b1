#include "node/recovery/timeline.h"

#include <cstdio>
#include <cstdlib>

#include "node/base/error.h"
#include "node/os/file.h"
#include "node/recovery/archive.h"

namespace walden {

std::string HistoryFileName(TimelineId timeline) { return fmt::format("{:08X}.history", timeline); }

TimelineHistory ParseHistory(TimelineId timeline, std::string_view text) {
  TimelineHistory history;
  Lsn begin = kInvalidLsn;
  while (!text.empty()) {
    std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.find_first_not_of(" \t\r") == std::string::npos || line[line.find_first_not_of(" \t")] == '#')
      continue;
    unsigned number, high, low;
    if (std::sscanf(line.c_str(), "%u\t%X/%X", &number, &high, &low) != 3) {
      throw SqlError(ErrorCode::kDataCorrupted, "syntax error in history file: {}", line);
    }
    Lsn end{uint64_t{high} << 32 | low};
    if (!history.empty() && number <= history.back().timeline) {
      throw SqlError(ErrorCode::kDataCorrupted, "invalid data in history file: {}", line)
          .WithHint("Timeline IDs must be in increasing sequence.");
    }
    history.push_back({number, begin, end});
    begin = end;
  }
  if (!history.empty() && timeline <= history.back().timeline) {
    throw SqlError(ErrorCode::kDataCorrupted, "invalid data in history file \"{}\"",
                   HistoryFileName(timeline))
        .WithHint("Timeline IDs must be less than child timeline's ID.");
  }
  history.push_back({timeline, begin, kMaxLsn});
  return history;
}

std::string FormatHistory(const TimelineHistory& history, std::string_view reason_of_last) {
  std::string text;
  for (size_t i = 0; i + 1 < history.size(); ++i) {
    std::string_view reason = i + 2 == history.size() ? reason_of_last : "inherited";
    text += fmt::format("{}\t{}\t{}\n", history[i].timeline, history[i].end.ToString(), reason);
  }
  return text;
}

namespace {

bool LoadHistory(TimelineId timeline, std::string* text) {
  std::string path = "pg_wal/" + HistoryFileName(timeline);
  if (TryReadWholeFile(path, text)) return true;
  return RestoreFromArchive(HistoryFileName(timeline), path) && TryReadWholeFile(path, text);
}

}  // namespace

TimelineHistory ReadHistory(TimelineId timeline) {
  std::string text;
  if (timeline == 1 || !LoadHistory(timeline, &text)) return {{timeline, kInvalidLsn, kMaxLsn}};
  return ParseHistory(timeline, text);
}

bool HistoryExists(TimelineId timeline) {
  std::string text;
  return timeline == 1 || LoadHistory(timeline, &text);
}

TimelineId FindNewestTimeline(TimelineId start) {
  TimelineId newest = start;
  while (HistoryExists(newest + 1)) ++newest;
  return newest;
}

void WriteHistory(TimelineId timeline, const TimelineHistory& parent, Lsn at, const std::string& reason) {
  TimelineHistory history = parent;
  history.back().end = at;
  history.push_back({timeline, at, kMaxLsn});
  std::string name = HistoryFileName(timeline);
  WriteWholeFileDurably("pg_wal/" + name, FormatHistory(history, reason));
  NotifyArchiver(name);
}

TimelineId TimelineOf(const TimelineHistory& history, Lsn lsn) {
  for (const TimelineSpan& span : history) {
    if (lsn < span.end) return span.timeline;
  }
  return history.back().timeline;
}

Lsn SwitchPoint(const TimelineHistory& history, TimelineId timeline) {
  for (const TimelineSpan& span : history) {
    if (span.timeline == timeline) return span.end;
  }
  return kInvalidLsn;
}

}  // namespace walden

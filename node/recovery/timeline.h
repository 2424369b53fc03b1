// Timelines: each recovery that ends in the middle of history starts a new one. A history file
// pg_wal/TTTTTTTT.history lists the ancestors: "<timeline>\t<lsn where the next began>\t<reason>" a line.
#pragma once

#include <string>
#include <vector>

#include "node/base/ids.h"

namespace walden {

struct TimelineSpan {
  TimelineId timeline;
  Lsn begin;
  Lsn end;  // kMaxLsn for the newest
};
// Oldest first; the last entry is the timeline itself.
using TimelineHistory = std::vector<TimelineSpan>;

std::string HistoryFileName(TimelineId timeline);  // "00000002.history"
// Text form, as stored. Throws on malformed text.
TimelineHistory ParseHistory(TimelineId timeline, std::string_view text);
std::string FormatHistory(const TimelineHistory& history, std::string_view reason_of_last);
// From pg_wal, or the archive (restore_command); timeline 1 and missing files have only themselves.
TimelineHistory ReadHistory(TimelineId timeline);
bool HistoryExists(TimelineId timeline);
// The newest timeline reachable from `start` by existing history files.
TimelineId FindNewestTimeline(TimelineId start);
// Writes the history of a new timeline that leaves `parent` at `at`.
void WriteHistory(TimelineId timeline, const TimelineHistory& parent, Lsn at, const std::string& reason);
TimelineId TimelineOf(const TimelineHistory& history, Lsn lsn);
// Where `timeline` ended in this history; kInvalidLsn if it is not part of it.
Lsn SwitchPoint(const TimelineHistory& history, TimelineId timeline);

}  // namespace walden

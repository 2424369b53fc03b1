// walden waldump: prints WAL records.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <map>

#include "node/base/error.h"
#include "node/cli/commands.h"
#include "node/os/file.h"
#include "node/server/composition.h"
#include "node/wal/reader.h"
#include "node/wal/record_handler.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

constexpr OptionSpec kOptions[] = {
    {'D', "pgdata", "DIR", "data directory, whose pg_wal is read (default: environment variable PGDATA)"},
    {'p', "path", "DIR", "directory of WAL segments"},
    {'s', "start", "LSN", "first position (default: the oldest record of the segments)"},
    {'e', "end", "LSN", "where to stop"},
    {'t', "timeline", "TLI", "timeline (default: the highest that has segments)"},
    {'n', "limit", "N", "print at most N records"},
    {'r', "rmgr", "FAMILY", "only records of this family (\"list\" shows them)"},
    {'x', "xid", "XID", "only records of this transaction"},
    {'R', "relation", "T/D/R", "only records that reference this relation (tablespace/database/number)"},
    {'z', "stats", nullptr, "counts and sizes by kind instead of records"},
};

Lsn ParseLsn(const CommandLine& line, std::string_view option) {
  std::string text = line.Value(option);
  unsigned high, low;
  char rest;
  if (std::sscanf(text.c_str(), "%X/%X%c", &high, &low, &rest) != 2)
    line.Fail(fmt::format("invalid WAL location: \"{}\"", text));
  return Lsn{uint64_t{high} << 32 | low};
}

struct Segments {
  TimelineId timeline = 0;
  uint64_t first = UINT64_MAX;
};

// The wanted timeline's lowest segment from which all later ones are there.
Segments FindSegments(const std::string& directory, TimelineId wanted) {
  std::map<TimelineId, std::vector<uint64_t>> found;
  for (const std::string& name : ListDirectory(directory)) {
    TimelineId timeline;
    uint64_t segment;
    if (ParseWalSegmentName(name, &timeline, &segment)) found[timeline].push_back(segment);
  }
  if (wanted != 0 && found.count(wanted) == 0) return {};
  if (found.empty()) return {};
  auto chosen = wanted != 0 ? found.find(wanted) : std::prev(found.end());
  return {chosen->first, chosen->second.front()};
}

class Filter {
 public:
  explicit Filter(const CommandLine& line) : family_(line.Value("rmgr")), relation_(line.Value("relation")) {
    if (line.Has("xid")) xid_ = Xid{std::strtoull(line.Value("xid").c_str(), nullptr, 10)};
  }
  bool Admits(const DecodedRecord& record) const {
    const RecordKindInfo* kind = FindRecordKind(record.kind);
    if (!family_.empty() && (kind == nullptr || kind->family != family_)) return false;
    if (xid_.IsValid() && record.xid != xid_) return false;
    if (relation_.empty()) return true;
    for (const PageRef& page : record.pages) {
      const RelFileLocator& rel = page.key.rel;
      if (fmt::format("{}/{}/{}", OidNumber(rel.tablespace), OidNumber(rel.database), rel.number) ==
          relation_)
        return true;
    }
    return false;
  }

 private:
  std::string family_, relation_;
  Xid xid_;
};

struct KindTotal {
  uint64_t count = 0, bytes = 0, image_bytes = 0;
};

uint64_t ImageBytes(const DecodedRecord& record) {
  uint64_t bytes = 0;
  for (const PageRef& page : record.pages) bytes += page.image.size();
  return bytes;
}

void PrintTotals(const std::map<std::string, KindTotal>& totals) {
  KindTotal sum;
  fmt::print("{:<32} {:>12} {:>16} {:>16}\n", "Type", "N", "Record bytes", "Image bytes");
  for (const auto& [name, total] : totals) {
    fmt::print("{:<32} {:>12} {:>16} {:>16}\n", name, total.count, total.bytes - total.image_bytes,
               total.image_bytes);
    sum.count += total.count;
    sum.bytes += total.bytes;
    sum.image_bytes += total.image_bytes;
  }
  fmt::print("{:<32} {:>12} {:>16} {:>16}\n", "Total", sum.count, sum.bytes - sum.image_bytes,
             sum.image_bytes);
}

std::string KindName(RecordKind kind) {
  const RecordKindInfo* info = FindRecordKind(kind);
  return info == nullptr ? fmt::format("unknown/{:#x}", static_cast<int>(kind))
                         : fmt::format("{}/{}", info->family, info->name);
}

void PrintRecord(const DecodedRecord& record) {
  fmt::print("rmgr: {:<12} len (rec/tot): {:>6}/{:>6}, tx: {:>10}, lsn: {}, desc: {}\n",
             FindRecordKind(record.kind) ? FindRecordKind(record.kind)->family : "unknown",
             record.bytes.size() - ImageBytes(record), record.bytes.size(), record.xid.value,
             record.start.ToString(), DescribeRecord(record));
}

int ListFamilies() {
  std::string_view last;
  for (const RecordKindInfo& kind : RecordKinds()) {
    if (kind.family != last) fmt::print("{}\n", kind.family);
    last = kind.family;
  }
  return 0;
}

}  // namespace

constexpr CommandSpec kWaldumpSpec{"waldump", "print the records of the write-ahead log", nullptr, kOptions,
                                   nullptr};

int WaldumpCommand(const CommandLine& line) {
  if (line.Value("rmgr") == "list") return ListFamilies();
  ComposeNode();
  std::string directory = line.Has("path") ? line.Value("path") : line.DataDirectory() + "/pg_wal";
  Segments segments = FindSegments(directory, static_cast<TimelineId>(line.IntValue("timeline", 0)));
  if (segments.timeline == 0) {
    fmt::print(stderr, "walden waldump: error: no WAL segments found in \"{}\"\n", directory);
    return 1;
  }
  FileWalSource source(directory, segments.timeline, line.Has("end") ? ParseLsn(line, "end") : kMaxLsn);
  WalReader reader(&source);
  Lsn start = line.Has("start") ? ParseLsn(line, "start") : SegmentStart(segments.first);
  if (!reader.SeekToRecord(start)) {
    fmt::print(stderr, "walden waldump: error: could not find a valid record after {}\n", start.ToString());
    return 1;
  }
  if (line.Has("start") && reader.position() != start) {
    fmt::print("first record is after {}, at {}, skipping over {} bytes\n", start.ToString(),
               reader.position().ToString(), reader.position() - start);
  }
  Filter filter(line);
  std::map<std::string, KindTotal> totals;
  int64_t left = line.Has("limit") ? line.IntValue("limit", 0) : INT64_MAX;
  DecodedRecord record;
  bool any = false;
  while (left > 0 && reader.Next(&record) == ReadResult::kRecord) {
    any = true;
    if (!filter.Admits(record)) continue;
    --left;
    if (line.Has("stats")) {
      KindTotal& total = totals[KindName(record.kind)];
      total.count += 1;
      total.bytes += record.bytes.size();
      total.image_bytes += ImageBytes(record);
    } else {
      PrintRecord(record);
    }
  }
  if (line.Has("stats")) PrintTotals(totals);
  if (!any) {
    fmt::print(stderr, "walden waldump: error: could not read WAL record at {}: {}\n",
               reader.position().ToString(), reader.error());
    return 1;
  }
  if (left > 0 && !line.Has("end")) {
    std::fflush(stdout);
    fmt::print(stderr, "walden waldump: end of WAL at {}: {}\n", reader.position().ToString(),
               reader.error());
  }
  return 0;
}

}  // namespace walden

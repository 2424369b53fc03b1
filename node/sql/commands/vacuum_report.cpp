#include "node/sql/commands/vacuum_report.h"

#include <fmt/format.h>

#include "node/catalog/identity.h"
#include "node/catalog/relation.h"
#include "node/catalog/syscache.h"
#include "node/config/settings.h"
#include "node/txn/id_counters.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

constexpr double kMegabyte = 1024 * 1024;

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}
double Percent(double part, double whole) { return whole > 0 ? 100.0 * part / whole : 100.0; }

}  // namespace

VacuumReport::VacuumReport() { getrusage(RUSAGE_SELF, &usage_); }

std::string VacuumReport::Rates() const {
  const BufferStatistics& now = buffer_statistics;
  double seconds = std::max(static_cast<double>(elapsed_us()) / 1e6, 1e-6);
  uint64_t hits = now.shared_hits - buffers_.shared_hits + now.local_hits - buffers_.local_hits;
  uint64_t misses = now.shared_reads - buffers_.shared_reads + now.local_reads - buffers_.local_reads;
  uint64_t dirtied =
      now.shared_dirtied - buffers_.shared_dirtied + now.local_dirtied - buffers_.local_dirtied;
  std::string text;
  if (GetBool(Setting::kTrackIoTiming)) {
    text += fmt::format("I/O timings: read: {:.3f} ms, write: {:.3f} ms\n",
                        static_cast<double>(now.read_us - buffers_.read_us) / 1000,
                        static_cast<double>(now.write_us - buffers_.write_us) / 1000);
  }
  auto rate = [&](uint64_t pages) { return static_cast<double>(pages * kPageSize) / kMegabyte / seconds; };
  text +=
      fmt::format("avg read rate: {:.3f} MB/s, avg write rate: {:.3f} MB/s\n", rate(misses), rate(dirtied));
  return text + fmt::format("buffer usage: {} hits, {} misses, {} dirtied\n", hits, misses, dirtied);
}

std::string VacuumReport::System() const {
  rusage now;
  getrusage(RUSAGE_SELF, &now);
  return fmt::format("system usage: CPU: user: {:.2f} s, system: {:.2f} s, elapsed: {:.2f} s",
                     Seconds(now.ru_utime) - Seconds(usage_.ru_utime),
                     Seconds(now.ru_stime) - Seconds(usage_.ru_stime),
                     static_cast<double>(elapsed_us()) / 1e6);
}

std::string VacuumReport::OfVacuum(const VacuumResult& result, std::span<const IndexDesc* const> indexes,
                                   bool index_cleanup) const {
  BlockNumber remain = result.pages - result.pages_removed;
  std::string text = fmt::format("index scans: {}\n", result.index_scans);
  text += fmt::format("pages: {} removed, {} remain, {} scanned ({:.2f}% of total)\n", result.pages_removed,
                      remain, result.pages_scanned, Percent(result.pages_scanned, result.pages));
  text += fmt::format("tuples: {:.0f} removed, {:.0f} remain, {:.0f} are dead but not yet removable\n",
                      result.rows_removed, result.live_rows, result.dead_rows_remaining);
  uint64_t age = NextXid().value - result.cutoff.value;
  text += fmt::format("removable cutoff: {}, which was {} XIDs old when operation ended\n",
                      result.cutoff.Low32(), age);
  const char* verb = !index_cleanup ? "bypassed" : result.index_scans > 0 ? "needed" : "not needed";
  text +=
      fmt::format("index scan {}: {} pages from table ({:.2f}% of total) {} {:.0f} dead item identifiers{}\n",
                  verb, result.dead_pages, Percent(result.dead_pages, result.pages),
                  index_cleanup ? "had" : "have", result.dead_pointers, index_cleanup ? " removed" : "");
  for (size_t i = 0; i < indexes.size() && result.index_scans > 0; ++i) {
    const IndexVacuumStats& index = result.indexes[i];
    text += fmt::format(
        "index \"{}\": pages: {} in total, {} newly deleted, {} currently deleted, {} reusable\n",
        indexes[i]->name, index.pages, index.pages_newly_deleted, index.pages_deleted, index.pages_free);
  }
  text += Rates();
  WalUsage wal = own_wal_usage;
  text += fmt::format("WAL usage: {} records, {} full page images, {} bytes\n", wal.records - wal_.records,
                      wal.page_images - wal_.page_images, wal.bytes - wal_.bytes);
  return text + System();
}

std::string VacuumReport::OfAnalyze() const { return Rates() + System(); }

std::string FullName(const Relation& relation) {
  RowRef<PgDatabaseRow> database = DatabaseRow(session_identity().database);
  return fmt::format("{}.{}.{}", database ? database->datname : "", SchemaName(relation.row.relnamespace),
                     relation.name());
}

}  // namespace walden

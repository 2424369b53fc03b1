// A background worker of ours: reads every page file at a low rate and reports pages whose checksum is wrong,
// before somebody needs them or the last good backup is gone. It reads beside the buffer pool and changes
// nothing.
#include <unistd.h>

#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/server/builtin_workers.h"
#include "node/server/page_files.h"
#include "node/shm/process.h"
#include "node/storage/page.h"

namespace walden {
namespace {

constexpr int kAttempts = 5;
constexpr int64_t kRetryMs = 20;
constexpr size_t kReadPages = 32;

class Scrub {
 public:
  explicit Scrub(WorkerContext& worker) : worker_(worker) {}

  // False: asked to stop before the end.
  bool Run() {
    for (const PageFile& file : ListPageFiles(".")) {
      if (!CheckFile(file)) return false;
      ++files_;
    }
    Log(Severity::kLog, "checksum scrub complete: {} files, {} blocks, {} bad", files_, blocks_, bad_);
    return true;
  }

 private:
  bool CheckFile(const PageFile& page_file) {
    int error_number;
    File file = File::TryOpen(page_file.path, O_RDONLY, &error_number);
    if (!file.is_open()) return true;  // dropped meanwhile
    alignas(8) static char pages[kReadPages * kPageSize];
    for (uint64_t offset = 0;; offset += sizeof pages) {
      size_t whole = file.ReadAt(pages, sizeof pages, offset) / kPageSize;
      for (size_t i = 0; i < whole; ++i)
        CheckPage(file, page_file, pages + i * kPageSize, offset + i * kPageSize);
      if (!Pace(whole * kPageSize)) return false;
      if (whole < kReadPages) return true;
    }
  }

  static bool IsGood(const char* page, BlockNumber block) {
    return PageIsNew(page) || HeaderOf(page)->checksum == PageChecksum(page, block);
  }

  // A page that is being written right now may be read half old, half new: only one that stays wrong is
  // reported.
  void CheckPage(const File& file, const PageFile& page_file, char* page, uint64_t offset) {
    ++blocks_;
    BlockNumber block = page_file.FirstBlock() + static_cast<BlockNumber>(offset / kPageSize);
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      if (IsGood(page, block)) return;
      if (!worker_.Sleep(kRetryMs) || file.ReadAt(page, kPageSize, offset) != kPageSize) return;
    }
    if (IsGood(page, block)) return;
    ++bad_;
    Log(Severity::kWarning, "page verification failed: block {} of file \"{}\" has a wrong checksum", block,
        page_file.path);
  }

  bool Pace(size_t bytes) {
    int64_t rate = GetInt(Setting::kChecksumScrubRate) * 1024;
    return worker_.Sleep(std::max<int64_t>(1, static_cast<int64_t>(bytes) * 1000 / rate));
  }

  WorkerContext& worker_;
  uint64_t files_ = 0, blocks_ = 0, bad_ = 0;
};

}  // namespace

void ScrubChecksums(WorkerContext& worker) {
  for (;;) {
    int64_t interval_ms = GetInt(Setting::kChecksumScrubInterval) * 60000;
    int64_t due_us = MonotonicUs() + interval_ms * 1000;
    while (interval_ms == 0 || MonotonicUs() < due_us) {
      if (!worker.Sleep(interval_ms == 0 ? -1 : (due_us - MonotonicUs()) / 1000 + 1)) return;
      // A reload may have changed the interval.
      if (GetInt(Setting::kChecksumScrubInterval) * 60000 != interval_ms) {
        interval_ms = GetInt(Setting::kChecksumScrubInterval) * 60000;
        due_us = MonotonicUs() + interval_ms * 1000;
      }
    }
    if (!Scrub(worker).Run()) return;
  }
}

}  // namespace walden

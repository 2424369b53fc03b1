// walden checksums: verifies the checksum of every page of a stopped node.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "node/base/error.h"
#include "node/cli/commands.h"
#include "node/cli/progress.h"
#include "node/os/file.h"
#include "node/server/data_directory.h"
#include "node/server/page_files.h"
#include "node/storage/page.h"

namespace walden {
namespace {

constexpr OptionSpec kOptions[] = {
    {'D', "pgdata", "DIR", "data directory (default: environment variable PGDATA)"},
    {'c', "check", nullptr, "check checksums (the default, and all that there is: pages always have them)"},
    {'f', "filenode", "NUMBER", "check only relation files with this number"},
    {'P', "progress", nullptr, "show progress"},
    {'v', "verbose", nullptr, "list the files"},
};

struct Totals {
  uint64_t files = 0, blocks = 0, bad = 0;
};

class Checker {
 public:
  explicit Checker(const CommandLine& line)
      : verbose_(line.Has("verbose")), progress_("checksums", line.Has("progress")) {
    if (line.Has("filenode")) only_ = static_cast<uint32_t>(line.IntValue("filenode", 0));
  }

  Totals Run(const std::string& directory) {
    std::vector<PageFile> files = ListPageFiles(directory);
    if (only_ != 0) std::erase_if(files, [&](const PageFile& file) { return file.number != only_; });
    for (const PageFile& file : files) progress_.AddTotal(file.size_bytes);
    for (const PageFile& file : files) CheckFile(file);
    progress_.Finish();
    return totals_;
  }

 private:
  void CheckFile(const PageFile& page_file) {
    const std::string& path = page_file.path;
    ++totals_.files;
    File file = File::Open(path, O_RDONLY);
    alignas(8) char page[kPageSize];
    for (uint64_t offset = 0;; offset += kPageSize) {
      size_t got = file.ReadAt(page, kPageSize, offset);
      if (got == 0) break;
      BlockNumber block = page_file.FirstBlock() + static_cast<BlockNumber>(offset / kPageSize);
      progress_.Advance(got);
      if (got != kPageSize) {
        fmt::print(stderr, "walden checksums: could not read block {} in file \"{}\": read {} of {}\n", block,
                   path, got, kPageSize);
        ++totals_.bad;
        break;
      }
      ++totals_.blocks;
      CheckPage(path, page, block);
    }
    if (verbose_) fmt::print("checksums verified in file \"{}\"\n", path);
  }

  void CheckPage(const std::string& path, const char* page, BlockNumber block) {
    if (PageIsNew(page)) return;
    uint32_t expected = PageChecksum(page, block);
    uint32_t stored = HeaderOf(page)->checksum;
    if (stored == expected) return;
    ++totals_.bad;
    fmt::print(stderr,
               "walden checksums: checksum verification failed in file \"{}\", block {}: calculated checksum "
               "{:X} but block contains {:X}\n",
               path, block, expected, stored);
  }

  bool verbose_;
  uint32_t only_ = 0;
  Progress progress_;
  Totals totals_;
};

}  // namespace

constexpr CommandSpec kChecksumsSpec{"checksums", "check the page checksums of a stopped node", nullptr,
                                     kOptions, "Exit code: 0 all pages are good, 1 otherwise."};

int ChecksumsCommand(const CommandLine& line) {
  std::string directory = line.DataDirectory();
  CheckDataDirectory(directory);
  if (RunningNode(directory)) {
    fmt::print(stderr, "walden checksums: error: cluster must be shut down\n");
    return 1;
  }
  Checker checker(line);
  Totals totals = checker.Run(directory);
  fmt::print("Checksum operation completed\nFiles scanned:   {}\nBlocks scanned:  {}\nBad checksums:  {}\n",
             totals.files, totals.blocks, totals.bad);
  return totals.bad == 0 ? 0 : 1;
}

}  // namespace walden

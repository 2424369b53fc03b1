// walden checksums: verifies the checksum of every page of a stopped node.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "node/base/error.h"
#include "node/cli/commands.h"
#include "node/cli/progress.h"
#include "node/os/file.h"
#include "node/server/data_directory.h"
#include "node/storage/page.h"
#include "node/storage/relation_file.h"

namespace walden {
namespace {

constexpr OptionSpec kOptions[] = {
    {'D', "pgdata", "DIR", "data directory (default: environment variable PGDATA)"},
    {'c', "check", nullptr, "check checksums (the default, and all that there is: pages always have them)"},
    {'f', "filenode", "NUMBER", "check only relation files with this number"},
    {'P', "progress", nullptr, "show progress"},
    {'v', "verbose", nullptr, "list the files"},
};

// "16384_vm.2" -> number, fork, segment. False for files that hold no pages.
bool ParseRelationFileName(std::string_view name, uint32_t* number, Fork* fork, uint32_t* segment) {
  *fork = Fork::kMain;
  *segment = 0;
  const char* end = name.data() + name.size();
  auto [after_number, error] = std::from_chars(name.data(), end, *number);
  if (error != std::errc()) return false;
  std::string_view rest(after_number, static_cast<size_t>(end - after_number));
  if (rest.starts_with('_')) {
    size_t dot = std::min(rest.find('.'), rest.size());
    std::string_view fork_name = rest.substr(1, dot - 1);
    *fork = fork_name == "fsm" ? Fork::kFsm : fork_name == "vm" ? Fork::kVm : Fork::kInit;
    if (fork_name != ForkName(*fork)) return false;
    rest.remove_prefix(dot);
  }
  if (rest.empty()) return true;
  if (rest[0] != '.') return false;
  auto [after_segment, segment_error] = std::from_chars(rest.data() + 1, end, *segment);
  return segment_error == std::errc() && after_segment == end;
}

struct Totals {
  uint64_t files = 0, blocks = 0, bad = 0;
};

class Checker {
 public:
  explicit Checker(const CommandLine& line) : verbose_(line.Has("verbose")), progress_("checksums", line.Has("progress")) {
    if (line.Has("filenode")) only_ = static_cast<uint32_t>(line.IntValue("filenode", 0));
  }

  void Plan(const std::string& directory) {
    if (!IsDirectory(directory)) return;
    for (const std::string& name : ListDirectory(directory)) {
      std::string path = directory + "/" + name;
      if (IsDirectory(path)) {
        Plan(path);
        continue;
      }
      Fork fork;
      uint32_t number, segment;
      if (!ParseRelationFileName(name, &number, &fork, &segment) || (only_ != 0 && number != only_)) continue;
      struct stat status = {};
      fs().Stat(path.c_str(), &status);
      files_.push_back({path, segment});
      progress_.AddTotal(static_cast<uint64_t>(status.st_size));
    }
  }

  Totals Run() {
    for (const auto& [path, segment] : files_) CheckFile(path, segment);
    progress_.Finish();
    return totals_;
  }

 private:
  void CheckFile(const std::string& path, uint32_t segment) {
    ++totals_.files;
    File file = File::Open(path, O_RDONLY);
    alignas(8) char page[kPageSize];
    for (uint64_t offset = 0;; offset += kPageSize) {
      size_t got = file.ReadAt(page, kPageSize, offset);
      if (got == 0) break;
      BlockNumber block = segment * kBlocksPerSegment + static_cast<BlockNumber>(offset / kPageSize);
      progress_.Advance(got);
      if (got != kPageSize) {
        fmt::print(stderr, "walden checksums: could not read block {} in file \"{}\": read {} of {}\n", block, path, got, kPageSize);
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
    fmt::print(stderr, "walden checksums: checksum verification failed in file \"{}\", block {}: calculated checksum {:X} but block contains {:X}\n",
               path, block, expected, stored);
  }

  bool verbose_;
  uint32_t only_ = 0;
  Progress progress_;
  std::vector<std::pair<std::string, uint32_t>> files_;
  Totals totals_;
};

}  // namespace

constexpr CommandSpec kChecksumsSpec{"checksums", "check the page checksums of a stopped node", nullptr, kOptions,
                                     "Exit code: 0 all pages are good, 1 otherwise."};

int ChecksumsCommand(const CommandLine& line) {
  std::string directory = line.DataDirectory();
  CheckDataDirectory(directory);
  if (RunningNode(directory)) {
    fmt::print(stderr, "walden checksums: error: cluster must be shut down\n");
    return 1;
  }
  Checker checker(line);
  for (const char* part : {"/global", "/base", "/pg_tblspc"}) checker.Plan(directory + part);
  Totals totals = checker.Run();
  fmt::print("Checksum operation completed\nFiles scanned:   {}\nBlocks scanned:  {}\nBad checksums:  {}\n", totals.files, totals.blocks,
             totals.bad);
  return totals.bad == 0 ? 0 : 1;
}

}  // namespace walden

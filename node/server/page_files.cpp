#include "node/server/page_files.h"

#include <algorithm>
#include <charconv>

#include "node/os/file.h"

namespace walden {
namespace {

void Collect(const std::string& directory, std::vector<PageFile>* files) {
  std::vector<std::string> names;
  if (fs().List(directory.c_str(), &names) < 0) return;
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    PageFile file;
    file.path = directory + "/" + name;
    struct stat status;
    if (fs().Stat(file.path.c_str(), &status) < 0) continue;
    if (S_ISDIR(status.st_mode)) {
      Collect(file.path, files);
    } else if (ParsePageFileName(name, &file)) {
      file.size_bytes = static_cast<uint64_t>(status.st_size);
      files->push_back(std::move(file));
    }
  }
}

}  // namespace

bool ParsePageFileName(std::string_view name, PageFile* file) {
  file->fork = Fork::kMain;
  file->segment = 0;
  const char* end = name.data() + name.size();
  auto [after_number, error] = std::from_chars(name.data(), end, file->number);
  if (error != std::errc()) return false;
  std::string_view rest(after_number, static_cast<size_t>(end - after_number));
  if (rest.starts_with('_')) {
    size_t dot = std::min(rest.find('.'), rest.size());
    std::string_view fork_name = rest.substr(1, dot - 1);
    file->fork = fork_name == "fsm" ? Fork::kFsm : fork_name == "vm" ? Fork::kVm : Fork::kInit;
    if (fork_name != ForkName(file->fork)) return false;
    rest.remove_prefix(dot);
  }
  if (rest.empty()) return true;
  if (rest[0] != '.') return false;
  auto [after_segment, segment_error] = std::from_chars(rest.data() + 1, end, file->segment);
  return segment_error == std::errc() && after_segment == end;
}

std::vector<PageFile> ListPageFiles(const std::string& data_directory) {
  std::vector<PageFile> files;
  for (const char* part : {"/base", "/global", "/pg_tblspc"}) Collect(data_directory + part, &files);
  return files;
}

}  // namespace walden

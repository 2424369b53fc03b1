#include "node/storage/open_files.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <unordered_map>
#include <vector>

#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/storage/sync_queue.h"

namespace walden::open_files {
namespace {

// What the system's limit must leave for sockets, logs, temporary files and libraries.
constexpr size_t kOtherFiles = 200;
constexpr size_t kFewestFiles = 50;

// max_files_per_process, or less where the system allows less.
size_t MostOpenFiles() {
  static const size_t most = [] {
    size_t wanted = static_cast<size_t>(GetInt(Setting::kMaxFilesPerProcess));
    rlimit limit = {};
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
    size_t allowed = std::max<size_t>(limit.rlim_cur, kOtherFiles + kFewestFiles) - kOtherFiles;
    return std::min(wanted, allowed);
  }();
  return most;
}

struct Key {
  RelFileLocator rel;
  Fork fork;
  uint32_t segment;
  bool operator==(const Key&) const = default;
};
struct KeyHash {
  size_t operator()(const Key& key) const {
    uint64_t hash = key.rel.number * 0x9E3779B97F4A7C15ull ^ (uint64_t{OidNumber(key.rel.database)} << 20);
    hash ^= (uint64_t{key.segment} << 4 | static_cast<uint64_t>(key.fork)) * 0xC4CEB9FE1A85EC53ull +
            key.rel.owner;
    return hash ^ (hash >> 31);
  }
};
struct Open {
  File file;
  uint64_t used = 0;
};

struct Cache {
  std::unordered_map<Key, Open, KeyHash> files;
  uint64_t clock = 0;
  uint64_t generation = 0;
};
thread_local Cache cache;

void CloseUnlinked() {
  uint64_t generation = FileDropGeneration();
  if (generation == cache.generation) return;
  cache.generation = generation;
  std::erase_if(cache.files, [](const auto& entry) {
    struct stat info;
    return fs().StatFd(entry.second.file.fd(), &info) < 0 || info.st_nlink == 0;
  });
}

void CloseOldest() {
  std::vector<uint64_t> ages;
  ages.reserve(cache.files.size());
  for (const auto& entry : cache.files) ages.push_back(entry.second.used);
  auto middle = ages.begin() + static_cast<ptrdiff_t>(ages.size() / 2);
  std::nth_element(ages.begin(), middle, ages.end());
  std::erase_if(cache.files, [limit = *middle](const auto& entry) { return entry.second.used < limit; });
}

}  // namespace

File* Segment(const RelFileLocator& rel, Fork fork, uint32_t segment, IfMissing if_missing) {
  CloseUnlinked();
  Key key{rel, fork, segment};
  auto found = cache.files.find(key);
  if (found != cache.files.end() && if_missing != IfMissing::kCreateNew) {
    found->second.used = ++cache.clock;
    return &found->second.file;
  }
  if (cache.files.size() >= MostOpenFiles()) CloseOldest();
  int flags = O_RDWR;
  if (if_missing == IfMissing::kCreate) flags |= O_CREAT;
  if (if_missing == IfMissing::kCreateNew) flags |= O_CREAT | O_EXCL;
  std::string path = RelationPath(rel, fork, segment);
  int error = 0;
  File file = File::TryOpen(path, flags, &error);
  if (!file.is_open()) {
    if (error == ENOENT && if_missing == IfMissing::kReturnNull) return nullptr;
    const char* verb = (flags & O_CREAT) != 0 ? "create" : "open";
    throw FileError(error, fmt::format("could not {} file \"{}\"", verb, path));
  }
  Open& open = cache.files[key];
  open.file = std::move(file);
  open.used = ++cache.clock;
  return &open.file;
}

void Close(const RelFileLocator& rel) {
  std::erase_if(cache.files, [&](const auto& entry) { return entry.first.rel == rel; });
}
void CloseFork(const RelFileLocator& rel, Fork fork) {
  std::erase_if(cache.files,
                [&](const auto& entry) { return entry.first.rel == rel && entry.first.fork == fork; });
}
void CloseDatabase(Oid database) {
  std::erase_if(cache.files, [&](const auto& entry) { return entry.first.rel.database == database; });
}
void CloseAll() { cache.files.clear(); }

}  // namespace walden::open_files

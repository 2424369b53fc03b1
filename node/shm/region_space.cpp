#include "node/shm/region_space.h"

#include <sys/statvfs.h>

#include <charconv>
#include <cstdint>

#include "node/base/error.h"
#include "node/os/file.h"

namespace walden {
namespace {

constexpr size_t kNoLimit = SIZE_MAX;

// "max" or a number in a cgroup file; kNoLimit when absent.
size_t ReadLimit(const std::string& path) {
  std::string text;
  size_t limit = kNoLimit;
  if (!TryReadWholeFile(path, &text)) return kNoLimit;
  std::from_chars(text.data(), text.data() + text.size(), limit);
  return limit;
}

size_t CgroupLimit() {
  std::string membership;
  if (!TryReadWholeFile("/proc/self/cgroup", &membership)) return kNoLimit;
  size_t v2 = membership.find("0::");
  if (v2 != std::string::npos) {
    std::string group = membership.substr(v2 + 3, membership.find('\n', v2) - v2 - 3);
    size_t limit = kNoLimit;
    // The tightest limit on the way up counts. Inside a container the root of the tree is the container
    // itself.
    for (std::string at = group == "/" ? "" : group;; at = at.substr(0, at.rfind('/'))) {
      limit = std::min(limit, ReadLimit("/sys/fs/cgroup" + at + "/memory.max"));
      if (at.empty()) return limit;
    }
  }
  return ReadLimit("/sys/fs/cgroup/memory/memory.limit_in_bytes");
}

std::string Megabytes(size_t bytes) { return fmt::format("{} MB", (bytes + (1 << 20) - 1) >> 20); }

}  // namespace

void RequireSharedMemorySpace(size_t size_bytes) {
  struct statvfs space;
  if (statvfs("/dev/shm", &space) == 0 && space.f_blocks > 0) {
    size_t free_bytes = static_cast<size_t>(space.f_bavail) * space.f_frsize;
    if (free_bytes < size_bytes) {
      throw SqlError(ErrorCode::kOutOfMemory,
                     "could not reserve shared memory: {} needed, {} free in /dev/shm", Megabytes(size_bytes),
                     Megabytes(free_bytes))
          .WithHint(
              "Reduce shared_buffers or max_connections, or enlarge /dev/shm (docker run --shm-size, or a "
              "memory-backed "
              "volume mounted at /dev/shm in Kubernetes).");
    }
  }
  size_t limit = CgroupLimit();
  if (limit != kNoLimit && limit < size_bytes) {
    throw SqlError(ErrorCode::kOutOfMemory,
                   "could not reserve shared memory: {} needed, the control group's memory limit is {}",
                   Megabytes(size_bytes), Megabytes(limit))
        .WithHint("Reduce shared_buffers, or raise the container's memory limit.");
  }
}

HugePages FindHugePages() {
  HugePages found;
  std::string mounts, memory;
  if (!TryReadWholeFile("/proc/mounts", &mounts) || !TryReadWholeFile("/proc/meminfo", &memory)) return found;
  size_t size_at = memory.find("Hugepagesize:");
  size_t type_at = mounts.find(" hugetlbfs ");
  if (size_at == std::string::npos || type_at == std::string::npos) return found;
  size_t digits = memory.find_first_of("0123456789", size_at);
  std::from_chars(memory.data() + digits, memory.data() + memory.size(), found.page_bytes);
  found.page_bytes *= 1024;
  size_t line = mounts.rfind('\n', type_at);
  size_t path_at = mounts.find(' ', line == std::string::npos ? 0 : line + 1) + 1;
  found.mount = mounts.substr(path_at, type_at - path_at);
  return found;
}

}  // namespace walden

// Is there room for a shared memory segment? Containers give /dev/shm 64 MB, where ftruncate succeeds and the
// first touch of a page beyond that is a SIGBUS; so the file system's space and the cgroup's limit are asked
// first.
#pragma once

#include <cstddef>
#include <string>

namespace walden {

// Throws 53200 with the sizes and the remedy when `size_bytes` cannot fit.
void RequireSharedMemorySpace(size_t size_bytes);

struct HugePages {
  std::string mount;  // empty: no hugetlbfs mount
  size_t page_bytes = 0;
};
HugePages FindHugePages();

}  // namespace walden

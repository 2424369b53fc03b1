// An anonymous region for unit tests and single-process commands, with the process table and the areas that
// the caller names.
//
//   PrivateRegion region({{Area::kBufferPool, BufferPoolBytes, InitBufferPool}});
//   ThreadIdentity me(0);                             // threads stand in for processes, also under TSAN
#pragma once

#include <memory>
#include <vector>

#include "node/shm/process.h"
#include "node/shm/region.h"

namespace walden {

class PrivateRegion {
 public:
  // One at a time per process. `areas` need not name kProcesses.
  explicit PrivateRegion(std::vector<AreaBinding> areas);
  ~PrivateRegion();
  PrivateRegion(const PrivateRegion&) = delete;
  PrivateRegion& operator=(const PrivateRegion&) = delete;

 private:
  std::unique_ptr<Region> region_;
};

// Gives the calling thread the n-th backend slot until the end of the scope.
class ThreadIdentity {
 public:
  explicit ThreadIdentity(int n, ProcessKind kind = ProcessKind::kBackend);
  ~ThreadIdentity();
  ThreadIdentity(const ThreadIdentity&) = delete;
  ThreadIdentity& operator=(const ThreadIdentity&) = delete;
};

}  // namespace walden

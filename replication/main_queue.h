// How other threads of a process reach its main thread: closures in a private queue, and the main thread's latch. Only the
// main thread touches shared memory; a thread of gRPC or a file reader only posts.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "node/shm/latch.h"

namespace walden::replication {

class MainQueue {
 public:
  // Made by the main thread.
  MainQueue();
  // Any thread.
  void Post(std::function<void()> work);
  void Wake() { latch_->Set(); }
  // Main thread: runs what was posted, in order. Returns whether there was anything.
  bool RunPending();

 private:
  Latch* latch_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // Guarded by: mutex_
  std::vector<std::function<void()>> running_;
};

}  // namespace walden::replication

#include "replication/main_queue.h"

#include "node/shm/process.h"

namespace walden::replication {

MainQueue::MainQueue() : latch_(&self().latch) {}

void MainQueue::Post(std::function<void()> work) {
  {
    std::lock_guard guard(mutex_);
    posted_.push_back(std::move(work));
  }
  latch_->Set();
}

bool MainQueue::RunPending() {
  {
    std::lock_guard guard(mutex_);
    std::swap(posted_, running_);
  }
  bool any = !running_.empty();
  for (std::function<void()>& work : running_) work();
  running_.clear();
  return any;
}

}  // namespace walden::replication

#include "replication/sync_thread.h"

#include <exception>

#include "node/base/check.h"
#include "node/os/process.h"
#include "node/shm/process.h"

namespace walden::replication {

SyncThread::SyncThread() : owner_(&self().latch) {
  SignalBlocker no_signals;  // the thread inherits it: signals are the main thread's
  thread_ = std::thread([this] { Work(); });
}

SyncThread::~SyncThread() {
  {
    std::lock_guard guard(mutex_);
    stop_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void SyncThread::Begin(std::shared_ptr<const File> file, Lsn upto) {
  {
    std::lock_guard guard(mutex_);
    tasks_.push_back({std::move(file), upto});
  }
  work_.notify_one();
}

bool SyncThread::Idle() const {
  std::lock_guard guard(mutex_);
  return tasks_.empty();
}

Lsn SyncThread::Done() const noexcept {
  std::lock_guard guard(mutex_);
  if (!failure_.empty()) Panic("{}", failure_);
  return done_;
}

void SyncThread::Await() {
  std::unique_lock guard(mutex_);
  idle_.wait(guard, [this] { return tasks_.empty(); });
}

void SyncThread::Work() {
  std::unique_lock guard(mutex_);
  for (;;) {
    work_.wait(guard, [this] { return stop_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    Task task = tasks_.front();
    guard.unlock();
    std::string failure;
    try {
      if (task.file != nullptr) task.file->Sync(true);
    } catch (const std::exception& error) {
      failure = error.what();
    }
    task.file.reset();
    guard.lock();
    tasks_.pop_front();
    if (!failure.empty() && failure_.empty()) failure_ = failure;
    // What comes after a failure is not durable whatever its own sync says.
    if (failure_.empty()) done_ = task.upto;
    owner_->Set();
    if (tasks_.empty()) idle_.notify_all();
  }
}

}  // namespace walden::replication

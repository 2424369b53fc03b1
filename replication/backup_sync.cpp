#include "replication/backup_sync.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "node/os/file.h"
#include "node/os/process.h"

namespace walden::replication {
namespace {

constexpr size_t kMoreThreads = 7;

class Syncing {
 public:
  explicit Syncing(const std::vector<std::string>& paths) : paths_(paths) {}

  template <class Check>
  void Work(Check check) noexcept {
    try {
      for (size_t i; (i = next_.fetch_add(1)) < paths_.size();) {
        check();
        FsyncPath(paths_[i]);
      }
    } catch (...) {
      next_.store(paths_.size());
      std::lock_guard guard(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }
  // Once all threads have ended.
  void Rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  const std::vector<std::string>& paths_;
  std::atomic<size_t> next_{0};
  std::mutex mutex_;
  std::exception_ptr error_;  // Guarded by: mutex_
};

}  // namespace

void FsyncAll(const std::vector<std::string>& paths, void (*check)()) {
  Syncing syncing(paths);
  {
    std::vector<std::jthread> threads;
    {
      SignalBlocker no_signals;  // threads made here inherit it: signals are the main thread's
      for (size_t i = 0; i < kMoreThreads && i + 1 < paths.size(); ++i)
        threads.emplace_back([&] { syncing.Work([] {}); });
    }
    syncing.Work(check);
  }
  syncing.Rethrow();
}

}  // namespace walden::replication

// Makes files durable while their owner goes on writing. Belongs to one process's main thread; a thread of its own does nothing
// but fsync.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "node/base/ids.h"
#include "node/os/file.h"
#include "node/shm/latch.h"

namespace walden::replication {

class SyncThread {
 public:
  SyncThread();
  // What was handed over is finished.
  ~SyncThread();

  // Everything written to `file` so far is made durable, after what was handed over before. All of the log below `upto` is in it or
  // in those. The owner's latch is set afterwards. No file: there is nothing to wait for but what came before.
  void Begin(std::shared_ptr<const File> file, Lsn upto);
  // Nothing is on its way.
  bool Idle() const;
  // What was handed over is durable up to here. A failed sync is a PANIC: it cannot be repeated.
  Lsn Done() const noexcept;
  // Returns when nothing is on its way any more.
  void Await();

 private:
  struct Task {
    std::shared_ptr<const File> file;
    Lsn upto;
  };
  void Work();

  Latch* owner_;
  mutable std::mutex mutex_;
  std::condition_variable work_, idle_;
  std::deque<Task> tasks_;  // the first is being worked on. Guarded by: mutex_
  Lsn done_;                // Guarded by: mutex_
  std::string failure_;     // Guarded by: mutex_
  bool stop_ = false;       // Guarded by: mutex_
  std::thread thread_;
};

}  // namespace walden::replication

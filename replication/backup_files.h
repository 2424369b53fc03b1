// Which files a base backup consists of, and their way onto the network. Runs in a thread of its own: touches files, never
// shared memory.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "node/os/file.h"
#include "replication/file_batch.h"
#include "replication/main_queue.h"

namespace walden::replication {

struct BackupFile {
  std::string path;  // relative to the data directory
  bool is_directory = false;
  mode_t mode = 0;
  uint64_t size_bytes = 0;
  std::optional<std::string> content;  // made up, not read
};

// The files of the data directory (the current one unless `root` says otherwise), directories before what is in them, the control
// file last. Left out: what belongs to a running node, what a start makes anew, unlogged and temporary relations,
// WAL.
std::vector<BackupFile> ListBackupFiles(const std::string& root);

// Turns files into messages, a few ahead of the network.
class BackupFileReader {
 public:
  struct Options {
    std::string root;
    uint32_t max_rate_kb = 0;
    bool compress = false;
    bool batches = true;  // the receiver understands them
  };
  BackupFileReader(MainQueue& queue, const Options& options, std::vector<BackupFile> files);
  ~BackupFileReader();  // ends the thread

  // Main thread. False: nothing ready.
  bool Pop(OutMessage* message);
  // Everything was popped. Throws what went wrong.
  bool Finished();
  // Bytes of content that were read so far. Any thread.
  uint64_t read_bytes() const { return read_bytes_.load(std::memory_order_relaxed); }

 private:
  void Run();
  void SendFile(const BackupFile& listed);
  void SendContent(const BackupFile& listed, const File& file, uint64_t size);
  void SendBatch();
  void Push(OutMessage message);
  void Throttle(uint64_t bytes);
  struct Stopped {};

  MainQueue& queue_;
  Options options_;
  std::vector<BackupFile> files_;
  FileBatch batch_;  // of the thread
  int64_t started_us_;
  std::atomic<uint64_t> read_bytes_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by: mutex_
  std::deque<OutMessage> ready_;
  bool done_ = false, stop_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace walden::replication

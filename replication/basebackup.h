// `walden basebackup`: copies a running node's data directory over gRPC.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace walden::replication {

struct BaseBackupOptions {
  std::string directory;    // made, or empty
  std::string conninfo;     // keyword = value ...; port is the replication port
  std::string label = "walden basebackup";
  std::string slot;         // with create_slot made first
  bool create_slot = false;
  bool fast_checkpoint = false;
  bool write_recovery_conf = false;  // standby.signal and primary_conninfo
  bool include_wal = true;
  bool compress = true;
  uint32_t max_rate_kb = 0;
  bool sync = true;
};

struct BaseBackupProgress {
  std::function<void(const std::string&)> say;           // one line for --verbose
  std::function<void(uint64_t total_bytes)> total;
  std::function<void(uint64_t bytes)> advance;
};

// Throws SqlError: what the server said, or what is wrong here. An incomplete directory is emptied again.
void TakeBaseBackup(const BaseBackupOptions& options, const BaseBackupProgress& progress);

}  // namespace walden::replication

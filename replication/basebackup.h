// `walden basebackup`: copies a running node's data directory over gRPC.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "replication/conninfo.h"

namespace walden::replication {

struct BaseBackupOptions {
  std::string directory;    // made, or empty
  Conninfo conninfo;        // its port is the replication port
  std::string label = "walden basebackup";
  std::string slot;         // with create_slot made first
  bool create_slot = false;
  bool fast_checkpoint = false;
  bool write_recovery_conf = false;  // standby.signal and primary_conninfo
  bool include_wal = true;
  bool compress = false;
  uint32_t max_rate_kb = 0;
  bool sync = true;
  // Asked when the node wants a password and none is known; may be empty.
  std::function<std::string()> ask_password;
};

struct BaseBackupProgress {
  std::function<void(const std::string&)> say;           // one line for --verbose
  std::function<void(uint64_t total_bytes)> total;
  std::function<void(uint64_t bytes)> advance;
};

// Throws SqlError: what the server said, or what is wrong here; 57014 after RequestBackupStop. The caller removes what an
// incomplete backup left.
void TakeBaseBackup(const BaseBackupOptions& options, const BaseBackupProgress& progress);
// Async-signal-safe: the backup ends with an error.
void RequestBackupStop();

}  // namespace walden::replication

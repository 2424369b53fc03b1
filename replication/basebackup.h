// `walden basebackup`: copies a running node's data directory over gRPC.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "replication/conninfo.h"

namespace walden::replication {

struct BaseBackupOptions {
  std::string directory;  // empty, or what an earlier call left: then that one's backup goes on
  Conninfo conninfo;      // its port is the replication port
  std::string label = "walden basebackup";
  std::string slot;  // with create_slot made first
  bool create_slot = false;
  bool fast_checkpoint = false;
  bool write_recovery_conf = false;  // standby.signal and primary_conninfo
  bool include_wal = true;
  bool compress = false;
  uint32_t max_rate_kb = 0;
  bool sync = true;
  int reconnect_s = 300;  // how long a broken connection is tried anew; 0: not at all
  bool no_clean = false;  // keep what there is whatever happens
  // Asked when the node wants a password and none is known; may be empty.
  std::function<std::string()> ask_password;
};

struct BaseBackupProgress {
  std::function<void(const std::string&)> say;   // one line for --verbose
  std::function<void(const std::string&)> warn;  // one line for everybody
  std::function<void(uint64_t done_bytes, uint64_t total_bytes)> at;
};

// Throws SqlError: what the server said, or what is wrong here; 57014 after RequestBackupStop. `*keep` then tells whether the
// directory can be gone on with later; otherwise the caller removes what the incomplete backup left.
void TakeBaseBackup(const BaseBackupOptions& options, const BaseBackupProgress& progress, bool* keep);
// Whether an incomplete backup is in the directory.
bool HoldsIncompleteBackup(const std::string& directory);
// Async-signal-safe: the backup ends with an error.
void RequestBackupStop();

}  // namespace walden::replication

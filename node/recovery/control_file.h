// global/pg_control: what recovery must know before it can read anything else. Rewritten in place (it fits
// one disk sector, so a torn write cannot mix two versions), CRC-protected, fsynced. Owner: recovery.
//
// Format: version 1, little-endian; the struct below is the byte table (golden file
// tests/unit/golden/control_v1.hex), padded with zeroes to 8 KiB.
#pragma once

#include <cstdint>
#include <string>

#include "node/base/ids.h"
#include "node/wal/checkpoint_parts.h"

namespace walden {

inline constexpr uint32_t kControlFileVersion = 1;
// Raised whenever a data directory of an older program cannot be used.
inline constexpr uint32_t kDataFormatVersion = 1;
inline constexpr const char* kControlFilePath = "global/pg_control";

enum class ClusterState : uint32_t {
  kStarting,
  kShutDown,
  kShutDownInRecovery,
  kShuttingDown,
  kInCrashRecovery,
  kInArchiveRecovery,
  kInProduction,
};
const char* ClusterStateText(ClusterState state);  // "in production", as pg_controldata says

struct ControlFile {
  char magic[8];         // "WALDNCTL"
  uint32_t version;      // kControlFileVersion
  uint32_t data_format;  // kDataFormatVersion
  uint64_t system_id;
  ClusterState state;
  uint32_t data_checksums;         // 1: pages carry checksums
  int64_t time_us;                 // of the last update, TimestampUs
  uint64_t checkpoint;             // start of the last checkpoint's record
  CheckpointData checkpoint_data;  // copy of it
  uint64_t min_recovery_point;     // archive recovery: not consistent before this; 0: none
  uint32_t min_recovery_timeline;
  uint32_t backup_end_required;  // 1: not consistent before the BACKUP_END record of backup_start
  uint64_t backup_start;         // redo of the base backup that this directory came from; 0: none
  uint64_t backup_end;
  uint64_t term;  // replication term (I8); never falls
  int32_t wal_level;
  int32_t max_connections;  // of the primary, for the check on standbys
  int32_t max_worker_processes;
  int32_t max_wal_senders;
  uint32_t catalog_version;
  uint32_t reserved0;                // 0
  uint64_t fenced_by_term;           // a higher term that this primary met: it does not start again; 0: none
  uint32_t reserved[2];              // 0
  uint8_t authentication_nonce[32];  // secret of this cluster for mock SCRAM answers
  uint32_t crc;                      // CRC-32C of the bytes before
  uint32_t unused;                   // 0
};
static_assert(sizeof(ControlFile) == 304 && sizeof(ControlFile) <= 512);

// Reads and checks. Throws SqlError: missing, damaged (XX001), of another format version (with the way to
// move).
ControlFile ReadControlFile(const std::string& path = kControlFilePath);
void WriteControlFile(ControlFile control, const std::string& path = kControlFilePath);

// Reads the file of the current data directory and sets what depends on it in this process and those it
// forks: data_checksums_enabled. The postmaster calls it before it makes shared memory.
ControlFile LoadControlFile();

// The copy in shared memory. Update writes file and copy under the ControlFile lock; a failed write is a
// PANIC.
ControlFile GetControlFile();
template <class Change>
void UpdateControlFile(Change&& change) {
  using F = std::remove_reference_t<Change>;
  UpdateControlFileWith([](ControlFile* control, void* change) { (*static_cast<F*>(change))(*control); },
                        &change);
}
void UpdateControlFileWith(void (*change)(ControlFile*, void*), void* argument);

}  // namespace walden

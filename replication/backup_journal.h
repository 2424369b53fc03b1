// What a target directory of `walden basebackup` knows about itself until the copy is complete: which backup it is, and which of
// its files are whole. A file in that directory; while it is there, the directory does not start as a node.
//
// Format: lines, each ended by '\n' (one without it was being written and does not count)
//   walden basebackup journal 1
//   start <system id> <LSN> <timeline> <0|1: from a standby> <slot that keeps the WAL>
//   slot <name>                      the standby's slot is made
//   file <bytes> <CRC-32C> <path>    the file is whole
// Nothing is synced before the end: after a crash of the machine the checksums tell which files are good.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/ids.h"
#include "node/os/file.h"

namespace walden::replication {

inline constexpr std::string_view kBackupJournal = "basebackup.journal";
// The file of a copy that gets lines of its own, behind those that were copied.
inline constexpr std::string_view kOwnSettings = "postgresql.auto.conf";

// A file of which all has arrived.
struct WholeFile {
  std::string path;  // relative to the data directory
  uint64_t bytes;
  uint32_t crc;
};

class BackupJournal {
 public:
  struct Start {
    uint64_t system_id = 0;
    Lsn lsn;
    TimelineId timeline = 0;
    bool from_standby = false;
    std::string hold;
  };
  struct Whole {
    uint64_t bytes;
    uint32_t crc;
  };

  // Reads or makes it. Throws 55006 while another process fills the directory, XX001 for what is no journal.
  explicit BackupJournal(std::string directory);
  // Forgets files whose content is not what arrived. Throws XX001 when the copy cannot be mended that way.
  void Verify();

  // A backup that can be gone on with: its label is here.
  bool Resumable() const;
  // Every file but WAL is here: from then on none may be copied again, since the backup may have ended.
  bool HasAllFiles() const;
  const Start& start() const { return start_; }
  const std::map<std::string, Whole>& files() const { return files_; }
  uint64_t WholeBytes() const;
  const std::string& made_slot() const { return made_slot_; }

  void Begin(const Start& start);  // forgets all before
  void SlotMade(const std::string& name);
  // WAL is fetched anew each time, and not noted.
  void FilesAreWhole(const std::vector<WholeFile>& files);
  // The copy is complete, or given up.
  void Remove();

 private:
  void Parse(std::string_view text);
  void TakeLine(std::string_view line);
  bool IsGood(const std::string& path, const Whole& whole) const;
  void Append(const std::string& lines);

  std::string directory_;
  File file_;
  uint64_t end_ = 0;
  Start start_;
  std::string made_slot_;
  std::map<std::string, Whole> files_;
};

}  // namespace walden::replication

// The archive: status files for what is to be archived, archive_command, restore_command.
//   pg_wal/archive_status/<name>.ready   complete, to be archived
//   pg_wal/archive_status/<name>.done    archived: the segment may be recycled
#pragma once

#include <string>
#include <string_view>

namespace walden {

// archive_mode is on (always, in recovery).
bool ArchivingIsOn();
// Marks a complete file of pg_wal as ready and wakes the archiver; nothing if archiving is off.
void NotifyArchiver(std::string_view name);
// Whether the file is needed here no more: archiving is off, or it is archived.
bool MayRecycle(const std::string& name);
void ForgetArchiveStatus(const std::string& name);

// Runs archive_library, or else archive_command, for one file. False: it failed (logged).
bool ArchiveFile(const std::string& name);
// Archives all that is ready, oldest first, history files before segments; stops at the first failure after
// retries. Returns whether everything is done.
bool ArchiveReadyFiles();

// Runs restore_command so that `path` holds the archive's file `name`. False if there is no command or no
// such file. A command killed by a signal or exiting above 125 ends recovery with FATAL, as in PostgreSQL.
bool RestoreFromArchive(const std::string& name, const std::string& path);
// %f, %p, %r and %% replaced.
std::string ExpandCommand(const std::string& command, const std::string& file, const std::string& path,
                          const std::string& restart_file);

}  // namespace walden

// Files that no catalog row owns: what a crash leaves of relations whose creation never committed, and of dropped ones whose
// files were not removed yet.
#pragma once

namespace walden {

// Removes them from every database's directory, and directories of databases that do not exist. Called by the startup
// process at the end of recovery, before anybody may write: every transaction has ended, so a file that belongs to no row
// that is committed now belongs to nobody for ever. Before the first it calls `checkpoint`.
void RemoveOrphanedFiles(void (*checkpoint)());

}  // namespace walden

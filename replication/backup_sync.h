// Making many files durable. Used by commands only: it starts threads.
#pragma once

#include <string>
#include <vector>

namespace walden::replication {

// Syncs the files and directories, several at a time: one that waits for the disk shares its wait with others. Throws what
// failed first, or what `check`, which is called again and again meanwhile, throws.
void FsyncAll(const std::vector<std::string>& paths, void (*check)());

}  // namespace walden::replication

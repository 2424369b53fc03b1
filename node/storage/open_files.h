// This process's descriptors of relation segments, by (relation, fork, segment), least recently used ones
// closed beyond a limit. Internal to storage.
#pragma once

#include "node/os/file.h"
#include "node/storage/relation_file.h"

namespace walden::open_files {

enum class IfMissing { kThrow, kReturnNull, kCreate, kCreateNew };

// The open file, or nullptr when missing and kReturnNull. Valid until the next call.
File* Segment(const RelFileLocator& rel, Fork fork, uint32_t segment, IfMissing if_missing);
void Close(const RelFileLocator& rel);
void CloseFork(const RelFileLocator& rel, Fork fork);
void CloseDatabase(Oid database);
void CloseAll();

}  // namespace walden::open_files

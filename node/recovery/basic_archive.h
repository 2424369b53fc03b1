// archive_library = basic_archive: copies each segment into basic_archive.archive_directory, durably, without a shell.
#pragma once

#include <string>

namespace walden {

// 22023 for a library that does not exist (a check of the setting).
void CheckArchiveLibrary(const std::string& name);
// Returns when the copy is durable, also when an equal file is there already. Throws otherwise: a file of that name with
// other contents is never overwritten.
void BasicArchive(const std::string& name, const std::string& path);
bool BasicArchiveIsConfigured();

}  // namespace walden

// The files of a data directory that hold pages, found by name: for tools and the scrubber, which read them
// beside the buffer pool.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/storage/relation_file.h"

namespace walden {

struct PageFile {
  std::string path;
  uint32_t number;  // pg_class.relfilenode
  Fork fork;
  uint32_t segment;
  uint64_t size_bytes;
  BlockNumber FirstBlock() const { return segment * kBlocksPerSegment; }
};

// "16384_vm.2" -> number, fork, segment. False for other names (temporary relations included: they have no
// checksum to check).
bool ParsePageFileName(std::string_view name, PageFile* file);
// All page files below `data_directory`, in path order. Files that vanish meanwhile are skipped.
std::vector<PageFile> ListPageFiles(const std::string& data_directory);

}  // namespace walden

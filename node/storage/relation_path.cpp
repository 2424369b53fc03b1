#include <fmt/format.h>

#include "node/storage/relation_file.h"

namespace walden {

std::string_view ForkName(Fork fork) {
  switch (fork) {
    case Fork::kMain: return "main";
    case Fork::kFsm: return "fsm";
    case Fork::kVm: return "vm";
    case Fork::kInit: return "init";
  }
  return "?";
}

std::string DatabaseDirectory(Oid tablespace, Oid database) {
  if (tablespace == kGlobalTablespace) return "global";
  if (tablespace == kDefaultTablespace) return fmt::format("base/{}", OidNumber(database));
  return fmt::format("pg_tblspc/{}/{}/{}", OidNumber(tablespace), kTablespaceVersionDirectory,
                     OidNumber(database));
}

std::string RelationPath(const RelFileLocator& rel, Fork fork, uint32_t segment) {
  std::string path = DatabaseDirectory(rel.tablespace, rel.database);
  path += '/';
  if (rel.IsTemporary()) path += fmt::format("t{}_", rel.TemporarySlot());
  path += fmt::format_int(rel.number).c_str();
  if (fork != Fork::kMain) {
    path += '_';
    path += ForkName(fork);
  }
  if (segment > 0) path += fmt::format(".{}", segment);
  return path;
}

}  // namespace walden

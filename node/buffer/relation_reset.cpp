// What a crash leaves of unlogged and temporary relations.
#include <map>
#include <vector>

#include "node/buffer/buffer_pool.h"
#include "node/buffer/relation_storage.h"
#include "node/os/file.h"

namespace walden {
namespace {

struct FileName {
  bool temporary = false;
  uint32_t number = 0;
  std::string_view fork;  // "", "fsm", "vm", "init"
};

bool TakeNumber(std::string_view* text, uint32_t* number) {
  size_t digits = 0;
  uint64_t value = 0;
  while (digits < text->size() && (*text)[digits] >= '0' && (*text)[digits] <= '9') {
    value = value * 10 + static_cast<uint64_t>((*text)[digits++] - '0');
  }
  if (digits == 0 || digits > 10) return false;
  text->remove_prefix(digits);
  *number = static_cast<uint32_t>(value);
  return true;
}

// "16384", "16384_fsm.1", "t5_16384_vm"; anything else is not a relation's.
bool ParseFileName(std::string_view name, FileName* parsed) {
  uint32_t slot;
  parsed->temporary = !name.empty() && name[0] == 't';
  if (parsed->temporary) {
    name.remove_prefix(1);
    if (!TakeNumber(&name, &slot) || name.empty() || name[0] != '_') return false;
    name.remove_prefix(1);
  }
  if (!TakeNumber(&name, &parsed->number)) return false;
  parsed->fork = {};
  if (!name.empty() && name[0] == '_') {
    name.remove_prefix(1);
    parsed->fork = name.substr(0, name.find('.'));
    name.remove_prefix(parsed->fork.size());
  }
  return name.empty() || name[0] == '.';
}

template <class Visit>
void ForEachDatabaseDirectory(Visit&& visit) {
  for (const std::string& database : ListDirectory("base")) visit("base/" + database);
  if (!PathExists("pg_tblspc")) return;
  for (const std::string& tablespace : ListDirectory("pg_tblspc")) {
    std::string inside = "pg_tblspc/" + tablespace + "/" + std::string(kTablespaceVersionDirectory);
    if (!IsDirectory(inside)) continue;
    for (const std::string& database : ListDirectory(inside)) visit(inside + "/" + database);
  }
}

bool IsInitFork(const std::string& name, FileName* file) {
  return ParseFileName(name, file) && !file->temporary && file->fork == "init";
}

bool HasUnlogged(const std::string& directory) {
  FileName file;
  for (const std::string& name : ListDirectory(directory)) {
    if (IsInitFork(name, &file)) return true;
  }
  return false;
}

void EmptyUnlogged(const std::string& directory) {
  std::map<uint32_t, bool> unlogged;
  std::vector<std::string> names = ListDirectory(directory);
  FileName file;
  for (const std::string& name : names) {
    if (IsInitFork(name, &file)) unlogged[file.number] = true;
  }
  if (unlogged.empty()) return;
  for (const std::string& name : names) {
    bool other_fork = ParseFileName(name, &file) && !file.temporary && file.fork != "init";
    if (other_fork && unlogged.count(file.number) != 0) UnlinkIfExists(directory + "/" + name);
  }
}

void CopyInitForks(const std::string& directory) {
  FileName file;
  for (const std::string& name : ListDirectory(directory)) {
    if (!IsInitFork(name, &file)) continue;
    std::string main = name.substr(0, name.find('_')) + name.substr(name.find("_init") + 5);
    CopyFile(directory + "/" + name, directory + "/" + main, true);
  }
  FsyncDirectory(directory);
}

}  // namespace

void ResetUnloggedRelations(bool after_replay) {
  bool any = false;
  ForEachDatabaseDirectory([&](const std::string& directory) { any = any || HasUnlogged(directory); });
  if (!any) return;
  if (!after_replay) {
    ForEachDatabaseDirectory(EmptyUnlogged);
    return;
  }
  FlushForkBuffers(Fork::kInit);  // replay may have built init forks in memory
  ForEachDatabaseDirectory(EmptyUnlogged);
  ForEachDatabaseDirectory(CopyInitForks);
}

void RemoveTemporaryRelationFiles() {
  ForEachDatabaseDirectory([](const std::string& directory) {
    FileName file;
    for (const std::string& name : ListDirectory(directory)) {
      if (ParseFileName(name, &file) && file.temporary) UnlinkIfExists(directory + "/" + name);
    }
  });
}

}  // namespace walden

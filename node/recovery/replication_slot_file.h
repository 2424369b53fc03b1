// Replication slots on disk. Internal to recovery/.
//
// Format: pg_replslot/<name>/state, version 1, little-endian, the struct below; CRC-32C of the bytes before `crc`.
//
// A slot appears by the rename of pg_replslot/<name>.tmp, which holds a complete state file; a new state replaces the
// old one by rename; a slot goes by the rename to <name>.tmp. So a crash leaves each slot whole or not at all, with its
// old or its new state, and *.tmp is rubbish.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace walden {

struct SlotFile {
  uint32_t magic;
  uint32_t version;
  char name[64];
  uint64_t restart;   // 0: reserves nothing
  uint64_t feedback;  // UINT64_MAX: none
  uint64_t xmin;      // 0: none
  uint64_t lost_at;   // restart when the WAL was taken from the slot; 0: never
  uint32_t crc;
  uint32_t unused;  // 0
};
static_assert(sizeof(SlotFile) == 112);

void CreateSlotFile(const SlotFile& state);
void ReplaceSlotFile(const SlotFile& state);
void RemoveSlotFile(const std::string& name);
// All of them; removes rubbish. FATAL XX001 for a damaged one.
std::vector<SlotFile> ReadSlotFiles();

}  // namespace walden

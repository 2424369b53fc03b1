// Names of WAL record kinds and what their redo may touch. The rows are in record_kinds.def.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace walden {

// What redo of a record may touch: the dispatcher's contract. Stricter is always safe.
enum class RedoScope : uint8_t {
  kNothing,     // informational: no redo
  kPages,       // only the pages that the record references; runs in any worker, in page order
  kVisibility,  // the same, and sets visibility bits: not before everything earlier is applied while queries run
  kCounter,     // only shared counters that never go back (next OID ...): runs in the dispatcher
  kTransactionEnd,   // commit, abort, prepare: takes effect when the visible position passes it, in LSN order
  kIndexStructural,  // split, new root, page deletion: waits for earlier records of that relation, one worker
                     // does all
  kRelationBarrier,  // create, truncate, drop: nothing of that relation before it is unfinished or after it
                     // begun
  kDatabaseBarrier,  // the same for all relations of a database
  kGlobalBarrier,    // everything earlier is applied first, nothing later starts before
};

enum class RecordKind : uint16_t {
#define X(enumerator, number, family, name, scope) enumerator = number,
#include "node/wal/record_kinds.def"
#undef X
};

struct RecordKindInfo {
  RecordKind kind;
  std::string_view family;  // "Heap"
  std::string_view name;    // "INSERT"
  RedoScope scope;
};
// All rows in the table's order.
std::span<const RecordKindInfo> RecordKinds();
// "Heap/INSERT"; "unknown" if no such kind is declared.
std::string RecordKindText(RecordKind kind);
// nullptr if no such kind is declared (a record of a newer version, or garbage).
const RecordKindInfo* FindRecordKind(RecordKind kind);

}  // namespace walden

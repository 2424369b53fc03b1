// What a family of WAL records supplies. One .cpp per family (heap_records.cpp, btree_records.cpp ...) holds
// the record structs, redo, describe and mask, and exports its bindings:
//   std::span<const RecordHandler> HeapRecordHandlers();
// `server` (and unit tests) bind all families once at start, in every process.
#pragma once

#include <initializer_list>
#include <span>
#include <string>

#include "node/base/ids.h"
#include "node/storage/relation_file.h"
#include "node/wal/reader.h"
#include "node/wal/record_kind.h"

namespace walden {

class RedoContext;  // buffer/redo.h

// What a standby must settle before it applies a record that removes row versions, index entries or pages, or
// sets visibility bits: snapshots with csn < `conflict_lsn` in `database` (kInvalid: all) must be gone, and
// the visible position must have reached it. kInvalidLsn: no conflict.
struct RedoConflict {
  Lsn conflict_lsn;
  Oid database{};
  bool ends_sessions = false;  // nobody may be connected to `database` any more
};

struct RecordHandler {
  RecordKind kind;
  // Replays. Touches only what the kind's RedoScope allows; idempotent through page LSNs. Must not throw but
  // for corrupt records or I/O (recovery stops with that as FATAL). nullptr for scope kNothing.
  void (*redo)(RedoContext& context);
  // Appends PostgreSQL-style details for waldump ("off 3 flags 0x00"), without family and name.
  void (*describe)(const DecodedRecord& record, std::string* out);
  // Zeroes what may differ between a primary's page and a replayed one (hint bits, hole...); LSN, checksum
  // and the hole of standard pages are masked by the caller. nullptr: nothing more.
  void (*mask)(char* page, BlockNumber block) = nullptr;
  // nullptr: never conflicts with queries on a standby.
  RedoConflict (*conflict)(const DecodedRecord& record) = nullptr;
};

// Replaces earlier bindings of the same kinds.
void BindRecordHandlers(std::span<const RecordHandler> handlers);
// nullptr if unbound.
const RecordHandler* FindRecordHandler(RecordKind kind);
// CHECKs that every row of record_kinds.def is bound; call when all families are.
void CheckRecordHandlersComplete();

// "Heap/INSERT: off 3 flags 0x00, blkref #0: rel 1663/5/16384 blk 0 FPW" for logs and waldump.
std::string DescribeRecord(const DecodedRecord& record);

}  // namespace walden

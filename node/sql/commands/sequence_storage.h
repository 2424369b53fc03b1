// The one row of a sequence: (last_value bigint, log_cnt bigint, is_called boolean), never deleted or versioned, changed in
// place. Record family Sequence. Private to this folder but for the record handlers.
#pragma once

#include <cstdint>
#include <span>

#include "node/buffer/buffer_pool.h"
#include "node/catalog/relation.h"
#include "node/wal/record_handler.h"

namespace walden {

struct SequenceState {
  int64_t last_value = 1;
  int64_t log_count = 0;   // values that may still be given out without logging
  bool is_called = false;  // last_value has been given out
};

// Writes the page of a new (empty) sequence file.
void InitSequenceFile(const Relation& sequence, const SequenceState& state);

// The row, exclusively locked for reading and changing.
class LockedSequence {
 public:
  explicit LockedSequence(const Relation& sequence);
  SequenceState Read() const;
  // Changes the row. With `logged`, WAL says `logged` first: after a crash the sequence continues from there.
  void Write(const SequenceState& state, const SequenceState* logged);
  // Position of the newest WAL that the row's contents rest on.
  Lsn lsn() const;

 private:
  BufferPin pin_;
  PageLock lock_;
  bool needs_wal_;
  PageKey key_;
};

std::span<const RecordHandler> SequenceRecordHandlers();

}  // namespace walden

// The checks that a transaction has put off, in their order: opaque records in bounded memory, each of one constraint, with what
// savepoints do to them. Which checks were made is known by ranges of the queue, not by record.
//
// Invariant: a record was queued in a savepoint no deeper than those behind it, so that a rolled back savepoint cuts the end off.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "node/sql/executor/spill_file.h"

namespace walden {

class WaitingChecks {
 public:
  explicit WaitingChecks(size_t memory_limit_bytes) : log_("Deferred checks", memory_limit_bytes) {}

  // `constraint`: a small number that the caller gives. `level`: of the savepoint that is open.
  void Add(uint32_t constraint, std::string_view check, int level);
  bool empty() const { return log_.end() == 0; }
  uint64_t end() const { return log_.end(); }

  // Makes the checks from a place on that wait and whose constraint matches; `make` throws if one fails. One that was queued outside of
  // the savepoint is kept: if the savepoint is rolled back, it was never made. The others leave, as far as none behind them stays.
  void Make(uint64_t from, const std::function<bool(uint32_t)>& matches, int level,
            const std::function<void(uint32_t, std::string_view)>& make);
  // Whether a check of such a constraint waits.
  bool AnyWaiting(const std::function<bool(uint32_t)>& matches);

  void EndSavepoint(int level);   // what was queued and made in it belongs to the level outside
  void UndoSavepoint(int level);  // what was queued in it is gone, what was made in it waits again

 private:
  struct Level {
    int level;
    uint64_t begin;  // of the records that were queued in it
  };
  struct Range {
    uint64_t begin, end;
    int level;  // of the savepoint in which the constraint's checks in the range were made
  };
  // Of the savepoint in which the record was made; 0: it waits.
  int MadeIn(uint32_t constraint, uint64_t place) const;
  int LevelOf(uint64_t place) const;
  void MarkMade(uint32_t constraint, Range range);
  void CutBack(uint64_t place);

  RecordLog log_;
  std::vector<Level> levels_;             // ascending
  std::vector<std::vector<Range>> made_;  // by constraint
  std::string record_;
};

}  // namespace walden

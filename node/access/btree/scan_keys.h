// What a scan's conditions mean in index order: where to begin, where to stop, what to test on the way.
#pragma once

#include <vector>

#include "node/access/btree/key.h"

namespace walden::btree {

class ScanConditions {
 public:
  explicit ScanConditions(const IndexDesc& index) : index_(index) {}

  // Takes the keys apart. They must stay valid until the next call.
  void Set(std::span<const ScanKey> keys);
  // No entry can match (a comparison with null, an empty array).
  bool impossible() const { return impossible_; }

  // Equality with arrays on leading columns makes several ranges, visited in index order (or backwards).
  void FirstRange(ScanDirection direction);
  // False when there is none left.
  bool NextRange(ScanDirection direction);

  // The current range, for marks.
  std::vector<size_t> SaveRanges() const;
  void RestoreRanges(const std::vector<size_t>& saved);

  // Where the current range begins in `direction`. False: at the edge of the index.
  bool StartKey(ScanDirection direction, SearchKey* key);

  // Whether the entry matches; `*past_end`: neither it nor any later one in this direction can.
  bool Matches(const Entry& entry, ScanDirection direction, bool* past_end) const;

 private:
  struct Condition {
    const ScanKey* key;
    int column;
    Strategy strategy;  // in index order: DESC turned round
  };
  struct ArrayState {
    int column;
    KeyCompare compare;
    std::vector<Value> elements;  // in index order, distinct
    size_t current = 0;
  };
  struct Bound {
    const Value* value = nullptr;
    KeyCompare compare = nullptr;
    bool strict = false;
  };

  void AddArray(const ScanKey& key);
  void FindPrefix();
  void NoteBound(const Condition& condition);
  bool MatchesCondition(const Condition& condition, const char* const* stored) const;
  bool MatchesRow(const Condition& condition, const char* const* stored) const;
  bool MatchesAnyElement(const ScanKey& key, const char* stored) const;

  const IndexDesc& index_;
  bool impossible_ = false;
  std::vector<Condition> conditions_;  // all but those that the prefix covers
  // Leading columns with equality: constants, or the current elements of arrays.
  struct PrefixColumn {
    const Value* value;
    int array;  // index into arrays_, -1 for a constant
    KeyCompare compare;
  };
  std::vector<PrefixColumn> prefix_;
  std::vector<ArrayState> arrays_;
  // On the column behind the prefix.
  Bound lower_, upper_;
  std::vector<Value> start_values_;
  std::vector<KeyCompare> start_compares_;
  int columns_needed_ = 0;  // leading columns that any condition reads
  static const Value kNullValue;
};

}  // namespace walden::btree

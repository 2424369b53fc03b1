// Build side of a hash join in memory: rows chained by the hash of their keys.
//
// Rows are the build side's columns; the keys are kept first. Null keys never match, so rows with one are kept only when the join
// must emit unmatched build rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "node/sql/executor/hashing.h"
#include "node/sql/executor/row_container.h"

namespace walden {

class JoinTable {
 public:
  // Row columns: first the keys, then the payload.
  JoinTable(std::vector<const TypeDescriptor*> key_types, const std::vector<PhysicalType>& payload_types,
            MemoryAccount* account);

  void Add(std::span<Vector* const> keys_and_payload, uint32_t row, uint64_t hash);
  void AddSerialized(uint64_t hash, const char* bytes);
  size_t bucket_count() const { return buckets_.size(); }
  // Makes the buckets; after it rows may be found, not added.
  void Seal();

  // The first candidate of `hash` / the one after `row`; null at the end. Candidates have an equal hash: test the keys.
  char* First(uint64_t hash) const;
  static char* NextCandidate(const char* row);
  bool Matches(const char* row, std::span<Vector* const> keys, uint32_t index) const {
    return KeysEqual(key_types_, rows_.layout(), row, keys, index);
  }
  // Matched flags, for right, full and right-semi/anti joins.
  static bool IsMatched(const char* row) { return HeaderOf(row)->matched; }
  static void SetMatched(char* row) { HeaderOf(row)->matched = true; }

  const std::vector<char*>& rows() const { return all_rows_; }
  static uint64_t HashOf(const char* row) { return HeaderOf(row)->hash; }
  const RowLayout& layout() const { return rows_.layout(); }
  size_t key_count() const { return key_types_.size(); }
  size_t bytes() const {
    return rows_.bytes() + (all_rows_.capacity() + buckets_.capacity()) * sizeof(char*);
  }
  void Clear();

 private:
  struct Header {
    uint64_t hash;
    char* next;
    bool matched;
  };
  static Header* HeaderOf(char* row) { return reinterpret_cast<Header*>(row); }
  static const Header* HeaderOf(const char* row) { return reinterpret_cast<const Header*>(row); }

  std::vector<const TypeDescriptor*> key_types_;
  RowContainer rows_;
  std::vector<char*> all_rows_;
  std::vector<char*> buckets_;
};

}  // namespace walden

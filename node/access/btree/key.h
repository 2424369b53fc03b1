// Comparing keys in index order: per column DESC and NULLS FIRST, then row identity.
#pragma once

#include "node/access/btree/page.h"
#include "node/access/deform.h"

namespace walden::btree {

// What a descent looks for. Columns beyond `count` are unspecified: any value matches.
struct SearchKey {
  const Value* values = nullptr;
  int count = 0;
  const KeyCompare* compares = nullptr;  // per column, (stored, value); null: the column's own
  bool has_tid = false;
  TupleId tid;
  // Position: before the first entry that is >= the key, or (next_key) before the first that is > the key.
  bool next_key = false;
};

// Index order of a value against a stored column (null pointer: null): <0 value sorts first.
int CompareValue(const IndexDesc& index, int column, const Value& value, const char* stored,
                 KeyCompare compare);
int CompareStored(const IndexDesc& index, int column, const char* a, const char* b);

// Index order of the key against an entry: <0 the key sorts first.
int CompareKey(const IndexDesc& index, const SearchKey& key, const Entry& entry);
// Whole entries, row identity included (leaf entries).
int CompareEntries(const IndexDesc& index, const Entry& a, const Entry& b);

// The stored value; by-reference ones point into the entry.
inline Datum LoadColumn(PhysicalType type, const char* stored) {
  return LoadAttribute(type, stored, DeformContext{});
}

}  // namespace walden::btree

// TOAST tables: values too long for a row, cut into chunks. A TOAST table is an ordinary heap
// (chunk_id oid, chunk_seq int4, chunk_data bytea) with a unique btree on (chunk_id, chunk_seq).
#pragma once

#include "node/access/index.h"
#include "node/access/table.h"
#include "node/access/toast.h"

namespace walden {

// What a TableRef's `toast` points to; owned by the relation cache beside it.
struct ToastTable : ToastSource {
  TableRef table;
  IndexDesc index;
  // Gives an OID that no chunk of this table has (the catalog's generator; uniqueness is checked here).
  Oid (*new_value_id)() = nullptr;
  std::string_view Fetch(const ToastPointer& pointer, Arena& arena) const override;
};

inline constexpr uint32_t kToastChunkSize = 1990;

// Makes `row` fit: compresses and moves out values as their storage allows. False if nothing had to be done
// (`row` is the row to store), else `*fitted` is. `old_row` (UPDATE): out-of-line values that it shares are
// kept.
bool ToastRow(const TableRef& table, const TupleView& row, const TupleView* old_row, CommandId cid,
              TupleBuffer* fitted);
// Deletes the out-of-line values of a deleted row, or those of `row` that `kept_by` does not hold.
void DeleteToasted(const TableRef& table, const TupleView& row, const TupleView* kept_by);

}  // namespace walden

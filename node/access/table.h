// What the access layer needs to know of a table. Filled by the catalog's relation cache and kept alive by
// whoever has the relation open (and locked as the operation demands); access never looks anything up by name
// or OID.
#pragma once

#include <cstdint>

#include "node/access/toast.h"
#include "node/access/tuple.h"
#include "node/base/ids.h"
#include "node/stats/counters.h"
#include "node/storage/relation_file.h"

namespace walden {

struct ToastTable;  // heap/toast.h

struct TableRef {
  RelFileLocator locator;
  Oid oid = Oid::kInvalid;
  const char* name = "";  // for messages; as long-lived as the TableRef
  const TupleDesc* desc = nullptr;
  bool is_catalog = false;  // a system catalog: horizons count every replica slot's catalog floor
  uint8_t fillfactor = 100;
  uint16_t toast_tuple_target = 2032;
  const ToastTable* toast = nullptr;  // null: values are never moved out of line
  // Columns that appear in any index (also in its expressions and predicate): an UPDATE that changes none of
  // them may be HOT. And those of unique, immediate, non-partial indexes without expressions that foreign
  // keys may use: an UPDATE that changes none of them takes only the NO KEY lock. Null = no such columns.
  const AttrSet* indexed_columns = nullptr;
  const AttrSet* key_columns = nullptr;
  mutable RelationStats stats;  // where this process counts what it does with the table

  bool NeedsWal() const { return walden::NeedsWal(locator); }
  PageKey Page(BlockNumber block) const { return {locator, Fork::kMain, block}; }
};

}  // namespace walden

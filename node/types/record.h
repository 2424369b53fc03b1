// Row values (record and composite types): one flat form, in memory and on disk alike.
//
// Format (little-endian, no alignment): u16 field count, then per field u32 type, u8 1 = null, and if it is not null the value as
// element.h packs it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "node/base/arena.h"
#include "node/types/type_table.h"
#include "node/types/value.h"

namespace walden {

struct RecordField {
  Oid type;
  Value value;
};

std::string_view MakeRecord(std::span<const RecordField> fields, Arena& arena);
// By-reference fields point into `record`.
std::vector<RecordField> ReadRecord(std::string_view record);
// Field by field; nulls last. Throws 42804 when the types differ.
int CompareRecords(std::string_view a, std::string_view b);

std::span<const TypeDescriptor> RecordTypes();

}  // namespace walden

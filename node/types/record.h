// Row values (record and composite types): one flat form, in memory and on disk alike.
//
// Format (little-endian, no alignment): u16 field count, then per field u32 type, u8 1 = null, and if it is not null the value as
// element.h packs it. A row of type "record" whose fields have names of their own sets kHasShape in the count, and a u32 that says
// which names follows it; such rows are never stored. Type 0: a column that was dropped.
#pragma once

#include <span>
#include <string>
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

// Names of an anonymous row's fields, known to this process by number (from 1).
uint32_t RegisterRecordShape(const std::vector<std::string>& names);
const std::vector<std::string>& RecordShapeNames(uint32_t shape);

std::string_view MakeRecord(std::span<const RecordField> fields, Arena& arena, uint32_t shape = 0);
// 0: its fields have no names of their own.
uint32_t RecordShape(std::string_view record);
// By-reference fields point into `record`.
std::vector<RecordField> ReadRecord(std::string_view record);
// Field by field; nulls last. Throws 42804 when the types differ.
int CompareRecords(std::string_view a, std::string_view b);

std::span<const TypeDescriptor> RecordTypes();

}  // namespace walden

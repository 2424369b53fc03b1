#include "node/sql/functions/record_rows.h"

#include "node/base/check.h"
#include "node/catalog/builtin.h"
#include "node/types/record.h"
#include "node/types/text_format.h"
#include "node/types/type_table.h"

namespace walden {

RowValues& RowValues::Text(std::string_view v) { return Put({StringDatum(arena_.Copy(v)), false}); }

RowValues& RowValues::Decimal(std::string_view digits) {
  const TypeDescriptor& type = TypeOf(type_oid::kNumeric);
  TextFormat format;
  TypeIo io{arena_, format, nullptr, &type, -1};
  Value value;
  type.input(digits, io, &value.datum);
  value.is_null = false;
  return Put(value);
}

std::string_view MakeRecord(CallContext& context, const RowValues& row) {
  const BuiltinFunction* function = FindBuiltinFunction(context.site.function);
  CHECK(function != nullptr);
  std::vector<RecordField> fields;
  for (size_t i = 0; i < function->arg_modes.size(); ++i) {
    if (function->arg_modes[i] == 'i' || function->arg_modes[i] == 'v') continue;
    CHECK(fields.size() < row.values().size());
    fields.push_back({function->all_arg_types()[i], row.values()[fields.size()]});
  }
  CHECK(fields.size() == row.values().size());
  return MakeRecord(fields, context.arena);
}

uint32_t RowSet::Next(CallContext&, std::span<Vector* const> columns, uint32_t max_rows) {
  uint32_t count = 0;
  for (; count < max_rows && next_ < rows_.size(); ++count, ++next_) {
    CHECK(rows_[next_].size() == columns.size());
    for (size_t i = 0; i < columns.size(); ++i) columns[i]->Set(count, rows_[next_][i]);
  }
  return count;
}

}  // namespace walden

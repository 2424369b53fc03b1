#include "node/sql/executor/row_container.h"

#include "node/base/bytes.h"

namespace walden {
namespace {

// The bytes that a by-reference datum points at; empty for others.
std::string_view ReferencedBytes(PhysicalType type, const Datum& datum) {
  if (type == PhysicalType::kString) return datum.string.view();
  if (type == PhysicalType::kNumeric && datum.numeric.kind == NumericKind::kBig) {
    return {datum.numeric.digits, datum.numeric.digits_size};
  }
  return {};
}

void SetReference(PhysicalType type, Datum* datum, const char* bytes) {
  if (type == PhysicalType::kString) {
    datum->string.data = bytes;
  } else if (datum->numeric.kind == NumericKind::kBig) {
    datum->numeric.digits = bytes;
  }
}

}  // namespace

RowLayout::RowLayout(std::vector<PhysicalType> types, size_t header_bytes) : types_(std::move(types)) {
  null_offset_ = AlignUp(header_bytes, 8);
  size_t offset = null_offset_ + AlignUp((types_.size() + 7) / 8, 8);
  for (PhysicalType type : types_) {
    offsets_.push_back(static_cast<uint32_t>(offset));
    offset += AlignUp(PhysicalWidth(type), 8);
  }
  row_bytes_ = offset;
}

Value RowLayout::Get(const char* row, size_t column) const {
  Value value;
  value.is_null = IsNull(row, column);
  if (!value.is_null) value.datum = LoadDatum(types_[column], Field(row, column), 0);
  return value;
}

void RowLayout::Set(char* row, size_t column, const Value& value) const {
  char& bits = row[null_offset_ + (column >> 3)];
  if (value.is_null) {
    bits = static_cast<char>(bits | (1 << (column & 7)));
    return;
  }
  bits = static_cast<char>(bits & ~(1 << (column & 7)));
  StoreDatum(types_[column], Field(row, column), 0, value.datum);
}

void RowLayout::SerializeRow(const char* row, std::string* out) const {
  out->append(row + null_offset_, row_bytes_ - null_offset_);
  for (size_t i = 0; i < types_.size(); ++i) {
    if (!IsByReference(types_[i]) || IsNull(row, i)) continue;
    out->append(ReferencedBytes(types_[i], LoadDatum(types_[i], Field(row, i), 0)));
  }
}

size_t RowLayout::DeserializeRow(const char* bytes, char* row, Arena* arena) const {
  size_t consumed = row_bytes_ - null_offset_;
  std::memcpy(row + null_offset_, bytes, consumed);
  for (size_t i = 0; i < types_.size(); ++i) {
    if (!IsByReference(types_[i]) || IsNull(row, i)) continue;
    Datum datum = LoadDatum(types_[i], Field(row, i), 0);
    size_t size = ReferencedBytes(types_[i], datum).size();
    SetReference(types_[i], &datum, bytes + consumed);
    StoreDatum(types_[i], Field(row, i), 0, CopyDatum(types_[i], datum, arena));
    consumed += size;
  }
  return consumed;
}

char* RowContainer::AppendEmpty() {
  char* row = static_cast<char*>(arena_.Allocate(layout_.row_bytes(), 16));
  if (layout_.row_bytes() > 0)
    std::memset(row, 0, layout_.row_bytes());  // rows of a join that needs no column have no bytes
  return row;
}

char* RowContainer::Append(std::span<Vector* const> columns, uint32_t row) {
  char* to = AppendEmpty();
  for (size_t i = 0; i < columns.size(); ++i) {
    const Vector& column = *columns[i];
    PhysicalType type = layout_.types()[i];
    DCHECK(column.type() == type);
    Value value = column.Get(row);
    if (!value.is_null) value.datum = CopyDatum(type, value.datum, &arena_);
    layout_.Set(to, i, value);
  }
  return to;
}

char* RowContainer::AppendSerialized(const char* bytes, size_t* consumed) {
  char* row = AppendEmpty();
  *consumed = layout_.DeserializeRow(bytes, row, &arena_);
  return row;
}

void GatherRows(const RowLayout& layout, const char* const* rows, uint32_t n, size_t first_column,
                std::span<Vector* const> columns) {
  for (size_t i = 0; i < columns.size(); ++i) {
    size_t column = first_column + i;
    Vector& out = *columns[i];
    PhysicalType type = layout.types()[column];
    out.Reset(type, n);
    for (uint32_t r = 0; r < n; ++r) {
      if (rows[r] == nullptr || layout.IsNull(rows[r], column)) {
        out.SetNull(r);
      } else {
        StoreDatum(type, out.raw_data(), r, LoadDatum(type, layout.Field(rows[r], column), 0));
      }
    }
  }
}

}  // namespace walden

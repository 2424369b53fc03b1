#include "node/catalog/row_types.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "node/base/error.h"
#include "node/catalog/relation.h"
#include "node/catalog/syscache.h"
#include "node/txn/transaction.h"
#include "node/types/integer.h"
#include "node/types/record.h"

namespace walden {
namespace {

struct StoredType {
  std::string name;
  TypeDescriptor descriptor;
};

[[noreturn]] void ThrowMalformed(std::string_view text, std::string_view detail) {
  throw SqlError(ErrorCode::kInvalidTextRepresentation, "malformed record literal: \"{}\"", text)
      .WithDetail(std::string(detail));
}

// One field of "(a,"b ""c""",)": what stands up to the next comma or parenthesis. Null when it is empty and unquoted.
std::optional<std::string> NextField(std::string_view text, size_t* at) {
  if (*at < text.size() && (text[*at] == ',' || text[*at] == ')')) return std::nullopt;
  std::string field;
  bool quoted = false;
  while (quoted || (*at < text.size() && text[*at] != ',' && text[*at] != ')')) {
    if (*at >= text.size()) ThrowMalformed(text, "Unexpected end of input.");
    char c = text[(*at)++];
    if (c == '\\') {
      if (*at >= text.size()) ThrowMalformed(text, "Unexpected end of input.");
      field += text[(*at)++];
    } else if (c == '"') {
      if (!quoted) {
        quoted = true;
      } else if (*at < text.size() && text[*at] == '"') {
        field += text[(*at)++];
      } else {
        quoted = false;
      }
    } else {
      field += c;
    }
  }
  if (*at >= text.size()) ThrowMalformed(text, "Unexpected end of input.");
  return field;
}

void RowIn(std::string_view text, TypeIo& io, Datum* result) {
  RowRef<PgTypeRow> type = TypeRow(io.type->oid);
  RelationRef relation = OpenRelation(type->typrelid, LockMode::kNone);
  size_t at = 0;
  auto skip_space = [&] {
    while (at < text.size() && IsSpace(text[at])) ++at;
  };
  skip_space();
  if (at >= text.size() || text[at] != '(') ThrowMalformed(text, "Missing left parenthesis.");
  ++at;
  std::vector<RecordField> fields;
  bool first = true;
  for (const PgAttributeRow& column : relation->columns) {
    if (column.attisdropped) {
      fields.push_back({Oid::kInvalid, Value{}});
      continue;
    }
    if (!first) {
      if (at >= text.size() || text[at] != ',') ThrowMalformed(text, "Too few columns.");
      ++at;
    }
    first = false;
    std::optional<std::string> field = NextField(text, &at);
    RecordField made{column.atttypid, Value{}};
    if (field) {
      const TypeDescriptor& field_type = TypeOf(column.atttypid);
      TypeIo field_io{io.arena, io.format, io.names, &field_type, column.atttypmod};
      std::string_view kept = io.arena.Copy(*field);
      field_type.input(kept, field_io, &made.value.datum);
      made.value.is_null = false;
    }
    fields.push_back(made);
  }
  if (at < text.size() && text[at] == ',') ThrowMalformed(text, "Too many columns.");
  if (at >= text.size() || text[at] != ')') ThrowMalformed(text, "Too many columns.");
  ++at;
  skip_space();
  if (at < text.size()) ThrowMalformed(text, "Junk after right parenthesis.");
  *result = StringDatum(MakeRecord(fields, io.arena));
}

std::unordered_map<uint32_t, std::unique_ptr<StoredType>>& KnownTypes() {
  static std::unordered_map<uint32_t, std::unique_ptr<StoredType>> known;
  return known;
}

bool Describe(const PgTypeRow& row, TypeDescriptor* descriptor) {
  if (row.typtype == 'c') {
    *descriptor = TypeOf(type_oid::kRecord);
    descriptor->kind = 'c';
    descriptor->input = RowIn;
  } else if (row.typtype == 'd') {
    const TypeDescriptor* base = FindType(row.typbasetype);
    if (base == nullptr) return false;
    *descriptor = *base;
    descriptor->kind = 'd';
  } else if (row.typtype == 'b' && IsValid(row.typelem) && FindType(row.typelem) != nullptr) {
    *descriptor = TypeOf(Oid{1009});  // text[]: array functions ask the element's type
    descriptor->element = row.typelem;
    descriptor->delimiter = row.typdelim;
  } else {
    return false;
  }
  descriptor->oid = row.oid;
  descriptor->array = row.typarray;
  return true;
}

}  // namespace

const TypeDescriptor* ResolveStoredType(Oid oid) {
  if (!IsValid(oid) || !InTransaction()) return nullptr;
  auto found = KnownTypes().find(OidNumber(oid));
  RowRef<PgTypeRow> row = TypeRow(oid);
  if (!row) return nullptr;
  if (found != KnownTypes().end() && found->second->name == row->typname &&
      found->second->descriptor.array == row->typarray) {
    return &found->second->descriptor;
  }
  auto made = std::make_unique<StoredType>();
  if (!Describe(*row, &made->descriptor)) return nullptr;
  made->name = row->typname;
  made->descriptor.name = made->name;
  const TypeDescriptor* descriptor = &made->descriptor;
  // An older one of this OID may still be referred to in this statement: it is kept.
  static std::vector<std::unique_ptr<StoredType>> superseded;
  std::unique_ptr<StoredType>& slot = KnownTypes()[OidNumber(oid)];
  if (slot != nullptr) superseded.push_back(std::move(slot));
  slot = std::move(made);
  return descriptor;
}

}  // namespace walden

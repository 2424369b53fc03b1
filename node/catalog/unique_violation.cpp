// The message of a violated unique index.
#include "node/base/error.h"
#include "node/catalog/identity.h"
#include "node/catalog/relation_build.h"
#include "node/catalog/syscache.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

std::string ValueText(Oid type, const Value& value) {
  if (value.is_null) return "null";
  Arena arena;
  const SessionIdentity& identity = session_identity();
  const TypeDescriptor& descriptor = TypeOf(type);
  const TextFormat& format = identity.text_format != nullptr ? *identity.text_format : DefaultTextFormat();
  return std::string(
      FormatText(descriptor, value.datum, TypeIo{arena, format, identity.object_names, &descriptor, -1}));
}

// "Key (a, b)=(1, 2)": the columns and their values.
std::string KeyText(const IndexDesc& index, const Value* key) {
  const Relation& relation = *static_cast<const Relation*>(index.owner);
  std::string names, values;
  for (int k = 0; k < index.key_count(); ++k) {
    const char* separator = k == 0 ? "" : ", ";
    // The column of an index has the name of the table's column when the index was made; expressions have names too.
    int16_t table_column = relation.index->indkey[k];
    std::string name =
        table_column > 0 ? ColumnName(relation.index->indrelid, table_column) : relation.columns[k].attname;
    names += separator + name;
    values += separator + ValueText(relation.columns[k].atttypid, key[k]);
  }
  return "Key (" + names + ")=(" + values + ")";
}

[[noreturn]] void ThrowViolation(const IndexDesc& index, SqlError error) {
  error.WithConstraint(index.name);
  const Relation& relation = *static_cast<const Relation*>(index.owner);
  RowRef<PgClassRow> table = ClassRow(relation.index->indrelid);
  if (table) error.WithTable(SchemaName(table->relnamespace), table->relname);
  throw error;
}

}  // namespace

void ThrowDuplicateKey(const IndexDesc& index, const Value* key) {
  SqlError error(ErrorCode::kUniqueViolation, "duplicate key value violates unique constraint \"{}\"",
                 index.name);
  ThrowViolation(index, error.WithDetail(KeyText(index, key) + " already exists."));
}

void ThrowDuplicateInBuild(const IndexDesc& index, const Value* key) {
  SqlError error(ErrorCode::kUniqueViolation, "could not create unique index \"{}\"", index.name);
  ThrowViolation(index, error.WithDetail(KeyText(index, key) + " is duplicated."));
}

}  // namespace walden

// Checks of foreign keys, and their errors.
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/catalog/syscache.h"
#include "node/sql/executor/foreign_key.h"
#include "node/txn/transaction.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

bool MayShow(const Relation& table, const std::vector<int16_t>& columns) {
  Oid role = session_identity().current_role;
  if (CheckRelation(table.oid, role, acl::kSelect) == AclResult::kOk) return true;
  for (int16_t attno : columns) {
    if (CheckColumn(table.oid, attno, role, acl::kSelect) != AclResult::kOk) return false;
  }
  return true;
}

// "Key (a, b)=(1, 2)", or "Key" of what the user may not read.
std::string DescribeKey(const Relation& table, const std::vector<int16_t>& columns,
                        std::span<const Value> key, EvalContext& context) {
  if (!MayShow(table, columns)) return "Key";
  std::string names, values;
  for (size_t i = 0; i < columns.size(); ++i) {
    const PgAttributeRow& column = table.columns[columns[i] - 1];
    if (i > 0) names += ", ", values += ", ";
    names += column.attname;
    if (key[i].is_null) {
      values += "null";
      continue;
    }
    const TypeDescriptor& type = TypeOf(column.atttypid);
    TypeIo io{*context.arena, *context.format, context.session, &type, column.atttypmod};
    type.output(key[i].datum, io, &values);
  }
  return "Key (" + names + ")=(" + values + ")";
}

SqlError InsertViolation(const ForeignKey& key, std::string detail) {
  const Relation& own = *key.referencing();
  return SqlError(ErrorCode::kForeignKeyViolation,
                  "insert or update on table \"{}\" violates foreign key constraint \"{}\"", own.name(),
                  key.row().conname)
      .WithDetail(std::move(detail))
      .WithTable(SchemaName(own.row.relnamespace), own.name())
      .WithConstraint(key.row().conname);
}

[[noreturn]] void ThrowStillReferenced(ForeignKey& key, const ReferentialEvent& event, EvalContext& context) {
  const Relation &own = *key.referencing(), &referenced = *key.referenced();
  std::string described = DescribeKey(referenced, *key.row().confkey, event.old_key, context);
  throw SqlError(ErrorCode::kForeignKeyViolation,
                 "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
                 referenced.name(), key.row().conname, own.name())
      .WithDetail(fmt::format("{} is still referenced from table \"{}\".", described, own.name()))
      .WithTable(SchemaName(own.row.relnamespace), own.name())
      .WithConstraint(key.row().conname);
}

bool FindAndLock(KeyLookup& rows, std::span<const Value> key, const Snapshot& snapshot) {
  bool found = false;
  rows.ForEach(key, snapshot, [&](const TupleView& row) {
    TupleId tid = row.tid;
    found = rows.Lock(&tid, key, RowLockMode::kKeyShare);
    return !found;
  });
  return found;
}

}  // namespace

bool ReferencingRowExists(ForeignKey& key, std::span<const Value> own_key) {
  for (const Value& value : own_key) {
    if (value.is_null) return true;
  }
  SnapshotHold snapshot = LatestSnapshot();
  bool found = false;
  key.referencing_rows_by_own().ForEach(own_key, *snapshot, [&](const TupleView&) {
    found = true;
    return false;
  });
  return found;
}

void CheckReferencing(ForeignKey& key, const ReferentialEvent& event, EvalContext& context) {
  for (const Value& value : event.new_key) {
    // Rows that refer to nothing were not queued.
    if (value.is_null)
      throw InsertViolation(key, "MATCH FULL does not allow mixing of null and nonnull key values.");
  }
  // REPEATABLE READ: a partner that the transaction cannot see does not count.
  SnapshotHold snapshot = TransactionSnapshot();
  if (FindAndLock(key.referenced_rows(), event.new_key, *snapshot)) return;
  std::string described = DescribeKey(*key.referencing(), *key.row().conkey, event.new_key, context);
  throw InsertViolation(
      key, fmt::format("{} is not present in table \"{}\".", described, key.referenced()->name()));
}

void CheckNotReferenced(ForeignKey& key, bool restrict, const ReferentialEvent& event, EvalContext& context) {
  SnapshotHold snapshot = LatestSnapshot();
  if (!restrict && FindAndLock(key.referenced_rows_by_own(), event.old_key, *snapshot)) return;
  if (FindAndLock(key.referencing_rows(), event.old_key, *snapshot))
    ThrowStillReferenced(key, event, context);
}

}  // namespace walden

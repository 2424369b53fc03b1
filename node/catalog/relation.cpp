#include "node/catalog/relation.h"

#include <cstdlib>
#include <unordered_map>

#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/change_log.h"
#include "node/catalog/identity.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/namespace.h"
#include "node/catalog/relation_build.h"
#include "node/shm/process.h"
#include "node/txn/lock_manager.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

struct RelationCache {
  std::unordered_map<uint32_t, RelationRef> entries;
  uint64_t forgotten = 0;  // counts removals: tells a builder that its work may be out of date
};
RelationCache& cache() {
  static thread_local RelationCache the_cache;
  return the_cache;
}

RelationRef BuildConsistent(Oid oid) {
  if (IsCatalogRelation(oid)) return BuildCatalogRelation(oid);
  for (;;) {
    uint64_t before = cache().forgotten;
    RelationRef built = BuildRelation(oid);
    if (cache().forgotten == before) return built;
  }
}

RelationRef CachedRelation(Oid oid) {
  auto found = cache().entries.find(OidNumber(oid));
  if (found != cache().entries.end()) return found->second;
  RelationRef built = BuildConsistent(oid);
  if (built) cache().entries[OidNumber(oid)] = built;
  return built;
}

constexpr SystemColumn kSystemColumns[] = {
    {kSelfItemPointerAttr, "ctid", type_oid::kTid}, {kMinTransactionIdAttr, "xmin", type_oid::kXid},
    {kMinCommandIdAttr, "cmin", type_oid::kCid},    {kMaxTransactionIdAttr, "xmax", type_oid::kXid},
    {kMaxCommandIdAttr, "cmax", type_oid::kCid},    {kTableOidAttr, "tableoid", type_oid::kOid},
};

// pg_temp_<slot> and pg_toast_temp_<slot> name the owner of a temporary relation.
int SlotOfTemporarySchema(Oid schema) {
  std::string name = SchemaName(schema);
  size_t digits = name.find_last_of('_');
  return digits == std::string::npos ? self_slot() : std::atoi(name.c_str() + digits + 1);
}

}  // namespace

bool Relation::has_storage() const {
  switch (row.relkind) {
    case relkind::kTable:
    case relkind::kIndex:
    case relkind::kSequence:
    case relkind::kToast:
    case relkind::kMaterializedView: return true;
    default: return false;
  }
}

AttrNumber Relation::FindColumn(std::string_view column) const {
  for (const PgAttributeRow& attribute : columns) {
    if (!attribute.attisdropped && attribute.attname == column) return attribute.attnum;
  }
  if (row.relkind == relkind::kView || row.relkind == relkind::kComposite) return 0;
  const SystemColumn* system = FindSystemColumn(column);
  return system != nullptr ? system->attno : AttrNumber{0};
}

const ColumnDefault* Relation::DefaultOf(AttrNumber attno) const {
  for (const ColumnDefault& column_default : defaults) {
    if (column_default.attno == attno) return &column_default;
  }
  return nullptr;
}

RelationRef TryOpenRelation(Oid oid, LockMode mode) {
  if (mode == LockMode::kNone) {
    ObeyOwnChanges();
    return CachedRelation(oid);
  }
  LockTag tag = RelationLockTag(oid);
  AcquireLock(tag, mode);
  AcceptInvalidations();
  RelationRef relation = CachedRelation(oid);
  if (!relation) ReleaseLock(tag, mode);
  return relation;
}

RelationRef OpenRelation(Oid oid, LockMode mode) {
  RelationRef relation = TryOpenRelation(oid, mode);
  if (!relation)
    throw SqlError(ErrorCode::kInternalError, "could not open relation with OID {}", OidNumber(oid));
  return relation;
}

void ForgetRelation(Oid relation) {
  ++cache().forgotten;
  cache().entries.erase(OidNumber(relation));
}

void ForgetAllRelations() {
  ++cache().forgotten;
  cache().entries.clear();
}

const SystemColumn* FindSystemColumn(std::string_view name) {
  for (const SystemColumn& column : kSystemColumns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}
const SystemColumn* FindSystemColumn(AttrNumber attno) {
  for (const SystemColumn& column : kSystemColumns) {
    if (column.attno == attno) return &column;
  }
  return nullptr;
}

RelFileLocator LocatorOf(const PgClassRow& row) {
  RelFileLocator locator;
  locator.number = OidNumber(row.relfilenode);
  if (row.relisshared) {
    locator.tablespace = kGlobalTablespace;
    return locator;
  }
  const SessionIdentity& identity = session_identity();
  locator.tablespace = IsValid(row.reltablespace) ? row.reltablespace : identity.database_tablespace;
  locator.database = identity.database;
  if (row.relpersistence == 'u') locator.owner = RelFileLocator::kUnlogged;
  if (row.relpersistence == 't') {
    locator.owner =
        RelFileLocator::kFirstTemporary + static_cast<uint32_t>(SlotOfTemporarySchema(row.relnamespace));
  }
  return locator;
}

PhysicalType PhysicalTypeOf(Oid type) { return TypeOf(type).physical; }

LockTag RelationLockTag(Oid oid) {
  return LockTag::Relation(IsSharedRelation(oid) ? Oid::kInvalid : session_identity().database, oid);
}

}  // namespace walden

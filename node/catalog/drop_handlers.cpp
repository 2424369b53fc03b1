#include "node/catalog/drop_handlers.h"

#include <map>

#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/relation_ddl.h"
#include "node/catalog/rows/pg_attrdef.h"
#include "node/catalog/rows/pg_default_acl.h"
#include "node/catalog/rows/pg_description.h"
#include "node/catalog/rows/pg_enum.h"
#include "node/catalog/rows/pg_init_privs.h"
#include "node/catalog/rows/pg_rewrite.h"
#include "node/catalog/rows/pg_shdescription.h"
#include "node/catalog/rows/pg_trigger.h"
#include "node/txn/lock_manager.h"

namespace walden {
namespace {

std::map<Oid, DropHandler>& handlers() {
  static std::map<Oid, DropHandler> registered;
  return registered;
}

template <class Row>
void DeleteAll(Oid index, CatalogKeys keys) {
  CatalogTable<Row> table;
  for (const StoredRow<Row>& row : table.Scan(index, keys)) table.Delete(row.tid);
}

void DropDefault(Oid oid) {
  CatalogTable<PgAttrdefRow> defaults;
  auto found = defaults.Find(catalog_index::kPgAttrdefOidIndex, {oid});
  if (!found) return;
  AcquireLock(RelationLockTag(found->row.adrelid), LockMode::kAccessExclusive);
  defaults.Delete(found->tid);
  RowRef<PgAttributeRow> column = AttributeRow(found->row.adrelid, found->row.adnum);
  if (!column || column->attisdropped) return;
  UpdateAttributeRow(found->row.adrelid, found->row.adnum,
                     [](PgAttributeRow* row) { row->atthasdef = false; });
}

void DropConstraint(Oid oid) {
  CatalogTable<PgConstraintRow> constraints;
  auto found = constraints.Find(catalog_index::kPgConstraintOidIndex, {oid});
  if (!found) return;
  if (IsValid(found->row.conrelid))
    AcquireLock(RelationLockTag(found->row.conrelid), LockMode::kAccessExclusive);
  constraints.Delete(found->tid);
  if (found->row.contype == 'c' && IsValid(found->row.conrelid)) {
    UpdateClassRow(found->row.conrelid, [](PgClassRow* row) { --row->relchecks; });
  }
}

void DropType(Oid oid) {
  DeleteAll<PgEnumRow>(catalog_index::kPgEnumTypidLabelIndex, {oid});
  DeleteAll<PgTypeRow>(catalog_index::kPgTypeOidIndex, {oid});
}

void DropRule(Oid oid) {
  CatalogTable<PgRewriteRow> rules;
  if (auto found = rules.Find(catalog_index::kPgRewriteOidIndex, {oid})) rules.Delete(found->tid);
}

void DropTrigger(Oid oid) {
  CatalogTable<PgTriggerRow> triggers;
  auto found = triggers.Find(catalog_index::kPgTriggerOidIndex, {oid});
  if (!found) return;
  AcquireLock(RelationLockTag(found->row.tgrelid), LockMode::kAccessExclusive);
  triggers.Delete(found->tid);
}

void DeleteRows(const ObjectAddress& object) {
  Oid catalog = object.catalog, oid = object.object;
  if (auto handler = handlers().find(catalog); handler != handlers().end()) return handler->second(object);
  if (catalog == catalog_oid::kPgClass) {
    if (object.sub != 0)
      DropColumnRows(oid, static_cast<AttrNumber>(object.sub));
    else
      DropRelationRows(oid);
  } else if (catalog == catalog_oid::kPgType) {
    DropType(oid);
  } else if (catalog == catalog_oid::kPgConstraint) {
    DropConstraint(oid);
  } else if (catalog == catalog_oid::kPgAttrdef) {
    DropDefault(oid);
  } else if (catalog == catalog_oid::kPgRewrite) {
    DropRule(oid);
  } else if (catalog == catalog_oid::kPgTrigger) {
    DropTrigger(oid);
  } else if (catalog == catalog_oid::kPgNamespace) {
    DeleteAll<PgNamespaceRow>(catalog_index::kPgNamespaceOidIndex, {oid});
  } else if (catalog == catalog_oid::kPgDefaultAcl) {
    DeleteAll<PgDefaultAclRow>(catalog_index::kPgDefaultAclOidIndex, {oid});
  } else {
    throw NotSupported("dropping " + DescribeObject(object));
  }
}

void DeleteComments(const ObjectAddress& object) {
  if (IsSharedRelation(object.catalog)) {
    DeleteAll<PgShdescriptionRow>(catalog_index::kPgShdescriptionOCIndex, {object.object, object.catalog});
  } else if (object.sub != 0) {
    DeleteAll<PgDescriptionRow>(catalog_index::kPgDescriptionOCOIndex,
                                {object.object, object.catalog, object.sub});
  } else {
    DeleteAll<PgDescriptionRow>(catalog_index::kPgDescriptionOCOIndex, {object.object, object.catalog});
  }
}

}  // namespace

void RegisterDropHandler(Oid catalog, DropHandler handler) { handlers()[catalog] = handler; }

void DeleteObjectRows(const ObjectAddress& object) {
  DeleteRows(object);
  DeleteDependenciesOf(object);
  DeleteSharedDependencies(object);
  DeleteComments(object);
  if (object.sub == 0) {
    DeleteAll<PgInitPrivsRow>(catalog_index::kPgInitPrivsOCOIndex, {object.object, object.catalog});
  }
}

}  // namespace walden

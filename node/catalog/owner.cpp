// Owners and access lists as they are stored, object kind by object kind.
#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/dependency.h"
#include "node/catalog/relation_ddl.h"
#include "node/catalog/rows/pg_default_acl.h"
#include "node/catalog/rows/pg_language.h"
#include "node/catalog/rows/pg_tablespace.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

// Finds the row of an object and lets `change` see owner and list.
template <class Row>
void ChangeRow(Oid index, Oid object, Oid Row::* owner, std::optional<Acl> Row::* list,
               const std::function<void(Oid*, std::optional<Acl>*)>& change) {
  CatalogTable<Row> table;
  auto found = table.Find(index, {object});
  if (!found) return;
  change(&(found->row.*owner), &(found->row.*list));
  table.Update(found->tid, found->row);
  CommandCounterIncrement();
}

void ChangeOwnerAndAcl(const ObjectAddress& object,
                       const std::function<void(Oid*, std::optional<Acl>*)>& change) {
  Oid oid = object.object;
  if (object.catalog == catalog_oid::kPgClass) {
    ChangeRow<PgClassRow>(catalog_index::kPgClassOidIndex, oid, &PgClassRow::relowner, &PgClassRow::relacl,
                          change);
  } else if (object.catalog == catalog_oid::kPgNamespace) {
    ChangeRow<PgNamespaceRow>(catalog_index::kPgNamespaceOidIndex, oid, &PgNamespaceRow::nspowner,
                              &PgNamespaceRow::nspacl, change);
  } else if (object.catalog == catalog_oid::kPgDatabase) {
    ChangeRow<PgDatabaseRow>(catalog_index::kPgDatabaseOidIndex, oid, &PgDatabaseRow::datdba,
                             &PgDatabaseRow::datacl, change);
  } else if (object.catalog == catalog_oid::kPgType) {
    ChangeRow<PgTypeRow>(catalog_index::kPgTypeOidIndex, oid, &PgTypeRow::typowner, &PgTypeRow::typacl,
                         change);
  } else if (object.catalog == catalog_oid::kPgProc) {
    ChangeRow<PgProcRow>(catalog_index::kPgProcOidIndex, oid, &PgProcRow::proowner, &PgProcRow::proacl,
                         change);
  } else if (object.catalog == catalog_oid::kPgLanguage) {
    ChangeRow<PgLanguageRow>(catalog_index::kPgLanguageOidIndex, oid, &PgLanguageRow::lanowner,
                             &PgLanguageRow::lanacl, change);
  } else if (object.catalog == catalog_oid::kPgTablespace) {
    ChangeRow<PgTablespaceRow>(catalog_index::kPgTablespaceOidIndex, oid, &PgTablespaceRow::spcowner,
                               &PgTablespaceRow::spcacl, change);
  } else {
    throw NotSupported("changing the owner of " + DescribeObject(object));
  }
}

void SetColumnAclsOwner(Oid relation, Oid old_owner, Oid new_owner) {
  RelationRef open = OpenRelation(relation, LockMode::kNone);
  for (const PgAttributeRow& column : open->columns) {
    if (!column.attacl) continue;
    UpdateAttributeRow(relation, column.attnum, [&](PgAttributeRow* row) {
      row->attacl = AclChangeOwner(*row->attacl, old_owner, new_owner);
    });
  }
}

void SetRelationOwner(Oid relation, Oid new_owner);

// What goes with a relation: row type, indexes, TOAST table, sequences of its columns.
void SetPartsOwner(const Relation& relation, Oid new_owner) {
  auto set_type = [&](Oid type) {
    auto change = [&](Oid* owner, std::optional<Acl>* list) {
      if (*list) *list = AclChangeOwner(**list, *owner, new_owner);
      *owner = new_owner;
    };
    ChangeRow<PgTypeRow>(catalog_index::kPgTypeOidIndex, type, &PgTypeRow::typowner, &PgTypeRow::typacl,
                         change);
  };
  if (RowRef<PgTypeRow> type = IsValid(relation.row.reltype) ? TypeRow(relation.row.reltype) : nullptr) {
    set_type(type->oid);
    if (IsValid(type->typarray)) set_type(type->typarray);
  }
  for (const RelationRef& index : relation.indexes) SetRelationOwner(index->oid, new_owner);
  if (relation.toast_relation) SetRelationOwner(relation.toast_relation->oid, new_owner);
  for (const Dependency& dependent : DependentsOf({catalog_oid::kPgClass, relation.oid, 0})) {
    bool owned = dependent.kind == DependencyKind::kAuto || dependent.kind == DependencyKind::kInternal;
    if (!owned || dependent.other.catalog != catalog_oid::kPgClass) continue;
    RowRef<PgClassRow> row = ClassRow(dependent.other.object);
    if (row && row->relkind == relkind::kSequence) SetRelationOwner(row->oid, new_owner);
  }
}

void SetRelationOwner(Oid relation, Oid new_owner) {
  RelationRef open = OpenRelation(relation, LockMode::kAccessExclusive);
  Oid old_owner = open->row.relowner;
  if (old_owner == new_owner) return;
  ObjectAddress self{catalog_oid::kPgClass, relation, 0};
  ChangeOwnerAndAcl(self, [&](Oid* owner, std::optional<Acl>* list) {
    if (*list) *list = AclChangeOwner(**list, old_owner, new_owner);
    *owner = new_owner;
  });
  SetColumnAclsOwner(relation, old_owner, new_owner);
  bool has_entry = open->row.relkind != relkind::kIndex && open->row.relkind != relkind::kToast;
  if (has_entry) ChangeOwner(self, new_owner);
  CommandCounterIncrement();
  SetPartsOwner(*open, new_owner);
}

}  // namespace

void SetObjectOwner(const ObjectAddress& object, Oid new_owner) {
  if (object.catalog == catalog_oid::kPgClass) return SetRelationOwner(object.object, new_owner);
  ChangeOwnerAndAcl(object, [&](Oid* owner, std::optional<Acl>* list) {
    if (*list) *list = AclChangeOwner(**list, *owner, new_owner);
    *owner = new_owner;
  });
  ChangeOwner(object, new_owner);
  CommandCounterIncrement();
}

void RevokeAllFrom(const ObjectAddress& object, Oid role) {
  auto without = [&](const Acl& list, Oid owner) {
    Acl rest = list;
    for (const AclItem& item : list) {
      if (item.grantee == role)
        rest = AclRevoke(rest, std::span(&role, 1), 0xFFFF, false, true, item.grantor, owner);
    }
    return rest;
  };
  if (object.catalog == catalog_oid::kPgDefaultAcl) {
    CatalogTable<PgDefaultAclRow> defaults;
    auto stored = defaults.Find(catalog_index::kPgDefaultAclOidIndex, {object.object});
    if (!stored) return;
    stored->row.defaclacl = without(stored->row.defaclacl, stored->row.defaclrole);
    defaults.Update(stored->tid, stored->row);
    CommandCounterIncrement();
  } else if (object.sub != 0) {
    Oid owner = OwnerOf(object.catalog, object.object);
    UpdateAttributeRow(object.object, static_cast<AttrNumber>(object.sub), [&](PgAttributeRow* row) {
      if (row->attacl) row->attacl = without(*row->attacl, owner);
      if (row->attacl && row->attacl->empty()) row->attacl.reset();
    });
  } else {
    ChangeOwnerAndAcl(object, [&](Oid* owner, std::optional<Acl>* list) {
      if (*list) *list = without(**list, *owner);
    });
  }
  Oid member = role;
  UpdateAclDependencies(object, Oid::kInvalid, std::span(&member, 1), {});
}

}  // namespace walden

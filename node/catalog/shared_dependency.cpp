// pg_shdepend: what needs which role, tablespace or database.
#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/dependency.h"
#include "node/catalog/identity.h"
#include "node/catalog/relation_ddl.h"
#include "node/catalog/rows/pg_shdepend.h"

namespace walden {
namespace {

constexpr char kOwnerKind = 'o', kAclKind = 'a';

bool IsSharedCatalog(Oid catalog) { return IsSharedRelation(catalog); }

Oid DatabaseFor(Oid catalog) {
  return IsSharedCatalog(catalog) ? Oid::kInvalid : session_identity().database;
}

void Insert(const ObjectAddress& object, Oid role, char kind) {
  if (IsPinnedObject({catalog_oid::kPgAuthid, role, 0})) return;
  CatalogTable<PgShdependRow>().Insert({DatabaseFor(object.catalog), object.catalog, object.object,
                                        object.sub, catalog_oid::kPgAuthid, role, kind});
}

void DeleteWhere(const ObjectAddress& object, const std::function<bool(const PgShdependRow&)>& wanted) {
  CatalogTable<PgShdependRow> table;
  for (const auto& stored : table.Scan(catalog_index::kPgShdependDependerIndex,
                                       {DatabaseFor(object.catalog), object.catalog, object.object})) {
    if (wanted(stored.row)) table.Delete(stored.tid);
  }
}

std::string DescribeShared(const PgShdependRow& row) {
  if (row.dbid != Oid::kInvalid && row.dbid != session_identity().database) return "";
  std::string object = DescribeObject({row.classid, row.objid, row.objsubid});
  switch (row.deptype) {
    case kOwnerKind: return "owner of " + object;
    case kAclKind: return "privileges for " + object;
    default: return object;
  }
}

}  // namespace

void RecordOwner(const ObjectAddress& object, Oid owner) { Insert(object, owner, kOwnerKind); }

void ChangeOwner(const ObjectAddress& object, Oid new_owner) {
  DeleteWhere(object, [&](const PgShdependRow& row) {
    return row.deptype == kOwnerKind ||
           (row.deptype == kAclKind && row.refobjid == new_owner && row.objsubid == object.sub);
  });
  Insert(object, new_owner, kOwnerKind);
}

void UpdateAclDependencies(const ObjectAddress& object, Oid owner, std::span<const Oid> old_members,
                           std::span<const Oid> new_members) {
  auto contains = [](std::span<const Oid> roles, Oid role) {
    return std::find(roles.begin(), roles.end(), role) != roles.end();
  };
  DeleteWhere(object, [&](const PgShdependRow& row) {
    return row.deptype == kAclKind && row.objsubid == object.sub && contains(old_members, row.refobjid) &&
           !contains(new_members, row.refobjid);
  });
  for (Oid role : new_members) {
    if (role != owner && !contains(old_members, role)) Insert(object, role, kAclKind);
  }
}

void DeleteSharedDependencies(const ObjectAddress& object) {
  DeleteWhere(object,
              [&](const PgShdependRow& row) { return object.sub == 0 || row.objsubid == object.sub; });
}

bool SharedDependents(Oid catalog, Oid object, std::string* detail, std::string* log) {
  std::vector<PgShdependRow> rows =
      ReadRows<PgShdependRow>(catalog_index::kPgShdependReferenceIndex, {catalog, object});
  int elsewhere = 0;
  std::vector<std::string> here;
  for (const PgShdependRow& row : rows) {
    std::string text = DescribeShared(row);
    if (text.empty())
      ++elsewhere;
    else
      here.push_back(text);
  }
  for (const std::string& line : here) *detail += (detail->empty() ? "" : "\n") + line;
  if (elsewhere > 0) {
    std::string line = std::to_string(elsewhere) +
                       (elsewhere == 1 ? " object in another database" : " objects in other databases");
    *detail += (detail->empty() ? "" : "\n") + line;
  }
  *log = *detail;
  return !rows.empty();
}

namespace {

std::vector<PgShdependRow> RowsHereOf(Oid role) {
  std::vector<PgShdependRow> rows =
      ReadRows<PgShdependRow>(catalog_index::kPgShdependReferenceIndex, {catalog_oid::kPgAuthid, role});
  std::erase_if(rows, [](const PgShdependRow& row) {
    return row.dbid != Oid::kInvalid && row.dbid != session_identity().database;
  });
  return rows;
}

}  // namespace

void DropOwned(std::span<const Oid> roles, bool cascade) {
  std::vector<ObjectAddress> owned;
  for (Oid role : roles) {
    for (const PgShdependRow& row : RowsHereOf(role)) {
      ObjectAddress object{row.classid, row.objid, row.objsubid};
      if (row.deptype == kAclKind) {
        RevokeAllFrom(object, role);
      } else if (row.deptype == kOwnerKind && row.dbid != Oid::kInvalid) {
        owned.push_back({row.classid, row.objid, 0});
      }
    }
  }
  DropOptions options;
  options.cascade = cascade;
  DropObjects(owned, options);
}

void ReassignOwned(std::span<const Oid> roles, Oid new_owner) {
  for (Oid role : roles) {
    for (const PgShdependRow& row : RowsHereOf(role)) {
      if (row.deptype == kOwnerKind) SetObjectOwner({row.classid, row.objid, 0}, new_owner);
    }
  }
}

}  // namespace walden

// Role membership.
#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/catalog/bootstrap.h"
#include "node/catalog/identity.h"
#include "node/catalog/rows/pg_auth_members.h"
#include "node/catalog/syscache.h"

namespace walden {
namespace {

constexpr Oid kDatabaseOwnerRole{6171};

enum class Walk { kInherited, kAll };

// The roles that `member` is directly in.
std::vector<Oid> DirectRoles(Oid member) {
  std::vector<Oid> roles;
  for (const auto& row :
       *FindRows<PgAuthMembersRow>(catalog_index::kPgAuthMembersMemberRoleIndex, {member})) {
    roles.push_back(row->roleid);
  }
  // The owner of the current database is implicitly in pg_database_owner.
  RowRef<PgDatabaseRow> database = DatabaseRow(session_identity().database);
  if (database && database->datdba == member) roles.push_back(kDatabaseOwnerRole);
  return roles;
}

bool Reaches(Oid member, Oid role, Walk walk) {
  std::vector<Oid> seen{member};
  for (size_t at = 0; at < seen.size(); ++at) {
    if (seen[at] == role) return true;
    if (walk == Walk::kInherited) {
      RowRef<PgAuthidRow> row = RoleRow(seen[at]);
      if (!row || !row->rolinherit) continue;
    }
    for (Oid next : DirectRoles(seen[at])) {
      if (std::find(seen.begin(), seen.end(), next) == seen.end()) seen.push_back(next);
    }
  }
  return false;
}

}  // namespace

bool IsSuperuser(Oid role) {
  RowRef<PgAuthidRow> row = RoleRow(role);
  return row && row->rolsuper;
}
bool IsSuperuser() { return IsSuperuser(session_identity().current_role); }

bool HasCreateRole(Oid role) {
  RowRef<PgAuthidRow> row = RoleRow(role);
  return row && (row->rolsuper || row->rolcreaterole);
}
bool HasCreateDatabase(Oid role) {
  RowRef<PgAuthidRow> row = RoleRow(role);
  return row && (row->rolsuper || row->rolcreatedb);
}

bool HasRightsOf(Oid member, Oid role) {
  if (member == role || IsSuperuser(member)) return true;
  return Reaches(member, role, Walk::kInherited);
}
bool IsMember(Oid member, Oid role) {
  if (member == role || IsSuperuser(member)) return true;
  return Reaches(member, role, Walk::kAll);
}
bool IsMemberNoSuper(Oid member, Oid role) { return member == role || Reaches(member, role, Walk::kAll); }

bool IsAdminOf(Oid member, Oid role) {
  if (IsSuperuser(member)) return true;
  if (member == role) return false;
  for (const auto& row : *FindRows<PgAuthMembersRow>(catalog_index::kPgAuthMembersRoleMemberIndex, {role})) {
    if (row->admin_option && Reaches(member, row->member, Walk::kAll)) return true;
  }
  return false;
}

void CheckIsMember(Oid member, Oid role) {
  if (IsMember(member, role)) return;
  throw SqlError(ErrorCode::kInsufficientPrivilege, "must be member of role \"{}\"", RoleName(role));
}

Oid FindRole(std::string_view name, bool missing_ok) {
  RowRef<PgAuthidRow> row = RoleRow(name);
  if (row) return row->oid;
  if (missing_ok) return Oid::kInvalid;
  throw SqlError(ErrorCode::kUndefinedObject, "role \"{}\" does not exist", name);
}

}  // namespace walden

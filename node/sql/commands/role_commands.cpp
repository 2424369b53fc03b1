// CREATE, ALTER, DROP ROLE; membership; settings of roles and databases; owned objects.
#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/rows/pg_auth_members.h"
#include "node/catalog/rows/pg_db_role_setting.h"
#include "node/config/settings.h"
#include "node/sql/commands/command_parts.h"
#include "node/sql/commands/setting_commands.h"
#include "node/types/type_table.h"

namespace walden {

namespace {
std::string (*password_encoder)(std::string_view, std::string_view) = nullptr;
}
void SetPasswordEncoder(std::string (*encode)(std::string_view role, std::string_view password)) {
  password_encoder = encode;
}

namespace {

using ast::As;

std::string EncodedPassword(std::string_view role, std::string_view password) {
  if (password_encoder == nullptr) throw NotSupported("passwords without an encoder");
  return password_encoder(role, password);
}

[[noreturn]] void Deny(std::string_view message) {
  throw SqlError(ErrorCode::kInsufficientPrivilege, std::string(message));
}

int64_t ParseValidUntil(const ast::DefElem& option, CommandContext& context) {
  const TypeDescriptor& type = TypeOf(type_oid::kTimestampTz);
  return ParseText(type, OptionString(option),
                   TypeIo{context.arena, context.format, context.session, &type, -1})
      .i64;
}

// The attributes that options set on a role.
void ApplyRoleOptions(const ast::NodeList& options, PgAuthidRow* row, CommandContext& context) {
  for (const ast::Node* node : options) {
    const auto& option = *As<ast::DefElem>(node);
    std::string_view name = option.defname;
    if (name == "password") {
      bool is_empty = option.arg != nullptr && OptionString(option).empty();
      if (is_empty) Notice("empty string is not a valid password, clearing password");
      if (option.arg == nullptr || is_empty)
        row->rolpassword.reset();
      else
        row->rolpassword = EncodedPassword(row->rolname, OptionString(option));
    } else if (name == "superuser")
      row->rolsuper = OptionBoolean(option);
    else if (name == "inherit")
      row->rolinherit = OptionBoolean(option);
    else if (name == "createrole")
      row->rolcreaterole = OptionBoolean(option);
    else if (name == "createdb")
      row->rolcreatedb = OptionBoolean(option);
    else if (name == "canlogin")
      row->rolcanlogin = OptionBoolean(option);
    else if (name == "isreplication")
      row->rolreplication = OptionBoolean(option);
    else if (name == "bypassrls")
      row->rolbypassrls = OptionBoolean(option);
    else if (name == "connectionlimit") {
      row->rolconnlimit = static_cast<int32_t>(OptionInteger(option));
      if (row->rolconnlimit < -1)
        throw SqlError(ErrorCode::kInvalidParameterValue, "invalid connection limit: {}", row->rolconnlimit);
    } else if (name == "validUntil")
      row->rolvaliduntil = ParseValidUntil(option, context);
    else if (name == "sysid")
      Notice("SYSID can no longer be specified");
    else if (name != "addroleto" && name != "rolemembers" && name != "adminmembers") {
      throw SqlError(ErrorCode::kInternalError, "option \"{}\" not recognized", name);
    }
  }
}

// Only superusers hand out these.
void CheckMayCreate(const PgAuthidRow& row) {
  if (IsSuperuser()) return;
  if (row.rolsuper) Deny("must be superuser to create superusers");
  if (row.rolreplication) Deny("must be superuser to create replication users");
  if (row.rolbypassrls) Deny("must be superuser to create bypassrls users");
  if (!HasCreateRole(CurrentRole())) Deny("permission denied to create role");
}

void AddMember(Oid role, Oid member, bool admin) {
  if (role == member || IsMemberNoSuper(role, member)) {
    throw SqlError(ErrorCode::kInvalidGrantOperation, "role \"{}\" is a member of role \"{}\"",
                   RoleName(role), RoleName(member));
  }
  CatalogTable<PgAuthMembersRow> members;
  auto old = members.Find(catalog_index::kPgAuthMembersRoleMemberIndex, {role, member});
  PgAuthMembersRow row{role, member, CurrentRole(), admin};
  if (!old) {
    members.Insert(row);
    return;
  }
  if (!admin || old->row.admin_option) {
    Notice(fmt::format("role \"{}\" is already a member of role \"{}\"", RoleName(member), RoleName(role)));
    return;
  }
  members.Update(old->tid, row);
}

void RemoveMember(Oid role, Oid member, bool admin_only) {
  CatalogTable<PgAuthMembersRow> members;
  auto old = members.Find(catalog_index::kPgAuthMembersRoleMemberIndex, {role, member});
  if (!old) {
    Warning(ErrorCode::kWarning,
            fmt::format("role \"{}\" is not a member of role \"{}\"", RoleName(member), RoleName(role)));
    return;
  }
  if (!admin_only) {
    members.Delete(old->tid);
    return;
  }
  old->row.admin_option = false;
  members.Update(old->tid, old->row);
}

void CheckMayGrant(Oid role) {
  RowRef<PgAuthidRow> row = RoleRow(role);
  if (row->rolsuper) {
    if (!IsSuperuser()) Deny("must be superuser to alter superusers");
    return;
  }
  if (!HasCreateRole(CurrentRole()) && !IsAdminOf(CurrentRole(), role)) {
    throw SqlError(ErrorCode::kInsufficientPrivilege, "must have admin option on role \"{}\"", row->rolname);
  }
}

std::vector<Oid> RolesOf(const ast::NodeList& list) {
  std::vector<Oid> roles;
  for (const ast::Node* node : list) roles.push_back(RoleOf(*As<ast::RoleSpec>(node)));
  return roles;
}

void ApplyMembers(Oid role, const ast::NodeList& options) {
  for (const ast::Node* node : options) {
    const auto& option = *As<ast::DefElem>(node);
    if (option.arg == nullptr || !ast::Is<ast::ListNode>(option.arg)) continue;
    for (Oid other : RolesOf(As<ast::ListNode>(option.arg)->items)) {
      if (option.defname == "addroleto") AddMember(other, role, false);
      if (option.defname == "rolemembers") AddMember(role, other, false);
      if (option.defname == "adminmembers") AddMember(role, other, true);
    }
  }
}

}  // namespace

void RunCreateRole(const ast::CreateRoleStmt& statement, CommandContext& context) {
  PgAuthidRow row;
  row.rolname = statement.role;
  row.rolinherit = true;
  row.rolcanlogin = statement.stmt_type == RoleStmtType::kUser;
  row.rolconnlimit = -1;
  ApplyRoleOptions(statement.options, &row, context);
  CheckMayCreate(row);
  if (row.rolname.starts_with("pg_") || row.rolname == "public" || row.rolname == "none") {
    throw SqlError(ErrorCode::kReservedName, "role name \"{}\" is reserved", row.rolname)
        .WithDetail(row.rolname.starts_with("pg_") ? "Role names starting with \"pg_\" are reserved." : "");
  }
  if (RoleRow(row.rolname))
    throw SqlError(ErrorCode::kDuplicateObject, "role \"{}\" already exists", row.rolname);
  CatalogTable<PgAuthidRow> roles;
  row.oid = roles.NewOid();
  roles.Insert(row);
  context.Advance();
  ApplyMembers(row.oid, statement.options);
}

void RunAlterRole(const ast::AlterRoleStmt& statement, CommandContext& context) {
  Oid oid = RoleOf(*statement.role);
  CatalogTable<PgAuthidRow> roles;
  auto stored = roles.Find(catalog_index::kPgAuthidOidIndex, {oid});
  PgAuthidRow row = stored->row;
  if (row.rolname.starts_with("pg_") && OidNumber(oid) < 16384) {
    throw SqlError(ErrorCode::kReservedName, "role name \"{}\" is reserved", row.rolname)
        .WithDetail("Cannot alter reserved roles.");
  }
  ApplyRoleOptions(statement.options, &row, context);
  if (!IsSuperuser()) {
    if (stored->row.rolsuper || row.rolsuper)
      Deny("must be superuser to alter superuser roles or change superuser attribute");
    if (stored->row.rolreplication || row.rolreplication)
      Deny("must be superuser to alter replication roles or change replication attribute");
    if (row.rolbypassrls != stored->row.rolbypassrls) Deny("must be superuser to change bypassrls attribute");
    bool only_password =
        statement.options.size() == 1 && FindOption(statement.options, "password") != nullptr;
    if (!HasCreateRole(CurrentRole()) && !(only_password && oid == CurrentRole())) Deny("permission denied");
  }
  roles.Update(stored->tid, row);
  context.Advance();
  for (const ast::Node* node : statement.options) {
    const auto& option = *As<ast::DefElem>(node);
    if (option.defname != "rolemembers") continue;
    CheckMayGrant(oid);
    for (Oid member : RolesOf(As<ast::ListNode>(option.arg)->items)) {
      if (statement.action > 0)
        AddMember(oid, member, false);
      else
        RemoveMember(oid, member, false);
    }
  }
}

void RunDropRole(const ast::DropRoleStmt& statement, CommandContext& context) {
  if (!HasCreateRole(CurrentRole())) Deny("permission denied to drop role");
  for (const ast::Node* node : statement.roles) {
    const auto& spec = *As<ast::RoleSpec>(node);
    if (spec.roletype != RoleSpecType::kCstring) {
      throw SqlError(ErrorCode::kInvalidParameterValue, "cannot use special role specifier in DROP ROLE");
    }
    CatalogTable<PgAuthidRow> roles;
    auto stored = roles.Find(catalog_index::kPgAuthidRolnameIndex, {spec.rolename});
    if (!stored) {
      if (!statement.missing_ok)
        throw SqlError(ErrorCode::kUndefinedObject, "role \"{}\" does not exist", spec.rolename);
      Notice(fmt::format("role \"{}\" does not exist, skipping", spec.rolename));
      continue;
    }
    Oid oid = stored->row.oid;
    if (oid == CurrentRole()) throw SqlError(ErrorCode::kObjectInUse, "current user cannot be dropped");
    if (oid == session_identity().session_role)
      throw SqlError(ErrorCode::kObjectInUse, "session user cannot be dropped");
    if (stored->row.rolsuper && !IsSuperuser()) Deny("must be superuser to drop superusers");
    if (OidNumber(oid) < 16384) {
      throw SqlError(ErrorCode::kDependentObjectsStillExist,
                     "cannot drop role {} because it is required by the database system", spec.rolename);
    }
    std::string detail, log;
    if (SharedDependents(catalog_oid::kPgAuthid, oid, &detail, &log)) {
      throw SqlError(ErrorCode::kDependentObjectsStillExist,
                     "role \"{}\" cannot be dropped because some objects depend on it", spec.rolename)
          .WithDetail(detail);
    }
    roles.Delete(stored->tid);
    CatalogTable<PgAuthMembersRow> members;
    for (const auto& row : members.Scan(catalog_index::kPgAuthMembersRoleMemberIndex, {oid}))
      members.Delete(row.tid);
    for (const auto& row : members.Scan(catalog_index::kPgAuthMembersMemberRoleIndex, {oid}))
      members.Delete(row.tid);
    CatalogTable<PgDbRoleSettingRow> settings;
    for (const auto& row : settings.Scan()) {
      if (row.row.setrole == oid) settings.Delete(row.tid);
    }
    StoreComment({catalog_oid::kPgAuthid, oid, 0}, {});
    context.Advance();
  }
}

// Who it stands for is said by the database: its owner.
static void RefuseDatabaseOwner(Oid role, Oid member) {
  constexpr Oid kDatabaseOwner{6171};
  if (role == kDatabaseOwner) {
    throw SqlError(ErrorCode::kInternalError, "role \"pg_database_owner\" cannot have explicit members");
  }
  if (member == kDatabaseOwner) {
    throw SqlError(ErrorCode::kInternalError, "role \"pg_database_owner\" cannot be a member of any role");
  }
}

std::string RunGrantRole(const ast::GrantRoleStmt& statement, CommandContext& context) {
  std::vector<Oid> members = RolesOf(statement.grantee_roles);
  for (const ast::Node* node : statement.granted_roles) {
    const auto& granted = *As<ast::AccessPriv>(node);
    if (!granted.cols.empty())
      throw SqlError(ErrorCode::kInvalidGrantOperation,
                     "column names cannot be included in GRANT/REVOKE ROLE");
    Oid role = FindRole(granted.priv_name);
    CheckMayGrant(role);
    for (Oid member : members) {
      if (statement.is_grant) RefuseDatabaseOwner(role, member);
      if (statement.is_grant)
        AddMember(role, member, statement.admin_opt);
      else
        RemoveMember(role, member, statement.admin_opt);
      context.Advance();
    }
  }
  return statement.is_grant ? "GRANT ROLE" : "REVOKE ROLE";
}

namespace {

void AlterStoredSetting(Oid database, Oid role, const ast::VariableSetStmt& set) {
  CatalogTable<PgDbRoleSettingRow> settings;
  auto old = settings.Find(catalog_index::kPgDbRoleSettingDatabaseidRolIndex, {database, role});
  PgDbRoleSettingRow row = old ? old->row : PgDbRoleSettingRow{database, role, std::nullopt};
  std::vector<std::string> config = row.setconfig.value_or(std::vector<std::string>());
  if (set.kind == VariableSetKind::kResetAll) {
    config.clear();
  } else {
    std::optional<std::string> value = SettingArgument(set);
    SetRequest request;
    request.is_superuser = IsSuperuser();
    CheckSetting(set.name, value ? std::optional<std::string_view>(*value) : std::nullopt, request);
    std::string prefix = std::string(set.name) + "=";
    std::erase_if(config, [&](const std::string& item) { return item.starts_with(prefix); });
    if (value) config.push_back(prefix + *value);
  }
  if (config.empty()) {
    if (old) settings.Delete(old->tid);
    return;
  }
  row.setconfig = config;
  if (old)
    settings.Update(old->tid, row);
  else
    settings.Insert(row);
}

}  // namespace

void RunAlterRoleSet(const ast::AlterRoleSetStmt& statement, CommandContext&) {
  Oid role = Oid::kInvalid, database = Oid::kInvalid;
  if (statement.role != nullptr) {
    role = RoleOf(*statement.role);
    if (role != CurrentRole() && !HasCreateRole(CurrentRole())) Deny("permission denied");
    if (RoleRow(role)->rolsuper && !IsSuperuser()) Deny("must be superuser to alter superusers");
  } else if (!IsSuperuser()) {
    Deny("must be superuser to alter settings globally");
  }
  if (!statement.database.empty()) {
    RowRef<PgDatabaseRow> row = DatabaseRow(statement.database);
    if (!row)
      throw SqlError(ErrorCode::kUndefinedDatabase, "database \"{}\" does not exist", statement.database);
    database = row->oid;
  }
  AlterStoredSetting(database, role, *statement.setstmt);
}

void RunAlterDatabaseSet(const ast::AlterDatabaseSetStmt& statement, CommandContext&) {
  RowRef<PgDatabaseRow> row = DatabaseRow(statement.dbname);
  if (!row) throw SqlError(ErrorCode::kUndefinedDatabase, "database \"{}\" does not exist", statement.dbname);
  if (!IsOwner(catalog_oid::kPgDatabase, row->oid, CurrentRole())) {
    ThrowUnlessOk(AclResult::kNotOwner, ObjectKind::kDatabase, statement.dbname);
  }
  AlterStoredSetting(row->oid, Oid::kInvalid, *statement.setstmt);
}

void RunDropOwned(const ast::DropOwnedStmt& statement, CommandContext&) {
  std::vector<Oid> roles = RolesOf(statement.roles);
  for (Oid role : roles) {
    if (!HasRightsOf(CurrentRole(), role)) Deny("permission denied to drop objects");
  }
  DropOwned(roles, statement.behavior == DropBehavior::kCascade);
}

void RunReassignOwned(const ast::ReassignOwnedStmt& statement, CommandContext&) {
  std::vector<Oid> roles = RolesOf(statement.roles);
  Oid new_owner = RoleOf(*statement.newrole);
  for (Oid role : roles) {
    if (!HasRightsOf(CurrentRole(), role)) Deny("permission denied to reassign objects");
  }
  if (!HasRightsOf(CurrentRole(), new_owner)) Deny("permission denied to reassign objects");
  ReassignOwned(roles, new_owner);
}

}  // namespace walden

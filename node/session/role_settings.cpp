// SET ROLE and SET SESSION AUTHORIZATION are settings: levels undo them like any other. The number of each is the role's OID and whether it is a
// superuser, found when the value was checked, so that an abort restores the identity without reading a catalog.
#include "node/session/role_settings.h"
#include "node/catalog/acl.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/rows/pg_db_role_setting.h"
#include "node/catalog/syscache.h"
#include "node/config/settings.h"
#include "node/session/session_functions.h"

namespace walden {
namespace {

constexpr int64_t kSuperuserBit = int64_t{1} << 32;

int64_t Packed(const PgAuthidRow& role) {
  return static_cast<int64_t>(OidNumber(role.oid)) | (role.rolsuper ? kSuperuserBit : 0);
}
Oid RoleIn(int64_t packed) { return Oid{static_cast<uint32_t>(packed)}; }

const PgAuthidRow& ExistingRole(const RowRef<PgAuthidRow>& role, std::string_view name) {
  if (role == nullptr) throw SqlError(ErrorCode::kInvalidParameterValue, "role \"{}\" does not exist", name);
  return *role;
}

// "none" is the session user.
void CheckRole(ProposedValue& proposed) {
  proposed.number.integer = 0;
  if (proposed.text == "none") return;
  RowRef<PgAuthidRow> role = RoleRow(proposed.text);
  proposed.number.integer = Packed(ExistingRole(role, proposed.text));
  if (IsMember(session_identity().session_role, role->oid)) return;
  throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied to set role \"{}\"", proposed.text);
}

void CheckSessionAuthorization(ProposedValue& proposed) {
  RowRef<PgAuthidRow> role = RoleRow(proposed.text);
  proposed.number.integer = Packed(ExistingRole(role, proposed.text));
  Oid authenticated = session_identity().authenticated_role;
  if (role->oid == authenticated || IsSuperuser(authenticated)) return;
  throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied to set session authorization");
}

void AssignIdentity() {
  SessionIdentity& identity = session_identity();
  int64_t session = GetInt(Setting::kSessionAuthorization), role = GetInt(Setting::kRole);
  if (session == 0) return;
  identity.session_role = RoleIn(session);
  int64_t current = role != 0 ? role : session;
  identity.current_role = RoleIn(current);
  bool is_superuser = (current & kSuperuserBit) != 0;
  if (is_superuser != GetBool(Setting::kIsSuperuser))
    OverrideSetting(Setting::kIsSuperuser, is_superuser ? "on" : "off");
}

// What ALTER ROLE and ALTER DATABASE ... SET stored for this pair. A value that no longer fits is a warning.
void ApplyStored(Oid database, Oid role, SettingSource source, SessionFunctions& functions) {
  CatalogTable<PgDbRoleSettingRow> table;
  auto stored = table.Find(catalog_index::kPgDbRoleSettingDatabaseidRolIndex, {database, role});
  if (!stored || !stored->row.setconfig) return;
  for (const std::string& item : *stored->row.setconfig) {
    size_t equals = item.find('=');
    try {
      SetSetting(item.substr(0, equals), std::string_view(item).substr(equals + 1),
                 {.context = SettingContext::kSuperuser, .source = source, .is_superuser = true});
    } catch (const SqlError& error) {
      ErrorFields warning = error.fields();
      warning.severity = Severity::kWarning;
      functions.Report(warning);
    }
  }
}

}  // namespace

void InstallRoleSettings(std::string_view user) {
  OverrideSetting(Setting::kIsSuperuser, IsSuperuser(session_identity().authenticated_role) ? "on" : "off");
  OverrideSetting(Setting::kSessionAuthorization, user);
  InstallSettingHooks(Setting::kSessionAuthorization,
                      {.check = CheckSessionAuthorization, .assign = AssignIdentity});
  InstallSettingHooks(Setting::kRole, {.check = CheckRole, .assign = AssignIdentity});
}

void ApplyStoredSettings(Oid database, Oid role, SessionFunctions& functions) {
  ApplyStored(database, role, SettingSource::kDatabaseUser, functions);
  ApplyStored(Oid::kInvalid, role, SettingSource::kUser, functions);
  ApplyStored(database, Oid::kInvalid, SettingSource::kDatabase, functions);
  ApplyStored(Oid::kInvalid, Oid::kInvalid, SettingSource::kGlobal, functions);
}

}  // namespace walden

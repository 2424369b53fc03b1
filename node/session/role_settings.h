// Who the session is (role, session_authorization, is_superuser) and what is stored for it (pg_db_role_setting).
#pragma once

#include <string_view>

#include "node/base/ids.h"

namespace walden {

class SessionFunctions;

// Makes the settings follow the identity and the other way round. In a transaction, once session_identity() has the authenticated role.
void InstallRoleSettings(std::string_view user);
// Applies the settings stored for this role in this database. In a transaction.
void ApplyStoredSettings(Oid database, Oid role, SessionFunctions& functions);

}  // namespace walden

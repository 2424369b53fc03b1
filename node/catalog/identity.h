// Who and where the session of this process is, as far as name look-up, privileges and file locations ask. Owned by
// the session layer, which fills it in when a database is bound and saves and restores it around SECURITY DEFINER
// calls and SET ROLE. Process-local (one per test thread).
#pragma once

#include <functional>

#include "node/base/error.h"
#include "node/base/ids.h"

namespace walden {

class ObjectNames;
struct TextFormat;

struct SessionIdentity {
  Oid database = Oid::kInvalid;             // 0: none bound; only shared catalogs can be read
  Oid database_tablespace = Oid::kInvalid;  // where relations with reltablespace 0 live
  Oid authenticated_role = Oid::kInvalid;
  Oid session_role = Oid::kInvalid;
  Oid current_role = Oid::kInvalid;
  const TextFormat* text_format = nullptr;  // how values look in messages; null: defaults
  ObjectNames* object_names = nullptr;
  std::function<void(const ErrorFields&)> report;  // NOTICE and WARNING for the client; empty: to the log
  bool allow_system_table_mods = false;            // `walden init`: objects get OIDs below 16384
  bool bootstrapping = false;                      // the catalogs are being made: nobody caches anything yet
};
SessionIdentity& session_identity();
void ReportToClient(const ErrorFields& fields);

// Another current_role for a scope (SECURITY DEFINER, checks on behalf of a view's owner).
class RoleScope {
 public:
  explicit RoleScope(Oid role) : saved_(session_identity().current_role) {
    session_identity().current_role = role;
  }
  ~RoleScope() { session_identity().current_role = saved_; }
  RoleScope(const RoleScope&) = delete;
  RoleScope& operator=(const RoleScope&) = delete;

 private:
  Oid saved_;
};

}  // namespace walden

// Access control: privileges on objects, role membership, ownership. Every check reads owner and list from the catalog.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/ids.h"
#include "node/catalog/row_fields.h"

namespace walden {

// Rights, PostgreSQL's bits. Text letters as in aclitem: r w a d D x t X U C T c s A.
using AclMode = uint32_t;
namespace acl {
inline constexpr AclMode kInsert = 1 << 0, kSelect = 1 << 1, kUpdate = 1 << 2, kDelete = 1 << 3,
                         kTruncate = 1 << 4, kReferences = 1 << 5, kTrigger = 1 << 6, kExecute = 1 << 7,
                         kUsage = 1 << 8, kCreate = 1 << 9, kCreateTemp = 1 << 10, kConnect = 1 << 11,
                         kSet = 1 << 12, kAlterSystem = 1 << 13;
inline constexpr AclMode kAllTable =
    kInsert | kSelect | kUpdate | kDelete | kTruncate | kReferences | kTrigger;
inline constexpr AclMode kAllColumn = kInsert | kSelect | kUpdate | kReferences;
inline constexpr AclMode kAllSequence = kUsage | kSelect | kUpdate;
inline constexpr AclMode kAllDatabase = kCreate | kCreateTemp | kConnect;
inline constexpr AclMode kAllFunction = kExecute;
inline constexpr AclMode kAllLanguage = kUsage;
inline constexpr AclMode kAllSchema = kUsage | kCreate;
inline constexpr AclMode kAllTablespace = kCreate;
inline constexpr AclMode kAllType = kUsage;
constexpr AclMode Grantable(AclMode mode) { return mode << 16; }
}  // namespace acl

enum class ObjectKind : uint8_t {
  kColumn,
  kTable,
  kIndex,
  kSequence,
  kView,
  kMaterializedView,
  kForeignTable,
  kToastTable,
  kDatabase,
  kFunction,
  kProcedure,
  kAggregate,
  kLanguage,
  kSchema,
  kTablespace,
  kType,
  kDomain,
  kOperator,
  kOpclass,
  kOpfamily,
  kCollation,
  kConversion,
  kConstraint,
  kDefault,
  kRule,
  kTrigger,
  kRole,
  kCast,
  kExtension,
  kStatistics,
  kPolicy,
  kPublication,
  kSubscription,
  kEventTrigger,
  kForeignServer,
  kForeignDataWrapper,
  kLargeObject,
  kAccessMethod,
  kDefaultAcl,
  kParameter,
};
// For messages: "table", "schema", ...
std::string_view ObjectKindName(ObjectKind kind);
ObjectKind RelationObjectKind(char relkind);

// The list in force for an object whose stored list is null.
Acl DefaultAcl(ObjectKind kind, Oid owner);
// Of `mode`, the rights that `role` has (directly, through PUBLIC or membership; owners have grant options of all).
// Superusers are not special here.
AclMode AclMask(const Acl& list, Oid role, Oid owner, AclMode mode, bool all_needed);

// ---- Checks. kNoPrivilege and kNotOwner are turned into 42501 by ThrowAclError.
enum class AclResult : uint8_t { kOk, kNoPrivilege, kNotOwner };
// Some (or all) of `mode` on the relation; superusers have all; system tables' modification is refused to others.
AclResult CheckRelation(Oid relation, Oid role, AclMode mode, bool all_needed = false);
AclResult CheckColumn(Oid relation, AttrNumber attno, Oid role, AclMode mode);  // the column's own list only
// Has `mode` on at least one column (any) or each one (all), counting table-level rights too.
AclResult CheckAnyColumn(Oid relation, Oid role, AclMode mode);
AclResult CheckAllColumns(Oid relation, Oid role, AclMode mode);
AclResult CheckFunction(Oid function, Oid role, AclMode mode = acl::kExecute);
AclResult CheckSchema(Oid schema, Oid role, AclMode mode);
AclResult CheckDatabase(Oid database, Oid role, AclMode mode);
AclResult CheckLanguage(Oid language, Oid role, AclMode mode = acl::kUsage);
AclResult CheckType(Oid type, Oid role, AclMode mode = acl::kUsage);
AclResult CheckTablespace(Oid tablespace, Oid role, AclMode mode = acl::kCreate);

// 42501 "permission denied for table x" / "must be owner of table x"; returns when `result` is kOk.
void ThrowUnlessOk(AclResult result, ObjectKind kind, std::string_view name);
void ThrowColumnDenied(Oid relation, std::string_view column);

// ---- Ownership and roles.
// `catalog`: where the object is (catalog_oid::kPgClass ...). Superusers own all.
bool IsOwner(Oid catalog, Oid object, Oid role);
Oid OwnerOf(Oid catalog, Oid object);
bool IsSuperuser(Oid role);
bool IsSuperuser();  // current role
bool HasCreateRole(Oid role);
bool HasCreateDatabase(Oid role);
// Role `member` may act with the rights of `role` (INHERIT followed).
bool HasRightsOf(Oid member, Oid role);
// Membership whether inherited or not (SET ROLE).
bool IsMember(Oid member, Oid role);
bool IsMemberNoSuper(Oid member, Oid role);
bool IsAdminOf(Oid member, Oid role);
// 42501 "must be member of role \"x\"".
void CheckIsMember(Oid member, Oid role);
// 42704 "role \"x\" does not exist". "public" and "none" are not roles.
Oid FindRole(std::string_view name, bool missing_ok = false);

// ---- Changing lists.
// Who grants when `role` says GRANT on an object of `owner`: the owner, if role has its rights, else a grantee with the
// options. `options`: which of `mode` may be granted.
void SelectGrantor(Oid role, AclMode mode, const Acl& list, Oid owner, Oid* grantor, AclMode* options);
Acl AclGrant(const Acl& list, std::span<const Oid> grantees, AclMode rights, bool with_grant_option,
             Oid grantor, Oid owner);
// Throws 2BP01 "dependent privileges exist" unless cascade.
Acl AclRevoke(const Acl& list, std::span<const Oid> grantees, AclMode rights, bool grant_option_only,
              bool cascade, Oid grantor, Oid owner);
// ALTER ... OWNER TO.
Acl AclChangeOwner(const Acl& list, Oid old_owner, Oid new_owner);
// Default privileges (ALTER DEFAULT PRIVILEGES) for a new object; nullopt: store null.
std::optional<Acl> InitialAcl(ObjectKind kind, Oid owner, Oid schema);
// Roles named in a list, for pg_shdepend.
std::vector<Oid> AclMembers(const Acl& list);

// "SELECT" etc. -> bit; nullopt when unknown. For has_*_privilege: "SELECT, UPDATE WITH GRANT OPTION".
std::optional<AclMode> ParsePrivilege(std::string_view name);

}  // namespace walden

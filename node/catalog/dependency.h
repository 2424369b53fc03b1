// Which object needs which: pg_depend within a database, pg_shdepend towards shared objects; and dropping an object
// with all that needs it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "node/base/ids.h"
#include "node/catalog/acl.h"

namespace walden {

struct ObjectAddress {
  Oid catalog = Oid::kInvalid;  // class: OID of the catalog that holds the object
  Oid object = Oid::kInvalid;
  int32_t sub = 0;  // column number, or 0
  constexpr auto operator<=>(const ObjectAddress&) const = default;
};

enum class DependencyKind : char {
  kNormal = 'n',
  kAuto = 'a',
  kInternal = 'i',
  kPartitionPrimary = 'P',
  kPartitionSecondary = 'S',
  kExtension = 'e',
  kAutoExtension = 'x',
};
void RecordDependency(const ObjectAddress& depender, const ObjectAddress& referenced, DependencyKind kind);
void RecordDependencies(const ObjectAddress& depender, std::span<const ObjectAddress> referenced,
                        DependencyKind kind);
// Removes what the object depends on (before recording anew); `kind` 0: all kinds.
int DeleteDependenciesOf(const ObjectAddress& depender, char kind = '\0');
// Redirects one reference (ALTER ... SET SCHEMA).
int ChangeDependency(const ObjectAddress& depender, Oid catalog, Oid old_referenced, Oid new_referenced);

void RecordOwner(const ObjectAddress& object, Oid owner);
void ChangeOwner(const ObjectAddress& object, Oid new_owner);
// Keeps pg_shdepend's ACL entries equal to the roles in the list.
void UpdateAclDependencies(const ObjectAddress& object, Oid owner, std::span<const Oid> old_members,
                           std::span<const Oid> new_members);
void DeleteSharedDependencies(const ObjectAddress& object);
// 2BP01 details for DROP ROLE / DROP TABLESPACE: false when nothing depends. `detail` for the client, `log` for the log.
bool SharedDependents(Oid catalog, Oid object, std::string* detail, std::string* log);
// DROP OWNED BY / REASSIGN OWNED BY.
void DropOwned(std::span<const Oid> roles, bool cascade);
void ReassignOwned(std::span<const Oid> roles, Oid new_owner);

// Objects of the system itself: never dropped, dependencies on them are not recorded.
bool IsPinnedObject(const ObjectAddress& object);

// Stores another owner (rights move with it, AclChangeOwner), for tables with their indexes, TOAST tables, row types and
// owned sequences. No checks: ALTER ... OWNER makes them.
void SetObjectOwner(const ObjectAddress& object, Oid new_owner);
// Takes everything away that `role` was granted on the object.
void RevokeAllFrom(const ObjectAddress& object, Oid role);

struct DropOptions {
  bool cascade = false;
  bool internal = false;  // no notices, no restrict check of the original (temporary schema clean-up, ALTER)
  bool skip_original = false;  // only what depends on it
};
// Deletes the objects and what depends on them automatically or, with CASCADE, in any way. RESTRICT throws 2BP01
// "cannot drop table t because other objects depend on it" with PostgreSQL's detail and hint; CASCADE reports
// "drop cascades to ..." (NOTICE).
void DropObject(const ObjectAddress& object, const DropOptions& options);
void DropObjects(std::span<const ObjectAddress> objects, const DropOptions& options);

// What a kind of object does when it goes; registered by sql/commands for what the catalog cannot do itself.
using DropHandler = void (*)(const ObjectAddress& object);
void RegisterDropHandler(Oid catalog, DropHandler handler);

// "table public.t", "column a of table t", "function f(integer)" as PostgreSQL words them in messages.
std::string DescribeObject(const ObjectAddress& object);
// Visits what depends on an object / what it depends on.
struct Dependency {
  ObjectAddress other;
  DependencyKind kind;
};
std::vector<Dependency> DependentsOf(const ObjectAddress& referenced);
std::vector<Dependency> DependenciesOf(const ObjectAddress& depender);

}  // namespace walden

// Names to objects: search_path, temporary schema, qualified names. All look-ups obey PostgreSQL's order: temporary
// schema first (for relations and types), then pg_catalog unless the path names it, then the path.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/catalog/relation.h"
#include "node/types/quote.h"

namespace walden {

inline constexpr Oid kPgCatalogNamespace{11};
inline constexpr Oid kPgToastNamespace{99};
inline constexpr Oid kPublicNamespace{2200};

// A possibly qualified name as written. Empty parts are absent.
struct CatalogName {
  std::string database;
  std::string schema;
  std::string name;
};
// From a list of identifiers. Throws 42601 "improper qualified name (too many dotted names): a.b.c.d", 0A000
// "cross-database references are not implemented: ...".
CatalogName ToCatalogName(std::span<const std::string> parts);
// As text: quoted where necessary.
std::string ToString(const CatalogName& name);
// Splits "a.\"B c\"" as regclass input does. Throws 42602 "invalid name syntax".
std::vector<std::string> ParseIdentifiers(std::string_view text);

// The effective path: what unqualified look-ups search, in order (with pg_temp and pg_catalog where they apply).
// Schemas that do not exist or that the user may not use are left out. Valid until the next call.
const std::vector<Oid>& SearchPath();
// A number that changes whenever SearchPath() may have: part of statement-cache keys.
uint64_t SearchPathGeneration();
// Where unqualified CREATE goes. Throws 3F000 "no schema has been selected to create in".
Oid CreationNamespace();
// current_schemas(): the explicit path.
std::vector<Oid> ActivePath(bool include_implicit);

// 3F000 "schema \"x\" does not exist"; checks USAGE (42501) unless told not to. pg_temp resolves to this session's.
Oid FindNamespace(std::string_view name, bool missing_ok = false, bool check_usage = true);

// The relation named; Oid::kInvalid if missing_ok and there is none; else 42P01 "relation \"x\" does not exist".
Oid FindRelation(const CatalogName& name, bool missing_ok = false);
// Resolves, locks, and resolves again if the name came to mean another relation meanwhile.
// `check` (may be null) runs before waiting for the lock: permission checks, so that nobody queues without rights, and locks that come
// before this one. It may be asked about a relation that is gone by now, and again about another one.
RelationRef OpenRelationByName(const CatalogName& name, LockMode mode, bool missing_ok = false,
                               const std::function<void(Oid relation)>& check = nullptr);
// pg_class row visible under its bare name (pg_table_is_visible).
bool RelationIsVisible(Oid relation);
bool TypeIsVisible(Oid type);
bool FunctionIsVisible(Oid function);
bool OperatorIsVisible(Oid op);

// Type by name; kInvalid when there is none. Names as in pg_type ("int4", not "integer"): the binder translates.
Oid FindTypeByName(const CatalogName& name);

// Candidates for overload resolution: built-in and user-defined, in search-path order; the binder picks. `depth` is
// the schema's position in the path (equal signatures: the lower one hides the other).
struct NamedFunction {
  Oid oid;
  int depth;
  std::vector<Oid> arg_types;
  Oid variadic;  // element type, or 0
  int default_count;
  std::vector<std::string> arg_names;  // of input arguments; empty when unnamed
  char kind;
  bool returns_set;
  Oid return_type;
};
std::vector<NamedFunction> FindFunctions(const CatalogName& name);
struct NamedOperator {
  Oid oid;
  int depth;
  Oid left, right, result;
  Oid function;
};
// `kind`: 'b' or 'l'.
std::vector<NamedOperator> FindOperators(const CatalogName& name, char kind);
// 42704 "collation \"x\" for encoding \"UTF8\" does not exist".
Oid FindCollation(const CatalogName& name, bool missing_ok = false);
// Default operator class of a type for an access method; kInvalid when there is none.
Oid DefaultOpclass(Oid type, Oid access_method);
Oid FindOpclass(const CatalogName& name, Oid access_method, bool missing_ok = false);
Oid FindConstraint(Oid relation, std::string_view name, bool missing_ok);

// Temporary objects. The schema (pg_temp_<slot>) is made on first use and emptied at session end.
Oid TemporaryNamespace();  // creates it; 42501 without TEMP privilege on the database
Oid TemporaryNamespaceIfAny();
Oid TemporaryToastNamespace();
bool IsTemporaryNamespace(Oid schema);       // of any session
bool IsOtherTemporaryNamespace(Oid schema);  // of another session
// Drops all temporary objects of this session in a transaction of its own (DISCARD TEMP, exit).
void DropTemporaryObjects();

}  // namespace walden

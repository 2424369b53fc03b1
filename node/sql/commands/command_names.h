// Names and options in statements. Private to this folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/catalog/acl.h"
#include "node/catalog/dependency.h"
#include "node/catalog/namespace.h"
#include "node/catalog/relation_ddl.h"
#include "node/catalog/syscache.h"
#include "node/sql/commands/commands.h"

namespace walden {

CatalogName NameOf(const ast::RangeVar& relation);
CatalogName NameOf(const ast::NodeList& strings);  // String nodes
std::vector<std::string> StringsOf(const ast::NodeList& strings);
std::string DottedName(const ast::NodeList& strings);

// 42704 for unknown roles; PUBLIC is refused (or kInvalid with allow_public).
Oid RoleOf(const ast::RoleSpec& role, bool allow_public = false);
Oid CurrentRole();

// Where a new relation goes: resolves the schema (temporary for relpersistence 't'), checks CREATE on it, 42P16 and
// 42P07-like errors of PostgreSQL; *persistence becomes 't' for names in pg_temp.
Oid CreationSchema(const ast::RangeVar& relation, char* persistence);
// Throws 42501 unless the current role owns the relation; refuses system catalogs.
void CheckOwnsRelation(const Relation& relation);

// Options.
std::string OptionString(const ast::DefElem& option);  // 42601 "x requires a parameter"
bool OptionBoolean(const ast::DefElem& option);        // "x requires a Boolean value"
int64_t OptionInteger(const ast::DefElem& option);     // "x requires a numeric value"
const ast::DefElem* FindOption(const ast::NodeList& options, std::string_view name);
// WITH (...) of a relation, as stored in reloptions; 22023 for unknown names or bad values. What begins with "toast." is of the TOAST
// table (kind kToast), the rest of the table itself.
std::optional<std::vector<std::string>> RelationOptions(
    const ast::NodeList& options, char kind, const std::optional<std::vector<std::string>>& old = {});

void Notice(std::string message, std::string detail = "", std::string hint = "");
void Warning(ErrorCode code, std::string message);
// 25001 "x cannot run inside a transaction block".
void RequireNoTransactionBlock(const CommandContext& context, std::string_view statement);

// What a bound expression needs: functions, operators, types, collations, relations (columns of `relation` when its
// Vars are of varno 1), for pg_depend.
std::vector<ObjectAddress> ExpressionReferences(const Node* expression, Oid relation);
std::vector<ObjectAddress> QueryReferences(const Query* query);

const RelationInfo& InfoOf(CommandContext& context, Oid relation);
inline ObjectAddress RelationAddress(Oid relation, int32_t sub = 0) {
  return {catalog_oid::kPgClass, relation, sub};
}

}  // namespace walden

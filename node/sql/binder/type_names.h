// Names as written to objects: qualified names and type names.
#pragma once

#include <string>
#include <string_view>

#include "node/sql/binder/binder.h"
#include "node/sql/binder/overloads.h"
#include "node/sql/binder/type_rules.h"
#include "node/sql/parser/ast.h"

namespace walden {

// "a.b.c" from a list of String nodes, as messages print it.
std::string JoinNames(const ast::NodeList& names);
// Splits [catalog.][schema.]name; 0A000 for another database, 42601 for more parts.
WrittenName SplitName(const ast::NodeList& names, const CatalogReader& catalog);

// "character varying[]" as written, for messages.
std::string TypeNameText(const ast::TypeName& name);
// kInvalid when no such type exists. Throws for a missing schema.
Oid FindTypeName(const ast::TypeName& name, const TypeRules& types);
// Throws 42704 with position when the type does not exist or is only a shell.
ResolvedType ResolveTypeName(const ast::TypeName& name, const TypeRules& types);
// The collation a COLLATE clause names; 42704 when there is none.
Oid ResolveCollation(const ast::NodeList& names, int location, const TypeRules& types);

}  // namespace walden

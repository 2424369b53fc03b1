#include "node/sql/binder/type_names.h"

#include "node/base/error.h"

namespace walden {
namespace {

// Modifiers reach the type as text, however they were written.
std::string ModifierText(const ast::Node* node, const ast::TypeName& name, const TypeRules& types) {
  if (const auto* constant = ast::TryAs<ast::AConst>(node); constant != nullptr && !constant->isnull) {
    if (const auto* number = ast::TryAs<ast::Integer>(constant->val)) return std::to_string(number->ival);
    if (const auto* number = ast::TryAs<ast::Float>(constant->val)) return std::string(number->fval);
    if (const auto* text = ast::TryAs<ast::String>(constant->val)) return std::string(text->sval);
  }
  if (const auto* column = ast::TryAs<ast::ColumnRef>(node);
      column != nullptr && column->fields.size() == 1 && ast::Is<ast::String>(column->fields[0])) {
    return std::string(ast::StringOf(column->fields[0]));
  }
  throw SqlError(ErrorCode::kSyntaxError, "type modifiers must be simple constants or identifiers")
      .WithPosition(types.source().Position(name.location));
}

int32_t ResolveModifiers(const ast::TypeName& name, const TypeInfo& type, const TypeRules& types) {
  if (name.typmods.empty()) return name.typemod;
  int position = types.source().Position(name.location);
  if (!type.defined) {
    throw SqlError(ErrorCode::kSyntaxError, "type modifier cannot be specified for shell type \"{}\"",
                   TypeNameText(name))
        .WithPosition(position);
  }
  const TypeDescriptor* descriptor = FindType(type.is_true_array ? type.element : type.oid);
  if (descriptor == nullptr || descriptor->typmod_in == nullptr) {
    throw SqlError(ErrorCode::kSyntaxError, "type modifier is not allowed for type \"{}\"",
                   TypeNameText(name))
        .WithPosition(position);
  }
  std::vector<std::string> texts;
  for (const ast::Node* node : name.typmods) texts.push_back(ModifierText(node, name, types));
  std::vector<std::string_view> views(texts.begin(), texts.end());
  try {
    return descriptor->typmod_in(views);
  } catch (SqlError& error) {
    if (error.fields().position == 0) error.WithPosition(position);
    throw;
  }
}

// column%TYPE: the type of that column.
ResolvedType ResolveColumnType(const ast::TypeName& name, const TypeRules& types) {
  uint32_t count = name.names.size();
  int position = types.source().Position(name.location);
  if (count < 2 || count > 4) {
    throw SqlError(ErrorCode::kSyntaxError, "improper %TYPE reference (too {} dotted names): {}",
                   count < 2 ? "few" : "many", JoinNames(name.names))
        .WithPosition(position);
  }
  ast::NodeList relation_names = name.names;
  relation_names.PopBack();
  WrittenName relation_name = SplitName(relation_names, types.catalog());
  const RelationInfo* relation =
      types.catalog().FindRelation(relation_name.schema, relation_name.name, RelationLockNeed::kNone);
  if (relation == nullptr) {
    throw SqlError(ErrorCode::kUndefinedTable, "relation \"{}\" does not exist", relation_name.ToString());
  }
  std::string_view column_name = ast::StringOf(name.names.back());
  for (const ColumnInfo& column : relation->columns) {
    if (!column.dropped && column.name == column_name) return {column.type, -1};
  }
  throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", column_name,
                 relation->name)
      .WithPosition(position);
}

}  // namespace

std::string JoinNames(const ast::NodeList& names) {
  std::string joined;
  for (const ast::Node* node : names) {
    if (!joined.empty()) joined += '.';
    if (ast::Is<ast::String>(node)) {
      joined += ast::StringOf(node);
    } else {
      joined += '*';
    }
  }
  return joined;
}

WrittenName SplitName(const ast::NodeList& names, const CatalogReader& catalog) {
  switch (names.size()) {
    case 1: return {{}, ast::StringOf(names[0])};
    case 2: return {ast::StringOf(names[0]), ast::StringOf(names[1])};
    case 3:
      if (ast::StringOf(names[0]) != catalog.DatabaseName()) {
        throw SqlError(ErrorCode::kFeatureNotSupported, "cross-database references are not implemented: {}",
                       JoinNames(names));
      }
      return {ast::StringOf(names[1]), ast::StringOf(names[2])};
    default:
      throw SqlError(ErrorCode::kSyntaxError, "improper qualified name (too many dotted names): {}",
                     JoinNames(names));
  }
}

std::string TypeNameText(const ast::TypeName& name) {
  std::string text = JoinNames(name.names);
  if (name.pct_type) text += "%TYPE";
  if (!name.array_bounds.empty()) text += "[]";
  return text;
}

Oid FindTypeName(const ast::TypeName& name, const TypeRules& types) {
  CatalogReader& catalog = types.catalog();
  const TypeInfo* found = nullptr;
  if (name.pct_type) {
    found = catalog.GetType(ResolveColumnType(name, types).type);
  } else {
    WrittenName split = SplitName(name.names, catalog);
    if (!split.schema.empty()) {
      Oid schema = catalog.FindSchema(split.schema);
      if (!IsValid(schema)) {
        throw SqlError(ErrorCode::kUndefinedSchema, "schema \"{}\" does not exist", split.schema)
            .WithPosition(types.source().Position(name.location));
      }
      found = catalog.FindType(schema, split.name);
    } else {
      for (Oid schema : catalog.SearchPath()) {
        found = catalog.FindType(schema, split.name);
        if (found != nullptr) break;
      }
    }
  }
  if (found == nullptr) return Oid{};
  return name.array_bounds.empty() ? found->oid : found->array;
}

ResolvedType ResolveTypeName(const ast::TypeName& name, const TypeRules& types) {
  Oid oid = FindTypeName(name, types);
  int position = types.source().Position(name.location);
  if (!IsValid(oid)) {
    throw SqlError(ErrorCode::kUndefinedObject, "type \"{}\" does not exist", TypeNameText(name))
        .WithPosition(position);
  }
  const TypeInfo& type = types.Get(oid);
  if (!type.defined) {
    throw SqlError(ErrorCode::kUndefinedObject, "type \"{}\" is only a shell", TypeNameText(name))
        .WithPosition(position);
  }
  return {oid, ResolveModifiers(name, type, types)};
}

Oid ResolveCollation(const ast::NodeList& names, int location, const TypeRules& types) {
  CatalogReader& catalog = types.catalog();
  WrittenName split = SplitName(names, catalog);
  Oid schema{};
  int position = types.source().Position(location);
  if (!split.schema.empty()) {
    schema = catalog.FindSchema(split.schema);
    if (!IsValid(schema)) {
      throw SqlError(ErrorCode::kUndefinedSchema, "schema \"{}\" does not exist", split.schema)
          .WithPosition(position);
    }
  }
  Oid collation = catalog.FindCollation(schema, split.name);
  if (!IsValid(collation)) {
    throw SqlError(ErrorCode::kUndefinedObject, "collation \"{}\" for encoding \"UTF8\" does not exist",
                   JoinNames(names))
        .WithPosition(position);
  }
  return collation;
}

}  // namespace walden

#include "node/sql/functions/object_names.h"

#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/catalog/namespace.h"
#include "node/catalog/rows/pg_enum.h"
#include "node/catalog/syscache.h"
#include "node/catalog/type_name.h"
#include "node/types/integer.h"
#include "node/types/utf8.h"

namespace walden {
namespace {

using View = std::string_view;

// Multi-word and standard spellings to pg_type names.
struct Spelling {
  View sql;
  View name;
};
constexpr Spelling kSpellings[] = {{"integer", "int4"},
                                   {"int", "int4"},
                                   {"smallint", "int2"},
                                   {"bigint", "int8"},
                                   {"real", "float4"},
                                   {"double precision", "float8"},
                                   {"float", "float8"},
                                   {"boolean", "bool"},
                                   {"character varying", "varchar"},
                                   {"character", "bpchar"},
                                   {"char", "bpchar"},
                                   {"decimal", "numeric"},
                                   {"dec", "numeric"},
                                   {"timestamp without time zone", "timestamp"},
                                   {"timestamp with time zone", "timestamptz"},
                                   {"time without time zone", "time"},
                                   {"time with time zone", "timetz"},
                                   {"bit varying", "varbit"},
                                   {"national character varying", "varchar"},
                                   {"national character", "bpchar"}};

// Lower case outside quotes, one space between words, without "(...)" and "[...]"; counts the brackets.
std::string Simplify(View text, int* brackets) {
  std::string result;
  *brackets = 0;
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '"') quoted = !quoted;
    if (quoted || c == '"') {
      result.push_back(c);
    } else if (c == '(') {
      while (at < text.size() && text[at] != ')') ++at;
    } else if (c == '[') {
      ++*brackets;
      while (at < text.size() && text[at] != ']') ++at;
    } else if (IsSpace(c)) {
      if (!result.empty() && result.back() != ' ') result.push_back(' ');
    } else {
      result.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
    }
  }
  while (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

}  // namespace

Oid FindTypeBySqlName(View text, bool missing_ok) {
  int brackets;
  std::string spelling = Simplify(TrimSpace(text), &brackets);
  Oid type = Oid::kInvalid;
  for (const Spelling& row : kSpellings) {
    if (row.sql == spelling) type = FindTypeByName(CatalogName{"", "pg_catalog", std::string(row.name)});
  }
  if (!IsValid(type)) type = FindTypeByName(ToCatalogName(ParseIdentifiers(spelling)));
  if (IsValid(type) && brackets > 0) {
    auto row = TypeRow(type);
    type = row == nullptr ? Oid::kInvalid : row->typarray;
  }
  if (!IsValid(type) && !missing_ok) {
    throw SqlError(ErrorCode::kUndefinedObject, "type \"{}\" does not exist", text);
  }
  return type;
}

namespace {

// "name(type, type)" in its parts.
struct Signature {
  std::string name;
  std::vector<std::string> types;
};
Signature ParseSignature(View text) {
  size_t open = text.find('(');
  bool quoted = false;
  for (open = 0; open < text.size(); ++open) {
    if (text[open] == '"')
      quoted = !quoted;
    else if (text[open] == '(' && !quoted)
      break;
  }
  if (open == text.size())
    throw SqlError(ErrorCode::kInvalidTextRepresentation, "expected a left parenthesis");
  View rest = TrimSpace(text);
  if (rest.empty() || rest.back() != ')')
    throw SqlError(ErrorCode::kInvalidTextRepresentation, "expected a right parenthesis");
  Signature result;
  result.name = TrimSpace(text.substr(0, open));
  View inside = TrimSpace(rest.substr(open + 1, rest.size() - open - 2));
  int depth = 0;
  std::string current;
  for (char c : inside) {
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == ',' && depth == 0) {
      result.types.push_back(current);
      current.clear();
    } else {
      current.push_back(c);
    }
  }
  if (!inside.empty()) result.types.push_back(current);
  return result;
}

Oid FindFunction(View text, bool missing_ok) {
  std::vector<NamedFunction> found = FindFunctions(ToCatalogName(ParseIdentifiers(text)));
  if (found.size() == 1) return found[0].oid;
  if (missing_ok) return Oid::kInvalid;
  if (found.empty()) throw SqlError(ErrorCode::kUndefinedFunction, "function \"{}\" does not exist", text);
  throw SqlError(ErrorCode::kAmbiguousFunction, "more than one function named \"{}\"", text);
}

Oid FindProcedure(View text, bool missing_ok) {
  Signature signature = ParseSignature(text);
  std::vector<Oid> types;
  for (const std::string& type : signature.types) {
    types.push_back(FindTypeBySqlName(type, missing_ok));
    if (!IsValid(types.back())) return Oid::kInvalid;
  }
  for (const NamedFunction& function : FindFunctions(ToCatalogName(ParseIdentifiers(signature.name)))) {
    if (function.arg_types == types) return function.oid;
  }
  if (missing_ok) return Oid::kInvalid;
  throw SqlError(ErrorCode::kUndefinedFunction, "function \"{}\" does not exist", text);
}

// An operator's name may be qualified; its own characters are not identifiers.
CatalogName OperatorName(View text) {
  CatalogName result;
  size_t dot = text.find('.');
  if (dot != text.npos) {
    result.schema = ParseIdentifiers(text.substr(0, dot))[0];
    text = text.substr(dot + 1);
  }
  result.name = text;
  return result;
}
std::vector<NamedOperator> AllOperators(View text) {
  CatalogName name = OperatorName(text);
  std::vector<NamedOperator> found = FindOperators(name, 'b');
  std::vector<NamedOperator> prefix = FindOperators(name, 'l');
  found.insert(found.end(), prefix.begin(), prefix.end());
  return found;
}
Oid FindOperator(View text, bool missing_ok) {
  std::vector<NamedOperator> found = AllOperators(text);
  if (found.size() == 1) return found[0].oid;
  if (missing_ok) return Oid::kInvalid;
  if (found.empty()) throw SqlError(ErrorCode::kUndefinedFunction, "operator does not exist: {}", text);
  throw SqlError(ErrorCode::kAmbiguousFunction, "more than one operator named {}", text);
}
Oid FindOperatorBySignature(View text, bool missing_ok) {
  Signature signature = ParseSignature(text);
  if (signature.types.size() != 2) {
    if (signature.types.size() == 1) {
      throw SqlError(ErrorCode::kUndefinedParameter, "missing argument")
          .WithHint("Use NONE to denote the missing argument of a unary operator.");
    }
    throw SqlError(ErrorCode::kTooManyArguments, "too many arguments")
        .WithHint("Provide two argument types for operator.");
  }
  Oid sides[2];
  for (int i = 0; i < 2; ++i) {
    std::string side(TrimSpace(signature.types[static_cast<size_t>(i)]));
    std::transform(side.begin(), side.end(), side.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    sides[i] = side == "none" ? Oid::kInvalid : FindTypeBySqlName(side, missing_ok);
  }
  for (const NamedOperator& op : AllOperators(signature.name)) {
    if (op.left == sides[0] && op.right == sides[1]) return op.oid;
  }
  if (missing_ok) return Oid::kInvalid;
  throw SqlError(ErrorCode::kUndefinedFunction, "operator does not exist: {}", text);
}

std::string OneIdentifier(View text) {
  std::vector<std::string> parts = ParseIdentifiers(text);
  if (parts.size() != 1) throw SqlError(ErrorCode::kInvalidName, "invalid name syntax");
  return parts[0];
}

Oid FindObject(Oid type, View text, bool missing_ok) {
  switch (OidNumber(type)) {
    case OidNumber(type_oid::kRegClass):
      return FindRelation(ToCatalogName(ParseIdentifiers(text)), missing_ok);
    case OidNumber(type_oid::kRegType): return FindTypeBySqlName(text, missing_ok);
    case OidNumber(type_oid::kRegProc): return FindFunction(text, missing_ok);
    case OidNumber(type_oid::kRegProcedure): return FindProcedure(text, missing_ok);
    case OidNumber(type_oid::kRegOper): return FindOperator(text, missing_ok);
    case OidNumber(type_oid::kRegOperator): return FindOperatorBySignature(text, missing_ok);
    case OidNumber(type_oid::kRegNamespace): return FindNamespace(OneIdentifier(text), missing_ok, false);
    case OidNumber(type_oid::kRegRole): return walden::FindRole(OneIdentifier(text), missing_ok);
    case OidNumber(type_oid::kRegCollation):
      return FindCollation(ToCatalogName(ParseIdentifiers(text)), missing_ok);
    default: throw NotSupported("text search configuration names");
  }
}

std::string Qualified(Oid schema, View name, bool visible) {
  std::string text = visible ? "" : QuoteIdentifier(SchemaName(schema)) + ".";
  return text + QuoteIdentifier(name);
}

// Empty when there is no such object.
std::string NameOf(Oid type, Oid object) {
  switch (OidNumber(type)) {
    case OidNumber(type_oid::kRegClass): {
      auto row = ClassRow(object);
      return row == nullptr ? "" : Qualified(row->relnamespace, row->relname, RelationIsVisible(object));
    }
    case OidNumber(type_oid::kRegType): return TypeRow(object) == nullptr ? "" : FormatType(object);
    case OidNumber(type_oid::kRegProc): {
      auto row = FunctionRow(object);
      if (row == nullptr) return "";
      // Bare if that name alone finds it.
      bool bare = FindFunctions(CatalogName{"", "", row->proname}).size() == 1 && FunctionIsVisible(object);
      return bare ? QuoteIdentifier(row->proname) : Qualified(row->pronamespace, row->proname, false);
    }
    case OidNumber(type_oid::kRegProcedure):
      return FunctionRow(object) == nullptr ? "" : FormatFunctionSignature(object);
    case OidNumber(type_oid::kRegOper): {
      auto row = OperatorRow(object);
      if (row == nullptr) return "";
      bool bare = AllOperators(row->oprname).size() == 1;
      return bare ? row->oprname : QuoteIdentifier(SchemaName(row->oprnamespace)) + "." + row->oprname;
    }
    case OidNumber(type_oid::kRegOperator):
      return OperatorRow(object) == nullptr ? "" : FormatOperatorSignature(object);
    case OidNumber(type_oid::kRegNamespace):
      return SchemaRow(object) == nullptr ? "" : QuoteIdentifier(SchemaName(object));
    case OidNumber(type_oid::kRegRole): {
      auto row = RoleRow(object);
      return row == nullptr ? "" : QuoteIdentifier(row->rolname);
    }
    case OidNumber(type_oid::kRegCollation): {
      auto row = CollationRow(object);
      if (row == nullptr) return "";
      return Qualified(row->collnamespace, row->collname,
                       FindCollation(CatalogName{"", "", row->collname}, true) == object);
    }
    default: return "";
  }
}

}  // namespace

Oid CatalogObjectNames::Find(Oid type, View text) { return FindObject(type, text, false); }
Oid CatalogObjectNames::FindOrInvalid(Oid type, View text) { return FindObject(type, text, true); }

View CatalogObjectNames::Name(Oid type, Oid object, Arena& arena) {
  std::string name = NameOf(type, object);
  if (name.empty()) name = std::to_string(OidNumber(object));
  return arena.Copy(name);
}

Oid CatalogObjectNames::FindRole(View name) { return walden::FindRole(name); }
View CatalogObjectNames::RoleName(Oid role, Arena& arena) {
  auto row = RoleRow(role);
  return row == nullptr ? View() : arena.Copy(row->rolname);
}

Oid CatalogObjectNames::EnumValue(Oid enum_type, View label) {
  auto row = FindRow<PgEnumRow>(catalog_index::kPgEnumTypidLabelIndex, {enum_type, label});
  if (row == nullptr) {
    throw SqlError(ErrorCode::kInvalidTextRepresentation, "invalid input value for enum {}: \"{}\"",
                   FormatType(enum_type), label);
  }
  return row->oid;
}
View CatalogObjectNames::EnumLabel(Oid enum_value, Arena& arena) {
  auto row = FindRow<PgEnumRow>(catalog_index::kPgEnumOidIndex, {enum_value});
  if (row == nullptr) {
    throw SqlError(ErrorCode::kInvalidBinaryRepresentation, "invalid internal value for enum: {}",
                   OidNumber(enum_value));
  }
  return arena.Copy(row->enumlabel);
}
int CatalogObjectNames::CompareEnum(Oid a, Oid b) {
  if (a == b) return 0;
  auto x = FindRow<PgEnumRow>(catalog_index::kPgEnumOidIndex, {a}),
       y = FindRow<PgEnumRow>(catalog_index::kPgEnumOidIndex, {b});
  if (x == nullptr || y == nullptr) return a < b ? -1 : 1;
  return x->enumsortorder < y->enumsortorder ? -1 : 1;
}

}  // namespace walden

#include "node/catalog/namespace.h"

#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/catalog/builtin.h"
#include "node/catalog/identity.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/syscache.h"
#include "node/shm/interrupts.h"
#include "node/txn/lock_manager.h"

namespace walden {
namespace {

// A schema-qualified name of this database, or 0A000.
void CheckDatabaseName(const CatalogName& name) {
  if (name.database.empty()) return;
  RowRef<PgDatabaseRow> database = DatabaseRow(session_identity().database);
  if (database && database->datname == name.database) return;
  throw SqlError(ErrorCode::kFeatureNotSupported,
                 "cross-database references are not implemented: \"{}.{}.{}\"", name.database, name.schema,
                 name.name);
}

// The first schema of the path in which look(schema) finds something.
template <class Look>
Oid SearchNamed(const CatalogName& name, bool missing_ok, Look look) {
  CheckDatabaseName(name);
  if (!name.schema.empty()) {
    Oid schema = FindNamespace(name.schema, missing_ok);
    return IsValid(schema) ? look(schema) : Oid::kInvalid;
  }
  // Looking may read catalogs and so recompute the path: go over a copy.
  std::vector<Oid> schemas = SearchPath();
  for (Oid schema : schemas) {
    Oid found = look(schema);
    if (IsValid(found)) return found;
  }
  return Oid::kInvalid;
}

Oid RelationIn(Oid schema, const std::string& name) {
  RowRef<PgClassRow> row = ClassRow(name, schema);
  return row ? row->oid : Oid::kInvalid;
}

Oid TypeIn(Oid schema, const std::string& name) {
  if (schema == kPgCatalogNamespace) {
    if (const BuiltinType* type = FindBuiltinType(name)) return type->oid;
  }
  RowRef<PgTypeRow> row = TypeRow(name, schema);
  return row ? row->oid : Oid::kInvalid;
}

// Position of pg_catalog in the path, or -1 when a qualified name excludes it. Built-ins live nowhere else.
int CatalogDepth(const CatalogName& name) {
  CheckDatabaseName(name);
  if (!name.schema.empty()) return FindNamespace(name.schema) == kPgCatalogNamespace ? 0 : -1;
  const std::vector<Oid>& schemas = SearchPath();
  auto at = std::find(schemas.begin(), schemas.end(), kPgCatalogNamespace);
  return at == schemas.end() ? -1 : static_cast<int>(at - schemas.begin());
}

NamedFunction CandidateOf(const BuiltinFunction& function, int depth) {
  NamedFunction candidate;
  candidate.oid = function.oid;
  candidate.depth = depth;
  candidate.arg_types.assign(function.arg_types().begin(), function.arg_types().end());
  candidate.variadic = function.variadic;
  candidate.default_count = function.default_count;
  candidate.kind = function.kind;
  candidate.returns_set = function.returns_set;
  candidate.return_type = function.return_type;
  for (size_t i = 0; i < function.arg_names().size(); ++i) {
    char mode = function.arg_modes.empty() ? 'i' : function.arg_modes[i];
    if (mode == 'i' || mode == 'b' || mode == 'v') candidate.arg_names.emplace_back(function.arg_names()[i]);
  }
  return candidate;
}

}  // namespace

Oid FindNamespace(std::string_view name, bool missing_ok, bool check_usage) {
  if (name == "pg_temp" && IsValid(TemporaryNamespaceIfAny())) return TemporaryNamespaceIfAny();
  RowRef<PgNamespaceRow> row = SchemaRow(name);
  if (!row) {
    if (missing_ok) return Oid::kInvalid;
    throw SqlError(ErrorCode::kUndefinedSchema, "schema \"{}\" does not exist", name);
  }
  if (check_usage) {
    AclResult result = CheckSchema(row->oid, session_identity().current_role, acl::kUsage);
    ThrowUnlessOk(result, ObjectKind::kSchema, name);
  }
  return row->oid;
}

Oid FindRelation(const CatalogName& name, bool missing_ok) {
  Oid found = SearchNamed(name, missing_ok, [&](Oid schema) { return RelationIn(schema, name.name); });
  if (IsValid(found) || missing_ok) return found;
  std::string shown = name.schema.empty() ? name.name : name.schema + "." + name.name;
  throw SqlError(ErrorCode::kUndefinedTable, "relation \"{}\" does not exist", shown);
}

RelationRef OpenRelationByName(const CatalogName& name, LockMode mode, bool missing_ok,
                               const std::function<void(Oid)>& check) {
  AcceptInvalidations();
  Oid oid = FindRelation(name, missing_ok);
  while (IsValid(oid)) {
    if (check != nullptr) check(oid);
    uint64_t generation = CacheGeneration();
    RelationRef relation = TryOpenRelation(oid, mode);
    // Nothing was invalidated while we waited: the name still means what it meant.
    if (relation && CacheGeneration() == generation) return relation;
    Oid again = FindRelation(name, missing_ok);
    if (relation && again == oid) return relation;
    if (relation && mode != LockMode::kNone) ReleaseLock(RelationLockTag(oid), mode);
    CheckInterrupts();
    oid = again;
  }
  return nullptr;
}

bool RelationIsVisible(Oid relation) {
  RowRef<PgClassRow> row = ClassRow(relation);
  return row && FindRelation({"", "", row->relname}, true) == relation;
}

bool TypeIsVisible(Oid type) {
  RowRef<PgTypeRow> row = TypeRow(type);
  return row && FindTypeByName({"", "", row->typname}) == type;
}

bool FunctionIsVisible(Oid function) {
  const BuiltinFunction* builtin = FindBuiltinFunction(function);
  return builtin != nullptr && CatalogDepth({"", "", std::string(builtin->name)}) >= 0;
}

bool OperatorIsVisible(Oid op) {
  const BuiltinOperator* builtin = FindBuiltinOperator(op);
  return builtin != nullptr && CatalogDepth({"", "", std::string(builtin->name)}) >= 0;
}

Oid FindTypeByName(const CatalogName& name) {
  return SearchNamed(name, false, [&](Oid schema) { return TypeIn(schema, name.name); });
}

// Functions and operators cannot be created yet: the built-in ones are all there are.
std::vector<NamedFunction> FindFunctions(const CatalogName& name) {
  std::vector<NamedFunction> found;
  int depth = CatalogDepth(name);
  if (depth < 0) return found;
  ForEachBuiltinFunction(name.name,
                         [&](const BuiltinFunction& f) { found.push_back(CandidateOf(f, depth)); });
  return found;
}

std::vector<NamedOperator> FindOperators(const CatalogName& name, char kind) {
  std::vector<NamedOperator> found;
  int depth = CatalogDepth(name);
  if (depth < 0) return found;
  ForEachBuiltinOperator(name.name, [&](const BuiltinOperator& op) {
    if (op.kind == kind) found.push_back({op.oid, depth, op.left, op.right, op.result, op.function});
  });
  return found;
}

Oid FindCollation(const CatalogName& name, bool missing_ok) {
  if (CatalogDepth(name) >= 0) {
    for (const BuiltinCollation& collation : BuiltinCollations()) {
      if (collation.name == name.name) return collation.oid;
    }
  }
  if (missing_ok) return Oid::kInvalid;
  std::string shown = name.schema.empty() ? name.name : name.schema + "." + name.name;
  throw SqlError(ErrorCode::kUndefinedObject, "collation \"{}\" for encoding \"UTF8\" does not exist", shown);
}

namespace {

// How well an operator class for `input` serves `type`: 0 not at all, higher is better.
int OpclassFit(Oid input, Oid type) {
  if (input == type) return 4;
  const BuiltinType* input_type = FindBuiltinType(input);
  RowRef<PgTypeRow> row = TypeRow(type);
  if (input_type == nullptr || !row) return 0;
  if (input_type->kind == 'p') {
    bool is_array = IsValid(row->typelem) && row->typlen == -1 && row->typsubscript != Oid::kInvalid;
    if (input_type->name == "anyarray") return is_array ? 1 : 0;
    if (input_type->name == "anyenum") return row->typtype == 'e' ? 1 : 0;
    if (input_type->name == "record") return row->typtype == 'c' ? 1 : 0;
    return 0;
  }
  const BuiltinCast* cast = FindBuiltinCast(type, input);
  if (cast == nullptr || cast->method != 'b' || cast->context != 'i') return 0;
  return input_type->preferred ? 3 : 2;
}

}  // namespace

Oid DefaultOpclass(Oid type, Oid access_method) {
  RowRef<PgTypeRow> row = TypeRow(type);
  while (row && row->typtype == 'd') {
    type = row->typbasetype;
    row = TypeRow(type);
  }
  Oid best = Oid::kInvalid;
  int best_fit = 0;
  for (const BuiltinOpclass& opclass : BuiltinOpclasses()) {
    if (opclass.method != access_method || !opclass.is_default || !IsPresent(opclass)) continue;
    int fit = OpclassFit(opclass.input_type, type);
    if (fit > best_fit) {
      best = opclass.oid;
      best_fit = fit;
    }
  }
  return best;
}

Oid FindOpclass(const CatalogName& name, Oid access_method, bool missing_ok) {
  if (CatalogDepth(name) >= 0) {
    for (const BuiltinOpclass& opclass : BuiltinOpclasses()) {
      if (opclass.method == access_method && opclass.name == name.name && IsPresent(opclass))
        return opclass.oid;
    }
  }
  if (missing_ok) return Oid::kInvalid;
  const BuiltinAccessMethod* method = FindBuiltinAccessMethod(access_method);
  std::string shown = name.schema.empty() ? name.name : name.schema + "." + name.name;
  throw SqlError(ErrorCode::kUndefinedObject, "operator class \"{}\" does not exist for access method \"{}\"",
                 shown, method != nullptr ? method->name : std::string_view());
}

Oid FindConstraint(Oid relation, std::string_view name, bool missing_ok) {
  RowRef<PgConstraintRow> row = FindRow<PgConstraintRow>(
      catalog_index::kPgConstraintConrelidContypidConnameIndex, {relation, Oid::kInvalid, name});
  if (row) return row->oid;
  if (missing_ok) return Oid::kInvalid;
  throw SqlError(ErrorCode::kUndefinedObject, "constraint \"{}\" for table \"{}\" does not exist", name,
                 RelationName(relation));
}

}  // namespace walden

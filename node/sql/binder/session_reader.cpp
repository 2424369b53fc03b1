#include "node/sql/binder/session_reader.h"

#include "node/base/error.h"
#include "node/catalog/catalog_ids.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/namespace.h"
#include "node/catalog/rows/pg_cast.h"
#include "node/catalog/rows/pg_depend.h"
#include "node/catalog/rows/pg_inherits.h"
#include "node/catalog/syscache.h"

namespace walden {
namespace {

constexpr Oid kArraySubscriptHandler{6179}, kRawArraySubscriptHandler{6180}, kJsonbSubscriptHandler{6098};

LockMode ModeOf(RelationLockNeed need) {
  switch (need) {
    case RelationLockNeed::kNone: return LockMode::kNone;
    case RelationLockNeed::kAccessShare: return LockMode::kAccessShare;
    case RelationLockNeed::kRowShare: return LockMode::kRowShare;
    case RelationLockNeed::kRowExclusive: return LockMode::kRowExclusive;
  }
  return LockMode::kNone;
}

std::unique_ptr<TypeInfo> FromRow(const PgTypeRow& row) {
  auto type = std::make_unique<TypeInfo>();
  type->oid = row.oid;
  type->schema = row.typnamespace;
  type->name = row.typname;
  type->length = row.typlen;
  type->by_value = row.typbyval;
  type->not_null = row.typnotnull;
  type->preferred = row.typispreferred;
  type->defined = row.typisdefined;
  type->kind = row.typtype;
  type->category = row.typcategory;
  type->delimiter = row.typdelim;
  type->relation = row.typrelid;
  type->element = row.typelem;
  type->array = row.typarray;
  type->base_type = row.typbasetype;
  type->base_typmod = row.typtypmod;
  type->collation = row.typcollation;
  type->is_true_array = row.typsubscript == kArraySubscriptHandler;
  type->is_raw_subscriptable = row.typsubscript == kRawArraySubscriptHandler;
  type->is_jsonb_subscriptable = row.typsubscript == kJsonbSubscriptHandler;
  type->typmod_in = row.typmodin;
  type->typmod_out = row.typmodout;
  return type;
}

std::unique_ptr<RelationInfo> FromRelation(const Relation& relation) {
  auto info = std::make_unique<RelationInfo>();
  info->oid = relation.oid;
  info->schema = relation.row.relnamespace;
  info->name = relation.row.relname;
  info->kind = relation.row.relkind;
  info->persistence = relation.row.relpersistence;
  info->owner = relation.row.relowner;
  info->row_type = relation.row.reltype;
  info->is_partition = relation.row.relispartition;
  info->has_rules = relation.row.relhasrules;
  info->row_security = relation.row.relrowsecurity;
  info->has_children = relation.row.relhassubclass;
  for (const PgAttributeRow& row : relation.columns) {
    ColumnInfo column;
    column.name = row.attname;
    column.type = row.atttypid;
    column.typmod = row.atttypmod;
    column.collation = row.attcollation;
    column.not_null = row.attnotnull;
    column.dropped = row.attisdropped;
    column.has_default = row.atthasdef;
    column.identity = row.attidentity;
    column.generated = row.attgenerated;
    info->columns.push_back(std::move(column));
  }
  return info;
}

}  // namespace

SessionReader& SessionReader::Instance() {
  static SessionReader reader;
  return reader;
}

void SessionReader::Refresh() {
  replaced_.clear();
  if (generation_ == CacheGeneration()) return;
  generation_ = CacheGeneration();
  relations_.clear();
  ForgetCached();
}

Oid SessionReader::FindSchema(std::string_view name) { return FindNamespace(name, true, true); }
std::string SessionReader::SchemaName(Oid schema) { return walden::SchemaName(schema); }
std::span<const Oid> SessionReader::SearchPath() { return walden::SearchPath(); }
Oid SessionReader::TemporarySchema() { return TemporaryNamespaceIfAny(); }
Oid SessionReader::CurrentRole() { return session_identity().current_role; }

std::string SessionReader::DatabaseName() const {
  RowRef<PgDatabaseRow> row = DatabaseRow(session_identity().database);
  return row == nullptr ? std::string() : row->datname;
}

SessionReader::Described& SessionReader::Describe(Oid oid, RelationLockNeed lock) {
  auto found = relations_.find(oid);
  // Locked already and nothing has changed since: as good as opening it again.
  if (lock == RelationLockNeed::kNone && found != relations_.end() && generation_ == CacheGeneration()) {
    return found->second;
  }
  RelationRef relation = TryOpenRelation(oid, ModeOf(lock));
  if (relation == nullptr) {
    static Described none;
    return none;
  }
  Described& described = relations_[oid];
  if (described.relation == relation) return described;
  if (described.relation != nullptr) replaced_.push_back(std::move(described));
  described = Described{};
  described.info = FromRelation(*relation);
  described.relation = std::move(relation);
  return described;
}

const RelationInfo* SessionReader::FindRelation(std::string_view schema, std::string_view name,
                                                RelationLockNeed lock) {
  CatalogName qualified;
  qualified.schema = schema;
  qualified.name = name;
  RelationRef relation = OpenRelationByName(qualified, ModeOf(lock), true);
  return relation == nullptr ? nullptr : Describe(relation->oid, RelationLockNeed::kNone).info.get();
}

const RelationInfo* SessionReader::GetRelation(Oid relation, RelationLockNeed lock) {
  return Describe(relation, lock).info.get();
}

std::span<const UniqueInfo> SessionReader::UniqueIndexes(Oid oid) {
  Described& described = Describe(oid, RelationLockNeed::kNone);
  if (described.relation == nullptr) return {};
  if (described.uniques != nullptr) return *described.uniques;
  described.uniques = std::make_unique<std::vector<UniqueInfo>>();
  RowList<PgConstraintRow> constraints =
      FindRows<PgConstraintRow>(catalog_index::kPgConstraintConrelidContypidConnameIndex, {oid});
  for (const RelationRef& index : described.relation->indexes) {
    const PgIndexRow& row = *index->index;
    if ((!row.indisunique && !row.indisexclusion) || !row.indislive) continue;
    UniqueInfo unique;
    unique.index = index->oid;
    unique.primary = row.indisprimary;
    unique.unique = row.indisunique;
    unique.immediate = row.indimmediate;
    unique.valid = row.indisvalid;
    for (int16_t i = 0; i < row.indnkeyatts; ++i) {
      auto at = static_cast<size_t>(i);
      unique.keys.push_back(row.indkey[at]);
      unique.opclasses.push_back(row.indclass[at]);
      unique.collations.push_back(row.indcollation[at]);
    }
    unique.expressions = row.indexprs.value_or("");
    unique.predicate = row.indpred.value_or("");
    for (const RowRef<PgConstraintRow>& constraint : *constraints) {
      if (constraint->conindid != index->oid || (constraint->contype == 'f')) continue;
      unique.constraint = constraint->oid;
      unique.constraint_name = constraint->conname;
    }
    described.uniques->push_back(std::move(unique));
  }
  return *described.uniques;
}

std::string SessionReader::ColumnDefault(Oid relation, AttrNumber column) {
  const Described& described = Describe(relation, RelationLockNeed::kNone);
  if (described.relation == nullptr) return {};
  const walden::ColumnDefault* found = described.relation->DefaultOf(column);
  return found == nullptr ? std::string() : found->expression;
}

std::string SessionReader::ViewQuery(Oid view) {
  const Described& described = Describe(view, RelationLockNeed::kNone);
  if (described.relation == nullptr) return {};
  for (const RewriteRule& rule : described.relation->rules) {
    if (rule.event == '1') return rule.action;
  }
  return {};
}

bool SessionReader::InheritsFrom(Oid child, Oid parent) {
  if (child == parent) return true;
  RowList<PgInheritsRow> parents =
      FindRows<PgInheritsRow>(catalog_index::kPgInheritsRelidSeqnoIndex, {child});
  for (const RowRef<PgInheritsRow>& row : *parents) {
    if (InheritsFrom(row->inhparent, parent)) return true;
  }
  return false;
}

std::string SessionReader::Reloption(Oid relation, std::string_view name) {
  const Described& described = Describe(relation, RelationLockNeed::kNone);
  if (described.relation == nullptr || !described.relation->row.reloptions) return {};
  for (const std::string& option : *described.relation->row.reloptions) {
    size_t equals = option.find('=');
    if (equals != std::string::npos && std::string_view(option).substr(0, equals) == name) {
      return option.substr(equals + 1);
    }
  }
  return {};
}
bool SessionReader::IsSecurityBarrier(Oid view) {
  std::string value = Reloption(view, "security_barrier");
  return value == "true" || value == "on" || value == "1";
}
bool SessionReader::IsSecurityInvoker(Oid view) {
  std::string value = Reloption(view, "security_invoker");
  return value == "true" || value == "on" || value == "1";
}
char SessionReader::CheckOption(Oid view) {
  std::string value = Reloption(view, "check_option");
  return value == "cascaded" ? 'c' : value == "local" ? 'l' : '\0';
}

Oid SessionReader::IdentitySequence(Oid relation, AttrNumber column) {
  for (const PgDependRow& row :
       ReadRows<PgDependRow>(catalog_index::kPgDependReferenceIndex, {catalog_oid::kPgClass, relation})) {
    if (row.refobjsubid == column && row.classid == catalog_oid::kPgClass && row.deptype == 'i')
      return row.objid;
  }
  return Oid{};
}

std::unique_ptr<TypeInfo> SessionReader::LoadType(Oid type) {
  RowRef<PgTypeRow> row = TypeRow(type);
  return row == nullptr ? nullptr : FromRow(*row);
}
std::unique_ptr<TypeInfo> SessionReader::LoadType(Oid schema, std::string_view name) {
  RowRef<PgTypeRow> row = TypeRow(name, schema);
  return row == nullptr ? nullptr : FromRow(*row);
}

std::unique_ptr<FunctionInfo> SessionReader::LoadFunction(Oid oid) {
  RowRef<PgProcRow> row = FunctionRow(oid);
  if (row == nullptr) return nullptr;
  auto function = std::make_unique<FunctionInfo>();
  function->oid = row->oid;
  function->schema = row->pronamespace;
  function->name = row->proname;
  function->kind = row->prokind;
  function->strict = row->proisstrict;
  function->returns_set = row->proretset;
  function->volatility = row->provolatile;
  function->variadic = row->provariadic;
  function->result = row->prorettype;
  function->arguments = row->proargtypes;
  if (row->proallargtypes) function->all_arguments = *row->proallargtypes;
  if (row->proargmodes) function->modes.assign(row->proargmodes->begin(), row->proargmodes->end());
  if (row->proargnames) function->argument_names = *row->proargnames;
  function->default_count = row->pronargdefaults;
  function->defaults = row->proargdefaults.value_or("");
  return function;
}

std::vector<Oid> SessionReader::UserFunctions(std::string_view name) {
  std::vector<Oid> found;
  RowList<PgProcRow> rows = FindRows<PgProcRow>(catalog_index::kPgProcPronameArgsNspIndex, {name});
  for (const RowRef<PgProcRow>& row : *rows) {
    if (row->oid >= kFirstNormalOid) found.push_back(row->oid);
  }
  return found;
}

std::unique_ptr<OperatorInfo> SessionReader::LoadOperator(Oid oper) {
  RowRef<PgOperatorRow> row = OperatorRow(oper);
  if (row == nullptr) return nullptr;
  auto op = std::make_unique<OperatorInfo>();
  op->oid = row->oid;
  op->schema = row->oprnamespace;
  op->name = row->oprname;
  op->left = row->oprleft;
  op->right = row->oprright;
  op->result = row->oprresult;
  op->function = row->oprcode;
  op->commutator = row->oprcom;
  op->negator = row->oprnegate;
  op->can_hash = row->oprcanhash;
  op->can_merge = row->oprcanmerge;
  return op;
}

std::vector<Oid> SessionReader::UserOperators(std::string_view name) {
  std::vector<Oid> found;
  RowList<PgOperatorRow> rows = FindRows<PgOperatorRow>(catalog_index::kPgOperatorOprnameLRNIndex, {name});
  for (const RowRef<PgOperatorRow>& row : *rows) {
    if (row->oid >= kFirstNormalOid) found.push_back(row->oid);
  }
  return found;
}

std::unique_ptr<CastInfo> SessionReader::LoadCast(Oid source, Oid target) {
  // Casts between built-in types are all compiled in.
  if (source < kFirstNormalOid && target < kFirstNormalOid) return nullptr;
  RowRef<PgCastRow> row = FindRow<PgCastRow>(catalog_index::kPgCastSourceTargetIndex, {source, target});
  if (row == nullptr) return nullptr;
  auto cast = std::make_unique<CastInfo>();
  cast->function = row->castfunc;
  cast->context = row->castcontext;
  cast->method = row->castmethod;
  return cast;
}

}  // namespace walden

#include "node/catalog/bootstrap_rows.h"

#include "node/catalog/acl.h"
#include "node/catalog/builtin.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/namespace.h"
#include "node/catalog/relation_ddl.h"
#include "node/catalog/rows/pg_aggregate.h"
#include "node/catalog/rows/pg_am.h"
#include "node/catalog/rows/pg_amop.h"
#include "node/catalog/rows/pg_amproc.h"
#include "node/catalog/rows/pg_auth_members.h"
#include "node/catalog/rows/pg_cast.h"
#include "node/catalog/rows/pg_language.h"
#include "node/catalog/rows/pg_opclass.h"
#include "node/catalog/rows/pg_opfamily.h"
#include "node/catalog/rows/pg_tablespace.h"
#include "node/storage/relation_file.h"

namespace walden {
namespace {

constexpr Oid kOwner = kBootstrapSuperuser;
constexpr Oid kMonitorRole{3373}, kReadAllSettings{3374}, kReadAllStats{3375}, kStatScanTables{3377},
    kDatabaseOwner{6171};
constexpr int kUtf8 = 6;

void InsertRelationRows(const RelationRef& relation, bool public_select) {
  CatalogTable<PgClassRow> classes;
  PgClassRow row = relation->row;
  row.reltuples = relation->index ? 0 : -1;
  if (row.relkind == relkind::kTable) {
    row.relacl = Acl{{kOwner, kOwner, acl::kAllTable}};
    if (public_select) row.relacl->push_back({Oid::kInvalid, kOwner, acl::kSelect});
  }
  classes.Insert(row);
  CatalogTable<PgAttributeRow> attributes;
  for (const PgAttributeRow& column : relation->columns) attributes.Insert(column);
  if (relation->index) {
    CatalogTable<PgIndexRow>().Insert(*relation->index);
  } else {
    for (const PgAttributeRow& column : SystemAttributeRows(relation->oid)) attributes.Insert(column);
  }
}

Oid IfPresent(Oid function) { return FindBuiltinFunction(function) != nullptr ? function : Oid::kInvalid; }

void InsertTypes() {
  CatalogTable<PgTypeRow> types;
  for (const BuiltinType& type : BuiltinTypeRows()) {
    if (!IsPresent(type)) continue;
    PgTypeRow row;
    row.oid = type.oid;
    row.typname = type.name;
    row.typnamespace = kPgCatalogNamespace;
    row.typowner = kOwner;
    row.typlen = type.length;
    row.typbyval = type.by_value;
    row.typtype = type.kind;
    row.typcategory = type.category;
    row.typispreferred = type.preferred;
    row.typisdefined = true;
    row.typdelim = type.delimiter;
    row.typrelid = type.relation;
    row.typsubscript = type.subscript;
    row.typelem = type.element;
    const BuiltinType* array = FindBuiltinType(type.array);
    row.typarray = array != nullptr ? type.array : Oid::kInvalid;
    row.typinput = type.input;
    row.typoutput = type.output;
    row.typreceive = type.receive;
    row.typsend = type.send;
    row.typmodin = type.typmod_in;
    row.typmodout = type.typmod_out;
    row.typalign = type.align;
    row.typstorage = type.storage;
    row.typtypmod = -1;
    row.typcollation = type.collation;
    types.Insert(row);
  }
}

std::optional<Acl> FunctionAclList(FunctionAcl kind) {
  if (kind == FunctionAcl::kPublic) return std::nullopt;
  Acl list{{kOwner, kOwner, acl::kExecute}};
  if (kind == FunctionAcl::kMonitor) list.push_back({kMonitorRole, kOwner, acl::kExecute});
  if (kind == FunctionAcl::kReadAllStats) list.push_back({kReadAllStats, kOwner, acl::kExecute});
  return list;
}

PgProcRow FunctionRowOf(const BuiltinFunction& function) {
  PgProcRow row;
  row.oid = function.oid;
  row.proname = function.name;
  row.pronamespace = kPgCatalogNamespace;
  row.proowner = kOwner;
  row.prolang = function.language;
  row.procost = function.cost;
  row.prorows = function.rows;
  row.provariadic = function.variadic;
  row.prokind = function.kind;
  row.proleakproof = function.leakproof;
  row.proisstrict = function.strict;
  row.proretset = function.returns_set;
  row.provolatile = function.volatility;
  row.proparallel = function.parallel;
  row.pronargs = function.arg_count;
  row.pronargdefaults = function.default_count;
  row.prorettype = function.return_type;
  row.proargtypes.assign(function.arg_types().begin(), function.arg_types().end());
  if (function.all_arg_count > 0) {
    row.proallargtypes.emplace(function.all_arg_types().begin(), function.all_arg_types().end());
  }
  if (!function.arg_modes.empty())
    row.proargmodes.emplace(function.arg_modes.begin(), function.arg_modes.end());
  if (function.arg_name_count > 0)
    row.proargnames.emplace(function.arg_names().begin(), function.arg_names().end());
  row.prosrc = function.source.empty() ? function.name : function.source;
  row.proacl = FunctionAclList(function.acl);
  return row;
}

void InsertFunctions() {
  CatalogTable<PgProcRow> functions;
  for (const BuiltinFunction& function : BuiltinFunctions()) {
    if (IsPresent(function)) functions.Insert(FunctionRowOf(function));
  }
}

void InsertOperators() {
  CatalogTable<PgOperatorRow> operators;
  auto present = [](Oid op) { return FindBuiltinOperator(op) != nullptr ? op : Oid::kInvalid; };
  for (const BuiltinOperator& op : BuiltinOperators()) {
    if (!IsPresent(op)) continue;
    PgOperatorRow row;
    row.oid = op.oid;
    row.oprname = op.name;
    row.oprnamespace = kPgCatalogNamespace;
    row.oprowner = kOwner;
    row.oprkind = op.kind;
    row.oprcanmerge = op.can_merge;
    row.oprcanhash = op.can_hash;
    row.oprleft = op.left;
    row.oprright = op.right;
    row.oprresult = op.result;
    row.oprcom = present(op.commutator);
    row.oprnegate = present(op.negator);
    row.oprcode = op.function;
    row.oprrest = IfPresent(op.restriction);
    row.oprjoin = IfPresent(op.join);
    operators.Insert(row);
  }
  CatalogTable<PgCastRow> casts;
  for (const BuiltinCast& cast : BuiltinCasts()) {
    if (IsPresent(cast))
      casts.Insert({cast.oid, cast.source, cast.target, cast.function, cast.context, cast.method});
  }
}

void InsertAggregates() {
  CatalogTable<PgAggregateRow> aggregates;
  for (const BuiltinAggregate& aggregate : BuiltinAggregateRows()) {
    if (!IsPresent(aggregate)) continue;
    PgAggregateRow row;
    row.aggfnoid = aggregate.function;
    row.aggkind = aggregate.kind;
    row.aggnumdirectargs = aggregate.direct_args;
    row.aggtransfn = IfPresent(aggregate.transition);
    row.aggfinalfn = IfPresent(aggregate.final);
    row.aggcombinefn = IfPresent(aggregate.combine);
    row.aggserialfn = IfPresent(aggregate.serialize);
    row.aggdeserialfn = IfPresent(aggregate.deserialize);
    row.aggmtransfn = IfPresent(aggregate.moving_transition);
    row.aggminvtransfn = IfPresent(aggregate.moving_inverse);
    row.aggmfinalfn = IfPresent(aggregate.moving_final);
    row.aggfinalmodify = row.aggmfinalmodify = aggregate.kind == 'n' ? 'r' : 's';
    row.aggsortop =
        FindBuiltinOperator(aggregate.sort_operator) != nullptr ? aggregate.sort_operator : Oid::kInvalid;
    row.aggtranstype = aggregate.transition_type;
    if (!aggregate.initial_value.empty()) row.agginitval = aggregate.initial_value;
    aggregates.Insert(row);
  }
}

void InsertAccessMethods() {
  CatalogTable<PgAmRow> methods;
  for (const BuiltinAccessMethod& m : BuiltinAccessMethods()) {
    if (IsPresent(m)) methods.Insert({m.oid, std::string(m.name), m.handler, m.kind});
  }
  CatalogTable<PgOpfamilyRow> families;
  for (const BuiltinOpfamily& f : BuiltinOpfamilies()) {
    if (IsPresent(f)) families.Insert({f.oid, f.method, std::string(f.name), kPgCatalogNamespace, kOwner});
  }
  CatalogTable<PgOpclassRow> classes;
  for (const BuiltinOpclass& c : BuiltinOpclasses()) {
    if (!IsPresent(c)) continue;
    classes.Insert({c.oid, c.method, std::string(c.name), kPgCatalogNamespace, kOwner, c.family, c.input_type,
                    c.is_default, c.key_type});
  }
  CatalogTable<PgAmopRow> amops;
  for (const BuiltinAmop& a : BuiltinAmops()) {
    if (!IsPresent(a)) continue;
    amops.Insert(
        {a.oid, a.family, a.left, a.right, a.strategy, a.purpose, a.operator_oid, a.method, a.sort_family});
  }
  CatalogTable<PgAmprocRow> amprocs;
  for (const BuiltinAmproc& a : BuiltinAmprocs()) {
    if (IsPresent(a)) amprocs.Insert({a.oid, a.family, a.left, a.right, a.number, a.function});
  }
}

void InsertLanguagesAndCollations() {
  CatalogTable<PgLanguageRow> languages;
  for (const BuiltinLanguage& language : BuiltinLanguages()) {
    if (!IsPresent(language)) continue;
    PgLanguageRow row;
    row.oid = language.oid;
    row.lanname = language.name;
    row.lanowner = kOwner;
    row.lanispl = language.is_procedural;
    row.lanpltrusted = language.trusted;
    languages.Insert(row);
  }
  CatalogTable<PgCollationRow> collations;
  for (const BuiltinCollation& collation : BuiltinCollations()) {
    PgCollationRow row;
    row.oid = collation.oid;
    row.collname = collation.name;
    row.collnamespace = kPgCatalogNamespace;
    row.collowner = kOwner;
    row.collprovider = collation.provider;
    row.collisdeterministic = collation.deterministic;
    row.collencoding = collation.encoding;
    if (!collation.collate.empty()) row.collcollate = collation.collate;
    if (!collation.ctype.empty()) row.collctype = collation.ctype;
    collations.Insert(row);
  }
}

void InsertSchemas() {
  CatalogTable<PgNamespaceRow> schemas;
  schemas.Insert({kPgCatalogNamespace, "pg_catalog", kOwner,
                  Acl{{kOwner, kOwner, acl::kAllSchema}, {Oid::kInvalid, kOwner, acl::kUsage}}});
  schemas.Insert({kPgToastNamespace, "pg_toast", kOwner, std::nullopt});
  schemas.Insert(
      {kPublicNamespace, "public", kDatabaseOwner,
       Acl{{kDatabaseOwner, kDatabaseOwner, acl::kAllSchema}, {Oid::kInvalid, kDatabaseOwner, acl::kUsage}}});
}

}  // namespace

void InsertCatalogDescription(const CatalogInfo& catalog) {
  RelationRef relation = OpenRelation(catalog.oid, LockMode::kNone);
  InsertRelationRows(relation, catalog.public_select);
  for (const RelationRef& index : relation->indexes) InsertRelationRows(index, false);
  if (!relation->toast_relation) return;
  InsertRelationRows(relation->toast_relation, false);
  for (const RelationRef& index : relation->toast_relation->indexes) InsertRelationRows(index, false);
}

void InsertBuiltins() {
  InsertSchemas();
  InsertTypes();
  InsertFunctions();
  InsertOperators();
  InsertAggregates();
  InsertAccessMethods();
  InsertLanguagesAndCollations();
}

void InsertSharedRows(const BootstrapOptions& options) {
  CatalogTable<PgAuthidRow> roles;
  for (const BuiltinRole& role : BuiltinRoles()) {
    bool super = role.oid == kBootstrapSuperuser;
    PgAuthidRow row;
    row.oid = role.oid;
    row.rolname = super ? options.superuser : std::string(role.name);
    row.rolsuper = row.rolcreaterole = row.rolcreatedb = row.rolcanlogin = row.rolreplication =
        row.rolbypassrls = super;
    row.rolinherit = true;
    row.rolconnlimit = -1;
    if (super && !options.password_verifier.empty()) row.rolpassword = options.password_verifier;
    roles.Insert(row);
  }
  CatalogTable<PgAuthMembersRow> members;
  for (Oid role : {kReadAllSettings, kReadAllStats, kStatScanTables})
    members.Insert({role, kMonitorRole, kOwner, false});
  CatalogTable<PgTablespaceRow> tablespaces;
  tablespaces.Insert({kDefaultTablespace, "pg_default", kOwner, std::nullopt, std::nullopt});
  tablespaces.Insert({kGlobalTablespace, "pg_global", kOwner, std::nullopt, std::nullopt});

  PgDatabaseRow database;
  database.oid = kTemplate1Database;
  database.datname = "template1";
  database.datdba = kOwner;
  database.encoding = kUtf8;
  database.datlocprovider = 'c';
  database.datistemplate = database.datallowconn = true;
  database.datconnlimit = -1;
  database.datfrozenxid = static_cast<uint32_t>(kFirstNormalXid.value);
  database.datminmxid = 1;
  database.dattablespace = kDefaultTablespace;
  database.datcollate = options.collate;
  database.datctype = options.ctype;
  database.datacl = Acl{{Oid::kInvalid, kOwner, acl::kConnect}, {kOwner, kOwner, acl::kAllDatabase}};
  CatalogTable<PgDatabaseRow>().Insert(database);
}

}  // namespace walden

// GRANT, REVOKE, ALTER DEFAULT PRIVILEGES.
#include <algorithm>
#include <tuple>

#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/rows/pg_default_acl.h"
#include "node/catalog/rows/pg_language.h"
#include "node/catalog/type_name.h"
#include "node/sql/commands/command_parts.h"

namespace walden {
namespace {

using ast::As;

struct TargetKind {
  ObjectType type;
  ObjectKind kind;
  AclMode all;
};
constexpr TargetKind kTargets[] = {
    {ObjectType::kTable, ObjectKind::kTable, acl::kAllTable},
    {ObjectType::kSequence, ObjectKind::kSequence, acl::kAllSequence},
    {ObjectType::kDatabase, ObjectKind::kDatabase, acl::kAllDatabase},
    {ObjectType::kSchema, ObjectKind::kSchema, acl::kAllSchema},
    {ObjectType::kFunction, ObjectKind::kFunction, acl::kAllFunction},
    {ObjectType::kProcedure, ObjectKind::kFunction, acl::kAllFunction},
    {ObjectType::kRoutine, ObjectKind::kFunction, acl::kAllFunction},
    {ObjectType::kLanguage, ObjectKind::kLanguage, acl::kAllLanguage},
    {ObjectType::kType, ObjectKind::kType, acl::kAllType},
    {ObjectType::kDomain, ObjectKind::kType, acl::kAllType},
};
const TargetKind& KindOf(ObjectType type) {
  for (const TargetKind& target : kTargets) {
    if (target.type == type) return target;
  }
  throw NotSupported("GRANT on this kind of object");
}

std::string_view PrivilegeName(AclMode bit) {
  static constexpr std::string_view kNames[] = {"INSERT",     "SELECT",  "UPDATE",  "DELETE",      "TRUNCATE",
                                                "REFERENCES", "TRIGGER", "EXECUTE", "USAGE",       "CREATE",
                                                "TEMPORARY",  "CONNECT", "SET",     "ALTER SYSTEM"};
  return kNames[__builtin_ctz(bit)];
}

struct Wanted {
  AclMode rights = 0;
  bool all = false;
  std::vector<std::pair<std::string, AclMode>> columns;  // column privileges
};

Wanted ReadPrivileges(const ast::NodeList& list, const TargetKind& target) {
  Wanted wanted;
  if (list.empty()) {
    wanted.all = true;
    wanted.rights = target.all;
    return wanted;
  }
  for (const ast::Node* node : list) {
    const auto& privilege = *As<ast::AccessPriv>(node);
    AclMode mode = privilege.cols.empty() ? target.all : acl::kAllColumn;
    if (!privilege.priv_name.empty()) {
      std::optional<AclMode> named = ParsePrivilege(privilege.priv_name);
      if (!named)
        throw SqlError(ErrorCode::kSyntaxError, "unrecognized privilege type \"{}\"", privilege.priv_name);
      mode = *named;
    }
    AclMode allowed = privilege.cols.empty() ? target.all : acl::kAllColumn;
    if (target.kind == ObjectKind::kTable && privilege.cols.empty())
      allowed |= acl::kUsage;  // sequences under ON TABLE
    if ((mode & ~allowed) != 0) {
      throw SqlError(ErrorCode::kInvalidGrantOperation, "invalid privilege type {} for {}",
                     PrivilegeName(mode & ~allowed),
                     privilege.cols.empty()
                         ? (target.kind == ObjectKind::kTable ? "relation" : ObjectKindName(target.kind))
                         : "column");
    }
    if (privilege.cols.empty()) {
      wanted.rights |= mode;
    } else {
      for (const std::string& column : StringsOf(privilege.cols)) wanted.columns.emplace_back(column, mode);
    }
  }
  return wanted;
}

// One list, changed as the statement says.
class ListChange {
 public:
  ListChange(const ast::GrantStmt& statement, std::vector<Oid> grantees)
      : statement_(statement), grantees_(std::move(grantees)) {}

  std::optional<Acl> Apply(const std::optional<Acl>& stored, Oid owner, ObjectKind kind, AclMode rights,
                           bool all, std::string_view name) const {
    Acl list = stored ? *stored : DefaultAcl(kind, owner);
    Oid grantor;
    AclMode available;
    SelectGrantor(CurrentRole(), rights, list, owner, &grantor, &available);
    if (available == 0 && AclMask(list, CurrentRole(), owner, rights | acl::Grantable(rights), false) == 0 &&
        !IsSuperuser()) {
      ThrowUnlessOk(AclResult::kNoPrivilege, kind, name);
    }
    bool partly = (rights & ~available) != 0;
    if (partly && available == 0) {
      Warning(statement_.is_grant ? ErrorCode::kWarningPrivilegeNotGranted
                                  : ErrorCode::kWarningPrivilegeNotRevoked,
              fmt::format("no privileges {} for \"{}\"",
                          statement_.is_grant ? "were granted" : "could be revoked", name));
    } else if (partly && !all) {
      Warning(statement_.is_grant ? ErrorCode::kWarningPrivilegeNotGranted
                                  : ErrorCode::kWarningPrivilegeNotRevoked,
              fmt::format("not all privileges {} for \"{}\"",
                          statement_.is_grant ? "were granted" : "could be revoked", name));
    }
    if (statement_.is_grant)
      return AclGrant(list, grantees_, available, statement_.grant_option, grantor, owner);
    return AclRevoke(list, grantees_, available, statement_.grant_option,
                     statement_.behavior == DropBehavior::kCascade, grantor, owner);
  }
  const std::vector<Oid>& grantees() const { return grantees_; }

 private:
  const ast::GrantStmt& statement_;
  std::vector<Oid> grantees_;
};

std::vector<Oid> Grantees(const ast::NodeList& list) {
  std::vector<Oid> roles;
  for (const ast::Node* node : list) roles.push_back(RoleOf(*As<ast::RoleSpec>(node), true));
  return roles;
}

std::vector<Oid> MembersOf(const std::optional<Acl>& list) {
  return list ? AclMembers(*list) : std::vector<Oid>();
}

template <class Row>
void ChangeList(Oid index, Oid object, Oid Row::* owner, std::optional<Acl> Row::* list,
                const std::string& name, const TargetKind& target, const Wanted& wanted,
                const ListChange& change) {
  CatalogTable<Row> table;
  auto stored = table.Find(index, {object});
  std::optional<Acl> old = stored->row.*list;
  stored->row.*list = change.Apply(old, stored->row.*owner, target.kind, wanted.rights, wanted.all, name);
  table.Update(stored->tid, stored->row);
  UpdateAclDependencies({Row::kCatalog, object, 0}, stored->row.*owner, MembersOf(old),
                        MembersOf(stored->row.*list));
}

void ChangeColumns(const Relation& table, const Wanted& wanted, const ListChange& change) {
  for (const auto& [name, rights] : wanted.columns) {
    AttrNumber attno = table.FindColumn(name);
    if (attno == 0)
      throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", name,
                     table.name());
    AclMode mode = rights;
    std::string column = name;
    UpdateAttributeRow(table.oid, attno, [&](PgAttributeRow* row) {
      std::optional<Acl> old = row->attacl;
      // Table-level grant options count for columns too.
      Acl merged = old.value_or(Acl());
      row->attacl = change.Apply(merged, table.row.relowner, ObjectKind::kColumn, mode, false, column);
      if (row->attacl->empty()) row->attacl.reset();
      UpdateAclDependencies(RelationAddress(table.oid, attno), table.row.relowner, MembersOf(old),
                            MembersOf(row->attacl));
    });
  }
}

// REVOKE on a table takes the rights from its columns as well.
void RevokeFromColumns(const Relation& table, const Wanted& wanted, const ListChange& change) {
  AclMode rights = wanted.rights & acl::kAllColumn;
  for (const PgAttributeRow& column : table.columns) {
    if (!column.attacl || rights == 0) continue;
    UpdateAttributeRow(table.oid, column.attnum, [&](PgAttributeRow* row) {
      std::optional<Acl> old = row->attacl;
      row->attacl = change.Apply(old, table.row.relowner, ObjectKind::kColumn, rights, true, column.attname);
      if (row->attacl->empty()) row->attacl.reset();
      UpdateAclDependencies(RelationAddress(table.oid, column.attnum), table.row.relowner, MembersOf(old),
                            MembersOf(row->attacl));
    });
  }
}

void GrantOnRelation(Oid oid, TargetKind target, Wanted wanted, const ListChange& change, bool is_grant) {
  RelationRef table = OpenRelation(oid, LockMode::kAccessShare);
  bool sequence = table->row.relkind == relkind::kSequence;
  if (table->row.relkind == relkind::kIndex)
    throw SqlError(ErrorCode::kWrongObjectType, "\"{}\" is an index", table->name());
  if (target.kind == ObjectKind::kSequence && !sequence) {
    throw SqlError(ErrorCode::kWrongObjectType, "\"{}\" is not a sequence", table->name());
  }
  if (sequence) {
    target.kind = ObjectKind::kSequence;
    wanted.rights &= acl::kAllSequence;
    if (wanted.all) wanted.rights = acl::kAllSequence;
  } else if ((wanted.rights & acl::kUsage) != 0) {
    throw SqlError(ErrorCode::kInvalidGrantOperation, "invalid privilege type USAGE for table");
  }
  if (wanted.rights != 0) {
    ChangeList<PgClassRow>(catalog_index::kPgClassOidIndex, oid, &PgClassRow::relowner, &PgClassRow::relacl,
                           table->row.relname, target, wanted, change);
    if (!is_grant && !sequence) RevokeFromColumns(*table, wanted, change);
  }
  ChangeColumns(*table, wanted, change);
}

void GrantOnNamed(const ast::Node* object, const TargetKind& target, const Wanted& wanted,
                  const ListChange& change) {
  if (!wanted.columns.empty())
    throw SqlError(ErrorCode::kInvalidGrantOperation, "column privileges are only valid for relations");
  switch (target.kind) {
    case ObjectKind::kDatabase: {
      std::string name(ast::StringOf(object));
      RowRef<PgDatabaseRow> row = DatabaseRow(name);
      if (!row) throw SqlError(ErrorCode::kUndefinedDatabase, "database \"{}\" does not exist", name);
      return ChangeList<PgDatabaseRow>(catalog_index::kPgDatabaseOidIndex, row->oid, &PgDatabaseRow::datdba,
                                       &PgDatabaseRow::datacl, name, target, wanted, change);
    }
    case ObjectKind::kSchema: {
      std::string name(ast::StringOf(object));
      Oid oid = FindNamespace(name, false, false);
      return ChangeList<PgNamespaceRow>(catalog_index::kPgNamespaceOidIndex, oid, &PgNamespaceRow::nspowner,
                                        &PgNamespaceRow::nspacl, name, target, wanted, change);
    }
    case ObjectKind::kLanguage: {
      std::string name(ast::StringOf(object));
      auto row = FindRow<PgLanguageRow>(catalog_index::kPgLanguageNameIndex, {name});
      if (!row) throw SqlError(ErrorCode::kUndefinedObject, "language \"{}\" does not exist", name);
      return ChangeList<PgLanguageRow>(catalog_index::kPgLanguageOidIndex, row->oid, &PgLanguageRow::lanowner,
                                       &PgLanguageRow::lanacl, name, target, wanted, change);
    }
    case ObjectKind::kType: {
      CatalogName name = NameOf(As<ast::ListNode>(object)->items);
      Oid oid = FindTypeByName(name);
      if (!IsValid(oid)) throw SqlError(ErrorCode::kUndefinedObject, "type \"{}\" does not exist", name.name);
      return ChangeList<PgTypeRow>(catalog_index::kPgTypeOidIndex, oid, &PgTypeRow::typowner,
                                   &PgTypeRow::typacl, name.name, target, wanted, change);
    }
    default: throw NotSupported("GRANT on this kind of object");
  }
}

void GrantOnFunction(const ast::ObjectWithArgs& object, const TargetKind& target, const Wanted& wanted,
                     const ListChange& change, CommandContext& context) {
  std::vector<Oid> arguments;
  for (const ast::Node* type : object.objargs)
    arguments.push_back(BindTypeName(*As<ast::TypeName>(type), context.Bind()).type);
  CatalogName name = NameOf(object.objname);
  std::vector<NamedFunction> candidates = FindFunctions(name);
  for (const NamedFunction& candidate : candidates) {
    bool same = object.args_unspecified ? candidates.size() == 1 : candidate.arg_types == arguments;
    if (!same) continue;
    return ChangeList<PgProcRow>(catalog_index::kPgProcOidIndex, candidate.oid, &PgProcRow::proowner,
                                 &PgProcRow::proacl, name.name, target, wanted, change);
  }
  std::string shown;
  for (Oid type : arguments) shown += (shown.empty() ? "" : ", ") + FormatType(type);
  throw SqlError(ErrorCode::kUndefinedFunction, "function {}({}) does not exist", name.name, shown);
}

std::vector<Oid> RelationsInSchemas(const ast::NodeList& schemas, ObjectKind kind) {
  std::vector<Oid> relations;
  for (const ast::Node* node : schemas) {
    Oid schema = FindNamespace(ast::StringOf(node));
    for (const PgClassRow& row : ReadRows<PgClassRow>(Oid::kInvalid, {})) {
      bool is_sequence = row.relkind == relkind::kSequence;
      bool is_table = row.relkind == relkind::kTable || row.relkind == relkind::kView ||
                      row.relkind == relkind::kMaterializedView;
      if (row.relnamespace == schema && (kind == ObjectKind::kSequence ? is_sequence : is_table))
        relations.push_back(row.oid);
    }
  }
  return relations;
}

}  // namespace

void RunGrant(const ast::GrantStmt& statement, CommandContext& context) {
  if (statement.grantor != nullptr && RoleOf(*statement.grantor, false) != CurrentRole()) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "grantor must be current user");
  }
  const TargetKind& target = KindOf(statement.objtype);
  Wanted wanted = ReadPrivileges(statement.privileges, target);
  ListChange change(statement, Grantees(statement.grantees));
  bool relations = target.kind == ObjectKind::kTable || target.kind == ObjectKind::kSequence;
  if (statement.targtype == GrantTargetType::kAllInSchema) {
    if (!relations) return;  // no functions can be in a user's schema yet
    for (Oid oid : RelationsInSchemas(statement.objects, target.kind)) {
      GrantOnRelation(oid, target, wanted, change, statement.is_grant);
      context.Advance();
    }
    return;
  }
  for (const ast::Node* object : statement.objects) {
    if (relations) {
      GrantOnRelation(FindRelation(NameOf(*As<ast::RangeVar>(object))), target, wanted, change,
                      statement.is_grant);
    } else if (target.kind == ObjectKind::kFunction) {
      GrantOnFunction(*As<ast::ObjectWithArgs>(object), target, wanted, change, context);
    } else {
      GrantOnNamed(object, target, wanted, change);
    }
    context.Advance();
  }
}

namespace {

void ChangeDefaultAcl(Oid role, Oid schema, const TargetKind& target, char type, const Wanted& wanted,
                      const ast::GrantStmt& action, const std::vector<Oid>& grantees) {
  CatalogTable<PgDefaultAclRow> table;
  auto stored = table.Find(catalog_index::kPgDefaultAclRoleNspObjIndex, {role, schema, type});
  Acl built_in = IsValid(schema) ? Acl() : DefaultAcl(target.kind, role);
  Acl old = stored ? stored->row.defaclacl : built_in;
  Acl list = action.is_grant ? AclGrant(old, grantees, wanted.rights, action.grant_option, role, role)
                             : AclRevoke(old, grantees, wanted.rights, action.grant_option,
                                         action.behavior == DropBehavior::kCascade, role, role);
  auto same = [](const Acl& a, const Acl& b) {
    return a.size() == b.size() &&
           std::is_permutation(a.begin(), a.end(), b.begin(), [](const AclItem& x, const AclItem& y) {
             return x.grantee == y.grantee && x.grantor == y.grantor && x.rights == y.rights;
           });
  };
  std::vector<Oid> old_members = stored ? AclMembers(old) : std::vector<Oid>();
  if (same(list, built_in)) {
    if (!stored) return;
    DropObject({catalog_oid::kPgDefaultAcl, stored->row.oid, 0}, {.internal = true});
    return;
  }
  PgDefaultAclRow row = stored ? stored->row : PgDefaultAclRow{table.NewOid(), role, schema, type, {}};
  row.defaclacl = list;
  std::sort(row.defaclacl.begin(), row.defaclacl.end(), [](const AclItem& a, const AclItem& b) {
    return std::tie(a.grantee, a.grantor, a.rights) < std::tie(b.grantee, b.grantor, b.rights);
  });
  ObjectAddress self{catalog_oid::kPgDefaultAcl, row.oid, 0};
  if (stored) {
    table.Update(stored->tid, row);
  } else {
    table.Insert(row);
    RecordOwner(self, role);
    if (IsValid(schema))
      RecordDependency(self, {catalog_oid::kPgNamespace, schema, 0}, DependencyKind::kAuto);
  }
  UpdateAclDependencies(self, role, old_members, AclMembers(list));
}

}  // namespace

void RunAlterDefaultPrivileges(const ast::AlterDefaultPrivilegesStmt& statement, CommandContext& context) {
  const TargetKind& target = KindOf(statement.action->objtype);
  Wanted wanted = ReadPrivileges(statement.action->privileges, target);
  if (!wanted.columns.empty())
    throw SqlError(ErrorCode::kInvalidGrantOperation, "default privileges cannot be set for columns");
  std::vector<Oid> roles{CurrentRole()}, schemas{Oid::kInvalid};
  if (const ast::DefElem* option = FindOption(statement.options, "roles")) {
    roles.clear();
    for (const ast::Node* node : As<ast::ListNode>(option->arg)->items) {
      roles.push_back(RoleOf(*As<ast::RoleSpec>(node)));
      CheckIsMember(CurrentRole(), roles.back());
    }
  }
  if (const ast::DefElem* option = FindOption(statement.options, "schemas")) {
    if (target.kind == ObjectKind::kSchema) {
      throw SqlError(ErrorCode::kInvalidGrantOperation,
                     "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS");
    }
    schemas.clear();
    for (const ast::Node* node : As<ast::ListNode>(option->arg)->items)
      schemas.push_back(FindNamespace(ast::StringOf(node), false, false));
  }
  char type = target.kind == ObjectKind::kTable      ? 'r'
              : target.kind == ObjectKind::kSequence ? 'S'
              : target.kind == ObjectKind::kFunction ? 'f'
              : target.kind == ObjectKind::kType     ? 'T'
                                                     : 'n';
  std::vector<Oid> grantees = Grantees(statement.action->grantees);
  for (Oid role : roles) {
    for (Oid schema : schemas) {
      ChangeDefaultAcl(role, schema, target, type, wanted, *statement.action, grantees);
      context.Advance();
    }
  }
}

}  // namespace walden

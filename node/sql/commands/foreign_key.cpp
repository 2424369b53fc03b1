// FOREIGN KEY constraints: matching columns to a unique key, comparison operators, the internal triggers that carry the
// constraint on both tables.
#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/builtin.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/rows/pg_trigger.h"
#include "node/catalog/type_name.h"
#include "node/sql/commands/command_parts.h"

namespace walden {
namespace {

constexpr int kEqualStrategy = 3;

struct KeyColumns {
  std::vector<int16_t> own, referenced;
  std::vector<Oid> pf, pp, ff;  // equality: referenced = own, referenced = referenced, own = own
  Oid index = Oid::kInvalid;
};

std::vector<int16_t> ColumnNumbers(const Relation& table, const std::vector<std::string>& names) {
  std::vector<int16_t> numbers;
  for (const std::string& name : names) {
    AttrNumber attno = table.FindColumn(name);
    if (attno == 0) {
      throw SqlError(ErrorCode::kUndefinedColumn,
                     "column \"{}\" referenced in foreign key constraint does not exist", name);
    }
    if (attno < 0)
      throw SqlError(ErrorCode::kFeatureNotSupported, "system columns cannot be used in foreign keys");
    numbers.push_back(attno);
  }
  return numbers;
}

[[noreturn]] void RefuseDeferrable(const Relation& table, const char* what) {
  throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                 "cannot use a deferrable {} for referenced table \"{}\"", what, table.name());
}

// The unique index over exactly these columns; *order[i] is the index column of referenced column i.
const Relation* MatchingIndex(const Relation& table, const std::vector<int16_t>& columns,
                              std::vector<int>* order) {
  bool found_deferrable = false;
  for (const RelationRef& candidate : table.indexes) {
    const PgIndexRow& index = *candidate->index;
    bool usable = index.indisunique && index.indisvalid && !index.indpred && !index.indexprs &&
                  index.indnkeyatts == static_cast<int>(columns.size());
    if (!usable) continue;
    order->clear();
    for (int16_t column : columns) {
      auto end = index.indkey.begin() + index.indnkeyatts;
      auto at = std::find(index.indkey.begin(), end, column);
      if (at != end) order->push_back(static_cast<int>(at - index.indkey.begin()));
    }
    std::vector<int> sorted = *order;
    std::sort(sorted.begin(), sorted.end());
    bool each_once = std::unique(sorted.begin(), sorted.end()) == sorted.end();
    if (order->size() != columns.size() || !each_once) continue;
    if (index.indimmediate) return candidate.get();
    found_deferrable = true;
  }
  if (found_deferrable) RefuseDeferrable(table, "unique constraint");
  return nullptr;
}

void ResolveReferenced(const Relation& table, const ast::Constraint& constraint, KeyColumns* key,
                       std::vector<int>* order, const Relation** index) {
  if (constraint.pk_attrs.empty()) {
    for (const RelationRef& candidate : table.indexes) {
      if (candidate->oid != table.primary_key) continue;
      if (!candidate->index->indimmediate) RefuseDeferrable(table, "primary key");
      *index = candidate.get();
      for (int k = 0; k < candidate->index->indnkeyatts; ++k) {
        key->referenced.push_back(candidate->index->indkey[k]);
        order->push_back(k);
      }
      return;
    }
    throw SqlError(ErrorCode::kUndefinedObject, "there is no primary key for referenced table \"{}\"",
                   table.name());
  }
  key->referenced = ColumnNumbers(table, StringsOf(constraint.pk_attrs));
  *index = MatchingIndex(table, key->referenced, order);
  if (*index != nullptr) return;
  throw SqlError(ErrorCode::kInvalidForeignKey,
                 "there is no unique constraint matching given keys for referenced table \"{}\"",
                 table.name());
}

// The equality operator of a btree family for these operand types; through binary-coercible types if need be.
Oid FamilyEqual(Oid family, Oid opclass_type, Oid left, Oid right) {
  auto find = [&](Oid a, Oid b) {
    const BuiltinAmop* amop = FindBuiltinAmop(family, a, b, kEqualStrategy);
    return amop != nullptr ? amop->operator_oid : Oid::kInvalid;
  };
  Oid found = find(left, right);
  if (IsValid(found)) return found;
  auto coercible = [&](Oid from) {
    if (from == opclass_type) return true;
    const BuiltinType* target = FindBuiltinType(opclass_type);
    if (target != nullptr && target->kind == 'p') return true;
    const BuiltinCast* cast = FindBuiltinCast(from, opclass_type);
    return cast != nullptr && cast->context == 'i';
  };
  if (coercible(left) && coercible(right)) return find(opclass_type, opclass_type);
  return Oid::kInvalid;
}

void ResolveOperators(const Relation& own, const Relation& referenced, const Relation& index,
                      const std::vector<int>& order, std::string_view name, KeyColumns* key) {
  for (size_t i = 0; i < key->own.size(); ++i) {
    const PgAttributeRow& fk = own.columns[key->own[i] - 1];
    const PgAttributeRow& pk = referenced.columns[key->referenced[i] - 1];
    Oid family = index.index_desc.keys[order[i]].opfamily;
    Oid opclass_type = index.opclass_types[order[i]];
    Oid pf = FamilyEqual(family, opclass_type, pk.atttypid, fk.atttypid);
    Oid pp = FamilyEqual(family, opclass_type, pk.atttypid, pk.atttypid);
    Oid ff = FamilyEqual(family, opclass_type, fk.atttypid, fk.atttypid);
    if (!IsValid(pf) || !IsValid(pp) || !IsValid(ff)) {
      throw SqlError(ErrorCode::kDatatypeMismatch, "foreign key constraint \"{}\" cannot be implemented",
                     name)
          .WithDetail(fmt::format("Key columns \"{}\" and \"{}\" are of incompatible types: {} and {}.",
                                  fk.attname, pk.attname, FormatType(fk.atttypid), FormatType(pk.atttypid)));
    }
    key->pf.push_back(pf);
    key->pp.push_back(pp);
    key->ff.push_back(ff);
  }
}

struct ActionFunctions {
  char action;
  uint32_t on_delete, on_update;
};
constexpr ActionFunctions kActions[] = {
    {'a', 1654, 1655}, {'r', 1648, 1649}, {'c', 1646, 1647}, {'n', 1650, 1651}, {'d', 1652, 1653}};
constexpr Oid kCheckInsert{1644}, kCheckUpdate{1645};

void InsertTrigger(const PgConstraintRow& constraint, Oid table, Oid other, Oid function, int16_t event,
                   char suffix) {
  CatalogTable<PgTriggerRow> triggers;
  PgTriggerRow row;
  row.oid = triggers.NewOid();
  row.tgrelid = table;
  row.tgname = std::string("RI_ConstraintTrigger_") + suffix + "_" + std::to_string(OidNumber(row.oid));
  row.tgfoid = function;
  row.tgtype = static_cast<int16_t>(trigger_type::kRow | event);
  row.tgenabled = 'O';
  row.tgisinternal = true;
  row.tgconstrrelid = other;
  row.tgconstrindid = constraint.conindid;
  row.tgconstraint = constraint.oid;
  row.tgdeferrable = constraint.condeferrable;
  row.tginitdeferred = constraint.condeferred;
  triggers.Insert(row);
  RecordDependency({catalog_oid::kPgTrigger, row.oid, 0}, {catalog_oid::kPgConstraint, constraint.oid, 0},
                   DependencyKind::kInternal);
}

void InsertTriggers(const PgConstraintRow& constraint) {
  Oid own = constraint.conrelid, referenced = constraint.confrelid;
  for (const ActionFunctions& action : kActions) {
    if (action.action == constraint.confdeltype) {
      InsertTrigger(constraint, referenced, own, Oid{action.on_delete}, trigger_type::kDelete, 'a');
    }
    if (action.action == constraint.confupdtype) {
      InsertTrigger(constraint, referenced, own, Oid{action.on_update}, trigger_type::kUpdate, 'a');
    }
  }
  InsertTrigger(constraint, own, referenced, kCheckInsert, trigger_type::kInsert, 'c');
  InsertTrigger(constraint, own, referenced, kCheckUpdate, trigger_type::kUpdate, 'c');
  for (Oid table : {own, referenced}) {
    if (!ClassRow(table)->relhastriggers)
      UpdateClassRow(table, [](PgClassRow* row) { row->relhastriggers = true; });
  }
}

void RecordKeyDependencies(const PgConstraintRow& constraint) {
  ObjectAddress self{catalog_oid::kPgConstraint, constraint.oid, 0};
  for (int16_t attno : *constraint.conkey)
    RecordDependency(self, RelationAddress(constraint.conrelid, attno), DependencyKind::kAuto);
  for (int16_t attno : *constraint.confkey) {
    RecordDependency(self, RelationAddress(constraint.confrelid, attno), DependencyKind::kNormal);
  }
  RecordDependency(self, RelationAddress(constraint.conindid), DependencyKind::kNormal);
}

void CheckReferencedTable(const Relation& own, const Relation& referenced,
                          const std::vector<int16_t>& columns) {
  if (referenced.row.relkind != relkind::kTable) {
    throw SqlError(ErrorCode::kWrongObjectType, "referenced relation \"{}\" is not a table",
                   referenced.name());
  }
  if (IsCatalogRelation(referenced.oid)) {
    throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog",
                   referenced.name());
  }
  char mine = own.row.relpersistence, other = referenced.row.relpersistence;
  if (mine == 'p' && other != 'p') {
    throw SqlError(ErrorCode::kInvalidTableDefinition,
                   "constraints on permanent tables may reference only permanent tables");
  }
  if (mine == 'u' && other == 't') {
    throw SqlError(ErrorCode::kInvalidTableDefinition,
                   "constraints on unlogged tables may reference only permanent or unlogged tables");
  }
  if (mine == 't' && other != 't') {
    throw SqlError(ErrorCode::kInvalidTableDefinition,
                   "constraints on temporary tables may reference only temporary tables");
  }
  AclResult result = CheckRelation(referenced.oid, CurrentRole(), acl::kReferences);
  for (int16_t attno : columns) {
    if (result == AclResult::kOk) break;
    AclResult column = CheckColumn(referenced.oid, attno, CurrentRole(), acl::kReferences);
    if (column != AclResult::kOk) ThrowUnlessOk(result, ObjectKind::kTable, referenced.name());
  }
}

// An action cannot set what is computed.
void RefuseGeneratedColumns(const Relation& own, const KeyColumns& key, const ast::Constraint& constraint) {
  bool generated = std::any_of(key.own.begin(), key.own.end(),
                               [&](int16_t attno) { return own.columns[attno - 1].attgenerated != '\0'; });
  if (!generated) return;
  char on_update = constraint.fk_upd_action, on_delete = constraint.fk_del_action;
  const char* clause = on_update == 'n' || on_update == 'd' || on_update == 'c' ? "UPDATE"
                       : on_delete == 'n' || on_delete == 'd'                   ? "DELETE"
                                                                                : nullptr;
  if (clause != nullptr) {
    throw SqlError(ErrorCode::kSyntaxError,
                   "invalid ON {} action for foreign key constraint containing generated column", clause);
  }
}

// The columns that ON DELETE SET NULL or SET DEFAULT names.
std::vector<int16_t> SetColumns(const Relation& own, const KeyColumns& key, const ast::NodeList& names) {
  std::vector<int16_t> columns = ColumnNumbers(own, StringsOf(names));
  for (int16_t attno : columns) {
    if (std::find(key.own.begin(), key.own.end(), attno) != key.own.end()) continue;
    throw SqlError(ErrorCode::kInvalidColumnReference,
                   "column \"{}\" referenced in ON DELETE SET action must be part of foreign key",
                   own.columns[attno - 1].attname);
  }
  return columns;
}

// "a_b" of the referencing columns.
std::string KeyLabel(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : "_") + name;
  return text;
}

}  // namespace

void AddForeignKey(Oid table, const ast::Constraint& constraint, std::string_view column,
                   CommandContext& context, bool validate_rows) {
  RelationRef own = OpenRelation(table, LockMode::kShareRowExclusive);
  RelationRef referenced = OpenRelationByName(NameOf(*constraint.pktable), LockMode::kShareRowExclusive);
  if (constraint.fk_matchtype == 'p')
    throw SqlError(ErrorCode::kFeatureNotSupported, "MATCH PARTIAL not yet implemented");
  std::vector<std::string> names =
      column.empty() ? StringsOf(constraint.fk_attrs) : std::vector<std::string>{std::string(column)};
  KeyColumns key;
  key.own = ColumnNumbers(*own, names);
  std::vector<int> order;
  const Relation* index = nullptr;
  ResolveReferenced(*referenced, constraint, &key, &order, &index);
  CheckReferencedTable(*own, *referenced, key.referenced);
  if (key.own.size() != key.referenced.size()) {
    throw SqlError(ErrorCode::kInvalidForeignKey,
                   "number of referencing and referenced columns for foreign key disagree");
  }
  RefuseGeneratedColumns(*own, key, constraint);
  std::vector<int16_t> set_columns = SetColumns(*own, key, constraint.fk_del_set_cols);
  std::string name(constraint.conname);
  std::vector<std::string> taken;
  if (name.empty())
    name = ChooseConstraintName(own->name(), KeyLabel(names), "fkey", own->row.relnamespace, &taken);
  if (IsValid(FindConstraint(table, name, true))) {
    throw SqlError(ErrorCode::kDuplicateObject, "constraint \"{}\" for relation \"{}\" already exists", name,
                   own->name());
  }
  ResolveOperators(*own, *referenced, *index, order, name, &key);

  CatalogTable<PgConstraintRow> constraints;
  NewConstraint made;
  made.name = name;
  made.schema = own->row.relnamespace;
  made.type = 'f';
  made.relation = table;
  made.deferrable = constraint.deferrable;
  made.deferred = constraint.initdeferred;
  made.validated = !validate_rows || !constraint.skip_validation;
  made.columns = key.own;
  made.index = index->oid;
  PgConstraintRow row = ConstraintRowOf(made);
  row.oid = constraints.NewOid();
  row.confrelid = referenced->oid;
  row.confupdtype = constraint.fk_upd_action;
  row.confdeltype = constraint.fk_del_action;
  row.confmatchtype = constraint.fk_matchtype == '\0' ? 's' : constraint.fk_matchtype;
  row.confkey = key.referenced;
  row.conpfeqop = key.pf;
  row.conppeqop = key.pp;
  row.conffeqop = key.ff;
  if (!set_columns.empty()) row.confdelsetcols = set_columns;
  constraints.Insert(row);
  RecordKeyDependencies(row);
  context.Advance();
  InsertTriggers(row);
  context.Advance();
  if (validate_rows && made.validated) ValidateForeignKey(row, context);
}

// Rows whose key has no partner; the query is run with the command's own rights.
void ValidateForeignKey(const PgConstraintRow& key, CommandContext& context) {
  RelationRef own = OpenRelation(key.conrelid, LockMode::kNone),
              referenced = OpenRelation(key.confrelid, LockMode::kNone);
  auto table_name = [](const Relation& r) {
    return QuoteIdentifier(SchemaName(r.row.relnamespace)) + "." + QuoteIdentifier(r.name());
  };
  std::string on, not_null, columns;
  for (size_t i = 0; i < key.conkey->size(); ++i) {
    std::string fk = "fk." + QuoteIdentifier(own->columns[(*key.conkey)[i] - 1].attname);
    std::string pk = "pk." + QuoteIdentifier(referenced->columns[(*key.confkey)[i] - 1].attname);
    const char* separator = i == 0 ? "" : " AND ";
    on += separator + pk + " OPERATOR(pg_catalog.=) " + fk;
    not_null += (i == 0 ? "" : key.confmatchtype == 'f' ? " OR " : " AND ") + fk + " IS NOT NULL";
    columns += (i == 0 ? "" : ", ") + fk + "::text";
  }
  std::string sql = "SELECT " + columns + " FROM ONLY " + table_name(*own) + " fk WHERE (" + not_null +
                    ") AND NOT EXISTS (SELECT 1 FROM ONLY " + table_name(*referenced) + " pk WHERE " + on +
                    ") LIMIT 1";
  std::string values, names;
  for (int16_t attno : *key.conkey) names += (names.empty() ? "" : ", ") + own->columns[attno - 1].attname;
  uint64_t bad = context.queries->RunSql(sql, [&](std::span<const Value> row) {
    for (const Value& value : row) {
      values += (values.empty() ? "" : ", ") +
                (value.is_null ? std::string("null") : std::string(value.datum.string.view()));
    }
  });
  if (bad == 0) return;
  throw SqlError(ErrorCode::kForeignKeyViolation,
                 "insert or update on table \"{}\" violates foreign key constraint \"{}\"", own->name(),
                 key.conname)
      .WithDetail("Key (" + names + ")=(" + values + ") is not present in table \"" +
                  std::string(referenced->name()) + "\".")
      .WithTable(SchemaName(own->row.relnamespace), own->name())
      .WithConstraint(key.conname);
}

}  // namespace walden

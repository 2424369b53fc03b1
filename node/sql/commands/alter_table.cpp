// ALTER TABLE and its like: one function an action.
#include <algorithm>

#include "node/access/heap/heap.h"
#include "node/base/error.h"
#include "node/catalog/builtin.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/relation_use.h"
#include "node/catalog/rows/pg_attrdef.h"
#include "node/sql/commands/command_parts.h"
#include "node/sql/commands/sequence.h"
#include "node/sql/commands/table_rewrite.h"
#include "node/sql/executor/table_writer.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/query_text.h"
#include "node/sql/query/tree_walk.h"
#include "node/txn/snapshot.h"
#include "node/txn/transaction.h"
#include "node/types/array.h"

namespace walden {
namespace {

using ast::As;

AttrNumber ColumnOf(const Relation& table, std::string_view name) {
  AttrNumber attno = table.FindColumn(name);
  if (attno == 0) {
    throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", name,
                   table.name());
  }
  if (attno < 0) throw SqlError(ErrorCode::kFeatureNotSupported, "cannot alter system column \"{}\"", name);
  return attno;
}

// The value that rows stored before the column existed read.
void StoreMissingValue(Oid table, AttrNumber attno, const Value& value) {
  UpdateAttributeRow(table, attno, [&](PgAttributeRow* row) {
    Arena arena;
    ArrayBuilder builder(row->atttypid, PhysicalTypeOf(row->atttypid));
    builder.Add(value);
    row->atthasmissing = true;
    row->attmissingval = std::string(builder.Finish(arena));
  });
}

bool IsEmpty(const Relation& table) { return RelationBlocks(table.table.locator) == 0; }

void CheckNoNulls(const Relation& table, AttrNumber attno) {
  SnapshotHold snapshot = LatestSnapshot();
  HeapScan scan(table.table, *snapshot);
  Arena arena;
  while (scan.NextPage()) {
    for (const TupleView& row : scan.rows()) {
      if (!GetAttribute(*table.desc, row, attno, {.arena = &arena, .toast = table.table.toast}).is_null)
        continue;
      const std::string& column = table.columns[attno - 1].attname;
      throw SqlError(ErrorCode::kNotNullViolation, "column \"{}\" of relation \"{}\" contains null values",
                     column, table.name())
          .WithTable(SchemaName(table.row.relnamespace), table.name())
          .WithColumn(column);
    }
    arena.Reset();
  }
}

// Fills a column that has just been added to a table with rows.
void FillNewColumn(const RelationRef& before, AttrNumber attno, const PlannedColumn& column,
                   CommandContext& context) {
  RelationRef after = OpenRelation(before->oid, LockMode::kNone);
  if (IsEmpty(*after)) return;
  const ColumnDefault* column_default = after->DefaultOf(attno);
  if (column_default == nullptr && !IsValid(column.sequence)) {
    if (column.row.attnotnull) CheckNoNulls(*after, attno);
    return;
  }
  Expr* expression = column_default != nullptr
                         ? ReadTableExpression(column_default->expression, *before, context.arena)
                         : nullptr;
  bool constant = expression != nullptr && column.row.attgenerated == '\0' && VolatilityOf(expression) != 'v';
  if (constant) {
    EvalContext eval(context.arena, context.format, context.session);
    Value value = EvaluateConstant(expression, eval);
    if (value.is_null && column.row.attnotnull) CheckNoNulls(*after, attno);
    if (!value.is_null) StoreMissingValue(before->oid, attno, value);
    context.Advance();
    return;
  }
  TableRewrite rewrite(before, context);
  if (expression != nullptr) {
    rewrite.Compute(attno, expression, false);
  } else {
    rewrite.ComputeNextValue(attno, column.sequence);
  }
  rewrite.Run();
}

void AddColumnAction(const RelationRef& table, const ast::AlterTableCmd& cmd, CommandContext& context) {
  const auto& definition = *As<ast::ColumnDef>(cmd.def);
  if (AttrNumber existing = table->FindColumn(definition.colname); existing != 0) {
    RefuseSystemColumnName(definition.colname);
    if (!cmd.missing_ok) {
      throw SqlError(ErrorCode::kDuplicateColumn, "column \"{}\" of relation \"{}\" already exists",
                     definition.colname, table->name());
    }
    Notice(fmt::format("column \"{}\" of relation \"{}\" already exists, skipping", definition.colname,
                       table->name()));
    return;
  }
  PlannedTable planned;
  planned.name = table->name();
  planned.schema = table->row.relnamespace;
  planned.persistence = table->row.relpersistence;
  PlanColumn(definition, &planned, context);
  PlannedColumn& column = planned.columns[0];
  AttrNumber attno = AddColumn(table->oid, column.row);
  context.Advance();
  AttachColumnSequence(column, table->oid, attno);
  if (column.from_serial) StoreSequenceDefault(table->oid, attno, column.sequence, context);
  if (column.default_ast != nullptr) StoreColumnDefault(table->oid, attno, *column.default_ast, context);
  FillNewColumn(table, attno, column, context);
  CreateToastTableIfNeeded(table->oid);
  context.Advance();
  AddConstraints(table->oid, planned.constraints, context, true);
}

void DropColumnAction(const Relation& table, const ast::AlterTableCmd& cmd) {
  AttrNumber attno = table.FindColumn(cmd.name);
  if (attno == 0 && cmd.missing_ok) {
    Notice(fmt::format("column \"{}\" of relation \"{}\" does not exist, skipping", cmd.name, table.name()));
    return;
  }
  if (attno < 0)
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot drop system column \"{}\"", cmd.name);
  attno = ColumnOf(table, cmd.name);
  DropObject(RelationAddress(table.oid, attno), {.cascade = cmd.behavior == DropBehavior::kCascade});
}

void RemoveDefault(const Relation& table, AttrNumber attno) {
  if (const ColumnDefault* old = table.DefaultOf(attno)) {
    DropObject({catalog_oid::kPgAttrdef, old->oid, 0}, {.internal = true});
  }
}

void ColumnDefaultAction(const Relation& table, const ast::AlterTableCmd& cmd, CommandContext& context) {
  AttrNumber attno = ColumnOf(table, cmd.name);
  const PgAttributeRow& column = table.columns[attno - 1];
  if (column.attidentity != '\0') {
    throw SqlError(ErrorCode::kSyntaxError, "column \"{}\" of relation \"{}\" is an identity column",
                   cmd.name, table.name())
        .WithHint(cmd.def != nullptr ? "" : "Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.");
  }
  if (column.attgenerated != '\0') {
    throw SqlError(ErrorCode::kSyntaxError, "column \"{}\" of relation \"{}\" is a generated column",
                   cmd.name, table.name());
  }
  RemoveDefault(table, attno);
  context.Advance();
  if (cmd.def != nullptr) StoreColumnDefault(table.oid, attno, *cmd.def, context);
}

void NotNullAction(const Relation& table, const ast::AlterTableCmd& cmd, bool not_null) {
  AttrNumber attno = ColumnOf(table, cmd.name);
  if (table.columns[attno - 1].attnotnull == not_null) return;
  if (not_null) {
    CheckNoNulls(table, attno);
  } else {
    for (const RelationRef& index : table.indexes) {
      const std::vector<int16_t>& keys = index->index->indkey;
      bool is_key = std::find(keys.begin(), keys.begin() + index->index->indnkeyatts, attno) !=
                    keys.begin() + index->index->indnkeyatts;
      if (index->index->indisprimary && is_key) {
        throw SqlError(ErrorCode::kInvalidTableDefinition, "column \"{}\" is in a primary key", cmd.name);
      }
    }
    if (table.columns[attno - 1].attidentity != '\0') {
      throw SqlError(ErrorCode::kSyntaxError, "column \"{}\" of relation \"{}\" is an identity column",
                     cmd.name, table.name());
    }
  }
  UpdateAttributeRow(table.oid, attno, [&](PgAttributeRow* row) { row->attnotnull = not_null; });
}

void DropConstraintAction(const Relation& table, const ast::AlterTableCmd& cmd) {
  Oid constraint = FindConstraint(table.oid, cmd.name, true);
  if (!IsValid(constraint)) {
    if (!cmd.missing_ok) {
      throw SqlError(ErrorCode::kUndefinedObject, "constraint \"{}\" of relation \"{}\" does not exist",
                     cmd.name, table.name());
    }
    Notice(
        fmt::format("constraint \"{}\" of relation \"{}\" does not exist, skipping", cmd.name, table.name()));
    return;
  }
  DropObject({catalog_oid::kPgConstraint, constraint, 0},
             {.cascade = cmd.behavior == DropBehavior::kCascade});
}

void ValidateConstraintAction(const Relation& table, const ast::AlterTableCmd& cmd, CommandContext& context) {
  Oid oid = FindConstraint(table.oid, cmd.name, true);
  RowRef<PgConstraintRow> row = IsValid(oid) ? ConstraintRow(oid) : nullptr;
  if (!row)
    throw SqlError(ErrorCode::kUndefinedObject, "constraint \"{}\" of relation \"{}\" does not exist",
                   cmd.name, table.name());
  if (row->convalidated) return;
  if (row->contype == 'f') ValidateForeignKey(*row, context);
  if (row->contype == 'c')
    ValidateCheck(table.oid, {oid, row->conname, row->conbin.value_or(""), true, false}, context);
  CatalogTable<PgConstraintRow> constraints;
  auto stored = constraints.Find(catalog_index::kPgConstraintOidIndex, {oid});
  stored->row.convalidated = true;
  constraints.Update(stored->tid, stored->row);
}

// Throws 42809 if rows are not told apart by the index's columns.
void CheckReplicaIdentity(const Relation& table, const Relation& index) {
  const PgIndexRow& row = *index.index;
  auto refuse = [&](const char* what) {
    return SqlError(ErrorCode::kWrongObjectType, "cannot use {} index \"{}\" as replica identity", what,
                    index.name());
  };
  if (!row.indisunique) throw refuse("non-unique");
  if (!row.indimmediate) throw refuse("non-immediate");
  if (row.indexprs) throw refuse("expression");
  if (row.indpred) throw refuse("partial");
  for (int k = 0; k < row.indnkeyatts; ++k) {
    const PgAttributeRow& column = table.columns[row.indkey[k] - 1];
    if (column.attnotnull) continue;
    throw SqlError(ErrorCode::kWrongObjectType,
                   "index \"{}\" cannot be used as replica identity because column \"{}\" is nullable",
                   index.name(), column.attname);
  }
}

void ReplicaIdentityAction(const Relation& table, const ast::AlterTableCmd& cmd) {
  const auto& identity = *As<ast::ReplicaIdentityStmt>(cmd.def);
  Oid chosen = Oid::kInvalid;
  if (identity.identity_type == 'i') {
    for (const RelationRef& index : table.indexes) {
      if (index->name() != identity.name) continue;
      CheckReplicaIdentity(table, *index);
      chosen = index->oid;
    }
    if (!IsValid(chosen)) {
      throw SqlError(ErrorCode::kUndefinedObject, "index \"{}\" for table \"{}\" does not exist",
                     identity.name, table.name());
    }
  }
  UpdateClassRow(table.oid, [&](PgClassRow* row) { row->relreplident = identity.identity_type; });
  for (const RelationRef& index : table.indexes) {
    bool wanted = index->oid == chosen;
    if (index->index->indisreplident != wanted)
      UpdateIndexRow(index->oid, [&](PgIndexRow* row) { row->indisreplident = wanted; });
  }
}

using Options = std::optional<std::vector<std::string>>;

// Those of the list that are of this kind of relation leave.
void ResetOptions(const ast::NodeList& list, char kind, Options* options) {
  for (const ast::Node* node : list) {
    const auto& option = *As<ast::DefElem>(node);
    if (option.arg != nullptr)
      throw SqlError(ErrorCode::kSyntaxError, "RESET must not include values for parameters");
    if (!*options || (option.defnamespace == "toast") != (kind == relkind::kToast)) continue;
    std::string prefix = std::string(option.defname) + "=";
    std::erase_if(**options, [&](const std::string& item) { return item.starts_with(prefix); });
  }
  if (*options && (*options)->empty()) options->reset();
}

void RelationOptionsAction(const Relation& table, const ast::AlterTableCmd& cmd, bool reset) {
  const ast::NodeList& list = As<ast::ListNode>(cmd.def)->items;
  auto change = [&](Oid relation, char kind) {
    RowRef<PgClassRow> old = ClassRow(relation);
    Options options = old->reloptions;
    if (reset)
      ResetOptions(list, kind, &options);
    else
      options = RelationOptions(list, kind, options);
    if (options != old->reloptions)
      UpdateClassRow(relation, [&](PgClassRow* row) { row->reloptions = options; });
  };
  change(table.oid, table.row.relkind);
  if (IsValid(table.row.reltoastrelid)) change(table.row.reltoastrelid, relkind::kToast);
}

Oid IdentitySequence(const Relation& table, AttrNumber attno) {
  for (const Dependency& dependent : DependentsOf(RelationAddress(table.oid, attno))) {
    RowRef<PgClassRow> row =
        dependent.other.catalog == catalog_oid::kPgClass ? ClassRow(dependent.other.object) : nullptr;
    if (dependent.kind == DependencyKind::kInternal && row && row->relkind == relkind::kSequence)
      return row->oid;
  }
  return Oid::kInvalid;
}

void IdentityAction(const RelationRef& table, const ast::AlterTableCmd& cmd, CommandContext& context) {
  AttrNumber attno = ColumnOf(*table, cmd.name);
  const PgAttributeRow& column = table->columns[attno - 1];
  if (cmd.subtype == AlterTableType::kAddIdentity) {
    if (!column.attnotnull) {
      throw SqlError(
          ErrorCode::kObjectNotInPrerequisiteState,
          "column \"{}\" of relation \"{}\" must be declared NOT NULL before identity can be added", cmd.name,
          table->name());
    }
    if (column.attidentity != '\0') {
      throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                     "column \"{}\" of relation \"{}\" is already an identity column", cmd.name,
                     table->name());
    }
    if (column.atthasdef) {
      throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                     "column \"{}\" of relation \"{}\" already has a default value", cmd.name, table->name());
    }
    const auto& constraint = *As<ast::Constraint>(cmd.def);
    PlannedTable planned;
    planned.name = table->name();
    planned.schema = table->row.relnamespace;
    planned.persistence = table->row.relpersistence;
    PlannedColumn made;
    made.row = column;
    made.row.attidentity = constraint.generated_when;
    CreateColumnSequence(&made, planned, column.atttypid, constraint.options, context);
    AttachColumnSequence(made, table->oid, attno);
    UpdateAttributeRow(table->oid, attno,
                       [&](PgAttributeRow* row) { row->attidentity = constraint.generated_when; });
    return;
  }
  if (column.attidentity == '\0') {
    if (cmd.missing_ok) {
      Notice(fmt::format("column \"{}\" of relation \"{}\" is not an identity column, skipping", cmd.name,
                         table->name()));
      return;
    }
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "column \"{}\" of relation \"{}\" is not an identity column", cmd.name, table->name());
  }
  Oid sequence = IdentitySequence(*table, attno);
  if (cmd.subtype == AlterTableType::kDropIdentity) {
    UpdateAttributeRow(table->oid, attno, [](PgAttributeRow* row) { row->attidentity = '\0'; });
    DropObject(RelationAddress(sequence), {.internal = true});
    return;
  }
  ast::NodeList options;
  for (ast::Node* node : As<ast::ListNode>(cmd.def)->items) {
    const auto& option = *As<ast::DefElem>(node);
    if (option.defname != "generated") {
      options.Append(context.arena, node);
      continue;
    }
    char when = static_cast<char>(OptionInteger(option));
    UpdateAttributeRow(table->oid, attno, [&](PgAttributeRow* row) { row->attidentity = when; });
  }
  if (!options.empty()) AlterSequenceOptions(sequence, options, true, context);
}

// Indexes store a column's values as the table does.
void KeepIndexColumnsAlike(const Relation& table, AttrNumber attno) {
  CommandCounterIncrement();
  RowRef<PgAttributeRow> column = AttributeRow(table.oid, attno);
  for (const RelationRef& index : table.indexes) {
    for (size_t k = 0; k < index->index->indkey.size(); ++k) {
      if (index->index->indkey[k] != attno) continue;
      UpdateAttributeRow(index->oid, static_cast<AttrNumber>(k + 1), [&](PgAttributeRow* row) {
        row->attstorage = column->attstorage;
        row->attcompression = column->attcompression;
      });
    }
  }
}

void ColumnSettingAction(const Relation& table, const ast::AlterTableCmd& cmd) {
  AttrNumber attno = cmd.name.empty() ? AttrNumber{cmd.num} : ColumnOf(table, cmd.name);
  UpdateAttributeRow(table.oid, attno, [&](PgAttributeRow* row) {
    if (cmd.subtype == AlterTableType::kSetStatistics) {
      row->attstattarget = As<ast::Integer>(cmd.def)->ival;
      return;
    }
    std::string word(ast::StringOf(cmd.def));
    if (cmd.subtype == AlterTableType::kSetCompression) {
      row->attcompression = CompressionLetter(word, row->atttypid);
      return;
    }
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
    char storage = word == "plain"      ? 'p'
                   : word == "external" ? 'e'
                   : word == "extended" ? 'x'
                   : word == "main"     ? 'm'
                                        : '\0';
    if (storage == '\0')
      throw SqlError(ErrorCode::kInvalidParameterValue, "invalid storage type \"{}\"", word);
    RowRef<PgTypeRow> type = TypeRow(row->atttypid);
    if (storage != 'p' && type && type->typstorage == 'p') {
      throw SqlError(ErrorCode::kFeatureNotSupported, "column data type {} can only have storage PLAIN",
                     type->typname);
    }
    row->attstorage = storage;
  });
  KeepIndexColumnsAlike(table, attno);
}

// Which kinds of relation take an action, its name in errors, and the lock it needs (PostgreSQL's).
struct ActionRule {
  AlterTableType action;
  std::string_view kinds;
  const char* name;
  LockMode lock = LockMode::kAccessExclusive;
};
constexpr ActionRule kActionRules[] = {
    {AlterTableType::kAddColumn, "r", "ADD COLUMN"},
    {AlterTableType::kDropColumn, "r", "DROP COLUMN"},
    {AlterTableType::kColumnDefault, "rv", "ALTER COLUMN ... SET DEFAULT"},
    {AlterTableType::kSetNotNull, "r", "ALTER COLUMN ... SET NOT NULL"},
    {AlterTableType::kDropNotNull, "r", "ALTER COLUMN ... DROP NOT NULL"},
    {AlterTableType::kAlterColumnType, "r", "ALTER COLUMN ... SET DATA TYPE"},
    {AlterTableType::kAddConstraint, "r", "ADD CONSTRAINT"},
    {AlterTableType::kAlterConstraint, "r", "ALTER CONSTRAINT"},
    {AlterTableType::kDropConstraint, "r", "DROP CONSTRAINT"},
    {AlterTableType::kValidateConstraint, "r", "VALIDATE CONSTRAINT", LockMode::kShareUpdateExclusive},
    {AlterTableType::kSetRelOptions, "rvi", "SET", LockMode::kShareUpdateExclusive},
    {AlterTableType::kResetRelOptions, "rvi", "RESET", LockMode::kShareUpdateExclusive},
    {AlterTableType::kReplicaIdentity, "r", "REPLICA IDENTITY"},
    {AlterTableType::kAddIdentity, "rv", "ALTER COLUMN ... ADD IDENTITY"},
    {AlterTableType::kSetIdentity, "rv", "ALTER COLUMN ... SET IDENTITY"},
    {AlterTableType::kDropIdentity, "rv", "ALTER COLUMN ... DROP IDENTITY"},
    {AlterTableType::kSetStatistics, "ri", "ALTER COLUMN ... SET STATISTICS",
     LockMode::kShareUpdateExclusive},
    {AlterTableType::kSetStorage, "r", "ALTER COLUMN ... SET STORAGE"},
    {AlterTableType::kSetCompression, "r", "ALTER COLUMN ... SET COMPRESSION"},
};

LockMode LockFor(const ast::AlterTableCmd& cmd, bool is_view) {
  if (cmd.subtype == AlterTableType::kAddConstraint) {
    switch (As<ast::Constraint>(cmd.def)->contype) {
      case ConstrType::kPrimary:
      case ConstrType::kUnique:
      case ConstrType::kExclusion:
      case ConstrType::kForeign: return LockMode::kShareRowExclusive;
      default: return LockMode::kAccessExclusive;
    }
  }
  if (is_view) return LockMode::kAccessExclusive;
  for (const ActionRule& rule : kActionRules) {
    if (rule.action == cmd.subtype) return rule.lock;
  }
  return LockMode::kAccessExclusive;
}

LockMode LockFor(const ast::AlterTableStmt& statement) {
  LockMode strongest = LockMode::kShareUpdateExclusive;
  for (const ast::Node* node : statement.cmds) {
    strongest =
        std::max(strongest, LockFor(*As<ast::AlterTableCmd>(node), statement.objtype == ObjectType::kView));
  }
  return strongest;
}

void CheckRelationKind(const Relation& relation, AlterTableType action) {
  for (const ActionRule& rule : kActionRules) {
    if (rule.action != action || rule.kinds.find(relation.row.relkind) != std::string_view::npos) continue;
    std::string_view plural = relation.row.relkind == relkind::kView       ? "views"
                              : relation.row.relkind == relkind::kIndex    ? "indexes"
                              : relation.row.relkind == relkind::kSequence ? "sequences"
                              : relation.row.relkind == relkind::kToast    ? "TOAST tables"
                                                                           : "tables";
    throw SqlError(ErrorCode::kWrongObjectType, "ALTER action {} cannot be performed on relation \"{}\"",
                   rule.name, relation.name())
        .WithDetail(fmt::format("This operation is not supported for {}.", plural));
  }
}

void RunAction(const RelationRef& table, const ast::AlterTableCmd& cmd, CommandContext& context) {
  switch (cmd.subtype) {
    case AlterTableType::kAddColumn: return AddColumnAction(table, cmd, context);
    case AlterTableType::kDropColumn: return DropColumnAction(*table, cmd);
    case AlterTableType::kColumnDefault: return ColumnDefaultAction(*table, cmd, context);
    case AlterTableType::kSetNotNull: return NotNullAction(*table, cmd, true);
    case AlterTableType::kDropNotNull: return NotNullAction(*table, cmd, false);
    case AlterTableType::kAlterColumnType: return ChangeColumnType(table, cmd, context);
    case AlterTableType::kAddConstraint:
      return AddConstraints(table->oid, {{As<ast::Constraint>(cmd.def), ""}}, context, true);
    case AlterTableType::kAddIndex: {
      CreateIndex(*As<ast::IndexStmt>(cmd.def), context);
      return;
    }
    case AlterTableType::kDropConstraint: return DropConstraintAction(*table, cmd);
    case AlterTableType::kValidateConstraint: return ValidateConstraintAction(*table, cmd, context);
    case AlterTableType::kChangeOwner: return ChangeRelationOwner(table->oid, RoleOf(*cmd.newowner));
    case AlterTableType::kSetRelOptions: return RelationOptionsAction(*table, cmd, false);
    case AlterTableType::kResetRelOptions: return RelationOptionsAction(*table, cmd, true);
    case AlterTableType::kReplicaIdentity: return ReplicaIdentityAction(*table, cmd);
    case AlterTableType::kAddIdentity:
    case AlterTableType::kSetIdentity:
    case AlterTableType::kDropIdentity: return IdentityAction(table, cmd, context);
    case AlterTableType::kSetStatistics:
    case AlterTableType::kSetStorage:
    case AlterTableType::kSetCompression: return ColumnSettingAction(*table, cmd);
    default: throw NotSupported("this form of ALTER TABLE");
  }
}

}  // namespace

void RunAlterTable(const ast::AlterTableStmt& statement, CommandContext& context) {
  RelationRef table =
      OpenRelationByName(NameOf(*statement.relation), LockFor(statement), statement.missing_ok);
  if (!table) {
    Notice(fmt::format("relation \"{}\" does not exist, skipping", statement.relation->relname));
    return;
  }
  CheckOwnsRelation(*table);
  CheckNotInUse(*table, "ALTER TABLE");
  for (const ast::Node* node : statement.cmds)
    CheckRelationKind(*table, As<ast::AlterTableCmd>(node)->subtype);
  for (const ast::Node* node : statement.cmds) {
    RunAction(OpenRelation(table->oid, LockMode::kNone), *As<ast::AlterTableCmd>(node), context);
    context.Advance();
  }
}

}  // namespace walden

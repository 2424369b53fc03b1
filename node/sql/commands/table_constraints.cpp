// CHECK, UNIQUE, PRIMARY KEY constraints of tables, and the common part of all.
#include <algorithm>

#include "node/access/heap/heap.h"
#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/sql/commands/command_parts.h"
#include "node/sql/executor/table_writer.h"
#include "node/sql/query/query_text.h"
#include "node/txn/snapshot.h"

namespace walden {
namespace {

bool ConstraintNameTaken(std::string_view name, Oid schema) {
  return !ReadRows<PgConstraintRow>(catalog_index::kPgConstraintConnameNspIndex, {name, schema}).empty();
}

// The one column that a check refers to, for its name; empty when there are several or none.
std::string OnlyColumn(const Relation& table, const Node* condition) {
  AttrNumber only = 0;
  for (const ObjectAddress& reference : ExpressionReferences(condition, table.oid)) {
    if (reference.catalog != catalog_oid::kPgClass || reference.object != table.oid) continue;
    if (only != 0 && only != reference.sub) return "";
    only = static_cast<AttrNumber>(reference.sub);
  }
  return only > 0 ? table.columns[only - 1].attname : std::string();
}

std::vector<int16_t> ColumnsIn(const Relation& table, const Node* condition) {
  std::vector<int16_t> columns;
  for (const ObjectAddress& reference : ExpressionReferences(condition, table.oid)) {
    bool own =
        reference.catalog == catalog_oid::kPgClass && reference.object == table.oid && reference.sub > 0;
    if (own) columns.push_back(static_cast<int16_t>(reference.sub));
  }
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

}  // namespace

std::string ChooseConstraintName(std::string_view table, std::string_view column, std::string_view label,
                                 Oid schema, std::vector<std::string>* taken) {
  std::string suffix(label);
  for (int pass = 1;; ++pass) {
    std::string name = MakeObjectName(table, column, suffix);
    bool used =
        std::find(taken->begin(), taken->end(), name) != taken->end() || ConstraintNameTaken(name, schema);
    if (!used) {
      taken->push_back(name);
      return name;
    }
    suffix = std::string(label) + std::to_string(pass);
  }
}

PgConstraintRow ConstraintRowOf(const NewConstraint& constraint) {
  PgConstraintRow row;
  row.conname = constraint.name;
  row.connamespace = constraint.schema;
  row.contype = constraint.type;
  row.condeferrable = constraint.deferrable;
  row.condeferred = constraint.deferred;
  row.convalidated = constraint.validated;
  row.conrelid = constraint.relation;
  row.conindid = constraint.index;
  row.confupdtype = row.confdeltype = row.confmatchtype = ' ';
  row.conislocal = true;
  row.connoinherit = constraint.type == 'c' ? constraint.no_inherit : true;
  if (!constraint.columns.empty()) row.conkey = constraint.columns;
  row.conbin = constraint.expression;
  return row;
}

void AddCheckConstraint(Oid table, const ast::Constraint& constraint, std::string_view column,
                        CommandContext& context, bool validate_rows) {
  RelationRef relation = OpenRelation(table, LockMode::kNone);
  Expr* condition =
      BindCondition(*constraint.raw_expr, InfoOf(context, table), ConditionKind::kCheck, context.Bind());
  std::string name(constraint.conname);
  if (name.empty()) {
    std::vector<std::string> taken;
    std::string only = column.empty() ? OnlyColumn(*relation, condition) : std::string(column);
    name = ChooseConstraintName(relation->name(), only, "check", relation->row.relnamespace, &taken);
  } else if (IsValid(FindConstraint(table, name, true))) {
    throw SqlError(ErrorCode::kDuplicateObject, "constraint \"{}\" for relation \"{}\" already exists", name,
                   relation->name());
  }
  CatalogTable<PgConstraintRow> constraints;
  NewConstraint made;
  made.name = name;
  made.schema = relation->row.relnamespace;
  made.relation = table;
  made.no_inherit = constraint.is_no_inherit;
  made.validated =
      !validate_rows || !constraint.skip_validation;  // a new table has no rows that could break it
  made.columns = ColumnsIn(*relation, condition);
  made.expression = WriteNode(condition);
  PgConstraintRow row = ConstraintRowOf(made);
  row.oid = constraints.NewOid();
  constraints.Insert(row);
  ObjectAddress self{catalog_oid::kPgConstraint, row.oid, 0};
  for (int16_t attno : made.columns)
    RecordDependency(self, RelationAddress(table, attno), DependencyKind::kAuto);
  if (made.columns.empty()) RecordDependency(self, RelationAddress(table), DependencyKind::kAuto);
  std::vector<ObjectAddress> references = ExpressionReferences(condition, table);
  std::erase_if(references, [&](const ObjectAddress& r) {
    return r.catalog == catalog_oid::kPgClass && r.object == table;
  });
  RecordDependencies(self, references, DependencyKind::kNormal);
  UpdateClassRow(table, [](PgClassRow* class_row) { ++class_row->relchecks; });
  context.Advance();
  if (validate_rows && made.validated)
    ValidateCheck(table, {row.oid, name, *made.expression, true, false}, context);
}

void ValidateCheck(Oid table, const CheckConstraint& check, CommandContext& context) {
  RelationRef relation = OpenRelation(table, LockMode::kNone);
  if (!relation->has_storage()) return;
  Filter condition;
  Arena tree_arena, scratch;
  ExprStatePtr state = CompileExpression(ReadTableExpression(check.expression, *relation, tree_arena));
  TableWriter writer(relation);
  EvalContext eval(scratch, context.format, context.session);
  SnapshotHold snapshot = LatestSnapshot();
  HeapScan scan(relation->table, *snapshot);
  std::vector<Value> values(relation->columns.size());
  while (scan.NextPage()) {
    for (const TupleView& row : scan.rows()) {
      DeformTuple(*relation->desc, row, values.data(), {.arena = &scratch, .toast = relation->table.toast});
      Vector& result = state->Eval(eval, writer.RowVectors(values), Selection{nullptr, 1});
      bool violated = !result.IsNullAt(0) && !result.data<bool>()[0];
      if (violated) {
        throw SqlError(ErrorCode::kCheckViolation,
                       "check constraint \"{}\" of relation \"{}\" is violated by some row", check.name,
                       relation->name())
            .WithTable(SchemaName(relation->row.relnamespace), relation->name())
            .WithConstraint(check.name);
      }
      scratch.Reset();
    }
  }
}

void AddConstraints(Oid table, const std::vector<PlannedConstraint>& constraints, CommandContext& context,
                    bool validate_rows) {
  for (const PlannedConstraint& item : constraints) {
    if (item.constraint->contype == ConstrType::kCheck) {
      AddCheckConstraint(table, *item.constraint, item.column, context, validate_rows);
    }
  }
  for (const PlannedConstraint& item : constraints) {
    ConstrType type = item.constraint->contype;
    if (type != ConstrType::kPrimary && type != ConstrType::kUnique) continue;
    CreateConstraintIndex(table, *item.constraint, item.column, context);
    context.Advance();
  }
  for (const PlannedConstraint& item : constraints) {
    if (item.constraint->contype == ConstrType::kForeign)
      AddForeignKey(table, *item.constraint, item.column, context, validate_rows);
  }
}

}  // namespace walden

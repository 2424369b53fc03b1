#include "node/sql/commands/table_rewrite.h"

#include "node/access/heap/heap.h"
#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/rows/pg_statistic.h"
#include "node/catalog/type_name.h"
#include "node/sql/commands/sequence.h"
#include "node/sql/executor/table_writer.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/query_text.h"
#include "node/txn/snapshot.h"
#include "node/txn/transaction.h"

namespace walden {

void TableRewrite::Compute(AttrNumber attno, const Expr* expression, bool) {
  columns_.push_back({attno, CompileExpression(expression)});
}

void TableRewrite::ComputeNextValue(AttrNumber attno, Oid sequence) { columns_.push_back({attno, nullptr, sequence}); }

void TableRewrite::Run() {
  SetNewRelationFile(before_->oid, true);
  context_.Advance();
  RelationRef after = OpenRelation(before_->oid, LockMode::kNone);
  TableWriter writer(after), old_rows(before_);
  BulkInsertState bulk(true);
  Arena scratch;
  EvalContext eval(scratch, context_.format, context_.session);
  SnapshotHold snapshot = LatestSnapshot();
  HeapScan scan(before_->table, *snapshot);
  std::vector<Value> old_values(before_->columns.size()), values(after->columns.size());
  CommandId cid = CurrentCommandId(true);
  while (scan.NextPage()) {
    for (const TupleView& row : scan.rows()) {
      DeformTuple(*before_->desc, row, old_values.data(), {.arena = &scratch, .toast = before_->table.toast});
      for (size_t i = 0; i < values.size(); ++i) values[i] = i < old_values.size() ? old_values[i] : Value{};
      for (Column& column : columns_) {
        Value& to = values[column.attno - 1];
        if (column.expression == nullptr) {
          to.is_null = false;
          int64_t next = NextSequenceValue(column.sequence, false);
          PhysicalType type = (*after->desc)[column.attno].physical;
          if (type == PhysicalType::kInt64) to.datum.i64 = next;
          else if (type == PhysicalType::kInt32) to.datum.i32 = static_cast<int32_t>(next);
          else to.datum.i16 = static_cast<int16_t>(next);
          continue;
        }
        Vector& result = column.expression->Eval(eval, old_rows.RowVectors(old_values), Selection{nullptr, 1});
        to = result.Get(0);
      }
      writer.CheckConstraints(eval, values);
      writer.Insert(eval, values, cid, &bulk);
      scratch.Reset();
    }
  }
  context_.Advance();
}

namespace {

// What a column's type change would break and cannot be mended.
void RefuseDependents(const Relation& table, AttrNumber attno) {
  const std::string& column = table.columns[attno - 1].attname;
  for (const Dependency& dependent : DependentsOf(RelationAddress(table.oid, attno))) {
    const ObjectAddress& other = dependent.other;
    if (other.catalog == catalog_oid::kPgRewrite) {
      throw SqlError(ErrorCode::kFeatureNotSupported, "cannot alter type of a column used by a view or rule")
          .WithDetail(DescribeObject(other) + " depends on column \"" + column + "\"");
    }
    if (other.catalog == catalog_oid::kPgConstraint) {
      RowRef<PgConstraintRow> row = ConstraintRow(other.object);
      if (row && (row->contype == 'c' || row->contype == 'f')) {
        throw NotSupported("altering the type of a column that a CHECK or FOREIGN KEY constraint uses");
      }
    }
  }
}

void AdaptIndexes(const Relation& table, AttrNumber attno, const PgAttributeRow& column) {
  for (const RelationRef& index : table.indexes) {
    if (index->index->indexprs || index->index->indpred) throw NotSupported("altering the type of a column of a table with expression indexes");
    for (size_t k = 0; k < index->index->indkey.size(); ++k) {
      if (index->index->indkey[k] != attno) continue;
      UpdateAttributeRow(index->oid, static_cast<AttrNumber>(k + 1), [&](PgAttributeRow* row) {
        row->atttypid = column.atttypid;
        row->atttypmod = column.atttypmod;
        row->attcollation = column.attcollation;
        row->attstorage = '\0';
        FillTypeFacts(row);
      });
      if (static_cast<int>(k) >= index->index->indnkeyatts) continue;
      Oid opclass = DefaultOpclass(column.atttypid, index->row.relam);
      if (!IsValid(opclass)) {
        throw SqlError(ErrorCode::kUndefinedObject, "data type {} has no default operator class for access method \"btree\"",
                       FormatType(column.atttypid));
      }
      UpdateIndexRow(index->oid, [&](PgIndexRow* row) {
        row->indclass[k] = opclass;
        row->indcollation[k] = column.attcollation;
      });
    }
  }
}

}  // namespace

void ChangeColumnType(const RelationRef& table, const ast::AlterTableCmd& cmd, CommandContext& context) {
  const auto& definition = *ast::As<ast::ColumnDef>(cmd.def);
  AttrNumber attno = table->FindColumn(cmd.name);
  if (attno <= 0) throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", cmd.name, table->name());
  ResolvedType type = BindTypeName(*definition.type_name, context.Bind());
  PgAttributeRow column = table->columns[attno - 1];
  RowRef<PgTypeRow> type_row = TypeRow(type.type);
  column.atttypid = type.type;
  column.atttypmod = type.typmod;
  column.attcollation = definition.coll_clause != nullptr ? FindCollation(NameOf(definition.coll_clause->collname)) : type_row->typcollation;
  RefuseDependents(*table, attno);
  ColumnTarget target{column.attname, column.atttypid, column.atttypmod, column.attcollation, column.attgenerated};
  Expr* transform = BindColumnTransform(definition.raw_default, InfoOf(context, table->oid), attno, target, context.Bind());
  std::string transform_text = WriteNode(transform);
  if (const ColumnDefault* old = table->DefaultOf(attno)) {
    Expr* expression = ReadStoredExpression(old->expression, context.arena);
    if (!Is<Const>(expression)) throw NotSupported("altering the type of a column whose default is an expression");
    DropObject({catalog_oid::kPgAttrdef, old->oid, 0}, {.internal = true});
    Arena arena;
    const TypeDescriptor& from = TypeOf(As<Const>(expression)->consttype);
    std::string text(FormatText(from, As<Const>(expression)->value.datum, TypeIo{arena, context.format, context.session, &from, -1}));
    const TypeDescriptor& to = TypeOf(type.type);
    Value value;
    value.is_null = false;
    value.datum = ParseText(to, context.arena.Copy(text), TypeIo{context.arena, context.format, context.session, &to, type.typmod});
    Const* made = MakeConst(context.arena, type.type, type.typmod, column.attcollation, to.physical, value);
    StoreDefault(table->oid, attno, WriteNode(made), {});
  }
  UpdateAttributeRow(table->oid, attno, [&](PgAttributeRow* row) {
    row->atttypid = column.atttypid;
    row->atttypmod = column.atttypmod;
    row->attcollation = column.attcollation;
    row->attstorage = '\0';
    int32_t statistics_target = row->attstattarget;
    FillTypeFacts(row);
    row->attstattarget = statistics_target;
    row->atthasmissing = false;
    row->attmissingval.reset();
  });
  AdaptIndexes(*table, attno, column);
  context.Advance();
  CreateToastTableIfNeeded(table->oid);
  context.Advance();
  if (!table->has_storage()) return;
  TableRewrite rewrite(table, context);
  rewrite.Compute(attno, ReadStoredExpression(transform_text, context.arena), true);
  rewrite.Run();
}

}  // namespace walden

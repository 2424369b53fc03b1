#include "node/sql/commands/table_rewrite.h"

#include "node/access/heap/heap.h"
#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/rows/pg_statistic.h"
#include "node/catalog/type_name.h"
#include "node/sql/commands/column_dependents.h"
#include "node/sql/commands/sequence.h"
#include "node/sql/executor/batched_insert.h"
#include "node/sql/executor/table_writer.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/query_text.h"
#include "node/txn/snapshot.h"
#include "node/txn/transaction.h"

namespace walden {

void TableRewrite::Compute(AttrNumber attno, const Expr* expression, bool) {
  columns_.push_back({attno, CompileExpression(expression)});
}

void TableRewrite::ComputeNextValue(AttrNumber attno, Oid sequence) {
  columns_.push_back({attno, nullptr, sequence});
}

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
  BatchedInsert rows(writer, CurrentCommandId(true), BulkInsertOptions(*after), &bulk);
  Arena index_scratch;
  EvalContext index_eval(index_scratch, context_.format, context_.session);
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
          if (type == PhysicalType::kInt64)
            to.datum.i64 = next;
          else if (type == PhysicalType::kInt32)
            to.datum.i32 = static_cast<int32_t>(next);
          else
            to.datum.i16 = static_cast<int16_t>(next);
          continue;
        }
        Vector& result =
            column.expression->Eval(eval, old_rows.RowVectors(old_values), Selection{nullptr, 1});
        to = result.Get(0);
      }
      writer.CheckConstraints(eval, values);
      rows.Add(values);
      scratch.Reset();
      if (!rows.full()) continue;
      rows.Flush(index_eval);
      index_scratch.Reset();
    }
  }
  rows.Flush(index_eval);
  context_.Advance();
}

namespace {

// Without the conversions to the old type that nobody wrote.
Expr* StripImplicitCasts(Expr* expr) {
  for (;;) {
    if (auto* call = TryAs<FuncExpr>(expr);
        call != nullptr && call->funcformat == CoercionForm::kImplicitCast) {
      expr = call->args[0];
    } else if (auto* relabel = TryAs<RelabelType>(expr);
               relabel != nullptr && relabel->relabelformat == CoercionForm::kImplicitCast) {
      expr = relabel->arg;
    } else if (auto* via_io = TryAs<CoerceViaIo>(expr);
               via_io != nullptr && via_io->coerceformat == CoercionForm::kImplicitCast) {
      expr = via_io->arg;
    } else {
      return expr;
    }
  }
}

// The default of a column whose type changes, in the new type.
void ConvertDefault(const Relation& table, AttrNumber attno, const ColumnTarget& to,
                    CommandContext& context) {
  const ColumnDefault* old = table.DefaultOf(attno);
  if (old == nullptr) return;
  Expr* expression = StripImplicitCasts(static_cast<Expr*>(ReadNode(old->expression, context.arena)));
  Expr* converted = BindAssignmentConversion(expression, to.type, to.typmod, context.Bind());
  if (converted == nullptr) {
    throw SqlError(ErrorCode::kDatatypeMismatch,
                   "default for column \"{}\" cannot be cast automatically to type {}", to.name,
                   FormatType(to.type));
  }
  DropObject({catalog_oid::kPgAttrdef, old->oid, 0}, {.internal = true});
  context.Advance();
  StoreDefault(table.oid, attno, WriteNode(converted), ExpressionReferences(converted, table.oid));
}

void AdaptIndexes(const Relation& table, AttrNumber attno, const PgAttributeRow& column) {
  for (const RelationRef& index : table.indexes) {
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
        throw SqlError(ErrorCode::kUndefinedObject,
                       "data type {} has no default operator class for access method \"btree\"",
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
  if (attno <= 0)
    throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", cmd.name,
                   table->name());
  ResolvedType type = BindTypeName(*definition.type_name, context.Bind());
  PgAttributeRow column = table->columns[attno - 1];
  RowRef<PgTypeRow> type_row = TypeRow(type.type);
  column.atttypid = type.type;
  column.atttypmod = type.typmod;
  column.attcollation = definition.coll_clause != nullptr
                            ? FindCollation(NameOf(definition.coll_clause->collname))
                            : type_row->typcollation;
  ColumnTarget target{column.attname, column.atttypid, column.atttypmod, column.attcollation,
                      column.attgenerated};
  Expr* transform =
      BindColumnTransform(definition.raw_default, InfoOf(context, table->oid), attno, target, context.Bind());
  std::string transform_text = WriteNode(transform);
  ColumnDependents dependents(*table, attno, context);
  dependents.Drop();
  ConvertDefault(*table, attno, target, context);
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
  AdaptIndexes(*OpenRelation(table->oid, LockMode::kNone), attno, column);
  context.Advance();
  CreateToastTableIfNeeded(table->oid);
  context.Advance();
  if (table->has_storage()) {
    TableRewrite rewrite(table, context);
    rewrite.Compute(attno, ReadStoredExpression(transform_text, context.arena), true);
    rewrite.Run();
  }
  dependents.Recreate();
}

}  // namespace walden

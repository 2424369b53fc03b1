#include "node/sql/executor/table_writer.h"

#include "node/access/deform.h"
#include "node/catalog/syscache.h"
#include "node/sql/executor/deferred_checks.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/query_text.h"
#include "node/sql/query/tree_walk.h"
#include "node/txn/lock_manager.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

Node* ToInputColumns(Node* node, Arena& arena) {
  if (Is<Var>(node)) {
    Var* var = static_cast<Var*>(CopyShallow(node, arena));
    var->varno = kInputVar;
    return var;
  }
  return MutateChildren(node, arena, [&](Node* child) { return ToInputColumns(child, arena); });
}

// tableoid is the only system column that a check may name.
Node* WithTableOid(Node* node, Oid table, Arena& arena) {
  if (Var* var = TryAs<Var>(node)) {
    if (var->varattno != kTableOidAttr) return var;
    Value value{};
    value.is_null = false;
    value.datum.i32 = static_cast<int32_t>(OidNumber(table));
    return MakeConst(arena, type_oid::kOid, -1, Oid{}, PhysicalType::kInt32, value);
  }
  return MutateChildren(node, arena, [&](Node* child) { return WithTableOid(child, table, arena); });
}

void CollectColumns(const Node* node, AttrSet* columns) {
  if (const Var* var = TryAs<Var>(node)) {
    if (var->varattno > 0) columns->Add(var->varattno);
    return;
  }
  AnyChild(node, [&](const Node* child) {
    CollectColumns(child, columns);
    return false;
  });
}
AttrSet ColumnsIn(const Node* node) {
  AttrSet columns;
  CollectColumns(node, &columns);
  return columns;
}

constexpr size_t kMaxDetailLength = 64;  // bytes of one value in a "Failing row" detail

}  // namespace

Expr* ReadStoredExpression(std::string_view text, Arena& arena) {
  return static_cast<Expr*>(ToInputColumns(ReadNode(text, arena), arena));
}

Expr* ReadTableExpression(std::string_view text, const Relation& table, Arena& arena) {
  return static_cast<Expr*>(WithTableOid(ReadStoredExpression(text, arena), table.row.oid, arena));
}

std::vector<Expr*> ReadStoredExpressionList(std::string_view text, Arena& arena) {
  std::vector<Expr*> list;
  for (Node* node : ReadNodeList(text, arena))
    list.push_back(static_cast<Expr*>(ToInputColumns(node, arena)));
  return list;
}

IndexColumns::IndexColumns(const Relation&, RelationRef index) : index_(std::move(index)) {
  const PgIndexRow& row = *index_->index;
  if (row.indexprs) {
    for (Expr* expr : ReadStoredExpressionList(*row.indexprs, arena_))
      expressions_.push_back(CompileExpression(expr));
  }
  if (row.indpred) {
    ExprList conditions;
    conditions.Append(arena_, ReadStoredExpression(*row.indpred, arena_));
    predicate_.emplace(conditions);
  }
}

bool IndexColumns::Compute(EvalContext& context, std::span<Vector* const> row, std::span<const Value> values,
                           Value* out) {
  if (predicate_ && !predicate_->Matches(context, row, 0)) return false;
  size_t next_expression = 0;
  const std::vector<int16_t>& key = index_->index->indkey;
  for (size_t i = 0; i < key.size(); ++i) {
    out[i] = key[i] != 0 ? values[key[i] - 1]
                         : expressions_[next_expression++]->Eval(context, row, Selection{nullptr, 1}).Get(0);
  }
  return true;
}

TableWriter::TableWriter(RelationRef table, MemoryAccount* account)
    : table_(std::move(table)), arena_(account) {
  for (const ColumnDefault& value : table_->defaults) {
    const PgAttributeRow& column = table_->columns[value.attno - 1];
    if (column.attgenerated == '\0' || column.attisdropped) continue;
    Expr* expr = static_cast<Expr*>(
        WithTableOid(ReadStoredExpression(value.expression, arena_), table_->row.oid, arena_));
    generated_.push_back({value.attno, CompileExpression(expr), ColumnsIn(expr)});
  }
  size_t widest = 0;
  for (const RelationRef& index : table_->indexes) {
    if (!index->index->indislive) continue;
    indexes_.push_back(std::make_unique<IndexColumns>(*table_, index));
    widest = std::max<size_t>(widest, index->index->indnatts);
  }
  key_.resize(widest);
  for (const CheckConstraint& check : table_->checks) {
    Node* condition = WithTableOid(ReadStoredExpression(check.expression, arena_), table_->row.oid, arena_);
    checks_.push_back({&check, CompileExpression(static_cast<Expr*>(condition))});
  }
  for (int i = 1; i <= table_->desc->size(); ++i) {
    vectors_.push_back(std::make_unique<Vector>((*table_->desc)[static_cast<AttrNumber>(i)].physical));
    vector_pointers_.push_back(vectors_.back().get());
  }
}

std::span<Vector* const> TableWriter::RowVectors(std::span<const Value> values) {
  for (size_t i = 0; i < vectors_.size(); ++i) vectors_[i]->SetConstantValue(vectors_[i]->type(), values[i]);
  return vector_pointers_;
}

void TableWriter::ComputeGenerated(EvalContext& context, std::span<Value> values) {
  if (generated_.empty()) return;
  std::span<Vector* const> row = RowVectors(values);
  for (Generated& column : generated_) {
    Value value = column.value->Eval(context, row, Selection{nullptr, 1}).Get(0);
    if (!value.is_null) value.datum = CopyDatum(column.value->type(), value.datum, context.arena);
    values[column.attno - 1] = value;
  }
}

void TableWriter::AddGeneratedChanges(AttrSet* changed) const {
  for (const Generated& column : generated_) {
    std::span<const uint64_t> a = column.depends_on.words(), b = changed->words();
    bool affected = false;
    for (size_t i = 0; i < a.size() && i < b.size(); ++i) affected |= (a[i] & b[i]) != 0;
    if (affected) changed->Add(column.attno);
  }
}

std::string TableWriter::DescribeRow(EvalContext& context, std::span<const Value> values) const {
  std::string text = "(";
  for (size_t i = 0; i < table_->columns.size(); ++i) {
    const PgAttributeRow& column = table_->columns[i];
    if (column.attisdropped) continue;
    if (text.size() > 1) text += ", ";
    if (values[i].is_null) {
      text += "null";
      continue;
    }
    const TypeDescriptor& type = TypeOf(column.atttypid);
    std::string value;
    TypeIo io{*context.arena, *context.format, context.session, &type, column.atttypmod};
    type.output(values[i].datum, io, &value);
    text += value.size() <= kMaxDetailLength ? value : value.substr(0, kMaxDetailLength) + "...";
  }
  return text + ")";
}

void TableWriter::CheckConstraints(EvalContext& context, std::span<const Value> values) {
  for (size_t i = 0; i < table_->columns.size(); ++i) {
    const PgAttributeRow& column = table_->columns[i];
    if (!column.attnotnull || column.attisdropped || !values[i].is_null) continue;
    throw SqlError(ErrorCode::kNotNullViolation,
                   "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                   column.attname, table_->name())
        .WithDetail(fmt::format("Failing row contains {}.", DescribeRow(context, values)))
        .WithTable(SchemaName(table_->row.relnamespace), table_->name())
        .WithColumn(column.attname);
  }
  if (checks_.empty()) return;
  std::span<Vector* const> row = RowVectors(values);
  for (Check& check : checks_) {
    Value result = check.condition->Eval(context, row, Selection{nullptr, 1}).Get(0);
    if (result.is_null || result.datum.b) continue;
    throw SqlError(ErrorCode::kCheckViolation, "new row for relation \"{}\" violates check constraint \"{}\"",
                   table_->name(), check.constraint->name)
        .WithDetail(fmt::format("Failing row contains {}.", DescribeRow(context, values)))
        .WithTable(SchemaName(table_->row.relnamespace), table_->name())
        .WithConstraint(check.constraint->name);
  }
}

TupleId TableWriter::Insert(EvalContext& context, std::span<const Value> values, CommandId cid,
                            BulkInsertState* bulk) {
  FormTuple(*table_->desc, values.data(), &buffer_);
  TupleId tid = HeapInsert(table_->table, &buffer_, cid, {}, bulk);
  InsertIndexEntries(context, values, tid, nullptr);
  return tid;
}

void TableWriter::InsertIndexEntries(EvalContext& context, std::span<const Value> values, TupleId tid,
                                     const AttrSet* changed, GatheredEntries* gathered) {
  if (indexes_.empty()) return;
  std::span<Vector* const> row;
  for (auto& columns : indexes_) {
    if (columns->has_expressions() && row.empty()) row = RowVectors(values);
    if (!columns->Compute(context, row, values, key_.data())) continue;
    const IndexDesc& desc = columns->desc();
    const PgIndexRow& row_of_index = *columns->index().index;
    bool unchanged = changed != nullptr && !columns->has_expressions();
    if (unchanged) {
      for (int16_t key : row_of_index.indkey) unchanged &= !changed->Contains(key);
    }
    // The version that is replaced had the key for itself, and until this transaction ends whoever wants it waits.
    bool is_ours = unchanged && row_of_index.indimmediate && row_of_index.indisvalid;
    bool check = desc.unique && !is_ours;
    if (gathered != nullptr && !check) {
      gathered->Add(desc, key_.data(), tid, unchanged);
    } else {
      InsertEntry(*columns, key_.data(), tid, check, unchanged);
    }
  }
}

void TableWriter::InsertEntry(const IndexColumns& index, const Value* key, TupleId tid, bool check,
                              bool unchanged) {
  const IndexDesc& desc = index.desc();
  UniqueCheck how = !check                              ? UniqueCheck::kNo
                    : index.index().index->indimmediate ? UniqueCheck::kYes
                                                        : UniqueCheck::kPartial;
  bool is_alone = desc.method->Insert(desc, table_->table, key, tid, how, unchanged);
  if (how == UniqueCheck::kPartial && !is_alone) QueueUniqueCheck(*table_, index.index().oid, tid);
}

TupleResult TableWriter::Update(EvalContext& context, TupleId tid, const TupleView& old_row,
                                std::span<const Value> values, const AttrSet& changed, CommandId cid,
                                WaitPolicy wait, TupleFailure* failure, TupleId* new_tid,
                                GatheredEntries* gathered) {
  FormUpdatedTuple(*table_->desc, old_row, values.data(), changed, &buffer_);
  UpdateOutcome outcome;
  TupleResult result = HeapUpdate(table_->table, tid, &buffer_, cid, nullptr, wait, failure, &outcome);
  if (result != TupleResult::kOk) return result;
  *new_tid = outcome.tid;
  if (!outcome.hot) InsertIndexEntries(context, values, outcome.tid, &changed, gathered);
  return result;
}

TupleResult TableWriter::Delete(TupleId tid, CommandId cid, WaitPolicy wait, TupleFailure* failure) {
  return HeapDelete(table_->table, tid, cid, nullptr, wait, failure);
}

// Is there a live row (also an uncommitted one of our own) with `key`? Waits for transactions whose outcome decides,
// unless `own` names our speculative row: whoever holds one never waits, or two inserters could wait for each other.
bool TableWriter::KeyConflicts(IndexColumns& columns, const Value* key, TupleId own, TupleId* conflict) {
  const IndexDesc& desc = columns.desc();
  std::vector<ScanKey> keys(desc.key_count());
  for (int i = 0; i < desc.key_count(); ++i) {
    if (key[i].is_null && !desc.nulls_not_distinct) return false;
    keys[i].attno = static_cast<AttrNumber>(i + 1);
    keys[i].kind = key[i].is_null ? ScanKey::Kind::kIsNull : ScanKey::Kind::kCompare;
    keys[i].value = key[i];
  }
  std::unique_ptr<IndexScan> scan = desc.method->BeginScan(desc, false);
  while (true) {
    Xid wait_for = kInvalidXid;
    scan->Rescan(keys);
    TupleId tid;
    bool found = false;
    while (!found && scan->Next(ScanDirection::kForward, &tid)) {
      uint32_t token = 0;
      TupleId live;
      bool all_dead = false;
      if (!HeapChainIsLiveDirty(table_->table, tid, &wait_for, &token, &live, &all_dead)) continue;
      if (live == own) {
        wait_for = kInvalidXid;
        continue;
      }
      found = true;
      *conflict = live;
    }
    scan->End();
    if (!found) return false;
    if (!wait_for.IsValid() || IsCurrentXid(wait_for) || own.IsValid()) return true;
    WaitForXid(wait_for);
  }
}

bool TableWriter::FindConflict(EvalContext& context, std::span<const Value> values,
                               std::span<const Oid> arbiters, TupleId own, TupleId* conflict) {
  std::span<Vector* const> row = RowVectors(values);
  for (auto& columns : indexes_) {
    if (!columns->desc().unique) continue;
    bool is_arbiter = arbiters.empty();
    for (Oid arbiter : arbiters) is_arbiter |= arbiter == columns->index().oid;
    if (!is_arbiter) continue;
    if (!columns->index().index->indimmediate) {
      throw SqlError(
          ErrorCode::kObjectNotInPrerequisiteState,
          "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters")
          .WithTable(SchemaName(table_->row.relnamespace), table_->name())
          .WithConstraint(columns->desc().name);
    }
    if (!columns->Compute(context, row, values, key_.data())) continue;
    if (KeyConflicts(*columns, key_.data(), own, conflict)) return true;
  }
  return false;
}

// Optimistic: looks first, then inserts speculatively, adds arbiter entries without raising, and looks again. A loser
// of the race kills its own row and starts over, now waiting for the winner's transaction.
std::optional<TupleId> TableWriter::InsertUnlessConflict(EvalContext& context, std::span<const Value> values,
                                                         CommandId cid, std::span<const Oid> arbiters,
                                                         TupleId* conflict) {
  while (true) {
    if (FindConflict(context, values, arbiters, TupleId{}, conflict)) return std::nullopt;
    FormTuple(*table_->desc, values.data(), &buffer_);
    InsertOptions options;
    options.speculative = true;
    options.speculative_token = 1;
    TupleId tid = HeapInsert(table_->table, &buffer_, cid, options);
    bool maybe_conflict = false;
    std::span<Vector* const> row = RowVectors(values);
    for (auto& columns : indexes_) {
      if (!columns->Compute(context, row, values, key_.data())) continue;
      const IndexDesc& desc = columns->desc();
      bool is_arbiter = desc.unique && arbiters.empty();
      for (Oid arbiter : arbiters) is_arbiter |= arbiter == columns->index().oid;
      if (is_arbiter) {
        maybe_conflict |=
            !desc.method->Insert(desc, table_->table, key_.data(), tid, UniqueCheck::kPartial, false);
      } else {
        InsertEntry(*columns, key_.data(), tid, desc.unique, false);
      }
    }
    if (!maybe_conflict || !FindConflict(context, values, arbiters, tid, conflict)) {
      HeapFinishSpeculative(table_->table, tid);
      return tid;
    }
    HeapAbortSpeculative(table_->table, tid);
  }
}

}  // namespace walden

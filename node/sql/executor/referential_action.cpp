// ON DELETE and ON UPDATE: what happens to the rows that refer to a changed row.
#include <algorithm>

#include "node/catalog/syscache.h"
#include "node/sql/executor/foreign_key.h"
#include "node/txn/transaction.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

std::vector<TupleId> ReferencingRows(ForeignKey& key, std::span<const Value> old_key) {
  SnapshotHold snapshot = LatestSnapshot();
  std::vector<TupleId> rows;
  key.referencing_rows().ForEach(old_key, *snapshot, [&](const TupleView& row) {
    rows.push_back(row.tid);
    return true;
  });
  if (rows.empty() || !UsesTransactionSnapshot()) return rows;
  // What the transaction may not see it may not change either.
  SnapshotHold own = TransactionSnapshot();
  HeapFetcher fetcher(key.referencing()->table);
  for (TupleId tid : rows) {
    TupleView row;
    if (fetcher.FetchVersion(tid, *own, &row)) continue;
    throw SqlError(ErrorCode::kSerializationFailure, "could not serialize access due to concurrent update");
  }
  return rows;
}

std::string Quoted(std::string_view name) {
  std::string text = "\"";
  for (char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

// The statement that PostgreSQL would run, for the CONTEXT of errors.
std::string StatementText(const ForeignKey& key, const Relation& own, bool is_delete,
                          const std::vector<int16_t>& set, char action) {
  std::string table = Quoted(SchemaName(own.row.relnamespace)) + "." + Quoted(own.name());
  std::string text = is_delete ? "DELETE FROM ONLY " + table : "UPDATE ONLY " + table + " SET";
  int parameter = 0;
  for (size_t i = 0; i < set.size(); ++i) {
    std::string value = action == 'n'   ? "NULL"
                        : action == 'd' ? "DEFAULT"
                                        : "$" + std::to_string(++parameter);
    text += (i == 0 ? " " : ", ") + Quoted(own.columns[set[i] - 1].attname) + " = " + value;
  }
  for (size_t i = 0; i < key.row().conkey->size(); ++i) {
    std::string column = Quoted(own.columns[(*key.row().conkey)[i] - 1].attname);
    text +=
        (i == 0 ? " WHERE $" : " AND $") + std::to_string(++parameter) + " OPERATOR(pg_catalog.=) " + column;
  }
  return text;
}

// A referenced column's value as one of the referencing column's type.
Value Converted(const Value& value, Oid from, Oid to) {
  if (value.is_null || from == to) return value;
  PhysicalType a = TypeOf(from).physical, b = TypeOf(to).physical;
  if (a == b) return value;
  int64_t number = a == PhysicalType::kInt16   ? value.datum.i16
                   : a == PhysicalType::kInt32 ? value.datum.i32
                                               : value.datum.i64;
  Value result = value;
  if (b == PhysicalType::kInt16) {
    result.datum.i16 = static_cast<int16_t>(number);
    if (result.datum.i16 != number)
      throw SqlError(ErrorCode::kNumericValueOutOfRange, "smallint out of range");
  } else if (b == PhysicalType::kInt32) {
    result.datum.i32 = static_cast<int32_t>(number);
    if (result.datum.i32 != number)
      throw SqlError(ErrorCode::kNumericValueOutOfRange, "integer out of range");
  } else {
    result.datum.i64 = number;
  }
  return result;
}

Value DefaultValue(const Relation& table, int16_t attno, EvalContext& context) {
  const ColumnDefault* column_default = table.DefaultOf(attno);
  if (column_default == nullptr) return Value{};
  Arena tree;
  ExprStatePtr expr = CompileExpression(ReadStoredExpression(column_default->expression, tree));
  Value value = expr->Eval(context, {}, Selection{nullptr, 1}).Get(0);
  if (!value.is_null) value.datum = CopyDatum(expr->type(), value.datum, context.arena);
  return value;
}

// Changes the rows that refer to one key, one by one.
class Action {
 public:
  Action(ForeignKey& key, char action, const ReferentialEvent& event, EvalContext& context,
         ReferentialQueue& queue)
      : key_(key),
        action_(action),
        event_(event),
        context_(context),
        queue_(queue),
        table_(*key.referencing()) {
    is_delete_ = action == 'c' && event.kind == ReferentialEvent::Kind::kReferencedDeleted;
    if (is_delete_) return;
    bool some = event.kind == ReferentialEvent::Kind::kReferencedDeleted && key.row().confdelsetcols &&
                !key.row().confdelsetcols->empty();
    set_ = some ? *key.row().confdelsetcols : *key.row().conkey;
    for (size_t i = 0; i < set_.size(); ++i) {
      changed_.Add(set_[i]);
      values_.push_back(NewValue(i));
    }
    key.writer().AddGeneratedChanges(&changed_);
  }

  void Run() {
    std::vector<TupleId> rows = ReferencingRows(key_, event_.old_key);
    if (rows.empty()) return;
    CommandId cid = CurrentCommandId(/*used=*/true);
    try {
      for (TupleId tid : rows) Change(tid, cid);
    } catch (SqlError& error) {
      error.WithContext("SQL statement \"" + StatementText(key_, table_, is_delete_, set_, action_) + "\"");
      throw;
    }
    CommandCounterIncrement();
  }

 private:
  Value NewValue(size_t i) {
    if (action_ == 'n') return Value{};
    if (action_ == 'd') return DefaultValue(table_, set_[i], context_);
    Oid from = key_.referenced()->columns[(*key_.row().confkey)[i] - 1].atttypid;
    return Converted(event_.new_key[i], from, table_.columns[set_[i] - 1].atttypid);
  }

  void Change(TupleId tid, CommandId cid) {
    RowLockMode mode = is_delete_ ? RowLockMode::kExclusive : RowLockMode::kNoKeyExclusive;
    // Locked first: from then on nobody changes the row, and its newest version is what is changed.
    if (!key_.referencing_rows().Lock(&tid, event_.old_key, mode)) return;
    HeapFetcher fetcher(table_.table);
    TupleView row;
    if (!fetcher.FetchAny(tid, &row)) return;
    std::vector<Value> old_values(table_.columns.size());
    DeformTuple(*table_.desc, row, old_values.data(),
                DeformContext{context_.arena, table_.table.toast, true});
    TupleFailure failure;
    if (is_delete_) {
      if (key_.writer().Delete(tid, cid, WaitPolicy::kBlock, &failure) == TupleResult::kOk)
        key_.checks().Deleted(queue_, old_values);
      return;
    }
    std::vector<Value> new_values = old_values;
    for (size_t i = 0; i < set_.size(); ++i) new_values[set_[i] - 1] = values_[i];
    key_.writer().ComputeGenerated(context_, new_values);
    key_.writer().CheckConstraints(context_, new_values);
    TupleId new_tid;
    TupleResult result = key_.writer().Update(context_, tid, row, new_values, changed_, cid,
                                              WaitPolicy::kBlock, &failure, &new_tid);
    if (result == TupleResult::kOk) key_.checks().Updated(queue_, old_values, new_values);
  }

  ForeignKey& key_;
  char action_;
  const ReferentialEvent& event_;
  EvalContext& context_;
  ReferentialQueue& queue_;
  const Relation& table_;
  bool is_delete_ = false;
  std::vector<int16_t> set_;
  std::vector<Value> values_;
  AttrSet changed_;
};

}  // namespace

void ApplyAction(ForeignKey& key, char action, const ReferentialEvent& event, EvalContext& context,
                 ReferentialQueue& queue) {
  if (action == 'a' || action == 'r') {
    CheckNotReferenced(key, action == 'r', event, context);
    return;
  }
  Action(key, action, event, context, queue).Run();
  // A default that equals the old key changes nothing, and so nothing else would check it.
  if (action == 'd') CheckNotReferenced(key, /*restrict=*/false, event, context);
}

}  // namespace walden

#include "node/sql/executor/foreign_key.h"

#include <algorithm>

#include "node/sql/executor/index_keys.h"
#include "node/sql/executor/row_locking.h"
#include "node/txn/transaction.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

bool IsInteger(Oid type) {
  return type == type_oid::kInt2 || type == type_oid::kInt4 || type == type_oid::kInt8;
}
bool IsPlainText(Oid type) { return type == type_oid::kText || type == type_oid::kVarchar; }

// Compares values of `column` with those of `other`.
KeyLookup::Column ColumnFor(const Relation& table, AttrNumber attno, Oid other, const IndexKeyColumn& key) {
  Oid own = table.columns[attno - 1].atttypid;
  KeyLookup::Column column{attno, key.compare, nullptr, key.collation};
  if (own == other || (IsPlainText(own) && IsPlainText(other))) return column;
  if (!IsInteger(own) || !IsInteger(other)) throw NotSupported("foreign keys between these types");
  column.compare = column.index_compare = CrossTypeComparator(own, other);
  return column;
}

const IndexKeyColumn& UniqueKeyColumn(const Relation& referenced, Oid index, int16_t attno) {
  for (const RelationRef& candidate : referenced.indexes) {
    if (candidate->oid != index) continue;
    for (int k = 0; k < candidate->index_desc.key_count(); ++k) {
      if (candidate->index->indkey[k] == attno) return candidate->index_desc.keys[k];
    }
  }
  throw SqlError(ErrorCode::kInternalError, "no unique index serves a foreign key of relation {}",
                 OidNumber(referenced.oid));
}

}  // namespace

KeyLookup::KeyLookup(RelationRef table, std::vector<Column> columns)
    : table_(std::move(table)), columns_(std::move(columns)), arena_(&ProcessMemory(), 256) {
  ChooseIndex();
  if (index_ != nullptr)
    scan_ = index_->index_desc.method->BeginScan(index_->index_desc, /*want_values=*/false);
}

void KeyLookup::ChooseIndex() {
  for (const RelationRef& candidate : table_->indexes) {
    const PgIndexRow& row = *candidate->index;
    if (!row.indisvalid || row.indpred || row.indexprs || candidate->index_desc.method == nullptr) continue;
    std::vector<size_t> positions;
    for (int k = 0; k < candidate->index_desc.key_count(); ++k) {
      auto at = std::find_if(columns_.begin(), columns_.end(),
                             [&](const Column& c) { return c.attno == row.indkey[k]; });
      if (at == columns_.end()) break;
      positions.push_back(static_cast<size_t>(at - columns_.begin()));
    }
    if (positions.size() <= index_columns_.size()) continue;
    index_ = candidate;
    index_columns_ = std::move(positions);
  }
}

bool KeyLookup::Matches(const TupleView& row, std::span<const Value> key) {
  DeformContext context{&arena_, table_->table.toast, false};
  for (size_t i = 0; i < columns_.size(); ++i) {
    Value value = GetAttribute(*table_->desc, row, columns_[i].attno, context);
    if (value.is_null || columns_[i].compare(value.datum, key[i].datum, columns_[i].collation) != 0)
      return false;
  }
  return true;
}

void KeyLookup::ForEach(std::span<const Value> key, const Snapshot& snapshot,
                        const std::function<bool(const TupleView&)>& visit) {
  arena_.Reset();
  if (scan_ == nullptr) {
    HeapScan scan(table_->table, snapshot);
    while (scan.NextPage()) {
      for (const TupleView& row : scan.rows()) {
        if (Matches(row, key) && !visit(row)) return;
      }
      arena_.Reset();
    }
    return;
  }
  std::vector<ScanKey> keys(index_columns_.size());
  for (size_t k = 0; k < keys.size(); ++k) {
    keys[k].attno = static_cast<AttrNumber>(k + 1);
    keys[k].value = key[index_columns_[k]];
    keys[k].compare = columns_[index_columns_[k]].index_compare;
  }
  scan_->Rescan(keys);
  HeapFetcher fetcher(table_->table, &index_->index_desc.stats);
  TupleId tid;
  while (scan_->Next(ScanDirection::kForward, &tid)) {
    TupleView row;
    if (fetcher.FetchChain(tid, snapshot, &row) && Matches(row, key) && !visit(row)) break;
  }
  scan_->End();
}

bool KeyLookup::Lock(TupleId* tid, std::span<const Value> key, RowLockMode mode) {
  CommandId cid = CurrentCommandId(/*used=*/true);
  TupleFailure failure;
  TupleResult result =
      HeapLock(table_->table, *tid, cid, mode, WaitPolicy::kBlock, /*follow_updates=*/true, &failure);
  if (result == TupleResult::kOk) return true;
  if (result != TupleResult::kUpdated && result != TupleResult::kDeleted) return false;
  std::optional<TupleId> newest =
      LockNewestVersion(table_->table, result, failure, cid, mode, WaitPolicy::kBlock);
  if (!newest) return false;
  *tid = *newest;
  HeapFetcher fetcher(table_->table);
  TupleView row;
  return fetcher.FetchAny(*newest, &row) && Matches(row, key);
}

ForeignKey::ForeignKey(const PgConstraintRow& constraint)
    : row_(constraint),
      referencing_(OpenRelation(constraint.conrelid, LockMode::kRowShare)),
      referenced_(OpenRelation(constraint.confrelid, LockMode::kRowShare)) {
  std::vector<KeyLookup::Column> own, own_by_own, other, other_by_own;
  for (size_t i = 0; i < row_.conkey->size(); ++i) {
    int16_t fk = (*row_.conkey)[i], pk = (*row_.confkey)[i];
    const IndexKeyColumn& key = UniqueKeyColumn(*referenced_, row_.conindid, pk);
    Oid fk_type = referencing_->columns[fk - 1].atttypid, pk_type = referenced_->columns[pk - 1].atttypid;
    own.push_back(ColumnFor(*referencing_, fk, pk_type, key));
    own_by_own.push_back(ColumnFor(*referencing_, fk, fk_type, key));
    other.push_back(ColumnFor(*referenced_, pk, fk_type, key));
    other_by_own.push_back(ColumnFor(*referenced_, pk, pk_type, key));
  }
  referencing_rows_ = std::make_unique<KeyLookup>(referencing_, std::move(own));
  referencing_by_own_ = std::make_unique<KeyLookup>(referencing_, std::move(own_by_own));
  referenced_rows_ = std::make_unique<KeyLookup>(referenced_, std::move(other));
  referenced_by_own_ = std::make_unique<KeyLookup>(referenced_, std::move(other_by_own));
}

TableWriter& ForeignKey::writer() {
  if (writer_ == nullptr)
    writer_ = std::make_unique<TableWriter>(OpenRelation(row_.conrelid, LockMode::kRowExclusive));
  return *writer_;
}

ReferentialChecks& ForeignKey::checks() {
  if (checks_ == nullptr) checks_ = std::make_unique<ReferentialChecks>(referencing_);
  return *checks_;
}

}  // namespace walden

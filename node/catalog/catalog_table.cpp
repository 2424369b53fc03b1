#include "node/catalog/catalog_table.h"

#include "node/access/deform.h"
#include "node/access/heap/heap.h"
#include "node/base/error.h"
#include "node/catalog/catalog_scan.h"
#include "node/catalog/change_log.h"
#include "node/catalog/identity.h"
#include "node/txn/id_counters.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

constexpr int kMaxCatalogColumns = 64;

void InsertIndexEntries(const Relation& relation, const Value* values, TupleId tid) {
  for (const RelationRef& index : relation.indexes) {
    Value key[4];
    const std::vector<int16_t>& columns = index->index->indkey;
    for (size_t k = 0; k < columns.size(); ++k) key[k] = values[columns[k] - 1];
    UniqueCheck check = index->index_desc.unique ? UniqueCheck::kYes : UniqueCheck::kNo;
    index->index_desc.method->Insert(index->index_desc, relation.table, key, tid, check, false);
  }
}

[[noreturn]] void ThrowChanged(TupleResult result) {
  if (result == TupleResult::kSelfModified)
    throw SqlError(ErrorCode::kInternalError, "tuple already updated by self");
  if (result == TupleResult::kDeleted)
    throw SqlError(ErrorCode::kInternalError, "tuple concurrently deleted");
  throw SqlError(ErrorCode::kInternalError, "tuple concurrently updated");
}

}  // namespace

CatalogAccess::CatalogAccess(Oid catalog, LockMode mode)
    : info_(FindCatalog(catalog)), relation_(OpenRelation(catalog, mode)) {
  CHECK(info_ != nullptr);
}

void CatalogAccess::Insert(const void* row) {
  Arena arena;
  Value values[kMaxCatalogColumns];
  Encode(*info_, row, arena, values);
  TupleBuffer buffer;
  FormTuple(*relation_->desc, values, &buffer);
  TupleId tid = HeapInsert(relation_->table, &buffer, CurrentCommandId(true));
  InsertIndexEntries(*relation_, values, tid);
  RecordCatalogChange(*info_, values);
}

void CatalogAccess::Update(TupleId tid, const void* row) {
  Arena arena;
  Value old_values[kMaxCatalogColumns], values[kMaxCatalogColumns];
  if (!FetchCatalogRow(*relation_, tid, arena, old_values)) ThrowChanged(TupleResult::kDeleted);
  Encode(*info_, row, arena, values);
  TupleBuffer buffer;
  FormTuple(*relation_->desc, values, &buffer);
  TupleFailure failure;
  UpdateOutcome outcome;
  TupleResult result = HeapUpdate(relation_->table, tid, &buffer, CurrentCommandId(true), nullptr,
                                  WaitPolicy::kBlock, &failure, &outcome);
  if (result != TupleResult::kOk) ThrowChanged(result);
  if (!outcome.hot) InsertIndexEntries(*relation_, values, outcome.tid);
  RecordCatalogChange(*info_, old_values);
  RecordCatalogChange(*info_, values);
}

void CatalogAccess::Delete(TupleId tid) {
  Arena arena;
  Value old_values[kMaxCatalogColumns];
  if (!FetchCatalogRow(*relation_, tid, arena, old_values)) ThrowChanged(TupleResult::kDeleted);
  TupleFailure failure;
  TupleResult result =
      HeapDelete(relation_->table, tid, CurrentCommandId(true), nullptr, WaitPolicy::kBlock, &failure);
  if (result != TupleResult::kOk) ThrowChanged(result);
  RecordCatalogChange(*info_, old_values);
}

void CatalogAccess::UpdateInPlace(TupleId tid, const void* row) {
  Arena arena;
  Value values[kMaxCatalogColumns];
  Encode(*info_, row, arena, values);
  TupleBuffer buffer;
  FormTuple(*relation_->desc, values, &buffer);
  uint8_t hoff = buffer.header().hoff;
  HeapInplaceUpdate(relation_->table, tid, {buffer.data() + hoff, buffer.size() - hoff});
  RecordInPlaceChange(*info_, values);
}

Oid NextCatalogOid() {
  // What `walden init` makes belongs to the system, whatever its number of objects: 12000 to 16383, as PostgreSQL's.
  static uint32_t next_system_oid = 12000;
  if (!session_identity().allow_system_table_mods) return AllocateOid();
  CHECK(Oid{next_system_oid} < kFirstNormalOid);
  return Oid{next_system_oid++};
}

Oid CatalogAccess::NewOid() {
  const CatalogIndex* by_oid = nullptr;
  for (const CatalogIndex& index : info_->indexes) {
    if (index.unique && index.key_count == 1 && info_->columns[index.keys[0] - 1].name == "oid")
      by_oid = &index;
  }
  CHECK(by_oid != nullptr);
  for (;;) {
    Oid oid = NextCatalogOid();
    bool taken = false;
    Scan(by_oid->oid, {oid}, [&](TupleId, const Value*) { return !(taken = true); });
    if (!taken) return oid;
  }
}

void CatalogAccess::Scan(Oid index, CatalogKeys keys, const Visit& visit) const {
  ScanCatalog(*relation_, index, keys, visit);
}

}  // namespace walden

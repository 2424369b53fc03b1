#include "node/sql/commands/verification.h"

#include <vector>

#include "node/access/btree/btree.h"
#include "node/access/heap/heap.h"
#include "node/access/heap/verify.h"
#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/catalog/relation.h"
#include "node/shm/interrupts.h"
#include "node/sql/functions/scalar.h"
#include "node/txn/snapshot.h"

namespace walden {
namespace {

void RequireSuperuser(const char* function) {
  if (!IsSuperuser())
    throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied for function {}", function);
}

RelationRef OpenBtree(Oid oid) {
  RelationRef index = OpenRelation(oid, LockMode::kAccessShare);
  if (index->row.relkind != relkind::kIndex || OidNumber(index->row.relam) != 403) {
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "only B-Tree indexes are supported as targets for verification")
        .WithDetail(fmt::format("Relation \"{}\" is not a B-Tree index.", index->name()));
  }
  return index;
}

uint64_t CountRows(const TableRef& table, const Snapshot& snapshot) {
  uint64_t rows = 0;
  HeapScan scan(table, snapshot, {.prune = false});
  while (scan.NextPage()) {
    CheckInterrupts();
    rows += scan.rows().size();
  }
  return rows;
}

// Of the rows that the snapshot sees, how many the entries reach.
uint64_t CountReached(const TableRef& table, const Snapshot& snapshot, const std::vector<TupleId>& entries) {
  uint64_t reached = 0;
  HeapFetcher fetcher(table);
  TupleView row;
  for (TupleId tid : entries) {
    CheckInterrupts();
    if (fetcher.FetchChain(tid, snapshot, &row)) ++reached;
  }
  return reached;
}

void CheckBtree(Oid oid, bool against_heap) {
  RequireSuperuser("bt_index_check");
  RelationRef index = OpenBtree(oid);
  RelationRef table = OpenRelation(index->index->indrelid, LockMode::kAccessShare);
  if (!index->index->indisvalid) return;
  // The snapshot first: a row that is in it has its entry already.
  SnapshotHold snapshot = LatestSnapshot();
  std::vector<TupleId> entries;
  VerifyBtree(index->index_desc, [&](TupleId tid) {
    if (against_heap) entries.push_back(tid);
  });
  if (!against_heap) return;
  uint64_t rows = CountRows(table->table, *snapshot);
  uint64_t reached = CountReached(table->table, *snapshot, entries);
  bool partial = !index->index->indpred.value_or("").empty();
  if (reached == rows || (partial && reached < rows)) return;
  throw SqlError(ErrorCode::kDataCorrupted,
                 "table \"{}\" has {} rows, but the entries of index \"{}\" lead to {}", table->name(), rows,
                 index->name(), reached);
}

void BtIndexCheck(CallContext&, std::span<const Value> args, Value* result) {
  CheckBtree(Oid{static_cast<uint32_t>(args[0].datum.i32)}, args.size() > 1 && args[1].datum.b);
  *result = Value{StringDatum(""), false};
}

class HeapDefects : public TableFunction {
 public:
  explicit HeapDefects(Oid oid) {
    RequireSuperuser("verify_heapam");
    RelationRef relation = OpenRelation(oid, LockMode::kAccessShare);
    char kind = relation->row.relkind;
    if (kind != relkind::kTable && kind != relkind::kToast && kind != relkind::kMaterializedView) {
      throw SqlError(ErrorCode::kWrongObjectType, "cannot check relation \"{}\"", relation->name());
    }
    VerifyHeap(relation->table, [&](const HeapDefect& defect) { defects_.push_back(defect); });
  }
  uint32_t Next(CallContext& context, std::span<Vector* const> columns, uint32_t max_rows) override {
    uint32_t count = 0;
    for (; count < max_rows && next_ < defects_.size(); ++count, ++next_) {
      const HeapDefect& defect = defects_[next_];
      columns[0]->data<int64_t>()[count] = defect.block;
      columns[1]->data<int32_t>()[count] = defect.offset;
      columns[2]->data<int32_t>()[count] = defect.attno;
      columns[3]->data<StringRef>()[count] =
          StringDatum(context.arena.Copy(std::string_view(defect.message))).string;
      if (defect.offset == 0) columns[1]->SetNull(count);
      if (defect.attno < 0) columns[2]->SetNull(count);
    }
    return count;
  }

 private:
  std::vector<HeapDefect> defects_;
  size_t next_ = 0;
};

std::unique_ptr<TableFunction> StartVerifyHeap(CallContext&, std::span<const Value> args) {
  return std::make_unique<HeapDefects>(Oid{static_cast<uint32_t>(args[0].datum.i32)});
}

// Volatile: not folded when a plan is made.
constexpr ScalarFunction kFunctions[] = {
    {"bt_index_check", &scalar_internal::RowKernel<&BtIndexCheck, true, true>, &BtIndexCheck, true}};
constexpr SetFunction kSets[] = {{"verify_heapam", true, &StartVerifyHeap}};

}  // namespace

std::span<const ScalarFunction> VerificationFunctions() { return kFunctions; }
std::span<const SetFunction> VerificationSetFunctions() { return kSets; }

}  // namespace walden

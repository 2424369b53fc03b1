#include "node/access/btree/btree.h"

#include "node/access/btree/build.h"
#include "node/access/btree/insert.h"
#include "node/access/btree/insert_many.h"
#include "node/access/btree/scan.h"
#include "node/access/btree/vacuum.h"

namespace walden {

namespace {

class Btree final : public IndexMethod {
 public:
  const char* name() const override { return "btree"; }
  Oid am_oid() const override { return Oid{403}; }
  bool can_order() const override { return true; }
  bool can_return_values() const override { return true; }
  bool can_be_unique() const override { return true; }

  void BuildEmpty(const IndexDesc& index, Fork fork) const override { btree::BuildEmpty(index, fork); }
  std::unique_ptr<IndexBuild> BeginBuild(const IndexDesc& index) const override {
    return btree::BeginBuild(index);
  }
  bool Insert(const IndexDesc& index, const TableRef& table, const Value* values, TupleId tid,
              UniqueCheck check, bool unchanged) const override {
    return btree::InsertEntry(index, table, values, tid, check, unchanged);
  }
  void InsertMany(const IndexDesc& index, const TableRef& table, std::span<const NewIndexEntry> entries,
                  bool unchanged, size_t* at) const override {
    btree::InsertEntries(index, table, entries, unchanged, at);
  }
  std::unique_ptr<IndexScan> BeginScan(const IndexDesc& index, bool want_values) const override {
    return btree::BeginScan(index, want_values);
  }
  void BulkDelete(const IndexDesc& index, const DeadTids& dead, IndexVacuumStats* stats) const override {
    btree::BulkDelete(index, dead, stats);
  }
  void VacuumCleanup(const IndexDesc& index, IndexVacuumStats* stats) const override {
    btree::VacuumCleanup(index, stats);
  }
  int TreeHeight(const IndexDesc& index) const override {
    btree::MetaInfo meta = btree::ReadMeta(index);
    return meta.root == btree::kNoBlock ? 0 : static_cast<int>(meta.level);
  }
};

}  // namespace

const IndexMethod& BtreeMethod() {
  static const Btree method;
  return method;
}

}  // namespace walden

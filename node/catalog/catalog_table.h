// Changing catalogs, and reading them past the caches: typed rows in and out of a system catalog's heap, with all its
// indexes kept and invalidation messages queued for every change. Changes become visible to this transaction's own
// look-ups at the next CommandCounterIncrement().
//
//   CatalogTable<PgNamespaceRow> schemas;
//   schemas.Insert({.oid = schemas.NewOid(), .nspname = name, .nspowner = owner});
//   if (auto found = schemas.Find(catalog_index::kPgNamespaceNspnameIndex, {name})) schemas.Delete(found->tid);
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "node/catalog/relation.h"
#include "node/catalog/syscache.h"

namespace walden {

template <class Row>
struct StoredRow {
  TupleId tid;
  Row row;
};

// The untyped form. `row` points at a row struct of the catalog.
class CatalogAccess {
 public:
  // Locks the catalog (RowExclusive to write, AccessShare to read) until the transaction ends.
  explicit CatalogAccess(Oid catalog, LockMode mode = LockMode::kRowExclusive);

  // Throws 23505 as any table when a unique index of the catalog is violated.
  void Insert(const void* row);
  // Throws XX000 "tuple concurrently updated" / "tuple concurrently deleted".
  void Update(TupleId tid, const void* row);
  void Delete(TupleId tid);
  // Overwrites fixed-width columns without making a new version: no transaction can undo it. The row keeps its size.
  void UpdateInPlace(TupleId tid, const void* row);
  // An OID that no row of the catalog has. Requires: the catalog has an `oid` column with a unique index.
  Oid NewOid();

  // Visits rows whose first columns of `index` equal `keys`, in index order, as of now; `index` 0: all rows in
  // physical order (keys must be empty). `visit` gets the tid and all columns' values, valid during the call;
  // returning false ends the scan. The visitor may change the visited row.
  using Visit = std::function<bool(TupleId tid, const Value* values)>;
  void Scan(Oid index, CatalogKeys keys, const Visit& visit) const;

  const CatalogInfo& info() const { return *info_; }
  const Relation& relation() const { return *relation_; }
  // Between row structs and column values. Arrays are made in `arena`.
  static void Encode(const CatalogInfo& info, const void* row, Arena& arena, Value* values);
  static void Decode(const CatalogInfo& info, const Value* values, void* row);

 private:
  const CatalogInfo* info_;
  RelationRef relation_;
};

// The counter behind NewOid, for numbers that only have to be unique among files.
Oid NextCatalogOid();

// Visits rows as CatalogAccess::Scan does, under a lock that lasts only as long as the scan.
void ReadCatalog(Oid catalog, Oid index, CatalogKeys keys, const CatalogAccess::Visit& visit);

// Copies of all rows with that key, past the caches.
template <class Row>
std::vector<Row> ReadRows(Oid index, CatalogKeys keys) {
  std::vector<Row> rows;
  ReadCatalog(Row::kCatalog, index, keys, [&](TupleId, const Value* values) {
    CatalogAccess::Decode(*FindCatalog(Row::kCatalog), values, &rows.emplace_back());
    return true;
  });
  return rows;
}

template <class Row>
class CatalogTable {
 public:
  explicit CatalogTable(LockMode mode = LockMode::kRowExclusive) : access_(Row::kCatalog, mode) {}
  void Insert(const Row& row) { access_.Insert(&row); }
  void Update(TupleId tid, const Row& row) { access_.Update(tid, &row); }
  void Delete(TupleId tid) { access_.Delete(tid); }
  void UpdateInPlace(TupleId tid, const Row& row) { access_.UpdateInPlace(tid, &row); }
  Oid NewOid() { return access_.NewOid(); }

  std::optional<StoredRow<Row>> Find(Oid index, CatalogKeys keys) const {
    std::optional<StoredRow<Row>> found;
    access_.Scan(index, keys, [&](TupleId tid, const Value* values) {
      found.emplace().tid = tid;
      CatalogAccess::Decode(access_.info(), values, &found->row);
      return false;
    });
    return found;
  }
  std::vector<StoredRow<Row>> Scan(Oid index = Oid::kInvalid, CatalogKeys keys = {}) const {
    std::vector<StoredRow<Row>> rows;
    access_.Scan(index, keys, [&](TupleId tid, const Value* values) {
      rows.emplace_back().tid = tid;
      CatalogAccess::Decode(access_.info(), values, &rows.back().row);
      return true;
    });
    return rows;
  }

 private:
  CatalogAccess access_;
};

}  // namespace walden

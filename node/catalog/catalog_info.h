// Descriptors of the system catalogs, compiled in from node/catalog/data: columns, indexes, where each column lives in
// its generated row struct. Immutable.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "node/catalog/catalog_ids.h"

namespace walden {

// How a column's value is kept in its row struct.
enum class FieldKind : uint8_t {
  kBool,
  kChar,
  kInt16,
  kInt32,
  kInt64,
  kFloat32,
  kOid,
  kString,
  kInt16Vector,
  kOidVector,  // int2vector, oidvector: zero-based arrays
  kInt16Array,
  kOidArray,
  kFloat32Array,
  kCharArray,
  kTextArray,
  kNameArray,
  kAclArray,
};

struct CatalogColumn {
  std::string_view name;
  Oid type;
  FieldKind kind;
  bool not_null;    // else the member is a std::optional
  uint16_t offset;  // of the member in the row struct
};

struct CatalogIndex {
  Oid oid;
  Oid table;
  std::string_view name;
  bool unique;
  bool primary;
  uint8_t key_count;
  int16_t keys[4];  // attribute numbers
};

struct CatalogInfo {
  Oid oid;
  std::string_view name;
  bool shared;  // one for all databases, in global/
  Oid row_type;
  Oid toast;  // 0: no TOAST table
  Oid toast_index;
  bool public_select;
  std::span<const CatalogColumn> columns;
  std::span<const CatalogIndex> indexes;
};

// Sorted by OID.
std::span<const CatalogInfo> Catalogs();
// Null when `oid` is no system catalog.
const CatalogInfo* FindCatalog(Oid oid);
// Null when `oid` is no index of a system catalog.
const CatalogIndex* FindCatalogIndex(Oid oid);
// The catalog whose TOAST table or TOAST index `oid` is; null when it is none.
const CatalogInfo* FindCatalogOfToast(Oid oid);
// System catalog, its index, TOAST table or TOAST index: its descriptor is compiled in.
bool IsCatalogRelation(Oid oid);
// Lives in global/ (also its TOAST table and indexes).
bool IsSharedRelation(Oid oid);

}  // namespace walden

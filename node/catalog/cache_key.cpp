// Canonical bytes of catalog index keys.
#include "node/base/check.h"
#include "node/base/crc32c.h"
#include "node/catalog/change_log.h"
#include "node/types/array.h"

namespace walden {
namespace {

void AppendInteger(FieldKind kind, int64_t value, std::string* to) {
  if (kind == FieldKind::kOid) value = static_cast<uint32_t>(value);
  if (kind == FieldKind::kChar) value = static_cast<uint8_t>(value);
  to->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendText(std::string_view text, std::string* to) {
  AppendInteger(FieldKind::kInt64, static_cast<int64_t>(text.size()), to);
  to->append(text);
}

void AppendOids(const std::vector<Oid>& oids, std::string* to) {
  AppendInteger(FieldKind::kInt64, static_cast<int64_t>(oids.size()), to);
  for (Oid oid : oids) AppendInteger(FieldKind::kOid, OidNumber(oid), to);
}

void AppendValue(FieldKind kind, const Datum& datum, std::string* to) {
  switch (kind) {
    case FieldKind::kBool: return AppendInteger(kind, datum.b, to);
    case FieldKind::kChar: return AppendInteger(kind, datum.i8, to);
    case FieldKind::kInt16: return AppendInteger(kind, datum.i16, to);
    case FieldKind::kInt32:
    case FieldKind::kOid: return AppendInteger(kind, datum.i32, to);
    case FieldKind::kInt64: return AppendInteger(kind, datum.i64, to);
    case FieldKind::kString: return AppendText(datum.string.view(), to);
    case FieldKind::kOidVector: {
      std::vector<Oid> oids;
      ArrayView view(datum.string.view());
      ArrayReader reader(view, PhysicalType::kInt32);
      for (Value item; reader.Next(&item);) oids.push_back(Oid{static_cast<uint32_t>(item.datum.i32)});
      return AppendOids(oids, to);
    }
    default: CHECK(false);  // no such key column exists
  }
}

}  // namespace

std::string CanonicalKey(const CatalogInfo& catalog, const CatalogIndex& index, CatalogKeys keys) {
  std::string bytes;
  int column = 0;
  for (const CatalogKey& key : keys) {
    FieldKind kind = catalog.columns[index.keys[column++] - 1].kind;
    switch (key.kind()) {
      case CatalogKey::Kind::kInteger: AppendInteger(kind, key.integer(), &bytes); break;
      case CatalogKey::Kind::kText: AppendText(key.text(), &bytes); break;
      case CatalogKey::Kind::kOids: AppendOids(key.oids(), &bytes); break;
    }
  }
  return bytes;
}

std::string CanonicalKey(const CatalogInfo& catalog, const CatalogIndex& index, const Value* row) {
  std::string bytes;
  for (int k = 0; k < index.key_count; ++k) {
    AppendValue(catalog.columns[index.keys[k] - 1].kind, row[index.keys[k] - 1].datum, &bytes);
  }
  return bytes;
}

uint32_t HashCanonicalKey(std::string_view key) { return Crc32c(0, key.data(), key.size()); }

}  // namespace walden

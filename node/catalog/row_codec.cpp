// Between generated row structs and column values.
#include <cstddef>

#include "node/base/check.h"
#include "node/catalog/catalog_table.h"
#include "node/types/array.h"

namespace walden {
namespace {

template <class T>
const T& Member(const void* row, uint16_t offset) {
  return *reinterpret_cast<const T*>(static_cast<const char*>(row) + offset);
}
template <class T>
T& Member(void* row, uint16_t offset) {
  return *reinterpret_cast<T*>(static_cast<char*>(row) + offset);
}

template <class T, class Put>
void EncodeArray(const std::vector<T>& items, Oid element, PhysicalType physical, Arena& arena, Put put,
                 Datum* to) {
  ArrayBuilder builder(element, physical);
  for (const T& item : items) {
    Value value;
    value.is_null = false;
    put(item, &value.datum);
    builder.Add(value);
  }
  std::string_view bytes = builder.Finish(arena);
  *to = StringDatum(bytes);
}

// How each member type becomes a Datum and back.
void Put(bool v, const CatalogColumn&, Arena&, Datum* to) { to->b = v; }
void Put(char v, const CatalogColumn&, Arena&, Datum* to) { to->i8 = static_cast<int8_t>(v); }
void Put(int16_t v, const CatalogColumn&, Arena&, Datum* to) { to->i16 = v; }
void Put(int32_t v, const CatalogColumn&, Arena&, Datum* to) { to->i32 = v; }
void Put(int64_t v, const CatalogColumn&, Arena&, Datum* to) { to->i64 = v; }
void Put(float v, const CatalogColumn&, Arena&, Datum* to) { to->f32 = v; }
void Put(Oid v, const CatalogColumn&, Arena&, Datum* to) { to->i32 = static_cast<int32_t>(OidNumber(v)); }
void Put(const std::string& v, const CatalogColumn&, Arena&, Datum* to) { *to = StringDatum(v); }
void Put(const std::vector<int16_t>& v, const CatalogColumn& column, Arena& arena, Datum* to) {
  if (column.kind == FieldKind::kInt16Vector) {
    *to = StringDatum(MakeInt2Vector(v, arena));
  } else {
    EncodeArray(v, type_oid::kInt2, PhysicalType::kInt16, arena, [](int16_t i, Datum* d) { d->i16 = i; }, to);
  }
}
void Put(const std::vector<Oid>& v, const CatalogColumn& column, Arena& arena, Datum* to) {
  *to = StringDatum(column.kind == FieldKind::kOidVector ? MakeOidVector(v, arena) : MakeOidArray(v, arena));
}
void Put(const std::vector<float>& v, const CatalogColumn&, Arena& arena, Datum* to) {
  EncodeArray(v, type_oid::kFloat4, PhysicalType::kFloat32, arena, [](float f, Datum* d) { d->f32 = f; }, to);
}
void Put(const std::vector<char>& v, const CatalogColumn&, Arena& arena, Datum* to) {
  EncodeArray(
      v, type_oid::kChar, PhysicalType::kInt8, arena,
      [](char c, Datum* d) { d->i8 = static_cast<int8_t>(c); }, to);
}
void Put(const std::vector<std::string>& v, const CatalogColumn& column, Arena& arena, Datum* to) {
  Oid element = column.kind == FieldKind::kNameArray ? type_oid::kName : type_oid::kText;
  EncodeArray(
      v, element, PhysicalType::kString, arena, [](const std::string& s, Datum* d) { *d = StringDatum(s); },
      to);
}
void Put(const Acl& v, const CatalogColumn&, Arena& arena, Datum* to) {
  EncodeArray(
      v, type_oid::kAclItem, PhysicalType::kString, arena,
      [&](const AclItem& item, Datum* d) { *d = StringDatum(StoreAclItem(item, arena)); }, to);
}

template <class T, class Get>
void DecodeArray(const Datum& from, PhysicalType physical, Get get, std::vector<T>* to) {
  ArrayView view(from.string.view());
  to->clear();
  to->reserve(view.count());
  ArrayReader reader(view, physical);
  for (Value value; reader.Next(&value);) to->push_back(get(value.datum));
}

void Get(const Datum& d, bool* to) { *to = d.b; }
void Get(const Datum& d, char* to) { *to = static_cast<char>(d.i8); }
void Get(const Datum& d, int16_t* to) { *to = d.i16; }
void Get(const Datum& d, int32_t* to) { *to = d.i32; }
void Get(const Datum& d, int64_t* to) { *to = d.i64; }
void Get(const Datum& d, float* to) { *to = d.f32; }
void Get(const Datum& d, Oid* to) { *to = Oid{static_cast<uint32_t>(d.i32)}; }
void Get(const Datum& d, std::string* to) { to->assign(d.string.data, d.string.size); }
void Get(const Datum& d, std::vector<int16_t>* to) {
  DecodeArray(d, PhysicalType::kInt16, [](const Datum& e) { return e.i16; }, to);
}
void Get(const Datum& d, std::vector<Oid>* to) {
  DecodeArray(d, PhysicalType::kInt32, [](const Datum& e) { return Oid{static_cast<uint32_t>(e.i32)}; }, to);
}
void Get(const Datum& d, std::vector<float>* to) {
  DecodeArray(d, PhysicalType::kFloat32, [](const Datum& e) { return e.f32; }, to);
}
void Get(const Datum& d, std::vector<char>* to) {
  DecodeArray(d, PhysicalType::kInt8, [](const Datum& e) { return static_cast<char>(e.i8); }, to);
}
void Get(const Datum& d, std::vector<std::string>* to) {
  DecodeArray(d, PhysicalType::kString, [](const Datum& e) { return std::string(e.string.view()); }, to);
}
void Get(const Datum& d, Acl* to) {
  DecodeArray(d, PhysicalType::kString, [](const Datum& e) { return LoadAclItem(e.string.view()); }, to);
}

template <class T>
void EncodeField(const CatalogColumn& column, const void* row, Arena& arena, Value* to) {
  if (column.not_null) {
    to->is_null = false;
    Put(Member<T>(row, column.offset), column, arena, &to->datum);
    return;
  }
  const auto& member = Member<std::optional<T>>(row, column.offset);
  to->is_null = !member.has_value();
  if (member) Put(*member, column, arena, &to->datum);
}

template <class T>
void DecodeField(const CatalogColumn& column, const Value& from, void* row) {
  if (column.not_null) {
    Get(from.datum, &Member<T>(row, column.offset));
    return;
  }
  auto& member = Member<std::optional<T>>(row, column.offset);
  if (from.is_null) {
    member.reset();
  } else {
    Get(from.datum, &member.emplace());
  }
}

// Calls f.operator()<T>() for the member type of a column.
template <class F>
void WithMemberType(FieldKind kind, F f) {
  switch (kind) {
    case FieldKind::kBool: return f.template operator()<bool>();
    case FieldKind::kChar: return f.template operator()<char>();
    case FieldKind::kInt16: return f.template operator()<int16_t>();
    case FieldKind::kInt32: return f.template operator()<int32_t>();
    case FieldKind::kInt64: return f.template operator()<int64_t>();
    case FieldKind::kFloat32: return f.template operator()<float>();
    case FieldKind::kOid: return f.template operator()<Oid>();
    case FieldKind::kString: return f.template operator()<std::string>();
    case FieldKind::kInt16Vector:
    case FieldKind::kInt16Array: return f.template operator()<std::vector<int16_t>>();
    case FieldKind::kOidVector:
    case FieldKind::kOidArray: return f.template operator()<std::vector<Oid>>();
    case FieldKind::kFloat32Array: return f.template operator()<std::vector<float>>();
    case FieldKind::kCharArray: return f.template operator()<std::vector<char>>();
    case FieldKind::kTextArray:
    case FieldKind::kNameArray: return f.template operator()<std::vector<std::string>>();
    case FieldKind::kAclArray: return f.template operator()<Acl>();
  }
}

}  // namespace

void CatalogAccess::Encode(const CatalogInfo& info, const void* row, Arena& arena, Value* values) {
  for (size_t i = 0; i < info.columns.size(); ++i) {
    const CatalogColumn& column = info.columns[i];
    WithMemberType(column.kind, [&]<class T>() { EncodeField<T>(column, row, arena, &values[i]); });
  }
}

void CatalogAccess::Decode(const CatalogInfo& info, const Value* values, void* row) {
  for (size_t i = 0; i < info.columns.size(); ++i) {
    const CatalogColumn& column = info.columns[i];
    WithMemberType(column.kind, [&]<class T>() { DecodeField<T>(column, values[i], row); });
  }
}

}  // namespace walden

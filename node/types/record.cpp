#include "node/types/record.h"

#include <map>

#include "node/base/bytes.h"
#include "node/base/error.h"
#include "node/types/element.h"
#include "node/types/hash.h"
#include "node/types/integer.h"
#include "node/types/wire.h"

namespace walden {

namespace {

constexpr uint16_t kHasShape = 0x8000;

std::vector<std::vector<std::string>>& Shapes() {
  static std::vector<std::vector<std::string>> shapes;
  return shapes;
}

}  // namespace

uint32_t RegisterRecordShape(const std::vector<std::string>& names) {
  static std::map<std::vector<std::string>, uint32_t> numbers;
  auto [at, is_new] = numbers.try_emplace(names, static_cast<uint32_t>(Shapes().size()) + 1);
  if (is_new) Shapes().push_back(names);
  return at->second;
}

const std::vector<std::string>& RecordShapeNames(uint32_t shape) { return Shapes().at(shape - 1); }

uint32_t RecordShape(std::string_view record) {
  return (Load<uint16_t>(record.data()) & kHasShape) != 0 ? Load<uint32_t>(record.data() + 2) : 0;
}

std::string_view MakeRecord(std::span<const RecordField> fields, Arena& arena, uint32_t shape) {
  std::string bytes;
  auto raw = [&bytes](auto number) { bytes.append(reinterpret_cast<const char*>(&number), sizeof(number)); };
  raw(static_cast<uint16_t>(fields.size() | (shape != 0 ? kHasShape : 0)));
  if (shape != 0) raw(shape);
  for (const RecordField& field : fields) {
    raw(OidNumber(field.type));
    raw(static_cast<uint8_t>(field.value.is_null));
    if (!field.value.is_null) AppendElement(TypeOf(field.type).physical, field.value.datum, &bytes);
  }
  return arena.Copy(bytes);
}

std::vector<RecordField> ReadRecord(std::string_view record) {
  uint16_t count = Load<uint16_t>(record.data());
  std::vector<RecordField> fields(count & ~kHasShape);
  const char* at = record.data() + ((count & kHasShape) != 0 ? 6 : 2);
  for (RecordField& field : fields) {
    field.type = Oid{Load<uint32_t>(at)};
    field.value.is_null = at[4] != 0;
    at += 5;
    if (!field.value.is_null) field.value.datum = ReadElement(TypeOf(field.type).physical, &at);
  }
  return fields;
}

int CompareRecords(std::string_view a, std::string_view b) {
  std::vector<RecordField> x = ReadRecord(a), y = ReadRecord(b);
  for (size_t i = 0; i < x.size() && i < y.size(); ++i) {
    if (!IsValid(x[i].type) && !IsValid(y[i].type)) continue;
    if (x[i].type != y[i].type) {
      throw SqlError(ErrorCode::kDatatypeMismatch,
                     "cannot compare dissimilar column types {} and {} at record column {}",
                     TypeOf(x[i].type).name, TypeOf(y[i].type).name, i + 1);
    }
    const TypeDescriptor& type = TypeOf(x[i].type);
    if (x[i].value.is_null || y[i].value.is_null) {
      if (x[i].value.is_null && y[i].value.is_null) continue;
      return x[i].value.is_null ? 1 : -1;
    }
    if (type.compare == nullptr) {
      throw SqlError(ErrorCode::kUndefinedFunction, "could not identify a comparison function for type {}",
                     type.name);
    }
    if (int order = type.compare(x[i].value.datum, y[i].value.datum, nullptr)) return order;
  }
  if (x.size() != y.size()) {
    throw SqlError(ErrorCode::kDatatypeMismatch,
                   "cannot compare record types with different numbers of columns");
  }
  return 0;
}

namespace {

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (char c : text) {
    if (c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || IsSpace(c)) return true;
  }
  return false;
}

void In(std::string_view, TypeIo&, Datum*) {
  throw SqlError(ErrorCode::kFeatureNotSupported, "input of anonymous composite types is not implemented");
}

void Out(const Datum& v, TypeIo& io, std::string* to) {
  to->push_back('(');
  bool first = true;
  std::string text;
  for (const RecordField& field : ReadRecord(v.string.view())) {
    if (!IsValid(field.type)) continue;
    if (!first) to->push_back(',');
    first = false;
    if (field.value.is_null) continue;
    const TypeDescriptor& type = TypeOf(field.type);
    TypeIo field_io{io.arena, io.format, io.names, &type, -1};
    text.clear();
    type.output(field.value.datum, field_io, &text);
    if (!NeedsQuotes(text)) {
      *to += text;
      continue;
    }
    to->push_back('"');
    for (char c : text) {
      if (c == '"' || c == '\\') to->push_back(c);
      to->push_back(c);
    }
    to->push_back('"');
  }
  to->push_back(')');
}

void Send(const Datum& v, TypeIo& io, std::string* to) {
  std::vector<RecordField> fields = ReadRecord(v.string.view());
  std::erase_if(fields, [](const RecordField& field) { return !IsValid(field.type); });
  AppendBig<uint32_t>(to, static_cast<uint32_t>(fields.size()));
  for (const RecordField& field : fields) {
    AppendBig<uint32_t>(to, OidNumber(field.type));
    if (field.value.is_null) {
      AppendBig<uint32_t>(to, UINT32_MAX);
      continue;
    }
    const TypeDescriptor& type = TypeOf(field.type);
    if (type.send == nullptr) {
      throw SqlError(ErrorCode::kUndefinedFunction, "no binary output function available for type {}",
                     type.name);
    }
    size_t start = to->size();
    to->append(4, '\0');
    TypeIo field_io{io.arena, io.format, io.names, &type, -1};
    type.send(field.value.datum, field_io, to);
    StoreBig<uint32_t>(to->data() + start, static_cast<uint32_t>(to->size() - start - 4));
  }
}

int Compare(const Datum& a, const Datum& b, const void*) {
  return CompareRecords(a.string.view(), b.string.view());
}

uint64_t Hash(const Datum& v) {
  uint64_t hash = 1;
  for (const RecordField& field : ReadRecord(v.string.view())) {
    if (!IsValid(field.type)) continue;
    const TypeDescriptor& type = TypeOf(field.type);
    if (type.hash == nullptr) {
      throw SqlError(ErrorCode::kUndefinedFunction, "could not identify a hash function for type {}",
                     type.name);
    }
    hash = HashCombine(hash, field.value.is_null ? 0 : type.hash(field.value.datum));
  }
  return hash;
}

constexpr TypeDescriptor kTypes[] = {
    {Oid{2249}, "record", PhysicalType::kString, -1, 'd', 'p', ',', Oid{0}, Oid{2287}, In, Out, nullptr, Send,
     nullptr, nullptr, Compare, Hash},
};

}  // namespace

std::span<const TypeDescriptor> RecordTypes() { return kTypes; }

}  // namespace walden

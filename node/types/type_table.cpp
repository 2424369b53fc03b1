#include "node/types/type_table.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "node/base/error.h"
#include "node/types/array.h"
#include "node/types/datetime.h"
#include "node/types/floating.h"
#include "node/types/identifier.h"
#include "node/types/integer.h"
#include "node/types/interval.h"
#include "node/types/jsonb.h"
#include "node/types/network.h"
#include "node/types/numeric.h"
#include "node/types/record.h"
#include "node/types/text.h"
#include "node/types/xid_snapshot.h"

namespace walden {
namespace {

// All descriptors, with those of the array types made from their elements; found by OID through a flat table (the
// built-in OIDs are below 6,000).
class Table {
 public:
  Table() {
    for (auto family : {IntegerTypes(), FloatTypes(), TextTypes(), IdentifierTypes(), NumericTypes(),
                        DateTimeTypes(), IntervalTypes(), JsonTypes(), RecordTypes(), XidSnapshotTypes(),
                        NetworkTypes(), RegTypes(), PseudoTypes(), VectorTypes()}) {
      types_.insert(types_.end(), family.begin(), family.end());
    }
    size_t scalars = types_.size();
    types_.reserve(2 * scalars);
    for (size_t i = 0; i < scalars; ++i) {
      if (!IsValid(types_[i].array)) continue;
      array_names_.push_back(std::make_unique<std::string>("_" + std::string(types_[i].name)));
      types_.push_back(ArrayTypeOver(types_[i], *array_names_.back()));
    }
    for (const TypeDescriptor& type : types_) {
      if (OidNumber(type.oid) >= by_oid_.size()) by_oid_.resize(OidNumber(type.oid) + 1);
      by_oid_[OidNumber(type.oid)] = &type;
    }
  }
  const TypeDescriptor* Find(Oid oid) const {
    return OidNumber(oid) < by_oid_.size() ? by_oid_[OidNumber(oid)] : nullptr;
  }
  std::span<const TypeDescriptor> all() const { return types_; }

 private:
  std::vector<TypeDescriptor> types_;
  std::vector<std::unique_ptr<std::string>> array_names_;
  std::vector<const TypeDescriptor*> by_oid_;
};

const Table& Types() {
  static const Table table;
  return table;
}

TypeResolver type_resolver = nullptr;

}  // namespace

const TypeDescriptor* FindType(Oid oid) {
  const TypeDescriptor* type = Types().Find(oid);
  if (type == nullptr && type_resolver != nullptr) type = type_resolver(oid);
  return type;
}

const TypeDescriptor& TypeOf(Oid oid) {
  const TypeDescriptor* type = FindType(oid);
  if (type == nullptr)
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for type {}", OidNumber(oid));
  return *type;
}

std::span<const TypeDescriptor> BuiltinTypes() { return Types().all(); }
void SetTypeResolver(TypeResolver resolver) { type_resolver = resolver; }

Datum ParseText(const TypeDescriptor& type, std::string_view text, TypeIo io) {
  Datum result{.words = {0, 0}};
  io.type = &type;
  type.input(text, io, &result);
  return result;
}

std::string_view FormatText(const TypeDescriptor& type, const Datum& value, TypeIo io) {
  std::string text;
  io.type = &type;
  type.output(value, io, &text);
  return io.arena.Copy(text);
}

const TextFormat& DefaultTextFormat() {
  static const TextFormat format;
  return format;
}

}  // namespace walden

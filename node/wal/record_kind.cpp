#include "node/wal/record_kind.h"

#include <array>

namespace walden {
namespace {

constexpr RecordKindInfo kKinds[] = {
#define X(enumerator, number, family, name, scope) {RecordKind::enumerator, family, name, scope},
#include "node/wal/record_kinds.def"
#undef X
};
constexpr size_t kFamilies = 32, kPerFamily = 32;

// Position of each kind in kKinds plus one, by family and number.
constexpr auto kIndex = [] {
  std::array<uint8_t, kFamilies * kPerFamily> index{};
  uint8_t row = 0;
  for (const RecordKindInfo& info : kKinds) {
    uint16_t number = static_cast<uint16_t>(info.kind);
    size_t at = static_cast<size_t>(number >> 8) * kPerFamily + (number & 0xFF);
    if ((number >> 8) >= kFamilies || (number & 0xFF) >= kPerFamily || index[at] != 0)
      throw "record number out of range or used twice";
    index[at] = ++row;
  }
  return index;
}();

}  // namespace

std::span<const RecordKindInfo> RecordKinds() { return kKinds; }

const RecordKindInfo* FindRecordKind(RecordKind kind) {
  uint16_t number = static_cast<uint16_t>(kind);
  size_t family = number >> 8, in_family = number & 0xFF;
  if (family >= kFamilies || in_family >= kPerFamily) return nullptr;
  uint8_t row = kIndex[family * kPerFamily + in_family];
  return row == 0 ? nullptr : &kKinds[row - 1];
}

std::string RecordKindText(RecordKind kind) {
  const RecordKindInfo* info = FindRecordKind(kind);
  return info == nullptr ? "unknown" : std::string(info->family) + "/" + std::string(info->name);
}

}  // namespace walden

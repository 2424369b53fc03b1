#include "node/sql/executor/referential_records.h"

#include <algorithm>

#include "node/base/bytes.h"

namespace walden {
namespace {

using Kind = ReferentialEvent::Kind;

constexpr uint8_t kKindMask = 0x0f, kIsInsert = 0x10, kIsIdle = 0x20;
constexpr uint8_t kHasOldKey = 1, kHasNewKey = 2;
constexpr size_t kHeaderBytes = 4;

std::span<const Value> ReadKey(const RowLayout& layout, const char** at, Arena* arena) {
  char* row = static_cast<char*>(arena->Allocate(layout.row_bytes(), 16));
  *at += layout.DeserializeRow(*at, row, arena);
  size_t count = layout.types().size();
  Value* key = arena->NewArray<Value>(count);
  for (size_t i = 0; i < count; ++i) key[i] = layout.Get(row, i);
  return {key, count};
}

}  // namespace

uint16_t ReferentialRecords::SourceOf(const ReferentialEvent& event) {
  bool is_referencing = event.kind == Kind::kCheckReferencing;
  auto found = std::find_if(sources_.begin(), sources_.end(), [&](const Source& source) {
    return source.constraint->oid == event.constraint->oid && source.is_referencing == is_referencing;
  });
  if (found == sources_.end()) {
    std::vector<PhysicalType> types;
    for (int16_t attno : is_referencing ? *event.constraint->conkey : *event.constraint->confkey)
      types.push_back((*event.table->desc)[attno].physical);
    found =
        sources_.insert(found, {event.table, event.constraint, is_referencing, RowLayout(std::move(types))});
  }
  return static_cast<uint16_t>(found - sources_.begin());
}

void ReferentialRecords::WriteKey(const RowLayout& layout, std::span<const Value> key, std::string* record) {
  if (key.empty()) return;
  row_.assign(layout.row_bytes(), 0);
  for (size_t i = 0; i < key.size(); ++i) layout.Set(row_.data(), i, key[i]);
  layout.SerializeRow(row_.data(), record);
}

void ReferentialRecords::Write(const ReferentialEvent& event, std::string* record) {
  uint16_t number = SourceOf(event);
  char header[kHeaderBytes];
  Store<uint16_t>(header, number);
  Store<uint8_t>(header + 2,
                 static_cast<uint8_t>(static_cast<uint8_t>(event.kind) | (event.is_insert ? kIsInsert : 0) |
                                      (event.is_idle ? kIsIdle : 0)));
  Store<uint8_t>(header + 3, static_cast<uint8_t>((event.old_key.empty() ? 0 : kHasOldKey) |
                                                  (event.new_key.empty() ? 0 : kHasNewKey)));
  record->append(header, sizeof(header));
  WriteKey(sources_[number].layout, event.old_key, record);
  WriteKey(sources_[number].layout, event.new_key, record);
}

ReferentialEvent ReferentialRecords::Read(std::string_view record, Arena* arena) const {
  const Source& source = sources_[Load<uint16_t>(record.data())];
  uint8_t flags = Load<uint8_t>(record.data() + 2), keys = Load<uint8_t>(record.data() + 3);
  ReferentialEvent event{static_cast<Kind>(flags & kKindMask), source.table, source.constraint, {}, {}};
  event.is_insert = (flags & kIsInsert) != 0;
  event.is_idle = (flags & kIsIdle) != 0;
  const char* at = record.data() + kHeaderBytes;
  if ((keys & kHasOldKey) != 0) event.old_key = ReadKey(source.layout, &at, arena);
  if ((keys & kHasNewKey) != 0) event.new_key = ReadKey(source.layout, &at, arena);
  return event;
}

}  // namespace walden

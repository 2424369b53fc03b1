#include "node/access/deform.h"

#include <algorithm>
#include <cstring>

#include "node/base/error.h"
#include "node/txn/combo_cid.h"

namespace walden {

namespace {

void SetNull(DeformTarget& target, uint32_t row) {
  DCHECK(target.validity != nullptr);
  target.validity[row / 64] &= ~(uint64_t{1} << (row % 64));
  target.has_nulls = true;
  size_t width = PhysicalWidth(target.physical);
  std::memset(static_cast<char*>(target.data) + row * width, 0, width);
}

Datum CopyDatum(PhysicalType type, Datum datum, Arena* arena) {
  if (type == PhysicalType::kString) {
    datum.string.data = arena->Copy(datum.string.view()).data();
  } else if (type == PhysicalType::kNumeric && datum.numeric.kind == NumericKind::kBig) {
    datum.numeric.digits = arena->Copy({datum.numeric.digits, datum.numeric.digits_size}).data();
  }
  return datum;
}

// Payloads of the common form; everything else goes to DetoastPayload.
inline StringRef Payload(const char* p, const DeformContext& context) {
  if (IsExternal(p) || IsCompressed(p)) [[unlikely]]
    return DetoastPayload(p, context.arena, context.toast);
  return VarPayload(p);
}

template <class T>
void LoadColumn(std::span<const TupleView> rows, size_t offset, void* data, uint32_t row_offset) {
  T* out = static_cast<T*>(data) + row_offset;
  for (size_t i = 0; i < rows.size(); ++i) out[i] = Load<T>(rows[i].data + rows[i].header().hoff + offset);
}

struct Wide {
  uint64_t words[2];
};

void StoreDatum(DeformTarget& target, uint32_t row, const Datum& datum) {
  size_t width = PhysicalWidth(target.physical);
  std::memcpy(static_cast<char*>(target.data) + row * width, &datum, width);
}

// One step of the walk for every row: loads where wanted, moves the cursor past the attribute.
template <bool kNullable, class F>
void Walk(std::span<const TupleView> rows, const char** cursors, AttrNumber attno, DeformTarget* target,
          uint32_t row_offset, F take) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if constexpr (kNullable) {
      const TupleHeader& header = rows[i].header();
      if (header.has_null() && header.IsNullAt(attno)) {
        if (target != nullptr) SetNull(*target, row_offset + static_cast<uint32_t>(i));
        continue;
      }
    }
    cursors[i] = take(cursors[i], row_offset + i);
  }
}

template <bool kNullable, class T>
void WalkFixed(std::span<const TupleView> rows, const char** cursors, AttrNumber attno, DeformTarget& target,
               uint32_t row_offset) {
  T* out = static_cast<T*>(target.data);
  Walk<kNullable>(rows, cursors, attno, &target, row_offset, [out](const char* p, size_t row) {
    out[row] = Load<T>(p);
    return p + sizeof(T);
  });
}

template <bool kNullable>
void WalkString(std::span<const TupleView> rows, const char** cursors, AttrNumber attno, DeformTarget& target,
                uint32_t row_offset, const DeformContext& context) {
  StringRef* out = static_cast<StringRef*>(target.data);
  Walk<kNullable>(rows, cursors, attno, &target, row_offset, [&](const char* p, size_t row) {
    StringRef payload = Payload(p, context);
    if (context.copy) payload.data = context.arena->Copy(payload.view()).data();
    out[row] = payload;
    return p + VarSize(p);
  });
}

template <bool kNullable>
void WalkNumeric(std::span<const TupleView> rows, const char** cursors, AttrNumber attno,
                 DeformTarget& target, uint32_t row_offset, const DeformContext& context) {
  NumericRef* out = static_cast<NumericRef*>(target.data);
  Walk<kNullable>(rows, cursors, attno, &target, row_offset, [&](const char* p, size_t row) {
    out[row] = DecodeNumeric(Payload(p, context));
    if (context.copy)
      out[row] = CopyDatum(PhysicalType::kNumeric, Datum{.numeric = out[row]}, context.arena).numeric;
    return p + VarSize(p);
  });
}

template <bool kNullable>
void WalkOver(std::span<const TupleView> rows, const char** cursors, AttrNumber attno, PhysicalType type) {
  if (IsByReference(type)) {
    Walk<kNullable>(rows, cursors, attno, nullptr, 0, [](const char* p, size_t) { return p + VarSize(p); });
  } else {
    size_t width = PhysicalWidth(type);
    Walk<kNullable>(rows, cursors, attno, nullptr, 0, [width](const char* p, size_t) { return p + width; });
  }
}

Datum SystemAttribute(const TupleView& row, AttrNumber attno) {
  const TupleHeader& header = row.header();
  switch (attno) {
    case kSelfItemPointerAttr: return Datum{.i64 = TidToInt64(row.tid)};
    case kMinTransactionIdAttr: return Datum{.i64 = static_cast<int32_t>(header.xmin().Low32())};
    case kMaxTransactionIdAttr: return Datum{.i64 = static_cast<int32_t>(header.xmax().Low32())};
    // The raw field, as PostgreSQL shows it: a combo id of another transaction means nothing here.
    case kMinCommandIdAttr:
    case kMaxCommandIdAttr: return Datum{.i64 = static_cast<int32_t>(header.cid)};
    case kTableOidAttr: return Datum{.i64 = static_cast<int32_t>(OidNumber(row.table))};
    default: throw SqlError(ErrorCode::kInternalError, "invalid system attribute number {}", attno);
  }
}

}  // namespace

TupleDeformer::TupleDeformer(const TupleDesc& desc, std::span<const AttrNumber> attnos) : desc_(desc) {
  for (size_t k = 0; k < attnos.size(); ++k) {
    if (attnos[k] < 0) {
      system_targets_.push_back(static_cast<int16_t>(k));
      continue;
    }
    last_attno_ = std::max<int>(last_attno_, attnos[k]);
    target_of_.resize(last_attno_, -1);
    target_of_[attnos[k] - 1] = static_cast<int16_t>(k);
  }
  bool fixed_so_far = true;
  bool prefix_so_far = true;
  for (int attno = 1; attno <= last_attno_; ++attno) {
    const AttributeDesc& attribute = desc[attno];
    int offset = desc.fixed_offset(attno);
    bool readable_in_place = offset >= 0 && !IsByReference(attribute.physical);
    Step step{static_cast<AttrNumber>(attno), attribute.physical, attribute.dropped, target_of_[attno - 1],
              static_cast<int16_t>(offset)};
    if (fixed_so_far && !readable_in_place) {
      fixed_so_far = false;
      walking_offset_ = offset;
    }
    if (prefix_so_far && attno > desc.fixed_prefix()) {
      prefix_so_far = false;
      nullable_offset_ = offset;
    }
    if (!fixed_so_far || step.target >= 0) (fixed_so_far ? fixed_ : walking_).push_back(step);
    if (!prefix_so_far || step.target >= 0) (prefix_so_far ? prefix_ : walking_nullable_).push_back(step);
  }
}

void TupleDeformer::DeformBatch(std::span<const TupleView> rows, std::span<DeformTarget> targets,
                                uint32_t row_offset, const DeformContext& context) {
  for (int16_t target : system_targets_) DeformSystem(rows, targets[target], row_offset);
  if (last_attno_ == 0 || rows.empty()) return;
  uint16_t any_flags = 0;
  int least_natts = kMaxAttributes;
  for (const TupleView& row : rows) {
    any_flags |= row.header().flags();
    least_natts = std::min(least_natts, row.header().natts());
  }
  int prefix = std::min(last_attno_, desc_.fixed_prefix());
  auto has_prefix = [prefix](const TupleView& row) { return row.header().ArePresent(prefix); };
  bool is_regular = least_natts >= last_attno_ &&
                    ((any_flags & kHasNull) == 0 || std::all_of(rows.begin(), rows.end(), has_prefix));
  if (!is_regular) {
    for (size_t i = 0; i < rows.size(); ++i) {
      DeformRow(rows[i], targets, row_offset + static_cast<uint32_t>(i), context);
    }
  } else if (any_flags & kHasNull) {
    DeformFixed(rows, prefix_, targets, row_offset);
    DeformWalking<true>(rows, walking_nullable_, nullable_offset_, targets, row_offset, context);
  } else {
    DeformFixed(rows, fixed_, targets, row_offset);
    DeformWalking<false>(rows, walking_, walking_offset_, targets, row_offset, context);
  }
}

void TupleDeformer::DeformFixed(std::span<const TupleView> rows, std::span<const Step> steps,
                                std::span<DeformTarget> targets, uint32_t row_offset) {
  for (const Step& step : steps) {
    DeformTarget& target = targets[step.target];
    if (step.dropped) {
      for (size_t i = 0; i < rows.size(); ++i) SetNull(target, row_offset + static_cast<uint32_t>(i));
      continue;
    }
    switch (PhysicalWidth(step.physical)) {
      case 1: LoadColumn<uint8_t>(rows, step.offset, target.data, row_offset); break;
      case 2: LoadColumn<uint16_t>(rows, step.offset, target.data, row_offset); break;
      case 4: LoadColumn<uint32_t>(rows, step.offset, target.data, row_offset); break;
      case 8: LoadColumn<uint64_t>(rows, step.offset, target.data, row_offset); break;
      default: LoadColumn<Wide>(rows, step.offset, target.data, row_offset); break;
    }
  }
}

template <bool kNullable>
void TupleDeformer::DeformWalking(std::span<const TupleView> rows, std::span<const Step> steps,
                                  int start_offset, std::span<DeformTarget> targets, uint32_t row_offset,
                                  const DeformContext& context) {
  if (steps.empty()) return;
  if (cursors_.size() < rows.size()) cursors_.resize(rows.size());
  const char** cursors = cursors_.data();
  for (size_t i = 0; i < rows.size(); ++i) cursors[i] = rows[i].data + rows[i].header().hoff + start_offset;
  for (const Step& step : steps) {
    if (step.target < 0 || step.dropped) {
      WalkOver<kNullable>(rows, cursors, step.attno, step.physical);
      if (step.target < 0) continue;
      for (size_t i = 0; i < rows.size(); ++i)
        SetNull(targets[step.target], row_offset + static_cast<uint32_t>(i));
      continue;
    }
    DeformTarget& target = targets[step.target];
    if (step.physical == PhysicalType::kString) {
      WalkString<kNullable>(rows, cursors, step.attno, target, row_offset, context);
    } else if (step.physical == PhysicalType::kNumeric) {
      WalkNumeric<kNullable>(rows, cursors, step.attno, target, row_offset, context);
    } else {
      switch (PhysicalWidth(step.physical)) {
        case 1: WalkFixed<kNullable, uint8_t>(rows, cursors, step.attno, target, row_offset); break;
        case 2: WalkFixed<kNullable, uint16_t>(rows, cursors, step.attno, target, row_offset); break;
        case 4: WalkFixed<kNullable, uint32_t>(rows, cursors, step.attno, target, row_offset); break;
        case 8: WalkFixed<kNullable, uint64_t>(rows, cursors, step.attno, target, row_offset); break;
        default: WalkFixed<kNullable, Wide>(rows, cursors, step.attno, target, row_offset); break;
      }
    }
  }
}

void TupleDeformer::DeformRow(const TupleView& row, std::span<DeformTarget> targets, uint32_t row_index,
                              const DeformContext& context) {
  const TupleHeader& header = row.header();
  const char* p = header.attributes();
  for (int attno = 1; attno <= last_attno_; ++attno) {
    const AttributeDesc& attribute = desc_[attno];
    int target = target_of_[attno - 1];
    bool stored = attno <= header.natts();
    if (stored && !(header.has_null() && header.IsNullAt(attno))) {
      if (target >= 0) {
        if (attribute.dropped) {
          SetNull(targets[target], row_index);
        } else {
          StoreDatum(targets[target], row_index, LoadAttribute(attribute.physical, p, context));
        }
      }
      p += AttributeSize(attribute.physical, p);
    } else if (target >= 0) {
      if (!stored && attribute.has_missing && !attribute.dropped) {
        StoreDatum(targets[target], row_index, attribute.missing);
      } else {
        SetNull(targets[target], row_index);
      }
    }
  }
}

void TupleDeformer::DeformSystem(std::span<const TupleView> rows, DeformTarget& target, uint32_t row_offset) {
  for (size_t i = 0; i < rows.size(); ++i) {
    StoreDatum(target, row_offset + static_cast<uint32_t>(i), SystemAttribute(rows[i], target.attno));
  }
}

CommandId VisibleCmin(const TupleHeader& header) {
  return (header.infomask & kComboCid) != 0 ? ComboCmin(header.cid) : header.cid;
}

CommandId VisibleCmax(const TupleHeader& header) {
  return (header.infomask & kComboCid) != 0 ? ComboCmax(header.cid) : header.cid;
}

Datum LoadAttribute(PhysicalType type, const char* p, const DeformContext& context) {
  Datum datum{.words = {0, 0}};
  switch (type) {
    case PhysicalType::kString:
      datum.string = Payload(p, context);
      return context.copy ? CopyDatum(type, datum, context.arena) : datum;
    case PhysicalType::kNumeric:
      datum.numeric = DecodeNumeric(Payload(p, context));
      return context.copy ? CopyDatum(type, datum, context.arena) : datum;
    case PhysicalType::kBool:
    case PhysicalType::kInt8: datum.i8 = Load<int8_t>(p); break;
    case PhysicalType::kInt16: datum.i16 = Load<int16_t>(p); break;
    case PhysicalType::kInt32:
    case PhysicalType::kFloat32: datum.i32 = Load<int32_t>(p); break;
    case PhysicalType::kInt64:
    case PhysicalType::kFloat64: datum.i64 = Load<int64_t>(p); break;
    case PhysicalType::kFixed16: std::memcpy(&datum, p, 16); break;
  }
  return datum;
}

void DeformTuple(const TupleDesc& desc, const TupleView& row, Value* values, const DeformContext& context) {
  const TupleHeader& header = row.header();
  bool has_null = header.has_null();
  int natts = header.natts();
  const char* p = header.attributes();
  for (int attno = 1; attno <= desc.size(); ++attno) {
    const AttributeDesc& attribute = desc[attno];
    Value& value = values[attno - 1];
    value = Value{};
    if (attno > natts) {
      if (attribute.has_missing && !attribute.dropped) value = {attribute.missing, false};
      continue;
    }
    if (has_null && header.IsNullAt(attno)) continue;
    if (!attribute.dropped) value = {LoadAttribute(attribute.physical, p, context), false};
    p += AttributeSize(attribute.physical, p);
  }
}

const char* FindAttribute(const TupleDesc& desc, const TupleView& row, AttrNumber attno) {
  const TupleHeader& header = row.header();
  if (attno > header.natts()) return nullptr;
  bool has_null = header.has_null();
  if (has_null && header.IsNullAt(attno)) return nullptr;
  const char* p = header.attributes();
  int fixed = desc.fixed_offset(attno);
  if (fixed >= 0 && header.ArePresent(attno - 1)) return p + fixed;
  for (int i = 1; i < attno; ++i) {
    if (has_null && header.IsNullAt(i)) continue;
    p += AttributeSize(desc[i].physical, p);
  }
  return p;
}

Value GetAttribute(const TupleDesc& desc, const TupleView& row, AttrNumber attno,
                   const DeformContext& context) {
  if (attno < 0) return {SystemAttribute(row, attno), false};
  const AttributeDesc& attribute = desc[attno];
  if (attribute.dropped) return {};
  if (attno > row.header().natts()) return attribute.has_missing ? Value{attribute.missing, false} : Value{};
  const char* p = FindAttribute(desc, row, attno);
  return p == nullptr ? Value{} : Value{LoadAttribute(attribute.physical, p, context), false};
}

}  // namespace walden

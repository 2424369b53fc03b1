#include "node/access/tuple.h"

#include <cstring>

#include "node/base/error.h"

namespace walden {

namespace {

constexpr uint32_t kShortPayloadMax = 126;
constexpr size_t kMaxRowSize = (size_t{1} << 30) - 1;

constexpr uint8_t kNumericWideScale = 0x40;
constexpr uint8_t kNumericBig = 0x80;
constexpr uint8_t kNumericNaN = 0xc0;
constexpr uint8_t kNumericPositiveInfinity = 0xc1;
constexpr uint8_t kNumericNegativeInfinity = 0xc2;
constexpr int16_t kInlineScaleMax = 0x3f;

// The fewest two's complement bytes that hold `value`; none for zero.
int IntegerBytes(int64_t value) {
  if (value == 0) return 0;
  int bits = 64 - __builtin_clrsbll(value);
  return (bits + 7) / 8;
}

size_t VarTotalSize(size_t payload_size) {
  return payload_size <= kShortPayloadMax ? payload_size + 1 : payload_size + 4;
}

char* StoreVarHeader(char* to, size_t payload_size) {
  if (payload_size <= kShortPayloadMax) {
    *to = static_cast<char>((payload_size + 1) << 1 | 1);
    return to + 1;
  }
  Store<uint32_t>(to, static_cast<uint32_t>(payload_size + 4) << 2);
  return to + 4;
}

// One attribute of a row being formed: a Value, or the stored bytes of the old row.
struct Source {
  const char* stored;  // null: use `datum`
  const Datum* datum;
  bool is_null;
};

// Lays out the row that `source_of(attno)` describes.
template <class F>
void Form(const TupleDesc& desc, F source_of, TupleBuffer* out) {
  int natts = desc.size();
  size_t data_size = 0;
  bool has_null = false;
  for (int attno = 1; attno <= natts; ++attno) {
    Source source = source_of(attno);
    if (source.is_null) {
      has_null = true;
      continue;
    }
    PhysicalType type = desc[attno].physical;
    data_size +=
        source.stored != nullptr ? AttributeSize(type, source.stored) : StoredSize(type, *source.datum);
  }
  size_t hoff = TupleHoff(has_null, natts);
  if (hoff + data_size > kMaxRowSize) {
    throw SqlError(ErrorCode::kProgramLimitExceeded, "row is too big: size {}, maximum size {}",
                   hoff + data_size, kMaxRowSize);
  }
  char* row = out->Prepare(hoff + data_size);
  std::memset(row, 0, hoff);
  TupleHeader& header = *reinterpret_cast<TupleHeader*>(row);
  header.infomask2 = static_cast<uint16_t>(natts);
  header.hoff = static_cast<uint8_t>(hoff);
  uint16_t infomask = has_null ? kHasNull : 0;
  char* to = row + hoff;
  for (int attno = 1; attno <= natts; ++attno) {
    Source source = source_of(attno);
    if (source.is_null) continue;
    if (has_null) header.null_bitmap[(attno - 1) >> 3] |= static_cast<uint8_t>(1 << ((attno - 1) & 7));
    PhysicalType type = desc[attno].physical;
    if (source.stored == nullptr) {
      to = StoreAttribute(type, *source.datum, to);
    } else {
      uint32_t size = AttributeSize(type, source.stored);
      std::memcpy(to, source.stored, size);
      to += size;
    }
    if (IsByReference(type)) {
      infomask |= kHasVarWidth;
      if (source.stored != nullptr && IsExternal(source.stored)) infomask |= kHasExternal;
    }
  }
  header.infomask = infomask;
  DCHECK(to == row + hoff + data_size);
}

}  // namespace

TupleDesc::TupleDesc(std::vector<AttributeDesc> attributes) : attributes_(std::move(attributes)) {
  CHECK(attributes_.size() <= kMaxAttributes);
  int offset = 0;
  bool in_prefix = true;
  for (const AttributeDesc& attribute : attributes_) {
    fixed_offsets_.push_back(static_cast<int16_t>(offset));
    if (offset >= 0) {
      offset = IsByReference(attribute.physical)
                   ? -1
                   : offset + static_cast<int>(PhysicalWidth(attribute.physical));
    }
    in_prefix = in_prefix && offset >= 0 && attribute.not_null && !attribute.dropped;
    if (in_prefix) ++fixed_prefix_;
  }
}

char* TupleBuffer::Prepare(size_t size) {
  size_t words = (size + 7) / 8;
  if (words_.size() < words) words_.resize(words + words / 2);
  size_ = static_cast<uint32_t>(size);
  return data();
}

void FormTuple(const TupleDesc& desc, const Value* values, TupleBuffer* out) {
  Form(
      desc,
      [&](int attno) -> Source {
        const Value& value = values[attno - 1];
        return {nullptr, &value.datum, value.is_null || desc[attno].dropped};
      },
      out);
}

void FormUpdatedTuple(const TupleDesc& desc, const TupleView& old_row, const Value* values,
                      const AttrSet& replaced, TupleBuffer* out) {
  const TupleHeader& old_header = old_row.header();
  int stored_natts = old_header.natts();
  bool has_null = old_header.has_null();
  const char* stored[kMaxAttributes];
  const char* p = old_header.attributes();
  for (int attno = 1; attno <= desc.size(); ++attno) {
    stored[attno - 1] = nullptr;
    if (attno > stored_natts || (has_null && old_header.IsNullAt(attno))) continue;
    stored[attno - 1] = p;
    p += AttributeSize(desc[attno].physical, p);
  }
  Form(
      desc,
      [&](int attno) -> Source {
        const AttributeDesc& attribute = desc[attno];
        if (attribute.dropped) return {nullptr, nullptr, true};
        if (replaced.Contains(attno)) return {nullptr, &values[attno - 1].datum, values[attno - 1].is_null};
        if (stored[attno - 1] != nullptr) return {stored[attno - 1], nullptr, false};
        return {nullptr, &attribute.missing, attno <= stored_natts || !attribute.has_missing};
      },
      out);
}

size_t StoredSize(PhysicalType type, const Datum& value) {
  if (type == PhysicalType::kString) return VarTotalSize(value.string.size);
  if (type == PhysicalType::kNumeric) return VarTotalSize(EncodedNumericSize(value.numeric));
  return PhysicalWidth(type);
}

char* StoreAttribute(PhysicalType type, const Datum& value, char* to) {
  if (type == PhysicalType::kString) {
    to = StoreVarHeader(to, value.string.size);
    if (value.string.size != 0) std::memcpy(to, value.string.data, value.string.size);
    return to + value.string.size;
  }
  if (type == PhysicalType::kNumeric) {
    to = StoreVarHeader(to, EncodedNumericSize(value.numeric));
    return EncodeNumeric(value.numeric, to);
  }
  size_t width = PhysicalWidth(type);
  std::memcpy(to, &value, width);
  return to + width;
}

size_t EncodedNumericSize(const NumericRef& value) {
  switch (value.kind) {
    case NumericKind::kSmall: {
      size_t scale_bytes = value.scale >= 0 && value.scale <= kInlineScaleMax ? 0 : 2;
      return 1 + scale_bytes + IntegerBytes(value.scaled);
    }
    case NumericKind::kBig: return 3 + size_t{value.digits_size};
    default: return 1;
  }
}

char* EncodeNumeric(const NumericRef& value, char* to) {
  switch (value.kind) {
    case NumericKind::kSmall: {
      if (value.scale >= 0 && value.scale <= kInlineScaleMax) {
        *to++ = static_cast<char>(value.scale);
      } else {
        *to++ = static_cast<char>(kNumericWideScale);
        Store<int16_t>(to, value.scale);
        to += 2;
      }
      int bytes = IntegerBytes(value.scaled);
      std::memcpy(to, &value.scaled, bytes);
      return to + bytes;
    }
    case NumericKind::kBig:
      *to = static_cast<char>(kNumericBig);
      Store<int16_t>(to + 1, value.scale);
      std::memcpy(to + 3, value.digits, value.digits_size);
      return to + 3 + value.digits_size;
    case NumericKind::kNaN: *to = static_cast<char>(kNumericNaN); break;
    case NumericKind::kPositiveInfinity: *to = static_cast<char>(kNumericPositiveInfinity); break;
    case NumericKind::kNegativeInfinity: *to = static_cast<char>(kNumericNegativeInfinity); break;
  }
  return to + 1;
}

NumericRef DecodeNumeric(StringRef payload) {
  NumericRef value{};
  uint8_t first = static_cast<uint8_t>(*payload.data);
  if (first <= kNumericWideScale) {
    size_t prefix = 1;
    value.scale = first;
    if (first == kNumericWideScale) {
      value.scale = Load<int16_t>(payload.data + 1);
      prefix = 3;
    }
    int bits = static_cast<int>(payload.size - prefix) * 8;
    value.kind = NumericKind::kSmall;
    // The 8 bytes that end with the payload: what precedes the integer is shifted out.
    value.scaled = bits == 0 ? 0 : Load<int64_t>(payload.data + payload.size - 8) >> (64 - bits);
    return value;
  }
  switch (first) {
    case kNumericBig:
      value.kind = NumericKind::kBig;
      value.scale = Load<int16_t>(payload.data + 1);
      value.digits = payload.data + 3;
      value.digits_size = static_cast<uint32_t>(payload.size - 3);
      break;
    case kNumericNaN: value.kind = NumericKind::kNaN; break;
    case kNumericPositiveInfinity: value.kind = NumericKind::kPositiveInfinity; break;
    case kNumericNegativeInfinity: value.kind = NumericKind::kNegativeInfinity; break;
    default: throw SqlError(ErrorCode::kDataCorrupted, "invalid numeric value on disk");
  }
  return value;
}

}  // namespace walden

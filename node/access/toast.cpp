#include "node/access/toast.h"

#include <lz4.h>

#include "node/access/compression.h"
#include "node/access/pglz.h"
#include "node/access/tuple.h"
#include "node/base/error.h"
#include "node/config/settings.h"

namespace walden {

namespace {
constexpr uint32_t kSizeMask = (uint32_t{1} << 30) - 1;
constexpr uint8_t kOnDiskTag = 1;
constexpr size_t kLeastCompressibleSize = 32;
}  // namespace

ToastPointer LoadToastPointer(const char* attribute) {
  DCHECK(IsExternal(attribute));
  const char* p = attribute + 1;
  if (static_cast<uint8_t>(*p) != kOnDiskTag) {
    throw SqlError(ErrorCode::kDataCorrupted, "unrecognized toast pointer tag {}", static_cast<uint8_t>(*p));
  }
  uint32_t stored = Load<uint32_t>(p + 5);
  return {Load<uint32_t>(p + 1), stored & kSizeMask, static_cast<CompressionMethod>(stored >> 30),
          Oid{Load<uint32_t>(p + 9)}, Oid{Load<uint32_t>(p + 13)}};
}

void StoreToastPointer(const ToastPointer& pointer, char* attribute) {
  attribute[0] = 0x01;
  attribute[1] = kOnDiskTag;
  Store<uint32_t>(attribute + 2, pointer.raw_size);
  Store<uint32_t>(attribute + 6, pointer.stored_size | static_cast<uint32_t>(pointer.method) << 30);
  Store<uint32_t>(attribute + 10, OidNumber(pointer.value_id));
  Store<uint32_t>(attribute + 14, OidNumber(pointer.toast_table));
}

StringRef DetoastPayload(const char* attribute, Arena* arena, const ToastSource* toast) {
  if (IsExternal(attribute)) {
    ToastPointer pointer = LoadToastPointer(attribute);
    if (toast == nullptr) {
      throw SqlError(ErrorCode::kDataCorrupted, "missing toast table for toast value {}",
                     OidNumber(pointer.value_id));
    }
    std::string_view stored = toast->Fetch(pointer, *arena);
    if (pointer.method != CompressionMethod::kNone) {
      stored = Decompress(pointer.method, stored, pointer.raw_size, *arena);
    }
    return {stored.data(), stored.size()};
  }
  if (!IsCompressed(attribute)) return VarPayload(attribute);
  uint32_t info = Load<uint32_t>(attribute + 4);
  std::string_view raw = Decompress(static_cast<CompressionMethod>(info >> 30),
                                    {attribute + 8, VarSize(attribute) - 8}, info & kSizeMask, *arena);
  return {raw.data(), raw.size()};
}

CompressionMethod ChosenCompression(char attcompression) {
  if (attcompression == 'l') return CompressionMethod::kLz4;
  if (attcompression == 'p') return kPglz;
  return GetEnum<ToastCompression>(Setting::kDefaultToastCompression) == ToastCompression::kLz4
             ? CompressionMethod::kLz4
             : kPglz;
}

std::string_view Compress(CompressionMethod method, std::string_view payload, Arena& arena) {
  if (payload.size() < kLeastCompressibleSize) return {};
  // A result that does not fit into three quarters is not worth keeping.
  int capacity = static_cast<int>(payload.size() / 4 * 3);
  char* to = static_cast<char*>(arena.Allocate(capacity, 1));
  if (method == kPglz) {
    size_t size = PglzCompress(payload, {to, static_cast<size_t>(capacity)});
    return size == 0 ? std::string_view() : std::string_view(to, size);
  }
  DCHECK(method == CompressionMethod::kLz4);
  int size = LZ4_compress_default(payload.data(), to, static_cast<int>(payload.size()), capacity);
  return size <= 0 ? std::string_view() : std::string_view(to, size);
}

std::string_view Decompress(CompressionMethod method, std::string_view compressed, uint32_t raw_size,
                            Arena& arena) {
  if (method == kPglz) {
    char* to = static_cast<char*>(arena.Allocate(raw_size, 1));
    if (!PglzDecompress(compressed, {to, raw_size})) {
      throw SqlError(ErrorCode::kDataCorrupted, "compressed pglz data is corrupt");
    }
    return {to, raw_size};
  }
  if (method != CompressionMethod::kLz4) {
    throw SqlError(ErrorCode::kDataCorrupted, "invalid compression method id {}", static_cast<int>(method));
  }
  char* to = static_cast<char*>(arena.Allocate(raw_size, 1));
  int size = LZ4_decompress_safe(compressed.data(), to, static_cast<int>(compressed.size()),
                                 static_cast<int>(raw_size));
  if (size < 0 || static_cast<uint32_t>(size) != raw_size) {
    throw SqlError(ErrorCode::kDataCorrupted, "compressed lz4 data is corrupt");
  }
  return {to, raw_size};
}

}  // namespace walden

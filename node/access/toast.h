// Over-long values: compression in the row, or moved out of line into the table's TOAST table. This header
// has the formats and the interface by which rows are read; heap/toast.h stores and deletes.
//
// Format: ToastPointer, after the byte 0x01
//   0  1  tag, 1 = on disk
//   1  4  raw payload size
//   5  4  stored size (low 30 bits), compression method (high 2 bits)
//   9  4  value id (chunk_id)
//  13  4  OID of the TOAST table
#pragma once

#include <cstdint>
#include <string_view>

#include "node/base/arena.h"
#include "node/base/ids.h"
#include "node/types/value.h"

namespace walden {

// 0 stands for pglz, see compression.h.
enum class CompressionMethod : uint8_t { kLz4 = 1, kNone = 3 };

struct ToastPointer {
  uint32_t raw_size;
  uint32_t stored_size;
  CompressionMethod method;  // kNone: the chunks hold the payload itself
  Oid value_id;
  Oid toast_table;
};
ToastPointer LoadToastPointer(const char* attribute);  // requires IsExternal
void StoreToastPointer(const ToastPointer& pointer, char* attribute);

// Reads out-of-line values; a table's TOAST table implements it (heap/toast.h).
class ToastSource {
 public:
  virtual ~ToastSource() = default;
  // The stored bytes (still compressed, if method says so), allocated in `arena`. Throws XX001 when chunks
  // are missing.
  virtual std::string_view Fetch(const ToastPointer& pointer, Arena& arena) const = 0;
};

// The payload of any variable-width attribute. Plain ones point into the row; others are made in `arena`.
StringRef DetoastPayload(const char* attribute, Arena* arena, const ToastSource* toast);

// Compresses `payload`; returns an empty view (in which case nothing is kept) unless that saves a quarter of
// it. Format: the bytes of the method alone, without header.
std::string_view Compress(CompressionMethod method, std::string_view payload, Arena& arena);
// Throws XX001 "compressed ... data is corrupt".
std::string_view Decompress(CompressionMethod method, std::string_view compressed, uint32_t raw_size,
                            Arena& arena);

}  // namespace walden

// The binary format of COPY.
//
// Format: "PGCOPY\n\377\r\n\0", u32 flags, u32 length of a header extension and its bytes; rows: i16 field count, for each field i32
// length (-1: null) and the type's binary form; at the end i16 -1. Big-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace walden {

std::string CopyBinaryHeader();
std::string CopyBinaryTrailer();
// Appends one field; the row's count stands before its first.
void AppendCopyBinaryCount(int columns, std::string* to);
void AppendCopyBinaryField(std::optional<std::string_view> bytes, std::string* to);

// Cuts incoming bytes into rows.
class CopyBinaryReader {
 public:
  explicit CopyBinaryReader(int columns) : columns_(columns) {}
  void Feed(std::string_view bytes, bool last);
  // The next whole row, its fields valid until the next Feed; false when more bytes are needed or the data has ended. Throws 22P04.
  bool NextRow(std::vector<std::optional<std::string_view>>* fields);
  uint64_t row_number() const { return row_number_; }

 private:
  bool ReadHeader();
  // True when `wanted` more bytes are there; throws at the end of the data.
  bool Has(size_t at, size_t wanted) const;

  int columns_;
  std::string buffer_;
  size_t at_ = 0;
  bool last_ = false;
  bool header_read_ = false;
  bool ended_ = false;
  uint64_t row_number_ = 0;
};

}  // namespace walden

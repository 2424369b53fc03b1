// Encodings that clients may use; the server's is UTF-8. Conversions are ICU's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct UConverter;

namespace walden {

struct Encoding {
  int id;                   // PostgreSQL's number (pg_database.encoding, pg_encoding_to_char)
  const char* name;         // "LATIN1"
  const char* icu;          // null: no conversion exists
  const char* other_names;  // folded as FindEncoding does, each between spaces
};
inline constexpr int kUtf8EncodingId = 6, kSqlAsciiEncodingId = 0;

// Ignores case and everything that is neither letter nor digit ("iso-8859-1" is LATIN1). Null if there is none.
const Encoding* FindEncoding(std::string_view name);
const Encoding* EncodingById(int id);

// Text between one client encoding and UTF-8. Keeps state between calls of Stream only.
class EncodingConverter {
 public:
  // Throws 0A000 for an encoding without a conversion.
  explicit EncodingConverter(const Encoding& encoding);
  ~EncodingConverter();
  EncodingConverter(const EncodingConverter&) = delete;
  EncodingConverter& operator=(const EncodingConverter&) = delete;

  const Encoding& encoding() const { return encoding_; }
  // Throws 22021 for bytes that are no text in this encoding.
  std::string ToUtf8(std::string_view text);
  // A part of a longer text, whose characters may lie across parts. `last`: nothing may be left over.
  std::string Stream(std::string_view part, bool last);
  // Throws 22P05 for a character that the encoding lacks; `lossy`: replaces it.
  std::string FromUtf8(std::string_view text, bool lossy = false);

 private:
  std::string Convert(std::string_view text, bool last);

  const Encoding& encoding_;
  UConverter* converter_;
};

// Null for UTF8, and for SQL_ASCII, which means bytes as they are. Throws as EncodingConverter.
std::unique_ptr<EncodingConverter> MakeConverter(const Encoding& encoding);

}  // namespace walden

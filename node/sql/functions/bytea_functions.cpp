// bytea: parts, bits, encodings, digests.
#include <openssl/evp.h>

#include <array>
#include <bit>

#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/integer.h"
#include "node/types/regex.h"
#include "node/types/text.h"

namespace walden {
namespace {

using View = std::string_view;

View Part(View a, int64_t start, int64_t length) {
  int64_t end = start + length;
  if (start < 1) start = 1;
  if (end <= start || start > static_cast<int64_t>(a.size())) return {};
  return a.substr(static_cast<size_t>(start - 1), static_cast<size_t>(end - start));
}
View Substring(View a, int32_t start, int32_t length) {
  if (length < 0) throw SqlError(ErrorCode::kSubstringError, "negative substring length not allowed");
  return Part(a, start, length);
}
View SubstringFrom(View a, int32_t start) { return Part(a, start, int64_t{INT32_MAX} * 2); }
int32_t Position(View a, View b) {
  size_t at = a.find(b);
  return at == View::npos ? 0 : static_cast<int32_t>(at + 1);
}
View OverlayFor(CallContext& c, View a, View b, int32_t start, int32_t length) {
  if (start <= 0) throw SqlError(ErrorCode::kSubstringError, "negative substring length not allowed");
  return Keep(c, std::string(Part(a, 1, start - 1)) + std::string(b) +
                     std::string(Part(a, int64_t{start} + length, int64_t{INT32_MAX} * 2)));
}
View Overlay(CallContext& c, View a, View b, int32_t start) {
  return OverlayFor(c, a, b, start, static_cast<int32_t>(b.size()));
}
View TrimLeft(View a, View set) {
  while (!a.empty() && set.find(a.front()) != View::npos) a.remove_prefix(1);
  return a;
}
View TrimRight(View a, View set) {
  while (!a.empty() && set.find(a.back()) != View::npos) a.remove_suffix(1);
  return a;
}
View Trim(View a, View set) { return TrimRight(TrimLeft(a, set), set); }

void CheckIndex(int64_t index, int64_t count) {
  if (index < 0 || index >= count) {
    throw SqlError(ErrorCode::kArraySubscriptError, "index {} out of valid range, 0..{}", index, count - 1);
  }
}
int32_t GetByte(View a, int32_t index) {
  CheckIndex(index, static_cast<int64_t>(a.size()));
  return static_cast<uint8_t>(a[static_cast<size_t>(index)]);
}
View SetByte(CallContext& c, View a, int32_t index, int32_t value) {
  CheckIndex(index, static_cast<int64_t>(a.size()));
  std::string bytes(a);
  bytes[static_cast<size_t>(index)] = static_cast<char>(value);
  return Keep(c, bytes);
}
int32_t GetBit(View a, int64_t index) {
  CheckIndex(index, static_cast<int64_t>(a.size()) * 8);
  return (static_cast<uint8_t>(a[static_cast<size_t>(index / 8)]) >> (index % 8)) & 1;
}
View SetBit(CallContext& c, View a, int64_t index, int32_t value) {
  CheckIndex(index, static_cast<int64_t>(a.size()) * 8);
  if (value != 0 && value != 1) throw SqlError(ErrorCode::kInvalidParameterValue, "new bit must be 0 or 1");
  std::string bytes(a);
  char& byte = bytes[static_cast<size_t>(index / 8)];
  byte = static_cast<char>((byte & ~(1 << (index % 8))) | (value << (index % 8)));
  return Keep(c, bytes);
}
int64_t BitCount(View a) {
  int64_t count = 0;
  for (char byte : a) count += std::popcount(static_cast<uint8_t>(byte));
  return count;
}
bool Like(View a, View pattern) { return LikeMatchesBytes(a, pattern); }
bool NotLike(View a, View pattern) { return !LikeMatchesBytes(a, pattern); }

// --- encode and decode -----------------------------------------------------------------------------------------

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string EncodeBase64(View bytes) {
  std::string text;
  size_t line = 0;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    size_t left = std::min<size_t>(3, bytes.size() - at);
    uint32_t word = 0;
    for (size_t i = 0; i < 3; ++i) word = word << 8 | (i < left ? static_cast<uint8_t>(bytes[at + i]) : 0);
    text.push_back(kBase64[word >> 18]);
    text.push_back(kBase64[(word >> 12) & 63]);
    text.push_back(left > 1 ? kBase64[(word >> 6) & 63] : '=');
    text.push_back(left > 2 ? kBase64[word & 63] : '=');
    line += 4;
    if (line == 76 && at + 3 < bytes.size()) {
      text.push_back('\n');
      line = 0;
    }
  }
  if (line == 76) text.push_back('\n');
  return text;
}

std::string DecodeBase64(View text) {
  std::string bytes;
  uint32_t word = 0;
  int position = 0, end = 0;
  for (char c : text) {
    if (IsSpace(c)) continue;
    uint32_t value = 0;
    if (c == '=') {
      if (end == 0) {
        if (position == 2)
          end = 1;
        else if (position == 3)
          end = 2;
        else
          throw SqlError(ErrorCode::kInvalidParameterValue,
                         "unexpected \"=\" while decoding base64 sequence");
      }
    } else {
      const char* found = c == '\0' ? nullptr : std::strchr(kBase64, c);
      if (found == nullptr) {
        throw SqlError(ErrorCode::kInvalidParameterValue,
                       "invalid symbol \"{}\" found while decoding base64 sequence", c);
      }
      value = static_cast<uint32_t>(found - kBase64);
    }
    word = word << 6 | value;
    if (++position == 4) {
      bytes.push_back(static_cast<char>(word >> 16));
      if (end == 0 || end > 1) bytes.push_back(static_cast<char>(word >> 8));
      if (end == 0 || end > 2) bytes.push_back(static_cast<char>(word));
      word = 0;
      position = 0;
    }
  }
  if (position != 0) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "invalid base64 end sequence")
        .WithHint("Input data is missing padding, is truncated, or is otherwise corrupted.");
  }
  return bytes;
}

enum class Encoding { kHex, kBase64, kEscape };
Encoding ParseEncoding(View name) {
  std::string lower;
  for (char c : name) lower.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  if (lower == "hex") return Encoding::kHex;
  if (lower == "base64") return Encoding::kBase64;
  if (lower == "escape") return Encoding::kEscape;
  throw SqlError(ErrorCode::kInvalidParameterValue, "unrecognized encoding: \"{}\"", name);
}

View Encode(CallContext& c, View a, View name) {
  std::string text;
  switch (ParseEncoding(name)) {
    case Encoding::kHex: AppendHex(&text, a); break;
    case Encoding::kBase64: text = EncodeBase64(a); break;
    case Encoding::kEscape:
      for (unsigned char byte : a) {
        if (byte == 0 || byte >= 0x80)
          text += fmt::format("\\{:03o}", byte);
        else if (byte == '\\')
          text += "\\\\";
        else
          text.push_back(static_cast<char>(byte));
      }
      break;
  }
  return Keep(c, text);
}
View Decode(CallContext& c, View a, View name) {
  switch (ParseEncoding(name)) {
    case Encoding::kHex: return DecodeHex(a, c.arena);
    case Encoding::kBase64: return Keep(c, DecodeBase64(a));
    case Encoding::kEscape:
      return a.starts_with("\\x") ? ParseBytea(std::string(a), c.arena) : ParseBytea(a, c.arena);
  }
  return {};
}

// --- digests ---------------------------------------------------------------------------------------------------

std::string Digest(const EVP_MD* method, View a) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned size = 0;
  if (EVP_Digest(a.data(), a.size(), bytes.data(), &size, method, nullptr) != 1) {
    throw SqlError(ErrorCode::kInternalError, "could not compute {} hash", EVP_MD_get0_name(method));
  }
  return {reinterpret_cast<const char*>(bytes.data()), size};
}
View Md5(CallContext& c, View a) {
  std::string text;
  AppendHex(&text, Digest(EVP_md5(), a));
  return Keep(c, text);
}
View Sha224(CallContext& c, View a) { return Keep(c, Digest(EVP_sha224(), a)); }
View Sha256(CallContext& c, View a) { return Keep(c, Digest(EVP_sha256(), a)); }
View Sha384(CallContext& c, View a) { return Keep(c, Digest(EVP_sha384(), a)); }
View Sha512(CallContext& c, View a) { return Keep(c, Digest(EVP_sha512(), a)); }

constexpr ScalarFunction kTable[] = {
    Scalar<&Substring>("bytea_substr"),
    Scalar<&SubstringFrom>("bytea_substr_no_len"),
    Scalar<&Position>("byteapos"),
    Scalar<&OverlayFor>("byteaoverlay"),
    Scalar<&Overlay>("byteaoverlay_no_len"),
    Scalar<&TrimLeft>("bytealtrim"),
    Scalar<&TrimRight>("byteartrim"),
    Scalar<&Trim>("byteatrim"),
    Scalar<&GetByte>("byteaGetByte"),
    Scalar<&SetByte>("byteaSetByte"),
    Scalar<&GetBit>("byteaGetBit"),
    Scalar<&SetBit>("byteaSetBit"),
    Scalar<&BitCount>("bytea_bit_count"),
    Scalar<&Like>("bytealike"),
    Scalar<&NotLike>("byteanlike"),
    Scalar<&Encode>("binary_encode"),
    Scalar<&Decode>("binary_decode"),
    Scalar<&Md5>("md5_text"),
    Scalar<&Md5>("md5_bytea"),
    Scalar<&Sha224>("sha224_bytea"),
    Scalar<&Sha256>("sha256_bytea"),
    Scalar<&Sha384>("sha384_bytea"),
    Scalar<&Sha512>("sha512_bytea"),
};

}  // namespace

std::span<const ScalarFunction> ByteaFunctions() { return kTable; }

}  // namespace walden

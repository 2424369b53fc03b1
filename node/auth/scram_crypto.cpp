#include "node/auth/scram_crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "node/base/check.h"

namespace walden::scram {

static_assert(kKeyBytes == SHA256_DIGEST_LENGTH);

namespace {

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

std::string Base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  int n = EVP_EncodeBlock(Bytes(text), Bytes(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(n));
  return text;
}

std::optional<std::string> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3 + 1, '\0');
  int n = EVP_DecodeBlock(Bytes(bytes), Bytes(text), static_cast<int>(text.size()));
  if (n < 0) return std::nullopt;
  size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(static_cast<size_t>(n) - padding);
  return bytes;
}

std::string Hmac(std::string_view key, std::string_view text) {
  std::string result(kKeyBytes, '\0');
  unsigned length = kKeyBytes;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Bytes(text), text.size(), Bytes(result),
       &length);
  return result;
}

std::string Sha256(std::string_view text) {
  std::string result(kKeyBytes, '\0');
  SHA256(Bytes(text), text.size(), Bytes(result));
  return result;
}

namespace {

// RFC 4013, as clients prepare what their users type. Text that it forbids, or that is not UTF-8, is used as it is.
std::string SaslPrep(std::string_view password) {
  bool ascii = std::all_of(password.begin(), password.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  if (ascii) return std::string(password);
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<UStringPrepProfile, decltype(&usprep_close)> profile(
      usprep_openByType(USPREP_RFC4013_SASLPREP, &status), usprep_close);
  std::vector<UChar> wide(password.size() + 1), prepared(4 * password.size() + 16);
  int32_t wide_length = 0;
  u_strFromUTF8(wide.data(), static_cast<int32_t>(wide.size()), &wide_length, password.data(),
                static_cast<int32_t>(password.size()), &status);
  int32_t length = usprep_prepare(profile.get(), wide.data(), wide_length, prepared.data(),
                                  static_cast<int32_t>(prepared.size()), USPREP_DEFAULT, nullptr, &status);
  if (U_FAILURE(status) || length == 0) return std::string(password);
  std::string text(static_cast<size_t>(length) * 3 + 1, '\0');
  int32_t bytes = 0;
  u_strToUTF8(text.data(), static_cast<int32_t>(text.size()), &bytes, prepared.data(), length, &status);
  if (U_FAILURE(status)) return std::string(password);
  text.resize(static_cast<size_t>(bytes));
  return text;
}

}  // namespace

std::string SaltedPassword(std::string_view password, std::string_view salt, int iterations) {
  std::string prepared = SaslPrep(password), salted(kKeyBytes, '\0');
  CHECK(PKCS5_PBKDF2_HMAC(prepared.data(), static_cast<int>(prepared.size()), Bytes(salt),
                          static_cast<int>(salt.size()), iterations, EVP_sha256(),
                          static_cast<int>(kKeyBytes), Bytes(salted)) == 1);
  return salted;
}

std::string Xor(std::string_view left, std::string_view right) {
  CHECK(left.size() == right.size());
  std::string result(left);
  for (size_t i = 0; i < result.size(); ++i) result[i] = static_cast<char>(result[i] ^ right[i]);
  return result;
}

}  // namespace walden::scram

#include "node/auth/scram_crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "node/base/check.h"

namespace walden::scram {

static_assert(kKeyBytes == SHA256_DIGEST_LENGTH);

namespace {

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
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
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Bytes(text), text.size(), Bytes(result), &length);
  return result;
}

std::string Sha256(std::string_view text) {
  std::string result(kKeyBytes, '\0');
  SHA256(Bytes(text), text.size(), Bytes(result));
  return result;
}

std::string SaltedPassword(std::string_view password, std::string_view salt, int iterations) {
  std::string salted(kKeyBytes, '\0');
  CHECK(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), Bytes(salt),
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

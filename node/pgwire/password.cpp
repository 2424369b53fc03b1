#include "node/pgwire/password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "node/auth/scram.h"
#include "node/base/check.h"
#include "node/config/settings.h"

namespace walden {
namespace {

std::string Md5Hex(std::string_view text) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  CHECK(EVP_Digest(text.data(), text.size(), hash, &length, EVP_md5(), nullptr) == 1);
  std::string hex;
  for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", hash[i]);
  return hex;
}

std::string Md5Password(std::string_view role, std::string_view password) {
  return "md5" + Md5Hex(std::string(password).append(role));
}

bool SameBytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

bool IsMd5Password(std::string_view stored) {
  return stored.size() == 35 && stored.starts_with("md5") &&
         stored.find_first_not_of("0123456789abcdef", 3) == std::string_view::npos;
}

std::string EncodeRolePassword(std::string_view role, std::string_view password) {
  bool md5 = GetEnum<PasswordEncryption>(Setting::kPasswordEncryption) == PasswordEncryption::kMd5;
  if (md5 && !IsMd5Password(password) && !ParseScramVerifier(password)) return Md5Password(role, password);
  return EncodePassword(password);
}

bool PasswordFits(std::string_view stored, std::string_view role, std::string_view password) {
  if (IsMd5Password(stored)) return SameBytes(Md5Password(role, password), stored);
  std::optional<ScramVerifier> verifier = ParseScramVerifier(stored);
  return verifier && SameBytes(ScramServerKey(password, *verifier), verifier->server_key);
}

bool Md5AnswerFits(std::string_view stored, std::string_view salt, std::string_view answer) {
  return SameBytes("md5" + Md5Hex(std::string(stored.substr(3)).append(salt)), answer);
}

}  // namespace walden

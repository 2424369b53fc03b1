#include "node/auth/scram_client.h"

#include <openssl/crypto.h>

#include <charconv>

#include "node/auth/scram_crypto.h"
#include "node/base/error.h"
#include "node/base/random.h"

namespace walden {

using namespace scram;

namespace {

constexpr std::string_view kHeader = "n,,";  // no channel binding

SqlError Malformed(std::string_view detail) {
  return SqlError(ErrorCode::kProtocolViolation, "malformed SCRAM message from the server")
      .WithDetail(std::string(detail));
}

std::string_view Attribute(std::string_view text, char name) {
  while (!text.empty()) {
    std::string_view field = text.substr(0, text.find(','));
    if (field.size() >= 2 && field[0] == name && field[1] == '=') return field.substr(2);
    text.remove_prefix(std::min(text.size(), field.size() + 1));
  }
  throw Malformed(fmt::format("Attribute \"{}\" is missing.", name));
}

}  // namespace

std::string ScramClient::FirstMessage() {
  char random[18];
  SecureRandom(random, sizeof random);
  nonce_ = Base64({random, sizeof random});
  return std::string(kHeader) + "n=,r=" + nonce_;
}

std::string ScramClient::FinalMessage(std::string_view server_first) {
  std::string_view nonce = Attribute(server_first, 'r'), count = Attribute(server_first, 'i');
  std::optional<std::string> salt = FromBase64(Attribute(server_first, 's'));
  if (!nonce.starts_with(nonce_) || nonce.size() == nonce_.size()) throw Malformed("Nonce does not match.");
  int iterations = 0;
  auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), iterations);
  bool good = error == std::errc() && end == count.data() + count.size() && iterations > 0;
  if (!good || !salt) throw Malformed("Salt or iteration count is invalid.");
  std::string salted = SaltedPassword(password_, *salt, iterations);
  std::string without_proof = "c=" + Base64(kHeader) + ",r=" + std::string(nonce);
  std::string auth = "n=,r=" + nonce_ + "," + std::string(server_first) + "," + without_proof;
  std::string client_key = Hmac(salted, "Client Key");
  std::string proof = Xor(client_key, Hmac(Sha256(client_key), auth));
  server_signature_ = Hmac(Hmac(salted, "Server Key"), auth);
  return without_proof + ",p=" + Base64(proof);
}

bool ScramClient::CheckServer(std::string_view server_final) const {
  if (!server_final.starts_with("v=")) return false;
  std::optional<std::string> signature = FromBase64(server_final.substr(2));
  return signature && signature->size() == server_signature_.size() && !server_signature_.empty() &&
         CRYPTO_memcmp(signature->data(), server_signature_.data(), signature->size()) == 0;
}

}  // namespace walden

#include "node/auth/scram.h"

#include <openssl/crypto.h>

#include <charconv>

#include "node/auth/scram_crypto.h"
#include "node/base/check.h"
#include "node/base/error.h"
#include "node/base/random.h"

namespace walden {

using namespace scram;

namespace {

SqlError Malformed(std::string_view detail) {
  return SqlError(ErrorCode::kProtocolViolation, "malformed SCRAM message")
      .WithDetail(std::string(detail))
      .WithSeverity(Severity::kFatal);
}

// "a=value" at the front of `text`; cuts it off together with a following comma.
std::string_view TakeAttribute(std::string_view* text, char name) {
  if (text->size() < 2 || (*text)[0] != name || (*text)[1] != '=') {
    throw Malformed(fmt::format("Expected attribute \"{}\" but found something else.", name));
  }
  text->remove_prefix(2);
  size_t comma = text->find(',');
  std::string_view value = text->substr(0, comma);
  text->remove_prefix(comma == std::string_view::npos ? text->size() : comma + 1);
  return value;
}

}  // namespace

std::optional<ScramVerifier> ParseScramVerifier(std::string_view text) {
  constexpr std::string_view kPrefix = "SCRAM-SHA-256$";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  size_t colon = text.find(':'), dollar = text.find('$');
  if (colon == std::string_view::npos || dollar == std::string_view::npos || dollar < colon)
    return std::nullopt;
  size_t second = text.find(':', dollar);
  if (second == std::string_view::npos) return std::nullopt;
  ScramVerifier verifier;
  auto [end, error] = std::from_chars(text.data(), text.data() + colon, verifier.iterations);
  if (error != std::errc() || end != text.data() + colon || verifier.iterations <= 0) return std::nullopt;
  auto salt = FromBase64(text.substr(colon + 1, dollar - colon - 1));
  auto stored = FromBase64(text.substr(dollar + 1, second - dollar - 1));
  auto server = FromBase64(text.substr(second + 1));
  if (!salt || !stored || !server || stored->size() != kKeyBytes || server->size() != kKeyBytes)
    return std::nullopt;
  verifier.salt = *salt;
  verifier.stored_key = *stored;
  verifier.server_key = *server;
  return verifier;
}

std::string EncodePassword(std::string_view password) {
  bool is_md5 = password.size() == 35 && password.starts_with("md5");
  if (is_md5 || ParseScramVerifier(password)) return std::string(password);
  constexpr int kIterations = 4096;
  char salt[16];
  SecureRandom(salt, sizeof salt);
  std::string salted = SaltedPassword(password, {salt, sizeof salt}, kIterations);
  return fmt::format("SCRAM-SHA-256${}:{}${}:{}", kIterations, Base64({salt, sizeof salt}),
                     Base64(Sha256(Hmac(salted, "Client Key"))), Base64(Hmac(salted, "Server Key")));
}

std::string ScramServerKey(std::string_view password, const ScramVerifier& verifier) {
  return Hmac(SaltedPassword(password, verifier.salt, verifier.iterations), "Server Key");
}

ScramVerifier MockScramVerifier(std::string_view user) {
  static std::string secret = [] {
    std::string bytes(kKeyBytes, '\0');
    SecureRandom(bytes.data(), bytes.size());
    return bytes;
  }();
  ScramVerifier verifier;
  verifier.salt = Hmac(secret, user).substr(0, 16);
  verifier.stored_key.assign(kKeyBytes, '\0');
  verifier.server_key.assign(kKeyBytes, '\0');
  SecureRandom(verifier.stored_key.data(), kKeyBytes);
  return verifier;
}

void ScramExchange::TakeBindingHeader(std::string_view* message) {
  auto fatal = [](ErrorCode code, std::string text) {
    return SqlError(code, std::move(text)).WithSeverity(Severity::kFatal);
  };
  std::string_view whole = *message;
  char flag = whole.empty() ? '\0' : whole[0];
  if (flag == 'p') {
    if (!plus_) {
      throw Malformed(
          "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel "
          "binding data.");
    }
    std::string_view type = TakeAttribute(message, 'p');
    if (type != "tls-server-end-point") {
      throw fatal(ErrorCode::kProtocolViolation,
                  fmt::format("unsupported SCRAM channel-binding type \"{}\"", type));
    }
  } else if (flag == 'n' || flag == 'y') {
    if (plus_)
      throw Malformed(
          "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding "
          "data.");
    // Somebody between us may have hidden the better mechanism.
    if (flag == 'y' && !binding_.empty()) {
      throw fatal(ErrorCode::kInvalidAuthorizationSpecification, "SCRAM channel binding negotiation error")
          .WithDetail(
              "The client supports SCRAM channel binding but thinks the server does not.  "
              "However, this server does support channel binding.");
    }
    if (whole.size() < 2 || whole[1] != ',') throw Malformed("Comma expected.");
    message->remove_prefix(2);
  } else {
    throw Malformed("Unexpected channel-binding flag.");
  }
  if (message->starts_with("a=")) {
    throw fatal(ErrorCode::kFeatureNotSupported,
                "client uses authorization identity, but it is not supported");
  }
  if (!message->starts_with(',')) throw Malformed("Unexpected attribute in client-first-message.");
  message->remove_prefix(1);
  gs2_header_ = whole.substr(0, whole.size() - message->size());
}

std::string ScramExchange::FirstMessage(std::string_view client_first) {
  std::string_view bare = client_first;
  TakeBindingHeader(&bare);
  if (bare.starts_with("m=")) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "client requires an unsupported SCRAM extension")
        .WithSeverity(Severity::kFatal);
  }
  client_first_bare_ = bare;
  TakeAttribute(&bare, 'n');  // the user name is that of the startup packet
  std::string_view client_nonce = TakeAttribute(&bare, 'r');
  if (client_nonce.empty()) throw Malformed("The nonce is empty.");
  char random[18];
  SecureRandom(random, sizeof random);
  nonce_ = std::string(client_nonce) + Base64({random, sizeof random});
  server_first_ = fmt::format("r={},s={},i={}", nonce_, Base64(verifier_.salt), verifier_.iterations);
  return server_first_;
}

void ScramExchange::CheckBinding(std::string_view channel) const {
  if (channel == Base64(plus_ ? gs2_header_ + binding_ : gs2_header_)) return;
  if (plus_) {
    throw SqlError(ErrorCode::kInvalidAuthorizationSpecification, "SCRAM channel binding check failed")
        .WithSeverity(Severity::kFatal);
  }
  throw SqlError(ErrorCode::kProtocolViolation,
                 "unexpected SCRAM channel-binding attribute in client-final-message")
      .WithSeverity(Severity::kFatal);
}

std::optional<std::string> ScramExchange::FinalMessage(std::string_view client_final) {
  size_t proof_at = client_final.rfind(",p=");
  if (proof_at == std::string_view::npos) throw Malformed("The proof is missing.");
  std::string_view without_proof = client_final.substr(0, proof_at);
  std::optional<std::string> proof = FromBase64(client_final.substr(proof_at + 3));
  if (!proof || proof->size() != kKeyBytes) throw Malformed("Malformed proof in client-final-message.");
  std::string_view rest = without_proof;
  CheckBinding(TakeAttribute(&rest, 'c'));
  if (TakeAttribute(&rest, 'r') != nonce_) throw Malformed("Nonce does not match.");
  std::string auth = client_first_bare_ + "," + server_first_ + "," + std::string(without_proof);
  std::string client_signature = Hmac(verifier_.stored_key, auth);
  std::string client_key = Xor(*proof, client_signature);
  if (CRYPTO_memcmp(Sha256(client_key).data(), verifier_.stored_key.data(), kKeyBytes) != 0)
    return std::nullopt;
  return "v=" + Base64(Hmac(verifier_.server_key, auth));
}

}  // namespace walden

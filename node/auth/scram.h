// SCRAM-SHA-256 (RFC 5802, RFC 7677), server side.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace walden {

// What is stored for a password: "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey", keys and salt in base64.
struct ScramVerifier {
  int iterations = 4096;
  std::string salt;
  std::string stored_key;
  std::string server_key;
};
std::optional<ScramVerifier> ParseScramVerifier(std::string_view text);
// From a password in plain text, with a fresh salt: what pg_authid.rolpassword holds. Text that is a verifier already (or an md5 hash)
// stays as it is.
std::string EncodePassword(std::string_view password);
// For a role without a (usable) password: answers look the same, the proof never fits. Depends on the name only, so that
// two attempts see the same salt.
ScramVerifier MockScramVerifier(std::string_view user);

// One exchange: FirstMessage then FinalMessage. Both return the server's message; errors throw 08P01, a wrong proof returns nothing.
class ScramExchange {
 public:
  explicit ScramExchange(ScramVerifier verifier) : verifier_(std::move(verifier)) {}
  std::string FirstMessage(std::string_view client_first);
  std::optional<std::string> FinalMessage(std::string_view client_final);

 private:
  ScramVerifier verifier_;
  std::string client_first_bare_;
  std::string server_first_;
  std::string nonce_;
  std::string gs2_header_;
};

}  // namespace walden

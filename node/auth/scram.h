// SCRAM-SHA-256 (RFC 5802, RFC 7677), server side.
#pragma once

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
// The server key that the password has with the verifier's salt and iterations: equal to the verifier's if it is the right one.
std::string ScramServerKey(std::string_view password, const ScramVerifier& verifier);
// For a role without a (usable) password: answers look the same, the proof never fits. Depends on the name only, so that
// two attempts see the same salt.
ScramVerifier MockScramVerifier(std::string_view user);

// One exchange: FirstMessage then FinalMessage. Both return the server's message; errors throw 08P01, a wrong proof returns nothing.
class ScramExchange {
 public:
  // `binding`: what ties the exchange to the TLS connection, empty without one; `plus`: the client chose the mechanism that uses it.
  explicit ScramExchange(ScramVerifier verifier, std::string binding = {}, bool plus = false)
      : verifier_(std::move(verifier)), binding_(std::move(binding)), plus_(plus) {}
  std::string FirstMessage(std::string_view client_first);
  std::optional<std::string> FinalMessage(std::string_view client_final);

 private:
  // The header before the first message proper: takes it off `message`.
  void TakeBindingHeader(std::string_view* message);
  void CheckBinding(std::string_view channel) const;

  ScramVerifier verifier_;
  std::string binding_;
  bool plus_;
  std::string client_first_bare_;
  std::string server_first_;
  std::string nonce_;
  std::string gs2_header_;
};

}  // namespace walden

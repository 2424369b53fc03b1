// SCRAM-SHA-256, the side that knows the password.
#pragma once

#include <string>
#include <string_view>

namespace walden {

// FirstMessage, then FinalMessage with the server's answer, then CheckServer with its last word.
class ScramClient {
 public:
  explicit ScramClient(std::string password) : password_(std::move(password)) {}
  std::string FirstMessage();
  // Throws 08P01 on a malformed answer.
  std::string FinalMessage(std::string_view server_first);
  // False: the server does not know the password either; do not trust it.
  bool CheckServer(std::string_view server_final) const;

 private:
  std::string password_;
  std::string nonce_;
  std::string server_signature_;
};

}  // namespace walden

// The walsender's side of logging in, without I/O: the exchange, and the tokens that it hands out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "replication/login_policy.h"
#include "replication/messages.h"

namespace walden::replication {

// Who logged in.
struct Login {
  std::string user;
  Oid role{};
  std::string application_name;
  std::string host;  // the token is good from this address only
};

// One exchange: Step for each message of the peer until finished().
class LoginExchange {
 public:
  LoginExchange(const LoginPolicy& policy, LoginQuestion question)
      : policy_(policy), question_(std::move(question)) {}
  // Throws what the peer is to be told: 28000, 28P01, 42501, 08P01. Returns the server's SASL answer.
  std::string Step(const v1::LoginRequest& request);
  // The next request is to carry the password in plain text.
  bool wants_password() const { return wants_password_ && !finished_; }
  bool finished() const { return finished_; }
  const Login& login() const { return login_; }
  const std::string& user() const { return question_.user; }

 private:
  std::string Begin(const v1::LoginRequest& request);
  void Succeed();

  const LoginPolicy& policy_;
  LoginQuestion question_;
  Login login_;
  std::optional<ReplicationRole> role_;
  std::unique_ptr<ScramExchange> scram_;
  bool begun_ = false, wants_password_ = false, finished_ = false;
};

// Tokens of those who logged in. They die with the process, and after an hour without use.
class TokenStore {
 public:
  std::string Issue(Login login, int64_t now_us);
  // nullptr: unknown, too old, or shown from another address.
  const Login* Find(const std::string& token, const std::string& host, int64_t now_us);

 private:
  struct Entry {
    Login login;
    int64_t used_us;
  };
  void Expire(int64_t now_us);
  std::map<std::string, Entry> entries_;
};

}  // namespace walden::replication

#include "replication/login.h"

#include <algorithm>
#include <utility>

#include "node/base/error.h"
#include "node/base/random.h"

namespace walden::replication {
namespace {

constexpr int64_t kTokenLifeUs = int64_t{3600} * 1000000;
constexpr size_t kMostTokens = 1000;
constexpr size_t kTokenBytes = 32;

SqlError PasswordFailed(const std::string& user) {
  return SqlError(ErrorCode::kInvalidPassword, "password authentication failed for user \"{}\"", user);
}

}  // namespace

std::string LoginExchange::Begin(const v1::LoginRequest& request) {
  question_.user = request.user();
  login_.user = request.user();
  login_.application_name = request.application_name();
  login_.host = question_.peer.host;
  Proof proof = policy_.required_proof(question_);
  role_ = policy_.find_role(question_.user);
  if (proof == Proof::kNone) {
    Succeed();
    return "";
  }
  if (proof == Proof::kPassword) {
    wants_password_ = true;
    return "";
  }
  bool can_succeed = role_ && role_->verifier;
  scram_ =
      std::make_unique<ScramExchange>(can_succeed ? *role_->verifier : MockScramVerifier(question_.user));
  return scram_->FirstMessage(request.sasl());
}

std::string LoginExchange::Step(const v1::LoginRequest& request) {
  if (finished_) throw SqlError(ErrorCode::kProtocolViolation, "unexpected message after login");
  if (!std::exchange(begun_, true)) return Begin(request);
  if (wants_password_) {
    if (!policy_.password_fits(question_.user, request.password())) throw PasswordFailed(question_.user);
    Succeed();
    return "";
  }
  std::optional<std::string> final = scram_->FinalMessage(request.sasl());
  if (!final || !role_ || !role_->verifier) throw PasswordFailed(question_.user);
  Succeed();
  return *final;
}

// What the role may do is told only to who has proved to be it.
void LoginExchange::Succeed() {
  if (!role_) {
    throw SqlError(ErrorCode::kInvalidAuthorizationSpecification, "role \"{}\" does not exist",
                   question_.user);
  }
  if (!role_->may_log_in) {
    throw SqlError(ErrorCode::kInvalidAuthorizationSpecification, "role \"{}\" is not permitted to log in",
                   question_.user);
  }
  if (!role_->may_replicate) {
    throw SqlError(ErrorCode::kInsufficientPrivilege,
                   "must be superuser or replication role to start walsender");
  }
  login_.role = role_->oid;
  finished_ = true;
}

void TokenStore::Expire(int64_t now_us) {
  std::erase_if(entries_, [&](const auto& entry) { return entry.second.used_us + kTokenLifeUs < now_us; });
  if (entries_.size() < kMostTokens) return;
  entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
    return a.second.used_us < b.second.used_us;
  }));
}

std::string TokenStore::Issue(Login login, int64_t now_us) {
  Expire(now_us);
  std::string token(kTokenBytes, '\0');
  SecureRandom(token.data(), token.size());
  entries_[token] = {std::move(login), now_us};
  return token;
}

const Login* TokenStore::Find(const std::string& token, const std::string& host, int64_t now_us) {
  Expire(now_us);
  auto found = entries_.find(token);
  if (found == entries_.end() || found->second.login.host != host) return nullptr;
  found->second.used_us = now_us;
  return &found->second.login;
}

}  // namespace walden::replication

#include "replication/primary_connection.h"

#include "node/auth/scram_client.h"
#include "node/base/error.h"

namespace walden::replication {
namespace {

constexpr int kDefaultTimeoutS = 20;

}  // namespace

int64_t PrimaryConnection::timeout_ms() const {
  return int64_t{info_.connect_timeout_s > 0 ? info_.connect_timeout_s : kDefaultTimeoutS} * 1000;
}

void PrimaryConnection::Connect(const Speaker& own) {
  for (size_t i = 0; i < info_.hosts.size(); ++i) {
    try {
      return ConnectTo(info_.hosts[i], own);
    } catch (const SqlError& error) {
      bool unreachable = error.code() == ErrorCode::kConnectionFailure;
      if (!unreachable) throw;
      if (i + 1 < info_.hosts.size()) continue;
      throw SqlError(ErrorCode::kSqlclientUnableToEstablishSqlconnection,
                     "could not connect to the replication port of \"{}\", port {}: {}", info_.hosts[i].name,
                     info_.hosts[i].port, error.fields().message);
    }
  }
}

// sslmode prefer: TLS, and plain text where the node speaks none.
void PrimaryConnection::ConnectTo(const Conninfo::Host& host, const Speaker& own) {
  ClientTls tls = ReadClientTls(info_);
  std::string password = PasswordFor(info_, host);
  host_ = host;
  bool may_encrypt = tls.mode != SslMode::kDisable, may_be_plain = tls.mode <= SslMode::kPrefer;
  for (bool encrypted : {true, false}) {
    if (encrypted ? !may_encrypt : !may_be_plain) continue;
    channel_ = std::make_unique<RpcChannel>(host.name, host.port, tls, encrypted, manner_);
    try {
      return Login(password, own, encrypted);
    } catch (const SqlError& error) {
      if (!encrypted || !may_be_plain || error.code() != ErrorCode::kConnectionFailure) throw;
    }
  }
}

void PrimaryConnection::Login(const std::string& password, const Speaker& own, bool encrypted) {
  std::unique_ptr<ClientCall> call = Start("Login");
  ScramClient scram(password);
  auto exchange = [&](v1::LoginRequest request) {
    PutSpeaker(own, request.mutable_at());
    call->Write(Encode(request));
    std::string bytes;
    if (!call->Read(&bytes, timeout_ms()))
      throw SqlError(ErrorCode::kProtocolViolation, "the node ended the login without an answer");
    v1::LoginReply reply;
    Decode(bytes, &reply);
    if (reply.has_failure()) throw FailureToError(reply.failure());
    return reply;
  };
  v1::LoginRequest first;
  first.set_user(info_.user);
  first.set_application_name(info_.application_name);
  first.set_sasl(scram.FirstMessage());
  v1::LoginReply reply = exchange(first);
  if (reply.token().empty()) {
    if (password.empty()) throw SqlError(ErrorCode::kInvalidPassword, "no password supplied");
    v1::LoginRequest final;
    if (reply.password_wanted()) {
      RefuseToShowPassword(encrypted);
      final.set_password(password);
      token_ = exchange(final).token();
      return;
    }
    final.set_sasl(scram.FinalMessage(reply.sasl()));
    reply = exchange(final);
    if (!scram.CheckServer(reply.sasl())) {
      throw SqlError(ErrorCode::kInvalidPassword, "the node could not prove that it knows the password");
    }
  }
  token_ = reply.token();
}

// A password in plain text goes through TLS, or does not leave this machine.
void PrimaryConnection::RefuseToShowPassword(bool encrypted) const {
  bool here = host_.name == "localhost" || host_.name == "::1" || host_.name.starts_with("127.");
  if (encrypted || here) return;
  throw SqlError(ErrorCode::kInvalidAuthorizationSpecification,
                 "the node wants the password in plain text over a connection without encryption");
}

std::string PrimaryConnection::Ask(std::string_view method, const google::protobuf::MessageLite& request) {
  std::unique_ptr<ClientCall> call = Start(method);
  call->Write(Encode(request));
  call->WritesDone();
  std::string bytes;
  if (!call->Read(&bytes, timeout_ms()))
    throw SqlError(ErrorCode::kProtocolViolation, "the node ended call \"{}\" without an answer", method);
  return bytes;
}

template <class Reply, class Request>
Reply PrimaryConnection::AskFor(std::string_view method, const Speaker& own, Request request) {
  PutSpeaker(own, request.mutable_at());
  request.set_token(token_);
  Reply reply;
  Decode(Ask(method, request), &reply);
  if (reply.has_failure()) throw FailureToError(reply.failure());
  return reply;
}

v1::IdentifyReply PrimaryConnection::Identify(const Speaker& own) {
  return AskFor<v1::IdentifyReply>("Identify", own, v1::IdentifyRequest());
}

v1::TimelineHistoryReply PrimaryConnection::TimelineHistory(const Speaker& own, TimelineId timeline) {
  v1::TimelineHistoryRequest request;
  request.set_timeline(timeline);
  return AskFor<v1::TimelineHistoryReply>("TimelineHistory", own, request);
}

v1::SlotReply PrimaryConnection::CreateSlot(const Speaker& own, const std::string& name, bool reserve_wal) {
  v1::CreateSlotRequest request;
  request.set_name(name);
  request.set_reserve_wal(reserve_wal);
  return AskFor<v1::SlotReply>("CreateSlot", own, request);
}

v1::SlotReply PrimaryConnection::DropSlot(const Speaker& own, const std::string& name) {
  v1::DropSlotRequest request;
  request.set_name(name);
  return AskFor<v1::SlotReply>("DropSlot", own, request);
}

}  // namespace walden::replication

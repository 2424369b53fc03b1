// Login, and the calls with one answer.
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/recovery/replication_slots.h"
#include "node/txn/txn_state.h"
#include "replication/sender_calls.h"

namespace walden::replication {
namespace {

class LoginCall final : public ActiveCall {
 public:
  LoginCall(SenderContext& context, ServerCall& call)
      : ActiveCall(context, call),
        exchange_(context.policy, LoginQuestion{call.peer(), call.encrypted(), call.certificate(), {}}),
        deadline_us_(MonotonicUs() + GetInt(Setting::kAuthenticationTimeout) * 1000000) {}

  int64_t Deadline() const override { return deadline_us_; }

 private:
  void Handle(const std::string& message) override {
    v1::LoginRequest request;
    Decode(message, &request);
    v1::LoginReply reply;
    PutSpeaker(context_.Speak(), reply.mutable_at());
    reply.set_sasl(exchange_.Step(request));
    reply.set_password_wanted(exchange_.wants_password());
    if (exchange_.finished()) {
      reply.set_token(context_.tokens.Issue(exchange_.login(), MonotonicUs()));
      Log(Severity::kDebug1, "replication login of user \"{}\" from {}", exchange_.user(), call_.peer().host);
      FinishAfterwards();
    }
    Send(Encode(reply));
  }
  void OnHalfClose() override {
    if (!finishing()) call_.Abort();
  }
  void Produce(int64_t now_us) override {
    if (now_us >= deadline_us_) call_.Abort();
  }
  OutMessage FailureMessage(const SqlError& error) override {
    v1::LoginReply reply;
    PutFailure(error, reply.mutable_failure());
    return Encode(reply);
  }

  LoginExchange exchange_;
  int64_t deadline_us_;
};

v1::IdentifyReply Answer(SenderContext&, const v1::IdentifyRequest&) {
  v1::IdentifyReply reply;
  reply.set_in_recovery(InRecovery());
  reply.set_server_version(GetString(Setting::kServerVersion));
  return reply;
}

v1::TimelineHistoryReply Answer(SenderContext&, const v1::TimelineHistoryRequest& request) {
  v1::TimelineHistoryReply reply;
  reply.set_file_name(HistoryFileName(request.timeline()));
  std::string path = "pg_wal/" + reply.file_name();
  if (!TryReadWholeFile(path, reply.mutable_content())) {
    throw SqlError(ErrorCode::kUndefinedFile, "could not open file \"{}\": No such file or directory", path);
  }
  return reply;
}

// What ListReplicationSlots knows about `name`.
v1::SlotReply DescribeSlot(const std::string& name) {
  v1::SlotReply reply;
  for (const ReplicationSlotInfo& slot : ListReplicationSlots()) {
    if (slot.name != name) continue;
    reply.set_exists(true);
    reply.set_restart_lsn(slot.restart.value);
    reply.set_active(slot.active_pid != 0);
  }
  return reply;
}

v1::SlotReply Answer(SenderContext&, const v1::CreateSlotRequest& request) {
  bool wanted = !request.if_not_exists() || !DescribeSlot(request.name()).exists();
  if (wanted) CreateReplicationSlot(request.name(), request.reserve_wal(), false);
  return DescribeSlot(request.name());
}
v1::SlotReply Answer(SenderContext&, const v1::DropSlotRequest& request) {
  DropReplicationSlot(request.name());
  return {};
}
v1::SlotReply Answer(SenderContext&, const v1::ReadSlotRequest& request) {
  return DescribeSlot(request.name());
}

template <class Request, class Reply>
class QuestionCall final : public ActiveCall {
 public:
  using ActiveCall::ActiveCall;

 private:
  void Handle(const std::string& message) override {
    Request request;
    Decode(message, &request);
    context_.Authorize(request.token(), call_);
    context_.Meet(request.at(), call_);
    Reply reply = Answer(context_, request);
    PutSpeaker(context_.Speak(), reply.mutable_at());
    Send(Encode(reply));
    FinishAfterwards();
  }
  OutMessage FailureMessage(const SqlError& error) override {
    Reply reply;
    PutSpeaker(context_.Speak(), reply.mutable_at());
    PutFailure(error, reply.mutable_failure());
    return Encode(reply);
  }
};

}  // namespace

std::unique_ptr<CallHandler> MakeLoginCall(SenderContext& context, ServerCall& call) {
  return std::make_unique<LoginCall>(context, call);
}

std::unique_ptr<CallHandler> MakeQuestionCall(SenderContext& context, ServerCall& call) {
  const std::string& method = call.method();
  if (method == "Identify")
    return std::make_unique<QuestionCall<v1::IdentifyRequest, v1::IdentifyReply>>(context, call);
  if (method == "TimelineHistory")
    return std::make_unique<QuestionCall<v1::TimelineHistoryRequest, v1::TimelineHistoryReply>>(context,
                                                                                                call);
  if (method == "CreateSlot")
    return std::make_unique<QuestionCall<v1::CreateSlotRequest, v1::SlotReply>>(context, call);
  if (method == "DropSlot")
    return std::make_unique<QuestionCall<v1::DropSlotRequest, v1::SlotReply>>(context, call);
  if (method == "ReadSlot")
    return std::make_unique<QuestionCall<v1::ReadSlotRequest, v1::SlotReply>>(context, call);
  return nullptr;
}

}  // namespace walden::replication

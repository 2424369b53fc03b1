#include "replication/sender_calls.h"

#include <algorithm>

#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/recovery/control_file.h"
#include "node/recovery/recovery_state.h"
#include "node/recovery/term.h"
#include "node/txn/durability.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"

namespace walden::replication {

SenderContext::SenderContext(MainQueue& main_queue, const LoginPolicy& login_policy)
    : queue(main_queue), policy(login_policy), holds(MonotonicUs()), system_id_(GetControlFile().system_id) {}

NodeView SenderContext::View() const {
  NodeView view{.system_id = system_id_, .term = CurrentTerm()};
  if (!InRecovery()) {
    view.timeline = WalTimeline();
    view.flushed = FlushedLsn();
    view.settled = SettledLsn();
    return view;
  }
  // A standby passes on what it has, and its primary's word about what may be seen.
  view.timeline = ReplayedTimeline();
  view.flushed = ReplayedLsn();
  if (ReceivedTimeline() == view.timeline) view.flushed = std::max(view.flushed, ReceivedLsn());
  view.settled = std::min(AnnouncedSettledLsn(), view.flushed);
  return view;
}

Speaker SenderContext::Speak() const {
  NodeView view = View();
  return {view.system_id, view.term, view.timeline, view.flushed};
}

const TimelineHistory& SenderContext::History(TimelineId timeline) {
  if (history_of_ != timeline) {
    history_ = ReadHistory(timeline);
    history_of_ = timeline;
  }
  return history_;
}

Login SenderContext::Authorize(const std::string& token, const ServerCall& call) {
  const Login* login = tokens.Find(token, call.peer().host, MonotonicUs());
  if (login == nullptr) throw SqlError(ErrorCode::kInvalidAuthorizationSpecification, "not logged in");
  std::optional<ReplicationRole> role = policy.find_role(login->user);
  if (!role || !role->may_log_in || !role->may_replicate) {
    throw SqlError(ErrorCode::kInsufficientPrivilege,
                   "must be superuser or replication role to start walsender");
  }
  return *login;
}

bool SenderContext::Meet(const v1::Position& peer, const ServerCall& call) {
  if (peer.system_id() != 0 && peer.system_id() != system_id_) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "database system identifier differs between the primary and standby")
        .WithDetail(fmt::format("The primary's identifier is {}, the standby's identifier is {}.", system_id_,
                                peer.system_id()));
  }
  if (peer.term() == 0) return true;  // a command
  switch (MeetTerm(peer.term(), fmt::format("node {}:{}", call.peer().host, call.peer().port))) {
    case TermOrder::kSame: return true;
    case TermOrder::kPeerIsOlder: return false;
    case TermOrder::kPeerIsNewer: break;
  }
  if (InRecovery()) return true;  // adopted
  throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "this node is no longer the primary")
      .WithDetail(fmt::format("It is in term {}; term {} has begun.", CurrentTerm(), peer.term()));
}

std::unique_ptr<CallHandler> SenderContext::Serve(ServerCall& call) {
  if (GetBool(Setting::kLogReplicationCommands)) {
    Log(Severity::kLog, "received replication call: {} from {}:{}", call.method(), call.peer().host,
        call.peer().port);
  }
  if (call.method() == "Login") return MakeLoginCall(*this, call);
  if (call.method() == "Stream") return MakeStreamCall(*this, call);
  if (call.method() == "BaseBackup") return MakeBackupCall(*this, call);
  return MakeQuestionCall(*this, call);
}

ActiveCall::ActiveCall(SenderContext& context, ServerCall& call) : context_(context), call_(call) {
  context_.active.insert(this);
}
ActiveCall::~ActiveCall() { context_.active.erase(this); }

void ActiveCall::OnMessage(const std::string& message) {
  if (finish_) return;
  try {
    Handle(message);
  } catch (const SqlError& error) {
    Fail(error);
  }
  Pump(MonotonicUs());
}

void ActiveCall::OnWritable() { Pump(MonotonicUs()); }

void ActiveCall::Pump(int64_t now_us) {
  Flush();
  if (finish_) return;
  try {
    if (Ready())
      Produce(now_us);
    else
      Stalled(now_us);
  } catch (const SqlError& error) {
    Fail(error);
  }
  Flush();
}

void ActiveCall::Flush() {
  if (call_.writable() && !out_.empty()) {
    OutMessage message = std::move(out_.front());
    out_.pop_front();
    call_.Write(std::move(message));
  }
  if (out_.empty() && finish_) call_.Finish();
}

void ActiveCall::Fail(const SqlError& error) {
  LogError(Severity::kError, error);
  Send(FailureMessage(error));
  FinishAfterwards();
}

}  // namespace walden::replication

// The calls that the walsender serves. Internal to the walsender process: main thread only.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>

#include "node/recovery/timeline.h"
#include "replication/backup_holds.h"
#include "replication/login.h"
#include "replication/rpc_server.h"
#include "replication/sender_stream.h"

namespace walden::replication {

class ActiveCall;

// What all calls share.
class SenderContext {
 public:
  SenderContext(MainQueue& queue, const LoginPolicy& policy);

  // This node now: what may be sent, and who says so.
  NodeView View() const;
  Speaker Speak() const;
  // Its history, for the timeline that View() names.
  const TimelineHistory& History(TimelineId timeline);
  // Checks the token, and the role's right, which may have been revoked since. Throws 28000.
  Login Authorize(const std::string& token, const ServerCall& call);
  // What every message of a logged-in peer goes through. False: the peer lives in an older term, what it says does not count.
  // Throws when the two nodes do not belong together, or this one is fenced by the peer's term.
  bool Meet(const v1::Position& peer, const ServerCall& call);

  std::unique_ptr<CallHandler> Serve(ServerCall& call);

  MainQueue& queue;
  const LoginPolicy& policy;
  TokenStore tokens;
  BackupHolds holds;
  std::set<ActiveCall*> active;
  bool stopping = false;  // everything is to be sent, then the process ends

 private:
  uint64_t system_id_;
  TimelineId history_of_ = 0;
  TimelineHistory history_;
};

// A call that answers in messages: errors become its last one.
class ActiveCall : public CallHandler {
 public:
  ActiveCall(SenderContext& context, ServerCall& call);
  ~ActiveCall() override;
  void OnMessage(const std::string& message) final;
  void OnWritable() final;
  void OnHalfClose() override {}
  // Sends what can be sent; called when anything may have changed.
  void Pump(int64_t now_us);
  virtual int64_t Deadline() const { return INT64_MAX; }
  // Until when it does not want to be woken for new WAL: it looks by itself then, or once its message has left.
  virtual int64_t GathersUntil() const { return 0; }
  // May the process end although this call goes on?
  virtual bool MayBeCut() const { return true; }

 protected:
  virtual void Handle(const std::string& message) = 0;
  virtual void Produce(int64_t) {}  // called while Ready()
  virtual void Stalled(int64_t) {}  // called while a message is on its way
  virtual OutMessage FailureMessage(const SqlError& error) = 0;
  void Send(OutMessage message) { out_.push_back(std::move(message)); }
  // Ends the call when everything queued has left.
  void FinishAfterwards() { finish_ = true; }
  void Fail(const SqlError& error);
  bool finishing() const { return finish_; }
  // The call goes on, and all that it was to send has left.
  bool Ready() const { return !finish_ && out_.empty() && call_.writable(); }

  SenderContext& context_;
  ServerCall& call_;

 private:
  void Flush();
  std::deque<OutMessage> out_;
  bool finish_ = false;
};

std::unique_ptr<CallHandler> MakeLoginCall(SenderContext& context, ServerCall& call);
// Identify, TimelineHistory and the calls about slots. nullptr for another method.
std::unique_ptr<CallHandler> MakeQuestionCall(SenderContext& context, ServerCall& call);
std::unique_ptr<CallHandler> MakeStreamCall(SenderContext& context, ServerCall& call);
std::unique_ptr<CallHandler> MakeBackupCall(SenderContext& context, ServerCall& call);

}  // namespace walden::replication

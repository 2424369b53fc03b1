// A logged-in connection to another node's replication port: questions with one answer, and longer calls.
#pragma once

#include <memory>
#include <string>

#include "replication/conninfo.h"
#include "replication/rpc_client.h"

namespace walden::replication {

class PrimaryConnection {
 public:
  PrimaryConnection(Conninfo info, WaitManner manner) : info_(std::move(info)), manner_(std::move(manner)) {}

  // Tries the hosts in order until one lets us in. Throws 08001 / 08006 (nobody answers), or what the node said (28P01 ...).
  void Connect(const Speaker& own);
  const Conninfo::Host& host() const { return host_; }
  const std::string& token() const { return token_; }

  // Each throws what the node answered as an error.
  v1::IdentifyReply Identify(const Speaker& own);
  v1::TimelineHistoryReply TimelineHistory(const Speaker& own, TimelineId timeline);
  v1::SlotReply CreateSlot(const Speaker& own, const std::string& name, bool reserve_wal);
  v1::SlotReply DropSlot(const Speaker& own, const std::string& name);

  std::unique_ptr<ClientCall> Start(std::string_view method) { return channel_->Start(method); }
  int64_t timeout_ms() const;

 private:
  void ConnectTo(const Conninfo::Host& host, const Speaker& own);
  void Login(const std::string& password, const Speaker& own, bool encrypted);
  void RefuseToShowPassword(bool encrypted) const;
  std::string Ask(std::string_view method, const google::protobuf::MessageLite& request);
  template <class Reply, class Request>
  Reply AskFor(std::string_view method, const Speaker& own, Request request);

  Conninfo info_;
  WaitManner manner_;
  Conninfo::Host host_;
  std::unique_ptr<RpcChannel> channel_;
  std::string token_;
};

}  // namespace walden::replication

// The gRPC side of the walsender: a listener whose calls are sequences of raw messages. A pump thread waits on the completion
// queue and posts to the main thread; every method and callback here runs on the main thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/os/socket.h"
#include "replication/login_policy.h"
#include "replication/main_queue.h"
#include "replication/messages.h"
#include "replication/tls.h"

namespace walden::replication {

// What serves one call. Destroyed when the call is over, however it ended.
class CallHandler {
 public:
  virtual ~CallHandler() = default;
  virtual void OnMessage(const std::string& message) = 0;
  virtual void OnHalfClose() {}  // the peer sends no more
  virtual void OnWritable() {}   // what was being written has left
};

class ServerCall {
 public:
  virtual ~ServerCall() = default;
  virtual const std::string& method() const = 0;  // "Identify"
  virtual const PeerAddress& peer() const = 0;
  virtual bool encrypted() const = 0;
  virtual const std::optional<CertificateNames>& certificate() const = 0;
  // Nothing is being written, and the call goes on.
  virtual bool writable() const = 0;
  virtual void Write(OutMessage message) = 0;  // Requires: writable()
  // Ends the call once what is being written has left. No callback comes any more.
  virtual void Finish() = 0;
  // The peer is not answering: ends the call at once.
  virtual void Abort() = 0;
};

class RpcServer {
 public:
  // Returns the handler of a new call; nullptr for an unknown method.
  using Factory = std::function<std::unique_ptr<CallHandler>(ServerCall& call)>;
  RpcServer(MainQueue& queue, Factory factory);
  ~RpcServer();
  // Starts listening. `tls` null: plain text. Throws 55006-class errors if no address could be bound.
  void Listen(const std::vector<std::string>& addresses, int port, const ReloadableTls* tls);

 private:
  class Call;
  struct Grpc;
  void AcceptNext();
  void PumpEvents();

  MainQueue& queue_;
  Factory factory_;
  bool encrypted_ = false;
  bool closing_ = false;  // nothing new is begun
  std::unique_ptr<Grpc> grpc_;
  std::set<Call*> calls_;
};

}  // namespace walden::replication

// The gRPC side of who follows a node: a channel whose calls are sequences of raw messages. A pump thread reads ahead; the
// methods here belong to the main thread, which sleeps on its latch.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "node/shm/wait_events.h"
#include "replication/messages.h"
#include "replication/tls.h"

namespace walden::replication {

// How the main thread waits: what it is said to wait for, and what it looks at each time it wakes (may throw).
struct WaitManner {
  WaitEvent event = WaitEvent::kNone;
  std::function<void()> check = [] {};
};

class RpcChannel;

class ClientCall {
 public:
  ~ClientCall();  // cancels what is not over
  ClientCall(const ClientCall&) = delete;
  ClientCall& operator=(const ClientCall&) = delete;

  // Nothing is being written.
  bool writable() const;
  // Waits for the message before to leave. Does nothing once the call is over: Read tells why.
  void Write(OutMessage message);
  void WritesDone();
  // A message that has arrived; false: none yet, or the call is over.
  bool TryRead(std::string* message);
  // Waits for one. False: the peer ended the call. Throws 08006 when the connection broke or `timeout_ms` passed (0: no limit).
  bool Read(std::string* message, int64_t timeout_ms);
  // All messages are read and the call is over.
  bool Ended() const;
  // Throws 08006 unless the peer ended the call by itself. Requires: Ended()
  void ThrowIfBroken() const;
  struct Grpc;

 private:
  friend class RpcChannel;
  ClientCall(RpcChannel& channel, const std::string& method);
  void Sleep(int64_t timeout_ms);
  template <class Start>
  void WhenWritable(Start start);

  RpcChannel& channel_;
  std::unique_ptr<Grpc> grpc_;
};

class RpcChannel {
 public:
  RpcChannel(const std::string& host, int port, const ClientTls& tls, bool encrypted, WaitManner manner);
  ~RpcChannel();
  std::unique_ptr<ClientCall> Start(std::string_view method);
  const WaitManner& manner() const { return manner_; }
  struct Grpc;

 private:
  friend class ClientCall;
  WaitManner manner_;
  std::unique_ptr<Grpc> grpc_;
};

}  // namespace walden::replication

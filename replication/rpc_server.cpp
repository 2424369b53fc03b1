#include "replication/rpc_server.h"

#include <arpa/inet.h>
#include <grpc/grpc_security_constants.h>
#include <grpc/support/log.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <malloc.h>

#include <cstdlib>
#include <thread>

#include "node/base/check.h"
#include "node/base/error.h"
#include "replication/rpc_tuning.h"

namespace walden::replication {
namespace {

// "ipv4:127.0.0.1:4711" or "ipv6:%5B::1%5D:4711".
PeerAddress ParsePeer(const std::string& text) {
  PeerAddress peer;
  peer.is_unix = false;
  peer.is_ipv6 = text.starts_with("ipv6:");
  size_t begin = text.find(':'), end = text.rfind(':');
  if (begin == std::string::npos || begin == end) return peer;
  std::string host = text.substr(begin + 1, end - begin - 1);
  if (host.starts_with("%5B") && host.ends_with("%5D")) host = host.substr(3, host.size() - 6);
  if (host.starts_with("[") && host.ends_with("]")) host = host.substr(1, host.size() - 2);
  peer.host = host;
  peer.port = static_cast<uint16_t>(std::atoi(text.c_str() + end + 1));
  inet_pton(peer.is_ipv6 ? AF_INET6 : AF_INET, host.substr(0, host.find('%')).c_str(), peer.ip);
  return peer;
}

void DestroyString(void* string) { delete static_cast<std::string*>(string); }

}  // namespace

void PrepareForGrpc() {
  // It writes to standard error of its own accord; what matters comes back as a status.
  gpr_set_log_function([](gpr_log_func_args*) {});
  // Messages of this size go back to the kernel when they are freed, and the next one's pages are faulted in again.
  mallopt(M_MMAP_THRESHOLD, kMaxMessageBytes);
  mallopt(M_TRIM_THRESHOLD, 2 * kMaxMessageBytes);
}

grpc::ByteBuffer ToBuffer(OutMessage message) {
  grpc::Slice slices[2] = {grpc::Slice(message.head), {}};
  if (!message.tail.empty()) {
    std::string* tail = new std::string(std::move(message.tail));
    slices[1] = grpc::Slice(tail->data(), tail->size(), DestroyString, tail);
  }
  return grpc::ByteBuffer(slices, slices[1].size() > 0 ? 2 : 1);
}

std::string FromBuffer(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices)
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

struct RpcServer::Grpc {
  grpc::AsyncGenericService service;
  std::unique_ptr<grpc::ServerCompletionQueue> events;
  std::unique_ptr<grpc::Server> server;
  std::thread pump;
};

// One call. `outstanding_` counts operations that gRPC owes an event for; the object lives until the last has come.
class RpcServer::Call final : public ServerCall {
 public:
  explicit Call(RpcServer& owner) : owner_(owner), stream_(&context_) {
    context_.AsyncNotifyWhenDone(&done_tag_);
    ++outstanding_;
    owner_.grpc_->service.RequestCall(&context_, &stream_, owner_.grpc_->events.get(),
                                      owner_.grpc_->events.get(), &accept_tag_);
  }

  struct Tag {
    Call* call;
    void (Call::*act)(bool ok);
  };

  const std::string& method() const override { return method_; }
  const PeerAddress& peer() const override { return peer_; }
  bool encrypted() const override { return owner_.encrypted_; }
  const std::optional<CertificateNames>& certificate() const override { return certificate_; }
  bool writable() const override { return !writing_ && !finishing_ && !over_; }

  void Write(OutMessage message) override {
    DCHECK(writable());
    writing_ = true;
    ++outstanding_;
    stream_.Write(ToBuffer(std::move(message)), &write_tag_);
  }
  void Finish() override {
    if (finishing_ || over_) return;
    finishing_ = true;
    if (!writing_) SendStatus();
  }
  void Abort() override {
    if (!over_) context_.TryCancel();
  }

  // Main thread: `tag`'s operation is done.
  static void Act(Tag* tag, bool ok) {
    Call* call = tag->call;
    --call->outstanding_;
    if (call->owner_.closing_) call->over_ = true;
    (call->*tag->act)(ok);
    if (call->over_ && call->outstanding_ == 0) {
      call->owner_.calls_.erase(call);
      delete call;
    }
  }

 private:
  void OnAccept(bool ok) {
    if (!ok) {  // the server is shutting down
      over_ = true;
      return;
    }
    ++outstanding_;  // for OnDone, which comes from now on
    if (over_) return;
    owner_.AcceptNext();
    const std::string& path = context_.method();
    if (path.starts_with(kServicePath)) method_ = path.substr(kServicePath.size());
    peer_ = ParsePeer(context_.peer());
    for (const grpc::string_ref& pem :
         context_.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME))
      certificate_ = NamesInCertificate({pem.data(), pem.size()});
    handler_ = owner_.factory_(*this);
    if (handler_ == nullptr) {
      unknown_method_ = true;
      return Finish();
    }
    if (!finishing_) Read();
  }

  void Read() {
    ++outstanding_;
    stream_.Read(&incoming_, &read_tag_);
  }

  void OnRead(bool ok) {
    if (handler_ == nullptr || finishing_ || over_) return;
    if (!ok) return handler_->OnHalfClose();
    std::string message = FromBuffer(incoming_);
    incoming_.Clear();
    handler_->OnMessage(message);
    if (!finishing_ && !over_) Read();
  }

  void OnWritten(bool) {
    writing_ = false;
    if (over_) return;
    if (finishing_) return SendStatus();
    if (handler_ != nullptr) handler_->OnWritable();
  }

  void SendStatus() {
    ++outstanding_;
    grpc::Status status =
        unknown_method_ ? grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "unknown method") : grpc::Status::OK;
    stream_.Finish(status, &finish_tag_);
  }
  void OnFinished(bool) {}

  void OnDone(bool) {
    over_ = true;
    handler_.reset();
  }

  RpcServer& owner_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer incoming_;
  std::string method_;
  std::optional<CertificateNames> certificate_;
  PeerAddress peer_;
  std::unique_ptr<CallHandler> handler_;
  int outstanding_ = 0;
  bool writing_ = false, finishing_ = false, over_ = false, unknown_method_ = false;
  Tag accept_tag_{this, &Call::OnAccept}, read_tag_{this, &Call::OnRead}, write_tag_{this, &Call::OnWritten},
      finish_tag_{this, &Call::OnFinished}, done_tag_{this, &Call::OnDone};
};

RpcServer::RpcServer(MainQueue& queue, Factory factory)
    : queue_(queue), factory_(std::move(factory)), grpc_(std::make_unique<Grpc>()) {}

RpcServer::~RpcServer() {
  if (grpc_->server == nullptr) return;
  closing_ = true;
  grpc_->server->Shutdown(std::chrono::system_clock::now());
  grpc_->events->Shutdown();
  grpc_->pump.join();
  // What the pump posted last still refers to calls.
  queue_.RunPending();
}

void RpcServer::AcceptNext() { calls_.insert(new Call(*this)); }

void RpcServer::PumpEvents() {
  void* tag;
  bool ok;
  while (grpc_->events->Next(&tag, &ok))
    queue_.Post([tag, ok] { Call::Act(static_cast<Call::Tag*>(tag), ok); });
}

void RpcServer::Listen(const std::vector<std::string>& addresses, int port, const ReloadableTls* tls) {
  PrepareForGrpc();
  encrypted_ = tls != nullptr;
  std::shared_ptr<grpc::ServerCredentials> credentials =
      tls != nullptr ? tls->credentials() : grpc::InsecureServerCredentials();
  grpc::ServerBuilder builder;
  for (const auto& [name, value] : kChannelTuning) builder.AddChannelArgument(name, value);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Whoever connects and says nothing, or nothing more, is let go.
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 20000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 60000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 64);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  builder.RegisterAsyncGenericService(&grpc_->service);
  grpc_->events = builder.AddCompletionQueue();
  std::vector<int> bound(addresses.size(), 0);
  for (size_t i = 0; i < addresses.size(); ++i) {
    bool bracket = addresses[i].find(':') != std::string::npos && !addresses[i].starts_with('[');
    std::string host = bracket ? "[" + addresses[i] + "]" : addresses[i];
    builder.AddListeningPort(fmt::format("{}:{}", host, port), credentials, &bound[i]);
  }
  grpc_->server = builder.BuildAndStart();
  if (grpc_->server == nullptr) {
    grpc_->events->Shutdown();
    void* tag;
    bool ok;
    while (grpc_->events->Next(&tag, &ok)) {
    }
    throw SqlError(ErrorCode::kObjectInUse, "could not listen on replication port {}", port)
        .WithHint(fmt::format(
            "Is another node already running on port {}? If not, wait a few seconds and retry.", port));
  }
  grpc_->pump = std::thread([this] { PumpEvents(); });
  AcceptNext();
}

}  // namespace walden::replication

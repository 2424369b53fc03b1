#include "replication/rpc_client.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/shm/latch.h"
#include "node/shm/process.h"
#include "replication/rpc_tuning.h"

namespace walden::replication {
namespace {

// Messages read ahead of the main thread: enough to keep the network busy while it writes and syncs.
constexpr size_t kReadAhead = 16;

}  // namespace

struct RpcChannel::Grpc {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<grpc::GenericStub> stub;
  grpc::CompletionQueue events;
  Latch* latch = &self().latch;
  std::thread pump;
};

struct ClientCall::Grpc {
  enum class Op : uint8_t { kStart, kRead, kWrite, kWritesDone, kFinish };
  struct Tag {
    Grpc* call;
    Op op;
  };

  grpc::ClientContext context;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream;
  grpc::ByteBuffer incoming;
  grpc::Status status;
  Latch* latch = nullptr;

  std::mutex mutex;
  std::condition_variable idle;
  // Guarded by: mutex
  std::deque<std::string> messages;
  int outstanding = 0;
  bool heard = false;  // the peer has answered
  bool started = false, reading = false, writing = false, no_more = false, finished = false;
  bool writer_waits = false;  // the main thread, for the end of a write

  Tag start_tag{this, Op::kStart}, read_tag{this, Op::kRead}, write_tag{this, Op::kWrite},
      done_tag{this, Op::kWritesDone}, finish_tag{this, Op::kFinish};

  // Requires: mutex
  void StartRead() {
    if (reading || no_more || !started || messages.size() >= kReadAhead) return;
    reading = true;
    ++outstanding;
    stream->Read(&incoming, &read_tag);
  }
  void StartFinish() {
    if (no_more) return;
    no_more = true;
    ++outstanding;
    stream->Finish(&status, &finish_tag);
  }

  // Pump thread.
  void OnEvent(Op op, bool ok) {
    std::lock_guard guard(mutex);
    bool news = true;
    switch (op) {
      case Op::kStart:
        started = true;
        if (ok)
          StartRead();
        else
          StartFinish();
        break;
      case Op::kRead:
        reading = false;
        if (ok) {
          messages.push_back(FromBuffer(incoming));
          heard = true;
          incoming.Clear();
          StartRead();
        } else {
          StartFinish();
        }
        break;
      case Op::kWrite:
      case Op::kWritesDone:
        writing = false;
        news = std::exchange(writer_waits, false);
        break;
      case Op::kFinish: finished = true; break;
    }
    if (news) latch->Set();
    if (--outstanding == 0) idle.notify_all();
  }
};

RpcChannel::RpcChannel(const std::string& host, int port, const ClientTls& tls, bool encrypted,
                       WaitManner manner)
    : manner_(std::move(manner)), grpc_(std::make_unique<Grpc>()) {
  PrepareForGrpc();
  grpc::ChannelArguments arguments;
  for (const auto& [name, value] : kChannelTuning) arguments.SetInt(name, value);
  // A channel of its own each time: no back-off is inherited from the one before.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  bool bracket = host.find(':') != std::string::npos;
  std::string target = fmt::format("dns:///{}{}{}:{}", bracket ? "[" : "", host, bracket ? "]" : "", port);
  grpc_->channel = grpc::CreateCustomChannel(target, MakeClientCredentials(tls, encrypted), arguments);
  grpc_->stub = std::make_unique<grpc::GenericStub>(grpc_->channel);
  grpc_->pump = std::thread([events = &grpc_->events] {
    void* tag;
    bool ok;
    while (events->Next(&tag, &ok)) {
      ClientCall::Grpc::Tag* found = static_cast<ClientCall::Grpc::Tag*>(tag);
      found->call->OnEvent(found->op, ok);
    }
  });
}

RpcChannel::~RpcChannel() {
  grpc_->events.Shutdown();
  grpc_->pump.join();
}

std::unique_ptr<ClientCall> RpcChannel::Start(std::string_view method) {
  return std::unique_ptr<ClientCall>(new ClientCall(*this, MethodPath(method)));
}

ClientCall::ClientCall(RpcChannel& channel, const std::string& method)
    : channel_(channel), grpc_(std::make_unique<Grpc>()) {
  grpc_->latch = channel.grpc_->latch;
  grpc_->stream = channel.grpc_->stub->PrepareCall(&grpc_->context, method, &channel.grpc_->events);
  grpc_->writing = true;  // nothing may be written before the call has started
  grpc_->outstanding = 1;
  grpc_->stream->StartCall(&grpc_->start_tag);
  std::lock_guard guard(grpc_->mutex);
  grpc_->writing = false;
}

ClientCall::~ClientCall() {
  grpc_->context.TryCancel();
  std::unique_lock guard(grpc_->mutex);
  grpc_->idle.wait(guard, [this] { return grpc_->outstanding == 0; });
}

bool ClientCall::writable() const {
  std::lock_guard guard(grpc_->mutex);
  return grpc_->started && !grpc_->writing && !grpc_->no_more;
}

void ClientCall::Sleep(int64_t timeout_ms) {
  channel_.manner_.check();
  WaitLatch(timeout_ms, channel_.manner_.event);
}

// Runs `start`, which begins a write, as soon as nothing is being written; does not when the call is over.
template <class Start>
void ClientCall::WhenWritable(Start start) {
  for (bool waiting = false, done = false;; waiting = true) {
    if (waiting) self().latch.Reset();
    {
      std::lock_guard guard(grpc_->mutex);
      bool free = grpc_->started && !grpc_->writing;
      done = free || grpc_->no_more;
      if (!grpc_->no_more && free) {
        grpc_->writing = true;
        ++grpc_->outstanding;
        start();
      }
      grpc_->writer_waits = !done;
    }
    if (done && waiting) self().latch.Set();  // what else it was set for is the caller's
    if (done) return;
    if (waiting) Sleep(-1);
  }
}

void ClientCall::Write(OutMessage message) {
  WhenWritable([&] { grpc_->stream->Write(ToBuffer(std::move(message)), &grpc_->write_tag); });
}

void ClientCall::WritesDone() {
  WhenWritable([&] { grpc_->stream->WritesDone(&grpc_->done_tag); });
}

bool ClientCall::TryRead(std::string* message) {
  std::lock_guard guard(grpc_->mutex);
  if (grpc_->messages.empty()) return false;
  *message = std::move(grpc_->messages.front());
  grpc_->messages.pop_front();
  grpc_->StartRead();
  return true;
}

bool ClientCall::Ended() const {
  std::lock_guard guard(grpc_->mutex);
  return grpc_->finished && grpc_->messages.empty();
}

void ClientCall::ThrowIfBroken() const {
  const grpc::Status& status = grpc_->status;
  if (status.ok()) return;
  throw SqlError(ErrorCode::kConnectionFailure, "{}{}",
                 grpc_->heard ? "connection to the node was lost: " : "", status.error_message());
}

bool ClientCall::Read(std::string* message, int64_t timeout_ms) {
  int64_t deadline = timeout_ms > 0 ? MonotonicUs() + timeout_ms * 1000 : 0;
  for (;;) {
    self().latch.Reset();
    if (TryRead(message)) return true;
    if (Ended()) {
      ThrowIfBroken();
      return false;
    }
    int64_t left_ms = deadline == 0 ? -1 : (deadline - MonotonicUs()) / 1000;
    if (deadline != 0 && left_ms <= 0) throw SqlError(ErrorCode::kConnectionFailure, "timeout expired");
    Sleep(left_ms);
  }
}

}  // namespace walden::replication

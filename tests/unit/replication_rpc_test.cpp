// A call's two ends over a real connection: the main thread of either sleeps on its latch, and other threads wake it.
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "node/base/error.h"
#include "node/os/socket.h"
#include "node/shm/latch.h"
#include "node/shm/process.h"
#include "replication/rpc_client.h"
#include "replication/rpc_server.h"

namespace walden::replication {
namespace {

constexpr char kAnswered = 'a', kSilent = 's';  // how a message begins

// Sends back each message that wants an answer.
class Echo : public CallHandler {
 public:
  explicit Echo(ServerCall& call) : call_(call) {}
  void OnMessage(const std::string& message) override {
    if (message[0] == kAnswered) waiting_.push_back(message.substr(1));
    Answer();
  }
  void OnWritable() override { Answer(); }

 private:
  void Answer() {
    if (waiting_.empty() || !call_.writable()) return;
    OutMessage message{waiting_.front(), ""};
    waiting_.erase(waiting_.begin());
    call_.Write(std::move(message));
  }
  ServerCall& call_;
  std::vector<std::string> waiting_;
};

int FreePort() {
  Descriptor probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(probe.fd(), reinterpret_cast<sockaddr*>(&address), size) != 0) return 0;
  getsockname(probe.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// A thread that stands for another process: with a slot, so a latch, of its own.
class EchoServer {
 public:
  EchoServer() : thread_([this] { Run(); }) {
    while (port_ == 0) std::this_thread::yield();
  }
  ~EchoServer() {
    stop_ = true;
    slot_.latch.Set();
    thread_.join();
  }
  int port() const { return port_; }

 private:
  void Run() {
    slot_.latch.Init();
    slot_.latch.Own();
    current_process_slot = &slot_;
    MainQueue queue;
    RpcServer server(queue, [](ServerCall& call) { return std::make_unique<Echo>(call); });
    for (int port = FreePort(); port_ == 0; port = FreePort()) {
      try {
        server.Listen({"127.0.0.1"}, port, nullptr);
        port_ = port;
      } catch (const SqlError&) {
        continue;  // somebody else was quicker
      }
    }
    while (!stop_) {
      slot_.latch.Reset();
      if (!queue.RunPending() && !stop_) WaitLatch(-1, WaitEvent::kNone);
    }
  }

  ProcessSlot slot_{};
  std::atomic<int> port_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// Wakes a main thread that has slept for half a minute through what it waited for; check() then ends its wait.
class Watchdog {
 public:
  explicit Watchdog(Latch& latch) : thread_([this, &latch] { Run(latch); }) {}
  ~Watchdog() {
    over_ = true;
    thread_.join();
  }
  void Progress() { ++progress_; }
  void Check() const {
    if (slept_) throw SqlError(ErrorCode::kInternalError, "a wake-up was lost");
  }

 private:
  void Run(Latch& latch) {
    int64_t seen = -1;
    for (int unchanged = 0; !over_; ++unchanged) {
      if (seen != progress_) unchanged = 0;
      seen = progress_;
      if (unchanged == 3000) slept_ = true;
      if (slept_) latch.Set();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  std::atomic<int64_t> progress_ = 0;
  std::atomic<bool> slept_ = false, over_ = false;
  std::thread thread_;
};

class RpcTest : public testing::Test {
 protected:
  EchoServer server_;
  Watchdog watchdog_{self().latch};
  RpcChannel channel_{"127.0.0.1", server_.port(), ClientTls{}, false,
                      WaitManner{WaitEvent::kNone, [this] { watchdog_.Check(); }}};
};

TEST_F(RpcTest, WriterIsWokenWhenTheMessageBeforeHasLeft) {
  std::unique_ptr<ClientCall> call = channel_.Start("Echo");
  for (int i = 0; i < 20000; ++i) {
    call->Write({std::string(1, kSilent), ""});
    watchdog_.Progress();
  }
  call->Write({std::string(1, kAnswered) + "all", ""});
  std::string answer;
  ASSERT_TRUE(call->Read(&answer, 60000));
  EXPECT_EQ(answer, "all");
}

// Write sleeps on the latch for its own purpose; what else the latch was set for is still there afterwards.
TEST_F(RpcTest, WriteLeavesTheWakeUpOfAMessageThatCameMeanwhile) {
  std::unique_ptr<ClientCall> call = channel_.Start("Echo");
  for (int i = 0; i < 3000; ++i) {
    self().latch.Reset();
    call->Write({kAnswered + std::to_string(i), ""});
    for (int silent = 0; silent < 4; ++silent) call->Write({std::string(1, kSilent), ""});
    std::string answer;
    do {
      WaitLatch(-1, WaitEvent::kNone);
      self().latch.Reset();
      watchdog_.Check();
    } while (!call->TryRead(&answer));
    ASSERT_EQ(answer, std::to_string(i));
    watchdog_.Progress();
  }
}

}  // namespace
}  // namespace walden::replication

#include "replication/walsender.h"

#include <algorithm>
#include <optional>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/conf_file.h"
#include "node/config/settings.h"
#include "node/os/process.h"
#include "node/shm/interrupts.h"
#include "node/shm/postmaster_link.h"
#include "node/txn/sender_slots.h"
#include "replication/conninfo.h"
#include "replication/sender_calls.h"

namespace walden::replication {
namespace {

constexpr int64_t kListenRetryUs = 10000000;

bool reload_asked = false;

int ReplicationPort() {
  int64_t port = GetInt(Setting::kReplicationPort);
  if (port == 0) port = GetInt(Setting::kPort) + kReplicationPortOffset;
  if (port > 65535) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "port {} leaves no room for the replication port at {}",
                   GetInt(Setting::kPort), port)
        .WithHint("Set replication_port.");
  }
  return static_cast<int>(port);
}

bool IsLoopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

// listen_addresses, as far as it may be served: without TLS nothing but the loopback interface.
std::vector<std::string> ListenAddresses(bool encrypted) {
  std::vector<std::string> addresses;
  std::string text = GetString(Setting::kListenAddresses);
  for (size_t begin = 0; begin < text.size();) {
    size_t comma = std::min(text.find(',', begin), text.size());
    std::string one = text.substr(begin, comma - begin);
    one.erase(std::remove(one.begin(), one.end(), ' '), one.end());
    begin = comma + 1;
    if (one.empty()) continue;
    bool all = one == "*" || one == "0.0.0.0" || one == "::";
    if (encrypted) {
      addresses.push_back(all ? "[::]" : one);
    } else if (all || IsLoopback(one)) {
      addresses.push_back(all ? "localhost" : one);
    }
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

class WalSender {
 public:
  explicit WalSender(const LoginPolicy& policy) : context_(queue_, policy) {}

  void Run() {
    while (!Ended()) {
      self().latch.Reset();
      if (server_ == nullptr && MonotonicUs() >= listen_at_us_) {
        Listen();
        NotifyPostmaster(PostmasterRequest::kReplicationPortTried);
      }
      while (queue_.RunPending()) {
      }
      CheckInterrupts();
      if (std::exchange(reload_asked, false) && !TakeReload()) return;
      int64_t now_us = MonotonicUs();
      SetSendersAwaitWal(AwaitsWal(now_us));
      for (ActiveCall* call : std::vector<ActiveCall*>(context_.active.begin(), context_.active.end()))
        call->Pump(now_us);
      // Whoever has just sent something looks by itself soon: WAL that comes from now on need not wake us.
      SetSendersAwaitWal(AwaitsWal(now_us));
      context_.holds.Expire(now_us);
      Sleep();
    }
  }

 private:
  bool Ended() {
    if (InterruptPending(Interrupt::kTerminate)) return true;
    if (TakeInterrupt(Interrupt::kShutdown)) {
      context_.stopping = true;
      // The last byte goes to every standby that answers, for as long as it is given to answer.
      int64_t timeout_us = GetInt(Setting::kWalSenderTimeout) * 1000;
      stop_by_us_ = timeout_us > 0 ? MonotonicUs() + timeout_us : INT64_MAX;
    }
    if (!context_.stopping) return false;
    bool served = std::all_of(context_.active.begin(), context_.active.end(),
                              [](ActiveCall* call) { return call->MayBeCut(); });
    return served || MonotonicUs() >= stop_by_us_;
  }

  bool AwaitsWal(int64_t now_us) const {
    return std::any_of(context_.active.begin(), context_.active.end(),
                       [&](ActiveCall* call) { return call->GathersUntil() <= now_us; });
  }

  void Sleep() {
    int64_t wake_us = std::min(server_ == nullptr ? listen_at_us_ : INT64_MAX, context_.holds.Deadline());
    for (ActiveCall* call : context_.active) wake_us = std::min(wake_us, call->Deadline());
    if (context_.stopping) wake_us = std::min(wake_us, stop_by_us_);
    int64_t wait_ms = wake_us == INT64_MAX ? -1 : std::max<int64_t>(0, (wake_us - MonotonicUs()) / 1000 + 1);
    WaitLatch(wait_ms, WaitEvent::kWalSenderMain);
  }

  void Listen() {
    listen_at_us_ = MonotonicUs() + kListenRetryUs;
    try {
      bool encrypted = GetBool(Setting::kSsl);
      if (encrypted) tls_.emplace(ReadTlsIdentity(/*is_reload=*/false));
      asks_certificates_ = encrypted && !GetString(Setting::kSslCaFile).empty();
      std::vector<std::string> addresses = ListenAddresses(encrypted);
      if (addresses.empty()) {
        Log(Severity::kLog, "no replicas are served: listen_addresses names no {}address",
            encrypted ? "" : "loopback ");
        listen_at_us_ = INT64_MAX;
        return;
      }
      auto server =
          std::make_unique<RpcServer>(queue_, [this](ServerCall& call) { return context_.Serve(call); });
      SignalBlocker no_signals;  // threads made here inherit it: signals are the main thread's
      server->Listen(addresses, ReplicationPort(), tls_ ? &*tls_ : nullptr);
      server_ = std::move(server);
      Log(Severity::kLog, "listening for replicas on port {}{}", ReplicationPort(),
          encrypted ? "" : ", loopback only (ssl is off)");
    } catch (const SqlError& error) {
      LogError(Severity::kLog, error);  // nobody's statement has failed
    }
  }

  // False: the change needs a new process.
  bool TakeReload() {
    bool encrypted = GetBool(Setting::kSsl);
    bool asks = encrypted && !GetString(Setting::kSslCaFile).empty();
    if (encrypted != tls_.has_value() || asks != asks_certificates_) {
      Log(Severity::kLog, "TLS of the replication port changes: replicas are disconnected");
      return false;
    }
    if (!encrypted) return true;
    try {
      tls_->Replace(ReadTlsIdentity(/*is_reload=*/true));
    } catch (const SqlError& error) {
      LogError(Severity::kLog, error);  // nobody's statement has failed
      Log(Severity::kLog, "the replication port keeps its TLS configuration");
    }
    return true;
  }

  MainQueue queue_;
  SenderContext context_;
  std::optional<ReloadableTls> tls_;
  bool asks_certificates_ = false;
  std::unique_ptr<RpcServer> server_;
  int64_t listen_at_us_ = 0;
  int64_t stop_by_us_ = INT64_MAX;
};

}  // namespace

void RunWalSender(const LoginPolicy& policy) {
  SetInterruptHandler(Interrupt::kReload, [] {
    ReloadConfiguration();
    AssignSyncPriorities(GetString(Setting::kSynchronousStandbyNames));
    reload_asked = true;
  });
  WalSender(policy).Run();
}

}  // namespace walden::replication

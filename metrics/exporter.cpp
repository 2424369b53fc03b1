#include "metrics/exporter.h"

#include <CivetServer.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <prometheus/exposer.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "metrics/node_collector.h"
#include "metrics/probes.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/conf_file.h"
#include "node/config/setting_values.h"
#include "node/config/settings.h"
#include "node/os/process.h"
#include "node/os/socket.h"
#include "node/shm/interrupts.h"
#include "node/shm/latch.h"
#include "node/shm/process.h"

namespace walden {
namespace {

constexpr int64_t kRetryMs = 5000;

// What civetweb said last while it was being started.
thread_local std::string start_error;

// A name may stand for an IPv6 address that this machine, or this build of civetweb (Debian 12's), does not know: then the
// IPv4 one serves.
bool FamilyWorks(const addrinfo& address) {
  if (mg_check_feature(MG_FEATURES_IPV6) == 0) return false;
  Descriptor probe(socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe.is_open()) return false;
  sockaddr_in6 any_port;
  std::memcpy(&any_port, address.ai_addr, sizeof any_port);
  any_port.sin6_port = 0;
  return bind(probe.fd(), reinterpret_cast<sockaddr*>(&any_port), sizeof any_port) == 0;
}

// Numeric forms of metrics_listen_addresses as civetweb's listening_ports wants them: "127.0.0.1:9187,[::1]:9187".
void ResolveInto(const std::string& host, int64_t port, std::set<std::string>* addresses) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  int error = getaddrinfo(host == "*" ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error != 0) {
    Log(Severity::kWarning, "metrics exporter: could not translate host name \"{}\" to address: {}", host,
        gai_strerror(error));
    return;
  }
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(list, freeaddrinfo);
  for (addrinfo* at = list; at != nullptr; at = at->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0)
      continue;
    if (at->ai_family == AF_INET6 && !FamilyWorks(*at)) continue;
    addresses->insert(at->ai_family == AF_INET6 ? fmt::format("[{}]:{}", text, port)
                                                : fmt::format("{}:{}", text, port));
  }
}

std::string ListeningPorts() {
  std::set<std::string> addresses;
  for (const std::string& host : SplitSettingList(GetString(Setting::kMetricsListenAddresses))) {
    ResolveInto(host, GetInt(Setting::kMetricsPort), &addresses);
  }
  return fmt::format("{}", fmt::join(addresses, ","));
}

// Called on a server thread before anything else of a request; 0: go on (to /metrics, or 404).
int AnswerRequest(mg_connection* connection) {
  const mg_request_info* request = mg_get_request_info(connection);
  const ServerState* state = TheServerState();
  if (state == nullptr) return 0;
  std::string_view path = request->local_uri == nullptr ? "" : request->local_uri;
  std::string_view query = request->query_string == nullptr ? "" : request->query_string;
  std::optional<ProbeAnswer> answer =
      AnswerProbe(path, query, state->phase.load(std::memory_order_relaxed), ReadStanding());
  if (!answer) return 0;
  const char* reason = answer->status == 200   ? "OK"
                       : answer->status == 400 ? "Bad Request"
                                               : "Service Unavailable";
  mg_printf(
      connection,
      "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
      "Connection: close\r\n\r\n%s",
      answer->status, reason, answer->body.size(), answer->body.c_str());
  return answer->status;
}

// Threads: the process's own, civetweb's acceptor, and two that serve. Keep-alive is off and slow requests are cut, so that
// idle connections do not keep a probe waiting.
std::unique_ptr<prometheus::Exposer> OpenExposer(const std::shared_ptr<NodeCollector>& collector) {
  std::string ports = ListeningPorts();
  if (ports.empty())
    throw SqlError(ErrorCode::kConfigFileError, "metrics_listen_addresses names no usable address");
  CivetCallbacks callbacks;
  callbacks.begin_request = AnswerRequest;
  callbacks.log_message = [](const mg_connection*, const char* message) {
    start_error = message;
    return 1;
  };
  SignalBlocker signals;  // inherited by the threads: signals are the first thread's
  auto exposer = std::make_unique<prometheus::Exposer>(
      std::vector<std::string>{"listening_ports", ports, "num_threads", "2", "enable_keep_alive", "no",
                               "request_timeout_ms", "3000", "tcp_nodelay", "1"},
      &callbacks);
  exposer->RegisterCollectable(collector);
  Log(Severity::kLog, "metrics exporter listens on {}", ports);
  return exposer;
}

bool AskedToEnd() {
  return InterruptPending(Interrupt::kTerminate) || InterruptPending(Interrupt::kShutdown);
}

}  // namespace

void RunMetricsExporter() {
  self().latch.Own();
  std::mutex settings;
  auto collector = std::make_shared<NodeCollector>(settings);
  std::unique_ptr<prometheus::Exposer> exposer;
  bool complained = false;
  while (!AskedToEnd()) {
    self().latch.Reset();
    if (AskedToEnd()) break;
    if (TakeInterrupt(Interrupt::kReload)) {
      std::lock_guard guard(settings);
      ReloadConfiguration();
    }
    if (exposer == nullptr) {
      try {
        exposer = OpenExposer(collector);
      } catch (const std::exception& error) {
        if (!std::exchange(complained, true)) {
          Log(Severity::kWarning, "metrics exporter could not listen on port {}, and tries on: {}",
              GetInt(Setting::kMetricsPort), start_error.empty() ? error.what() : start_error.c_str());
        }
      }
    }
    WaitLatch(exposer == nullptr ? kRetryMs : -1, WaitEvent::kMetricsExporterMain);
  }
}

}  // namespace walden

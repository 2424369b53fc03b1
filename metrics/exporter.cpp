#include "metrics/exporter.h"

#include <CivetServer.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <prometheus/exposer.h>
#include <sys/socket.h>

#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "metrics/ipv6_relay.h"
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

// A name may stand for an IPv6 address that this machine does not know: then the IPv4 one serves.
bool MachineHas(sockaddr_in6 address) {
  Descriptor probe(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  address.sin6_port = 0;
  return probe.is_open() && bind(probe.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

// What metrics_listen_addresses stands for: numeric forms, in which every address appears once.
struct Addresses {
  std::set<std::string> ipv4;
  std::map<std::string, sockaddr_in6> ipv6;

  // Of civetweb: "0.0.0.0:9187". 127.0.0.1 among them is what the relay passes to; the port 0 is one that is free.
  std::string ListeningPorts(int64_t port) const {
    std::vector<std::string> ports;
    for (const std::string& address : ipv4) ports.push_back(fmt::format("{}:{}", address, port));
    if (!ipv6.empty() && !ServesLoopback()) ports.push_back("127.0.0.1:0");
    return fmt::format("{}", fmt::join(ports, ","));
  }
  bool ServesLoopback() const { return ipv4.contains("0.0.0.0") || ipv4.contains("127.0.0.1"); }
};

void ResolveInto(const std::string& host, int64_t port, Addresses* addresses) {
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
    if (at->ai_family == AF_INET) addresses->ipv4.insert(text);
    if (at->ai_family != AF_INET6) continue;
    sockaddr_in6 address;
    std::memcpy(&address, at->ai_addr, sizeof address);
    if (MachineHas(address)) addresses->ipv6[text] = address;
  }
}

Addresses ConfiguredAddresses() {
  Addresses addresses;
  for (const std::string& host : SplitSettingList(GetString(Setting::kMetricsListenAddresses))) {
    ResolveInto(host, GetInt(Setting::kMetricsPort), &addresses);
  }
  return addresses;
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

struct Exporter {
  std::unique_ptr<prometheus::Exposer> exposer;
  std::unique_ptr<Ipv6Relay> relay;
};

// Threads: the process's own, civetweb's acceptor, two that serve, and one for IPv6 (Debian builds civetweb without).
// Keep-alive is off and slow requests are cut, so that idle connections do not keep a probe waiting.
std::unique_ptr<Exporter> OpenExporter(const std::shared_ptr<NodeCollector>& collector) {
  int64_t port = GetInt(Setting::kMetricsPort);
  Addresses addresses = ConfiguredAddresses();
  std::string ports = addresses.ListeningPorts(port);
  if (ports.empty())
    throw SqlError(ErrorCode::kConfigFileError, "metrics_listen_addresses names no usable address");
  CivetCallbacks callbacks;
  callbacks.begin_request = AnswerRequest;
  callbacks.log_message = [](const mg_connection*, const char* message) {
    start_error = message;
    return 1;
  };
  SignalBlocker signals;  // inherited by the threads: signals are the first thread's
  auto exporter = std::make_unique<Exporter>();
  exporter->exposer = std::make_unique<prometheus::Exposer>(
      std::vector<std::string>{"listening_ports", ports, "num_threads", "2", "enable_keep_alive", "no",
                               "request_timeout_ms", "3000", "tcp_nodelay", "1"},
      &callbacks);
  exporter->exposer->RegisterCollectable(collector);
  std::vector<std::string> names(addresses.ipv4.begin(), addresses.ipv4.end());
  if (!addresses.ipv6.empty()) {
    std::vector<sockaddr_in6> relayed;
    for (const auto& [name, address] : addresses.ipv6) {
      relayed.push_back(address);
      names.push_back(fmt::format("[{}]", name));
    }
    int target =
        addresses.ServesLoopback() ? static_cast<int>(port) : exporter->exposer->GetListeningPorts().back();
    exporter->relay = std::make_unique<Ipv6Relay>(relayed, static_cast<uint16_t>(target));
  }
  Log(Severity::kLog, "metrics exporter listens on {}, port {}", fmt::join(names, ", "), port);
  return exporter;
}

bool AskedToEnd() {
  return InterruptPending(Interrupt::kTerminate) || InterruptPending(Interrupt::kShutdown);
}

}  // namespace

void RunMetricsExporter() {
  self().latch.Own();
  // Never destroyed, since the server's threads are not waited for at the end (see there): a scrape that meets the end
  // of the process waits for `settings` and is cut, it does not find nothing.
  static std::mutex& settings = *new std::mutex;
  static const auto& collector =
      *new std::shared_ptr<NodeCollector>(std::make_shared<NodeCollector>(settings));
  std::unique_ptr<Exporter> exporter;
  bool complained = false;
  while (!AskedToEnd()) {
    self().latch.Reset();
    if (AskedToEnd()) break;
    if (TakeInterrupt(Interrupt::kReload)) {
      std::lock_guard guard(settings);
      ReloadConfiguration();
    }
    if (exporter == nullptr) {
      try {
        exporter = OpenExporter(collector);
      } catch (const std::exception& error) {
        if (!std::exchange(complained, true)) {
          Log(Severity::kWarning, "metrics exporter could not listen on port {}, and tries on: {}",
              GetInt(Setting::kMetricsPort), start_error.empty() ? error.what() : start_error.c_str());
        }
      }
    }
    WaitLatch(exporter == nullptr ? kRetryMs : -1, WaitEvent::kMetricsExporterMain);
  }
  // civetweb's acceptor looks only every two seconds whether it shall stop, and the node would stop no sooner. So its
  // threads end with the process, which gives nothing back; no source runs any more.
  settings.lock();
  [[maybe_unused]] const auto* left = exporter.release();
}

}  // namespace walden

#include "metrics/probes.h"

#include <fmt/format.h>

#include <charconv>

namespace walden {
namespace {

bool Answers(NodePhase phase) { return phase == NodePhase::kRunning || phase == NodePhase::kHotStandby; }
bool IsPrimary(const Standing& standing) { return !standing.in_recovery; }

struct LagBound {
  std::optional<double> seconds;
  std::optional<double> bytes;
};

// "", "lag=1048576", "lag=10MB", "lag=30s". nullopt: unreadable.
std::optional<LagBound> ReadLagBound(std::string_view query) {
  struct Unit {
    std::string_view name;
    double factor;
    bool is_time;
  };
  constexpr Unit kUnits[] = {{"", 1, false},         {"B", 1, false},           {"kB", 1024, false},
                             {"MB", 1048576, false}, {"GB", 1073741824, false}, {"ms", 0.001, true},
                             {"s", 1, true},         {"min", 60, true}};
  LagBound bound;
  constexpr std::string_view kKey = "lag=";
  size_t at = query.find(kKey);
  if (at == std::string_view::npos || (at > 0 && query[at - 1] != '&')) return bound;
  std::string_view text = query.substr(at + kKey.size());
  text = text.substr(0, text.find('&'));
  double number;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  std::string_view name(rest, static_cast<size_t>(text.data() + text.size() - rest));
  for (const Unit& unit : kUnits) {
    if (unit.name != name) continue;
    (unit.is_time ? bound.seconds : bound.bytes) = number * unit.factor;
    return bound;
  }
  return std::nullopt;
}

std::string Describe(NodePhase phase, const Standing& standing) {
  constexpr std::string_view kNames[] = {"starting", "recovering", "hot standby", "running", "stopping"};
  return fmt::format(
      "{{\"state\":\"{}\",\"role\":\"{}\",\"may_commit\":{},\"lag_bytes\":{},\"lag_seconds\":{:.3f}}}\n",
      kNames[static_cast<size_t>(phase)], IsPrimary(standing) ? "primary" : "replica",
      standing.may_commit && IsPrimary(standing) && phase == NodePhase::kRunning, standing.lag_bytes,
      standing.lag_seconds);
}

}  // namespace

std::optional<ProbeAnswer> AnswerProbe(std::string_view path, std::string_view query, NodePhase phase,
                                       const Standing& standing) {
  bool leads = phase == NodePhase::kRunning && IsPrimary(standing) && standing.may_commit;
  bool follows = phase == NodePhase::kHotStandby && !IsPrimary(standing);
  bool good;
  if (path == "/livez") {
    good = true;
  } else if (path == "/startupz") {
    good = Answers(phase) || phase == NodePhase::kStopping;
  } else if (path == "/readyz") {
    good = leads || follows;
  } else if (path == "/primary") {
    good = leads;
  } else if (path == "/replica") {
    std::optional<LagBound> bound = ReadLagBound(query);
    if (!bound)
      return ProbeAnswer{400, "lag is a number of bytes, or a number with one of B kB MB GB ms s min\n"};
    good = follows && (!bound->seconds || standing.lag_seconds <= *bound->seconds) &&
           (!bound->bytes || static_cast<double>(standing.lag_bytes) <= *bound->bytes);
  } else {
    return std::nullopt;
  }
  return ProbeAnswer{good ? 200 : 503, Describe(phase, standing)};
}

}  // namespace walden

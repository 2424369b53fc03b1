#include "node/base/fault_point.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string>

#include "node/base/check.h"
#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/random.h"

namespace walden {

std::atomic<bool> fault_points_armed{false};

namespace {

constexpr std::string_view kNames[] = {
#define X(name, text) text,
#include "node/base/fault_points.def"
#undef X
};

enum class Action : uint8_t { kNone, kKill, kKillOnce, kError, kPanic, kStop };

struct Armed {
  Action action = Action::kNone;
  double odds = 1.0;
  std::string detail;  // empty: whatever the place works on
};

using ArmedPoints = std::array<Armed, static_cast<size_t>(FaultPoint::kCount)>;
ArmedPoints armed_points;
std::atomic<void (*)(FaultPoint)> fault_point_callback{nullptr};

Action ParseAction(std::string_view text) {
  if (text == "kill") return Action::kKill;
  if (text == "kill-once") return Action::kKillOnce;
  if (text == "error") return Action::kError;
  if (text == "panic") return Action::kPanic;
  if (text == "stop") return Action::kStop;
  throw SqlError(ErrorCode::kInvalidParameterValue, "unknown fault point action \"{}\"", text);
}

size_t FindPoint(std::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return i;
  }
  throw SqlError(ErrorCode::kInvalidParameterValue, "unknown fault point \"{}\"", name);
}

void ArmOne(std::string_view item, ArmedPoints* points) {
  size_t equals = item.find('=');
  if (equals == std::string_view::npos) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "fault point \"{}\" names no action", item);
  }
  std::string_view action = item.substr(equals + 1);
  Armed armed;
  if (size_t colon = action.find(':'); colon != std::string_view::npos) {
    std::string_view odds = action.substr(colon + 1);
    auto [end, error] = std::from_chars(odds.data(), odds.data() + odds.size(), armed.odds);
    if (error != std::errc() || end != odds.data() + odds.size()) {
      throw SqlError(ErrorCode::kInvalidParameterValue, "invalid fault point odds \"{}\"", odds);
    }
    action = action.substr(0, colon);
  }
  armed.action = ParseAction(action);
  std::string_view name = item.substr(0, equals);
  if (size_t at = name.find('@'); at != std::string_view::npos) {
    armed.detail = name.substr(at + 1);
    name = name.substr(0, at);
  }
  (*points)[FindPoint(name)] = armed;
}

ArmedPoints Parse(std::string_view specification) {
  ArmedPoints points;
  while (!specification.empty()) {
    size_t comma = specification.find(',');
    ArmOne(specification.substr(0, comma), &points);
    specification = comma == std::string_view::npos ? std::string_view{} : specification.substr(comma + 1);
  }
  return points;
}

}  // namespace

void CheckFaultPoints(std::string_view specification) { Parse(specification); }

void SetFaultPointCallback(void (*callback)(FaultPoint point)) {
  fault_point_callback.store(callback);
  fault_points_armed.store(callback != nullptr);
}

void HitFaultPoint(FaultPoint point, std::string_view detail) {
  if (auto callback = fault_point_callback.load()) return callback(point);
  const Armed& armed = armed_points[static_cast<size_t>(point)];
  if (armed.action == Action::kNone || (!armed.detail.empty() && armed.detail != detail)) return;
  static Random random(static_cast<uint64_t>(MonotonicUs()) ^ static_cast<uint64_t>(getpid()));
  if (armed.odds < 1.0 && random.NextDouble() >= armed.odds) return;
  std::string_view name = kNames[static_cast<size_t>(point)];
  switch (armed.action) {
    case Action::kKill: kill(getpid(), SIGKILL); break;
    case Action::kKillOnce:
      if (unlink("fault_point.once") == 0) kill(getpid(), SIGKILL);
      break;
    case Action::kStop: kill(getpid(), SIGSTOP); break;
    case Action::kPanic: Panic("fault point \"{}\"", name);
    case Action::kError: throw SqlError(ErrorCode::kSystemError, "fault point \"{}\"", name);
    case Action::kNone: break;
  }
}

void ArmFaultPoints(std::string_view specification) {
  armed_points = Parse(specification);
  bool any = false;
  for (const Armed& armed : armed_points) any |= armed.action != Action::kNone;
  fault_points_armed.store(any, std::memory_order_relaxed);
}

}  // namespace walden

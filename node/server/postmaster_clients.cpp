// Clients and the pre-forked backends that they are handed to. A few backends always wait; each takes a client, and comes back
// when that has gone, unless enough others wait or the configuration that it inherited is no longer in force. The postmaster keeps its copy of a socket until the backend confirms, so that a
// backend that dies before that costs its client nothing.
#include <signal.h>
#include <unistd.h>

#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/server/postmaster.h"

namespace walden {
namespace {

constexpr int kWaitingBackends = 4;
// Those that come back: few enough that waiting ones never take the slots of sessions.
constexpr int kMostWaitingBackends = kSpareBackends - 2;
static_assert(kMostWaitingBackends > kWaitingBackends);
// Of so many serving backends the postmaster keeps the way to hand over another client; the rest end with theirs.
constexpr int kMostKeptControls = 256;
constexpr int64_t kConfirmWithinUs = 10000000;

}  // namespace

bool Postmaster::TakesClients() const {
  return phase_ == Phase::kStarting || phase_ == Phase::kRecovering || phase_ == Phase::kHotStandby ||
         phase_ == Phase::kRunning || phase_ == Phase::kStoppingSessions ||
         phase_ == Phase::kStoppingProcesses;
}

void Postmaster::FillPool() {
  // While stopping processes only those that refuse clients are started, one at a time as clients come.
  if (!TakesClients() || phase_ == Phase::kStoppingProcesses) return;
  for (int waiting = CountInStage(BackendStage::kWaiting); waiting < kWaitingBackends; ++waiting) {
    std::pair<Descriptor, Descriptor> control = MakeSocketPair();
    Child child;
    child.stage = BackendStage::kWaiting;
    child.control = std::move(control.first);
    child.reloads = reloads_;
    if (Launch(ProcessKind::kBackend, {.control_fd = control.second.fd()}, std::move(child)) < 0) break;
  }
  while (!undelivered_.empty()) {
    Descriptor client = std::move(undelivered_.back());
    undelivered_.pop_back();
    if (!HandOver(std::move(client))) break;
  }
}

// Those that wait have the settings, access rules and certificates of before.
void Postmaster::RetireWaitingBackends() {
  for (Child& child : children_.all()) {
    if (child.stage != BackendStage::kWaiting) continue;
    child.stage = BackendStage::kNone;
    kill(child.pid, SIGTERM);
  }
}

void Postmaster::AcceptClients(int listen_fd) {
  for (;;) {
    Descriptor client = AcceptConnection(listen_fd);
    if (!client.is_open()) return;
    if (!HandOver(std::move(client))) return;
    FillPool();
  }
}

Child* Postmaster::WaitingBackend() {
  for (Child& child : children_.all()) {
    if (child.stage == BackendStage::kWaiting) return &child;
  }
  return nullptr;
}

int Postmaster::SessionCount() const {
  return children_.CountIf([](const Child& child) { return child.counts_as_session; });
}

Admission Postmaster::Verdict() const {
  switch (phase_) {
    case Phase::kStarting: return region_generation_ > 1 ? Admission::kRecovering : Admission::kStarting;
    case Phase::kRecovering:
      return GetBool(Setting::kHotStandby) ? Admission::kNotConsistent : Admission::kNoHotStandby;
    case Phase::kHotStandby:
    case Phase::kRunning:
      return SessionCount() >= GetInt(Setting::kMaxConnections) ? Admission::kTooMany : Admission::kAccept;
    default: return Admission::kShuttingDown;
  }
}

// False: no backend is free; the client waits in undelivered_, and no further ones are accepted meanwhile.
bool Postmaster::HandOver(Descriptor client) {
  for (;;) {
    Child* backend = WaitingBackend();
    if (backend == nullptr) {
      undelivered_.push_back(std::move(client));
      return false;
    }
    Admission verdict = Verdict();
    if (SendWithDescriptor(backend->control.fd(), &verdict, sizeof verdict, client.fd(), false)) {
      backend->stage = BackendStage::kHandedOver;
      backend->counts_as_session = verdict == Admission::kAccept;
      backend->client = std::move(client);
      backend->confirm_by_us = MonotonicUs() + kConfirmWithinUs;
      return true;
    }
    // It is dead or stuck before its first client: try another.
    backend->stage = BackendStage::kNone;
    kill(backend->pid, SIGTERM);
  }
}

void Postmaster::ConfirmHandOver(pid_t pid) {
  Child* backend = children_.Find(pid);
  if (backend == nullptr || backend->stage != BackendStage::kHandedOver) return;
  if (CountInStage(BackendStage::kServing) >= kMostKeptControls) backend->control.Close();
  backend->stage = BackendStage::kServing;
  backend->client.Close();
}

// Its session is over in any case; whether it serves another is decided here.
void Postmaster::TakeBack(pid_t pid) {
  Child* backend = children_.Find(pid);
  if (backend == nullptr || backend->stage != BackendStage::kServing) return;
  backend->counts_as_session = false;
  bool wanted = TakesClients() && phase_ != Phase::kStoppingProcesses && backend->reloads == reloads_ &&
                backend->control.is_open() && CountInStage(BackendStage::kWaiting) < kMostWaitingBackends;
  backend->stage = wanted ? BackendStage::kWaiting : BackendStage::kNone;
  if (!wanted) {
    kill(backend->pid, SIGTERM);
  } else if (!undelivered_.empty()) {
    FillPool();
  }
}

int Postmaster::CountInStage(BackendStage stage) const {
  return children_.CountIf([stage](const Child& child) { return child.stage == stage; });
}

void Postmaster::ReturnClient(Child& child) {
  if (child.client.is_open()) undelivered_.push_back(std::move(child.client));
  child.stage = BackendStage::kNone;
  child.counts_as_session = false;
}

}  // namespace walden

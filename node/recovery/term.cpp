#include "node/recovery/term.h"

#include <signal.h>

#include <algorithm>

#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/recovery/recovery_shared.h"
#include "node/shm/postmaster_link.h"
#include "node/txn/lease.h"

namespace walden {
namespace {

constexpr const char* kWayBack =
    "Make it a replica of the new primary with \"walden basebackup\" into an empty directory.";

// First the lease, so that from now on no commit and no answer leaves; then for ever.
void Fence(uint64_t peer_term, std::string_view peer) {
  FenceNode();
  UpdateControlFile(
      [&](ControlFile& control) { control.fenced_by_term = std::max(control.fenced_by_term, peer_term); });
  MaybeFault(FaultPoint::kNodeFenced);
  ErrorFields fields;
  fields.severity = Severity::kLog;
  fields.message = fmt::format("this node is no longer the primary: {} is in term {}, this node in term {}",
                               peer, peer_term, CurrentTerm());
  fields.detail = "The node is fenced and shuts down.";
  fields.hint = kWayBack;
  EmitLog(fields);
  NotifyPostmaster(PostmasterRequest::kShutdown, SIGINT);
}

}  // namespace

uint64_t CurrentTerm() { return Recovery()->term.load(std::memory_order_acquire); }

TermOrder MeetTerm(uint64_t peer_term, std::string_view peer) {
  RecoveryShared* shared = Recovery();
  uint64_t mine = CurrentTerm();
  if (peer_term <= mine) return peer_term == mine ? TermOrder::kSame : TermOrder::kPeerIsOlder;
  bool adopted = false;
  // Under the lock that BeginTerm takes: a standby that is being promoted has a term of its own, or adopts this one
  // and goes above it.
  UpdateControlFile([&](ControlFile& control) {
    adopted = !shared->owns_term.load();
    if (!adopted || control.term >= peer_term) return;
    control.term = peer_term;
    shared->term.store(peer_term, std::memory_order_release);
  });
  if (adopted)
    Log(Severity::kLog, "term is now {}, as {} says", peer_term, peer);
  else
    Fence(peer_term, peer);
  return TermOrder::kPeerIsNewer;
}

uint64_t BeginTerm() {
  RecoveryShared* shared = Recovery();
  UpdateControlFile([&](ControlFile& control) {
    ++control.term;
    shared->owns_term.store(true);
    shared->term.store(control.term, std::memory_order_release);
  });
  MaybeFault(FaultPoint::kTermRaised);
  Log(Severity::kLog, "began term {}", CurrentTerm());
  return CurrentTerm();
}

uint64_t FencedByTerm() { return GetControlFile().fenced_by_term; }

void RefuseFencedStart() {
  ControlFile control = GetControlFile();
  if (control.fenced_by_term == 0) return;
  throw SqlError(
      ErrorCode::kObjectNotInPrerequisiteState,
      "this data directory was fenced: it belongs to term {}, and another node is the primary of term {}",
      control.term, control.fenced_by_term)
      .WithDetail("It may hold transactions that no other node has.")
      .WithHint(kWayBack)
      .WithSeverity(Severity::kFatal);
}

}  // namespace walden

// Terms: which primary a node's data comes from. Every promotion begins a new term, one above all that the node has
// met, made durable in the control file before the first write of the new primary. Whoever exchanges messages about WAL
// states his term; the lower one gives way:
//   a standby adopts the higher term and refuses WAL of a lower one;
//   a primary that meets a higher term fences itself at once and for ever: no commit and no answer leaves it, it stops,
//   and the data directory does not start again (it may hold WAL that no other node has). `walden basebackup` into
//   an empty directory re-attaches the machine.
// Owner: recovery. Main threads only.
#pragma once

#include <cstdint>
#include <string_view>

#include "node/base/ids.h"

namespace walden {

// This node's; at least 1.
uint64_t CurrentTerm();

enum class TermOrder : uint8_t {
  kSame,
  kPeerIsOlder,  // refuse what it says; tell it our term, so that it fences itself
  kPeerIsNewer,  // standby: now adopted (durable on return). Primary: this node is fenced; end the stream
};
// What every message's term goes through. `peer` names the other node in the log.
TermOrder MeetTerm(uint64_t peer_term, std::string_view peer);

// Promotion: the new primary's term, durable on return.
uint64_t BeginTerm();

// Whether the directory was fenced, by which term (0: no). FATAL with the way back, for a start.
uint64_t FencedByTerm();
void RefuseFencedStart();

// For whoever cannot follow any more.
inline constexpr const char* kBaseBackupHint =
    "Make this node anew with \"walden basebackup\" into an empty directory.";

}  // namespace walden

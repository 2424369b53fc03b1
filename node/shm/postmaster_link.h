// How a child talks to the postmaster: datagrams on a socket that every child inherits, so that the
// postmaster never reads shared memory (I1). Lost only if the postmaster is gone.
#pragma once

#include <cstdint>
#include <string_view>

namespace walden {

enum class PostmasterRequest : uint32_t {
  kRecoveryStarted = 1,    // startup process: redo has begun
  kRecoveryConsistent,     // startup process: hot standby queries may come
  kStartRedoWorkers,       // startup process: all of them
  kStartAutovacuumWorker,  // launcher: argument = launcher's own number for the worker
  kStartWalReceiver,       // startup process: stream from the primary
  kReplicationPortTried,   // walsender: the port is open, or its log says why not
  kStartBackgroundWorker,  // a worker was registered in shared memory; argument = its number
  kStopBackgroundWorker,   // argument = its number
  kRotateLog,              // pg_rotate_logfile
  kReload,                 // pg_reload_conf
  kBackendTookClient,      // confirms a hand-over
  kBackendIsFree,          // its client has gone, and it can serve another
  kPromote,                // pg_promote
  kShutdown,               // argument = signal: a worker or a recovery target asks the node to stop
};

// Fixed size, so that a datagram is whole or absent.
struct PostmasterMessage {
  PostmasterRequest request;
  int32_t pid;
  int64_t argument;
};
static_assert(sizeof(PostmasterMessage) == 16);

// Does nothing in a process without postmaster (single-process commands, tests).
void NotifyPostmaster(PostmasterRequest request, int64_t argument = 0);
// The child's end of the link; -1 for none. Set by the postmaster before it forks.
void SetPostmasterLink(int fd);

}  // namespace walden

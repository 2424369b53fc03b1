// The table of process kinds' entry points (I1: everything below runs in a child, after the fork).
#pragma once

#include <cstdint>

#include "node/os/socket.h"
#include "node/shm/admission.h"
#include "node/shm/process.h"

namespace walden {

// What the postmaster tells a child at its birth.
struct ChildStart {
  ProcessKind kind{};
  int control_fd = -1;  // backends: where clients are handed over
  int worker =
      -1;  // background workers: number of the registration; autovacuum workers: the launcher's number
  int log_pipe_fd = -1;  // logger: what it reads
};

// Returns the exit code: 0 done, 1 ended by an error of its own (FATAL), anything else counts as a crash.
using ProcessMain = int (*)(const ChildStart& start);
ProcessMain MainOf(ProcessKind kind);
// Tests of the postmaster put their own in place, before it forks.
void SetProcessMain(ProcessKind kind, ProcessMain main);

// A backend waits in the pool until it is handed a client, serves it by `serve_client`, and goes back into the pool if that says so and
// the postmaster has use for it.
int BackendMain(const ChildStart& start);
using ClientServer = bool (*)(Descriptor client, Admission verdict);
extern ClientServer serve_client;

int WalSenderMain(const ChildStart& start);
int WalReceiverMain(const ChildStart& start);

// What others see of a process before it serves anybody: title, the log's context, pg_stat_activity.
void ShowProcess(ProcessKind kind);

// Runs the kind's main with the process's errors caught and logged. Called in the child.
[[noreturn]] void RunChild(const ChildStart& start);

}  // namespace walden

// Background workers: processes of extensions (and ours) that the postmaster starts, restarts and stops. The
// public API.
//
//   extern "C" void walden_init() {                      // of a library named in shared_preload_libraries
//     RegisterBackgroundWorker({.name = "sweeper", .library = "sweeper", .function = "sweep"});
//   }
//   extern "C" void sweep(WorkerContext& worker) {
//     while (worker.Sleep(60000)) { ... }                // false: asked to stop
//   }
//
// A worker that throws or returns exit code 1 is started again after restart_delay_s; one that returns
// normally is done. One that dies otherwise is a crash of the node (I2), because it shares memory.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace walden {

inline constexpr int kNeverRestart = -1;

struct BackgroundWorker {
  std::string name;      // process title and pg_stat_activity; up to 95 bytes
  std::string type;      // backend_type; empty: the name
  std::string library;   // loadable library; empty: built in
  std::string function;  // entry point: void (*)(WorkerContext&), extern "C" in a library
  int64_t argument = 0;
  std::string extra;                  // up to 127 bytes, handed to the worker
  bool start_at_consistency = false;  // also on a standby; else only where writing is possible
  int restart_delay_s = kNeverRestart;
};

// What a worker sees of its surroundings.
class WorkerContext {
 public:
  WorkerContext(int64_t argument, std::string extra) : argument_(argument), extra_(std::move(extra)) {}
  int64_t argument() const { return argument_; }
  const std::string& extra() const { return extra_; }
  bool ShouldStop() const;
  // Waits for the time, or until its latch is set; rereads the configuration on SIGHUP. False when asked to
  // stop.
  bool Sleep(int64_t timeout_ms);

 private:
  int64_t argument_;
  std::string extra_;
};
using WorkerFunction = void (*)(WorkerContext& worker);

// At the node's start only (walden_init, or the table of built-in workers).
void RegisterBackgroundWorker(const BackgroundWorker& worker);

// At run time, from any process. nullopt when max_worker_processes rows are taken.
struct WorkerHandle {
  int worker;
  uint32_t generation;
};
std::optional<WorkerHandle> StartDynamicWorker(const BackgroundWorker& worker);
enum class WorkerState : uint8_t { kFree, kRegistered, kRunning, kStopped };
WorkerState GetWorkerState(const WorkerHandle& handle, pid_t* pid);
void TerminateWorker(const WorkerHandle& handle);
// Wait until it runs / has ended; interruptible. WaitForWorkerStart returns false if it ended at once.
bool WaitForWorkerStart(const WorkerHandle& handle, pid_t* pid);
void WaitForWorkerEnd(const WorkerHandle& handle);

// ---- for `server` itself ----
size_t BackgroundWorkerBytes();
void InitBackgroundWorkers(void* at);
// Loads shared_preload_libraries (calls their walden_init) and the table of built-in workers.
void LoadWorkerLibraries();
// Writes the registrations of the start into a fresh region; returns a packed request for each.
std::vector<int64_t> PublishStaticWorkers();
struct WorkerRequest {
  int worker;
  int restart_delay_s;
  bool at_consistency;
};
int64_t PackWorkerRequest(const WorkerRequest& request);
WorkerRequest UnpackWorkerRequest(int64_t packed);
// Runs the registration's function; the main of ProcessKind::kBackgroundWorker.
int RunBackgroundWorker(int worker);

}  // namespace walden

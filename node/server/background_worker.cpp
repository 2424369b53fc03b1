#include "node/server/background_worker.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstring>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/conf_file.h"
#include "node/config/setting_values.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/os/process.h"
#include "node/server/builtin_workers.h"
#include "node/shm/condition_variable.h"
#include "node/shm/interrupts.h"
#include "node/shm/lwlock.h"
#include "node/shm/postmaster_link.h"

namespace walden {
namespace {

// One registration. Guarded by: the area's lock, but for the atomics. The row belongs to whoever registered
// it until the worker runs, then to the worker, which frees it when it is done for good.
struct WorkerRow {
  std::atomic<WorkerState> state;
  std::atomic<int32_t> pid;
  uint32_t generation;
  int32_t restart_delay_s;
  bool at_consistency;
  int64_t argument;
  char name[96], type[96], library[192], function[96], extra[128];
};

struct alignas(alignof(WorkerRow)) WorkerArea {  // the rows stand behind it
  LwLock lock;
  ConditionVariable changed;
  int32_t count;
  WorkerRow* rows() { return reinterpret_cast<WorkerRow*>(this + 1); }
};

WorkerArea& TheArea() { return *ShmArea<WorkerArea>(Area::kBackgroundWorkers); }

std::vector<BackgroundWorker>& StaticWorkers() {
  static std::vector<BackgroundWorker> workers;
  return workers;
}

template <size_t kSize>
void CopyText(char (&to)[kSize], const std::string& from) {
  std::memset(to, 0, kSize);
  std::memcpy(to, from.data(), std::min(from.size(), kSize - 1));
}

void Fill(WorkerRow& row, const BackgroundWorker& worker) {
  row.generation += 1;
  row.restart_delay_s = worker.restart_delay_s;
  row.at_consistency = worker.start_at_consistency;
  row.argument = worker.argument;
  CopyText(row.name, worker.name);
  CopyText(row.type, worker.type.empty() ? worker.name : worker.type);
  CopyText(row.library, worker.library);
  CopyText(row.function, worker.function);
  CopyText(row.extra, worker.extra);
  row.pid.store(0, std::memory_order_relaxed);
  row.state.store(WorkerState::kRegistered, std::memory_order_release);
}

int64_t RequestFor(int index, const WorkerRow& row) {
  return PackWorkerRequest({index, row.restart_delay_s, row.at_consistency});
}

void SetState(WorkerRow& row, WorkerState state, pid_t pid) {
  row.pid.store(pid, std::memory_order_relaxed);
  row.state.store(state, std::memory_order_release);
  TheArea().changed.Broadcast();
}

std::string LibraryPath(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  std::string executable;
  fs().ReadLink("/proc/self/exe", &executable);
  std::string libdir = executable.substr(0, executable.rfind('/')) + "/../lib/walden";
  std::string path = GetString(Setting::kDynamicLibraryPath);
  for (size_t at = 0; at <= path.size();) {
    size_t colon = std::min(path.find(':', at), path.size());
    std::string directory = path.substr(at, colon - at);
    if (directory.starts_with("$libdir")) directory.replace(0, 7, libdir);
    for (const char* suffix : {".so", ""}) {
      if (PathExists(directory + "/" + name + suffix)) return directory + "/" + name + suffix;
    }
    at = colon + 1;
  }
  return name;
}

void* OpenLibrary(const std::string& name) {
  void* library = dlopen(LibraryPath(name).c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr)
    throw SqlError(ErrorCode::kUndefinedFile, "could not load library \"{}\": {}", name, dlerror());
  return library;
}

WorkerFunction FindFunction(const std::string& library, const std::string& function) {
  void* found = nullptr;
  if (library.empty()) {
    if (WorkerFunction builtin = FindBuiltinWorker(function)) return builtin;
  } else {
    found = dlsym(OpenLibrary(library), function.c_str());
  }
  if (found == nullptr) {
    throw SqlError(ErrorCode::kUndefinedFunction, "could not find function \"{}\" in file \"{}\"", function,
                   library);
  }
  return reinterpret_cast<WorkerFunction>(found);
}

}  // namespace

bool WorkerContext::ShouldStop() const {
  return InterruptPending(Interrupt::kTerminate) || InterruptPending(Interrupt::kShutdown);
}

bool WorkerContext::Sleep(int64_t timeout_ms) {
  if (!ShouldStop()) WaitLatch(timeout_ms, WaitEvent::kBackgroundWorkerMain);
  self().latch.Reset();
  if (TakeInterrupt(Interrupt::kReload)) ReloadConfiguration();
  return !ShouldStop();
}

void RegisterBackgroundWorker(const BackgroundWorker& worker) { StaticWorkers().push_back(worker); }

std::optional<WorkerHandle> StartDynamicWorker(const BackgroundWorker& worker) {
  WorkerArea& area = TheArea();
  LwLockGuard guard(area.lock, LwMode::kExclusive);
  for (int i = 0; i < area.count; ++i) {
    WorkerRow& row = area.rows()[i];
    WorkerState state = row.state.load(std::memory_order_acquire);
    if (state != WorkerState::kFree && state != WorkerState::kStopped) continue;
    Fill(row, worker);
    WorkerHandle handle{i, row.generation};
    guard.Release();
    NotifyPostmaster(PostmasterRequest::kStartBackgroundWorker, RequestFor(i, row));
    return handle;
  }
  return std::nullopt;
}

WorkerState GetWorkerState(const WorkerHandle& handle, pid_t* pid) {
  WorkerRow& row = TheArea().rows()[handle.worker];
  LwLockGuard guard(TheArea().lock, LwMode::kShared);
  if (row.generation != handle.generation) return WorkerState::kStopped;
  if (pid != nullptr) *pid = row.pid.load(std::memory_order_relaxed);
  return row.state.load(std::memory_order_acquire);
}

void TerminateWorker(const WorkerHandle& handle) {
  if (GetWorkerState(handle, nullptr) == WorkerState::kStopped) return;
  NotifyPostmaster(PostmasterRequest::kStopBackgroundWorker,
                   PackWorkerRequest({handle.worker, kNeverRestart, false}));
}

bool WaitForWorkerStart(const WorkerHandle& handle, pid_t* pid) {
  TheArea().changed.Wait(WaitEvent::kBackgroundWorkerStartup,
                         [&] { return GetWorkerState(handle, pid) != WorkerState::kRegistered; });
  return GetWorkerState(handle, pid) == WorkerState::kRunning;
}

void WaitForWorkerEnd(const WorkerHandle& handle) {
  TheArea().changed.Wait(WaitEvent::kBackgroundWorkerShutdown, [&] {
    WorkerState state = GetWorkerState(handle, nullptr);
    return state == WorkerState::kStopped || state == WorkerState::kFree;
  });
}

size_t BackgroundWorkerBytes() {
  return sizeof(WorkerArea) + static_cast<size_t>(GetInt(Setting::kMaxWorkerProcesses)) * sizeof(WorkerRow);
}

void InitBackgroundWorkers(void* at) {
  WorkerArea* area = new (at) WorkerArea;
  area->lock.Init(LwRank::kBackgroundWorker);
  area->changed.Init();
  area->count = static_cast<int32_t>(GetInt(Setting::kMaxWorkerProcesses));
  for (int i = 0; i < area->count; ++i) new (&area->rows()[i]) WorkerRow{};
}

void LoadWorkerLibraries() {
  RegisterBuiltinWorkers();
  for (const std::string& name : SplitSettingList(GetString(Setting::kSharedPreloadLibraries))) {
    void* library = OpenLibrary(name);
    if (void* init = dlsym(library, "walden_init")) reinterpret_cast<void (*)()>(init)();
  }
}

std::vector<int64_t> PublishStaticWorkers() {
  std::vector<int64_t> requests;
  WorkerArea& area = TheArea();
  for (const BackgroundWorker& worker : StaticWorkers()) {
    int index = static_cast<int>(requests.size());
    if (index >= area.count) {
      Log(Severity::kLog, "too many background workers: \"{}\" is not started", worker.name);
      break;
    }
    Fill(area.rows()[index], worker);
    requests.push_back(RequestFor(index, area.rows()[index]));
  }
  return requests;
}

int64_t PackWorkerRequest(const WorkerRequest& request) {
  uint64_t delay = static_cast<uint32_t>(request.restart_delay_s);
  return static_cast<int64_t>(delay << 32 | (request.at_consistency ? 1u << 31 : 0) |
                              static_cast<uint32_t>(request.worker));
}

WorkerRequest UnpackWorkerRequest(int64_t packed) {
  uint64_t bits = static_cast<uint64_t>(packed);
  return {static_cast<int>(bits & 0x7FFFFFFF), static_cast<int32_t>(bits >> 32), (bits >> 31 & 1) != 0};
}

int RunBackgroundWorker(int index) {
  WorkerRow& row = TheArea().rows()[index];
  SetState(row, WorkerState::kRunning, getpid());
  SetProcessTitle(fmt::format("walden: {}", row.name));
  int exit_code = 0;
  try {
    WorkerContext context(row.argument, row.extra);
    FindFunction(row.library, row.function)(context);
  } catch (const SqlError& error) {
    LogError(error.code() == ErrorCode::kAdminShutdown ? Severity::kFatal : Severity::kError, error);
    exit_code = 1;
  }
  bool done = exit_code == 0 || row.restart_delay_s < 0;
  SetState(row, done ? WorkerState::kStopped : WorkerState::kRegistered, 0);
  return exit_code;
}

}  // namespace walden

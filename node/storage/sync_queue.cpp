#include "node/storage/sync_queue.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <vector>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/shm/lwlock.h"
#include "node/shm/process.h"
#include "node/shm/region.h"
#include "node/shm/wait_events.h"

namespace walden {
namespace {

enum class RequestKind : uint8_t { kSync, kUnlinkLater, kForgetRelation, kForgetFork, kForgetDatabase };
struct Request {
  RequestKind kind;
  SyncTag tag;
};

constexpr uint32_t kCapacity = 16384;
constexpr useconds_t kFullQueueSleepUs = 10'000;

struct SyncShared {
  std::atomic<uint64_t> drop_generation;
  // Counts absorptions: while it stands, what a process put into the queue is still there. Guarded by: lock
  // (writes)
  std::atomic<uint64_t> absorbed;
  LwLock lock;
  uint32_t count;  // Guarded by: lock
  Request requests[kCapacity];
};

SyncShared* Shared() { return ShmArea<SyncShared>(Area::kSyncQueue); }

// The owner's table. The value is the cycle in which the request came.
struct Owner {
  bool active = false;
  uint64_t sync_cycle = 0;        // advanced by SyncPendingFiles: what comes later waits for the next one
  uint64_t checkpoint_cycle = 0;  // advanced by BeginSyncCycle
  std::map<SyncTag, uint64_t> syncs;
  std::vector<std::pair<RelFileLocator, uint64_t>> unlinks;
};
thread_local Owner owner;

// What this process put into the queue lately: a bulk writer asks for the same segment again and again.
struct Recent {
  uint64_t absorbed = UINT64_MAX;
  uint32_t next = 0;
  SyncTag tags[8];
};
thread_local Recent recent;

SyncPathFunction path_functions[8];

bool SameRelation(const SyncTag& tag, const RelFileLocator& rel) {
  return tag.kind == SyncKind::kRelation && tag.rel == rel;
}

void Apply(const Request& request) {
  switch (request.kind) {
    case RequestKind::kSync: owner.syncs.emplace(request.tag, owner.sync_cycle); break;
    case RequestKind::kUnlinkLater:
      owner.unlinks.emplace_back(request.tag.rel, owner.checkpoint_cycle);
      break;
    case RequestKind::kForgetRelation:
      std::erase_if(owner.syncs,
                    [&](const auto& entry) { return SameRelation(entry.first, request.tag.rel); });
      break;
    case RequestKind::kForgetFork:
      std::erase_if(owner.syncs, [&](const auto& entry) {
        return SameRelation(entry.first, request.tag.rel) && entry.first.fork == request.tag.fork;
      });
      break;
    case RequestKind::kForgetDatabase:
      std::erase_if(owner.syncs, [&](const auto& entry) {
        return entry.first.kind == SyncKind::kRelation &&
               entry.first.rel.database == request.tag.rel.database;
      });
      std::erase_if(owner.unlinks,
                    [&](const auto& entry) { return entry.first.database == request.tag.rel.database; });
      break;
  }
}

// Drops repeated sync requests that no forget request lies between. Requires: lock.
void Compact(SyncShared* shared) {
  std::map<SyncTag, bool> seen;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < shared->count; ++i) {
    const Request& request = shared->requests[i];
    if (request.kind == RequestKind::kSync) {
      if (!seen.emplace(request.tag, true).second) continue;
    } else {
      seen.clear();
    }
    shared->requests[kept++] = request;
  }
  shared->count = kept;
}

// The checkpointer absorbs whenever it wakes.
void WakeOwner() { SlotAt(SlotsOf(ProcessKind::kCheckpointer).first).latch.Set(); }

bool TryEnqueue(const Request& request) {
  SyncShared* shared = Shared();
  bool fits, filling;
  {
    LwLockGuard guard(shared->lock, LwMode::kExclusive);
    if (shared->count == kCapacity) Compact(shared);
    fits = shared->count < kCapacity;
    if (fits) shared->requests[shared->count++] = request;
    filling = shared->count >= kCapacity / 2;
  }
  if (filling) WakeOwner();
  return fits;
}

std::string PathOf(const SyncTag& tag) {
  if (tag.kind == SyncKind::kRelation) return RelationPath(tag.rel, tag.fork, tag.segment);
  if (tag.kind == SyncKind::kRelationDirectory)
    return DatabaseDirectory(tag.rel.tablespace, tag.rel.database);
  char path[128];
  SyncPathFunction function = path_functions[static_cast<size_t>(tag.kind)];
  CHECK(function != nullptr);
  function(tag, path, sizeof path);
  return path;
}

// False if the file does not exist (it was unlinked, and the request to forget it may still be in the queue).
bool SyncNow(const SyncTag& tag) {
  int error = 0;
  std::string path = PathOf(tag);
  File file = File::TryOpen(path, tag.kind == SyncKind::kRelationDirectory ? O_RDONLY : O_RDWR, &error);
  if (!file.is_open()) {
    if (error == ENOENT) return false;
    Panic("could not open file \"{}\": {}", path, std::strerror(error));
  }
  WaitEventScope waiting(WaitEvent::kDataFileSync);
  MaybeFault(FaultPoint::kFileBeforeSync);
  if (GetBool(Setting::kFsync)) file.SyncOrPanic();
  return true;
}

// Puts the request where it will be seen. A full queue is waited for: the checkpointer was woken to absorb it. No interrupt ends the
// wait, since the transaction whose files these are has ended already.
void Submit(const Request& request) {
  if (owner.active || Shared() == nullptr) {
    Apply(request);
    return;
  }
  while (!TryEnqueue(request)) {
    WaitEventScope waiting(WaitEvent::kRegisterSyncRequest);
    usleep(kFullQueueSleepUs);
  }
}

Request Make(RequestKind kind, const RelFileLocator& rel, Fork fork = Fork::kMain) {
  return {kind, {SyncKind::kRelation, fork, 0, rel}};
}

std::atomic<uint64_t> detached_generation{1};

}  // namespace

size_t SyncQueueShmSize() { return sizeof(SyncShared); }
void SyncQueueShmInit(void* area) {
  SyncShared* shared = new (area) SyncShared;
  shared->drop_generation = 1;
  shared->absorbed = 0;
  shared->lock.Init(LwRank::kSync);
  shared->count = 0;
}

void RequestSync(const SyncTag& tag) {
  if (owner.active || Shared() == nullptr) {
    owner.syncs.emplace(tag, owner.sync_cycle);
    return;
  }
  // The page is written already, so a request that still waits in the queue will be acted on after that
  // write.
  uint64_t absorbed = Shared()->absorbed.load(std::memory_order_acquire);
  if (recent.absorbed == absorbed) {
    for (const SyncTag& known : recent.tags) {
      if (known == tag) return;
    }
  } else {
    recent = Recent{};
    recent.absorbed = absorbed;
  }
  if (!TryEnqueue({RequestKind::kSync, tag})) {
    SyncNow(tag);
    return;
  }
  recent.tags[recent.next++ % std::size(recent.tags)] = tag;
}

void ForgetSyncs(const RelFileLocator& rel) {
  if (!rel.IsTemporary()) Submit(Make(RequestKind::kForgetRelation, rel));
  recent = Recent{};
}
void ForgetSync(const RelFileLocator& rel, Fork fork) {
  if (!rel.IsTemporary()) Submit(Make(RequestKind::kForgetFork, rel, fork));
  recent = Recent{};
}
void ForgetDatabaseSyncs(Oid database) {
  RelFileLocator any;
  any.database = database;
  Submit(Make(RequestKind::kForgetDatabase, any));
  recent = Recent{};
}
void RequestUnlinkAfterCheckpoint(const RelFileLocator& rel) { Submit(Make(RequestKind::kUnlinkLater, rel)); }

void BecomeSyncOwner() { owner.active = true; }

void AbsorbSyncRequests() {
  SyncShared* shared = Shared();
  if (!owner.active || shared == nullptr) return;
  std::vector<Request> taken;
  {
    LwLockGuard guard(shared->lock, LwMode::kExclusive);
    taken.assign(shared->requests, shared->requests + shared->count);
    shared->count = 0;
    shared->absorbed.fetch_add(1, std::memory_order_release);
  }
  for (const Request& request : taken) Apply(request);
}

void BeginSyncCycle() {
  AbsorbSyncRequests();
  ++owner.checkpoint_cycle;
}

int SyncPendingFiles() {
  AbsorbSyncRequests();
  uint64_t limit = ++owner.sync_cycle;
  std::vector<SyncTag> due;
  for (const auto& [tag, cycle] : owner.syncs) {
    if (cycle < limit) due.push_back(tag);
  }
  int done = 0;
  for (const SyncTag& tag : due) {
    // Out of the table first: a request that arrives while the file is synced must not be lost with it. If it
    // is gone already, an absorbed request to forget the relation took it.
    if (owner.syncs.erase(tag) == 0) continue;
    if (SyncNow(tag) && ++done % 10 == 0) AbsorbSyncRequests();
  }
  return done;
}

void UnlinkPendingFiles() {
  auto due = [](const auto& entry) { return entry.second < owner.checkpoint_cycle; };
  for (const auto& entry : owner.unlinks) {
    if (!due(entry)) continue;
    std::string path = RelationPath(entry.first, Fork::kMain);
    int result = fs().Unlink(path.c_str());
    if (result < 0 && result != -ENOENT) {
      Log(Severity::kWarning, "could not remove file \"{}\": {}", path, std::strerror(-result));
    }
  }
  std::erase_if(owner.unlinks, due);
}

uint64_t FileDropGeneration() {
  SyncShared* shared = Shared();
  return (shared != nullptr ? shared->drop_generation : detached_generation).load(std::memory_order_acquire);
}
void AdvanceFileDropGeneration() {
  SyncShared* shared = Shared();
  (shared != nullptr ? shared->drop_generation : detached_generation).fetch_add(1, std::memory_order_acq_rel);
}

void BindSyncPath(SyncKind kind, SyncPathFunction function) {
  path_functions[static_cast<size_t>(kind)] = function;
}

}  // namespace walden

#include "node/server/shm_areas.h"

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/buffer/buffer_pool.h"
#include "node/catalog/invalidation.h"
#include "node/config/settings.h"
#include "node/recovery/recovery_state.h"
#include "node/recovery/redo_queue.h"
#include "node/recovery/replication_slots.h"
#include "node/server/autovacuum.h"
#include "node/server/background_worker.h"
#include "node/shm/process.h"
#include "node/shm/server_state.h"
#include "node/stats/activity.h"
#include "node/stats/counter_tables.h"
#include "node/stats/progress.h"
#include "node/storage/sync_queue.h"
#include "node/txn/clog.h"
#include "node/txn/csn_window.h"
#include "node/txn/lock_manager.h"
#include "node/txn/multixact.h"
#include "node/txn/notify_queue.h"
#include "node/txn/sender_slots.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

// In the order in which they are initialised: an area may look at those above it.
constexpr AreaBinding kBindings[] = {
    {Area::kServerState, ServerStateBytes, InitServerState},
    {Area::kProcesses, ProcessTableBytes, InitProcessTable},
    {Area::kBackgroundWorkers, BackgroundWorkerBytes, InitBackgroundWorkers},
    {Area::kSyncQueue, SyncQueueShmSize, SyncQueueShmInit},
    {Area::kWal, WalShmSize, WalShmInit},
    {Area::kBufferPool, BufferPoolShmSize, BufferPoolShmInit},
    {Area::kRecovery, RecoveryShmSize, RecoveryShmInit},
    {Area::kRedoWorkers, RedoQueuesShmSize, RedoQueuesShmInit},
    {Area::kTransactions, TransactionAreaSize, TransactionAreaInit},
    {Area::kClog, ClogAreaSize, ClogAreaInit},
    {Area::kCsnWindow, CsnAreaSize, CsnAreaInit},
    {Area::kMultiXact, MultiXactAreaSize, MultiXactAreaInit},
    {Area::kNotifyQueue, NotifyQueueSize, NotifyQueueInit},
    {Area::kLocks, LockAreaSize, LockAreaInit},
    {Area::kWalSenders, SenderAreaSize, SenderAreaInit},
    {Area::kReplicationSlots, ReplicationSlotsShmSize, ReplicationSlotsShmInit},
    {Area::kAutovacuum, AutovacuumAreaSize, AutovacuumAreaInit},
    {Area::kActivity, ActivityAreaSize, ActivityAreaInit},
    {Area::kProgress, ProgressAreaSize, ProgressAreaInit},
    {Area::kStats, StatsAreaSize, StatsAreaInit},
    {Area::kInvalidations, InvalidationAreaSize, InvalidationAreaInit},
};

}  // namespace

std::span<const AreaBinding> ServerAreas() { return kBindings; }

std::unique_ptr<Region> CreateServerRegion(const std::string& name) {
  if (GetInt(Setting::kWalBuffers) < 0) {
    OverrideSetting(Setting::kWalBuffers, std::to_string(AutomaticWalBuffers()),
                    SettingSource::kDynamicDefault);
  }
  size_t bytes = RegionBytes(kBindings);
  OverrideSetting(Setting::kSharedMemorySize, std::to_string((bytes + (1 << 20) - 1) >> 20),
                  SettingSource::kDynamicDefault);
  HugePagesMode mode = GetEnum<HugePagesMode>(Setting::kHugePages);
  std::unique_ptr<Region> region;
  if (mode != HugePagesMode::kOff) region = Region::TryCreateHuge(name, bytes);
  if (region == nullptr && mode == HugePagesMode::kOn) {
    throw SqlError(ErrorCode::kInsufficientResources,
                   "could not reserve {} MB of shared memory in huge pages", (bytes + (1 << 20) - 1) >> 20)
        .WithHint(
            "Raise vm.nr_hugepages and mount a hugetlbfs that this user may write, or set huge_pages = try.");
  }
  if (region == nullptr) region = Region::CreateNamed(name, bytes);
  LayOutRegion(*region, kBindings);
  return region;
}

}  // namespace walden

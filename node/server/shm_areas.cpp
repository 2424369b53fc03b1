#include "node/server/shm_areas.h"

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/server/background_worker.h"
#include "node/shm/process.h"
#include "node/shm/server_state.h"

namespace walden {
namespace {

constexpr AreaBinding kBindings[] = {
    {Area::kServerState, ServerStateBytes, InitServerState},
    {Area::kProcesses, ProcessTableBytes, InitProcessTable},
    {Area::kBackgroundWorkers, BackgroundWorkerBytes, InitBackgroundWorkers},
};

}  // namespace

std::span<const AreaBinding> ServerAreas() { return kBindings; }

std::unique_ptr<Region> CreateServerRegion(const std::string& name) {
  size_t bytes = RegionBytes(kBindings);
  OverrideSetting(Setting::kSharedMemorySize, std::to_string((bytes + (1 << 20) - 1) >> 20));
  HugePagesMode mode = GetEnum<HugePagesMode>(Setting::kHugePages);
  std::unique_ptr<Region> region;
  if (mode != HugePagesMode::kOff) region = Region::TryCreateHuge(name, bytes);
  if (region == nullptr && mode == HugePagesMode::kOn) {
    throw SqlError(ErrorCode::kInsufficientResources, "could not reserve {} MB of shared memory in huge pages", (bytes + (1 << 20) - 1) >> 20)
        .WithHint("Raise vm.nr_hugepages and mount a hugetlbfs that this user may write, or set huge_pages = try.");
  }
  if (region == nullptr) region = Region::CreateNamed(name, bytes);
  LayOutRegion(*region, kBindings);
  return region;
}

}  // namespace walden

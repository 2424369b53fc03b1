#include "node/shm/private_region.h"

#include "node/base/check.h"

namespace walden {

PrivateRegion::PrivateRegion(std::vector<AreaBinding> areas) {
  CHECK(AttachedRegion().empty());
  bool has_processes = false;
  for (const AreaBinding& binding : areas) has_processes |= binding.area == Area::kProcesses;
  if (!has_processes) areas.insert(areas.begin(), {Area::kProcesses, ProcessTableBytes, InitProcessTable});
  region_ = Region::CreateAnonymous(RegionBytes(areas));
  LayOutRegion(*region_, areas);
}

PrivateRegion::~PrivateRegion() { DetachAreas(); }

ThreadIdentity::ThreadIdentity(int n, ProcessKind kind) {
  SlotRange range = SlotsOf(kind);
  CHECK(n < range.count);
  SetSelf(range.first + n, kind);
}

ThreadIdentity::~ThreadIdentity() { ReleaseSelf(); }

}  // namespace walden

// Binds every row of shm/areas.def to its size and initialiser.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "node/shm/region.h"

namespace walden {

std::span<const AreaBinding> ServerAreas();
// Makes the region for the current settings (huge pages as asked, else named shared memory) and lays it out.
std::unique_ptr<Region> CreateServerRegion(const std::string& name);

}  // namespace walden

// The shared memory region: made by the postmaster before the first fork, inherited by every child at the
// same address. Layout: RegionHeader (directory of areas, so that tools can attach read-only and use
// offsets), then the areas. Never resized. The creator's Region object owns the mapping; `Remove` takes the
// name away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace walden {

enum class Area : uint16_t {
#define X(name, text) name,
#include "node/shm/areas.def"
#undef X
  kCount
};

// What `server` (or a test) binds to one row of areas.def. `init` gets zeroed memory of size() bytes,
// 4096-aligned.
struct AreaBinding {
  Area area;
  size_t (*size)();
  void (*init)(void* at);
};

struct AreaInfo {
  const char* name;
  size_t offset;
  size_t size_bytes;
  size_t allocated_bytes;  // size rounded up as pg_shmem_allocations shows it
};

class Region {
 public:
  virtual ~Region() = default;
  virtual char* base() const = 0;
  virtual size_t size_bytes() const = 0;
  // "walden.<system id>.<inode>", empty when anonymous.
  virtual const std::string& name() const = 0;

  // A named POSIX shared memory object. Checks /dev/shm's free space and the cgroup limit first and throws
  // 53200 with sizes and remedy when it would not fit: ftruncate's success proves nothing.
  static std::unique_ptr<Region> CreateNamed(const std::string& name, size_t size_bytes);
  // Anonymous shared mapping (tests, single-process commands).
  static std::unique_ptr<Region> CreateAnonymous(size_t size_bytes);
  // A file on a hugetlbfs mount; returns nullptr when no huge pages are to be had.
  static std::unique_ptr<Region> TryCreateHuge(const std::string& name, size_t size_bytes);
  static void RemoveByName(const std::string& name);
  // Names of existing shared memory objects that start with `prefix`.
  static std::vector<std::string> ListByPrefix(const std::string& prefix);
};

// Bytes needed for all bound areas with the current settings.
size_t RegionBytes(std::span<const AreaBinding> bindings);
// Writes the header, calls every init, and makes ShmArea answer for this process and those it forks.
void LayOutRegion(Region& region, std::span<const AreaBinding> bindings);
// Forgets the areas (before the region is destroyed or rebuilt).
void DetachAreas();
std::vector<AreaInfo> ListAreas();
// The whole mapping as this process sees it; {nullptr, 0} if none.
std::span<char> AttachedRegion();

extern void* area_addresses[static_cast<size_t>(Area::kCount)];

// nullptr when the area is not laid out.
template <class T>
T* ShmArea(Area area) {
  return static_cast<T*>(area_addresses[static_cast<size_t>(area)]);
}

}  // namespace walden

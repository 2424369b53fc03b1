#include "node/shm/region.h"

#include <sys/mman.h>

#include <algorithm>
#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <cerrno>
#include <cstring>

#include "node/base/bytes.h"
#include "node/base/check.h"
#include "node/base/error.h"
#include "node/os/file.h"
#include "node/shm/region_space.h"

namespace walden {

void* area_addresses[static_cast<size_t>(Area::kCount)] = {};

namespace {

constexpr size_t kAreaCount = static_cast<size_t>(Area::kCount);
constexpr size_t kAreaAlignment = 4096;
constexpr char kMagic[8] = {'W', 'A', 'L', 'D', 'S', 'H', 'M', '1'};

constexpr const char* kAreaNames[] = {
#define X(name, text) text,
#include "node/shm/areas.def"
#undef X
};

// Format: read by tools that attach to the object; offsets count from the start of the region.
struct RegionHeader {
  char magic[8];
  uint64_t size_bytes;
  uint64_t area_count;
  struct Entry {
    char name[48];
    uint64_t offset;
    uint64_t size_bytes;
  } areas[kAreaCount];
};

std::span<char> attached;

class NamedRegion final : public Region {
 public:
  NamedRegion(const std::string& name, size_t size_bytes)
      : name_(name),
        object_(boost::interprocess::create_only, name.c_str(), boost::interprocess::read_write,
                boost::interprocess::permissions(0600)) {
    try {
      object_.truncate(static_cast<boost::interprocess::offset_t>(size_bytes));
      map_ = boost::interprocess::mapped_region(object_, boost::interprocess::read_write);
    } catch (...) {
      RemoveByName(name);
      throw;
    }
  }
  ~NamedRegion() override { RemoveByName(name_); }
  char* base() const override { return static_cast<char*>(map_.get_address()); }
  size_t size_bytes() const override { return map_.get_size(); }
  const std::string& name() const override { return name_; }

 private:
  std::string name_;
  boost::interprocess::shared_memory_object object_;
  boost::interprocess::mapped_region map_;
};

class MappedRegion final : public Region {
 public:
  MappedRegion(char* base, size_t size_bytes, std::string path)
      : base_(base), size_(size_bytes), path_(std::move(path)) {}
  ~MappedRegion() override { munmap(base_, size_); }
  char* base() const override { return base_; }
  size_t size_bytes() const override { return size_; }
  const std::string& name() const override { return path_; }

 private:
  char* base_;
  size_t size_;
  std::string path_;
};

size_t AreaBytes(const AreaBinding& binding) { return AlignUp(binding.size(), kAreaAlignment); }

}  // namespace

std::unique_ptr<Region> Region::CreateNamed(const std::string& name, size_t size_bytes) {
  RequireSharedMemorySpace(size_bytes);
  try {
    return std::make_unique<NamedRegion>(name, size_bytes);
  } catch (const boost::interprocess::interprocess_exception& error) {
    throw SqlError(ErrorCode::kInsufficientResources,
                   "could not create shared memory segment \"{}\" of {} bytes: {}", name, size_bytes,
                   error.what());
  }
}

std::unique_ptr<Region> Region::CreateAnonymous(size_t size_bytes) {
  void* base =
      mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    throw FileError(errno, fmt::format("could not map {} bytes of anonymous shared memory", size_bytes));
  return std::make_unique<MappedRegion>(static_cast<char*>(base), size_bytes, "");
}

std::unique_ptr<Region> Region::TryCreateHuge(const std::string& name, size_t size_bytes) {
  HugePages pages = FindHugePages();
  if (pages.mount.empty()) return nullptr;
  size_t bytes = AlignUp(size_bytes, pages.page_bytes);
  std::string path = pages.mount + "/" + name;
  int error_number;
  File file = File::TryOpen(path, O_RDWR | O_CREAT | O_EXCL, &error_number);
  if (!file.is_open()) return nullptr;
  // Mapped pages live on without the name: nothing can be left over on the mount.
  UnlinkIfExists(path);
  if (fs().Truncate(file.fd(), bytes) < 0) return nullptr;
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(), 0);
  if (base == MAP_FAILED) return nullptr;
  return std::make_unique<MappedRegion>(static_cast<char*>(base), bytes, path);
}

void Region::RemoveByName(const std::string& name) {
  boost::interprocess::shared_memory_object::remove(name.c_str());
}

std::vector<std::string> Region::ListByPrefix(const std::string& prefix) {
  std::vector<std::string> names;
  if (!IsDirectory("/dev/shm")) return names;
  for (std::string& name : ListDirectory("/dev/shm")) {
    if (name.starts_with(prefix)) names.push_back(std::move(name));
  }
  return names;
}

size_t RegionBytes(std::span<const AreaBinding> bindings) {
  size_t total = AlignUp(sizeof(RegionHeader), kAreaAlignment);
  for (const AreaBinding& binding : bindings) total += AreaBytes(binding);
  return total;
}

void LayOutRegion(Region& region, std::span<const AreaBinding> bindings) {
  RegionHeader* header = reinterpret_cast<RegionHeader*>(region.base());
  std::memset(header, 0, sizeof *header);
  header->size_bytes = region.size_bytes();
  header->area_count = kAreaCount;
  attached = {region.base(), region.size_bytes()};
  size_t offset = AlignUp(sizeof(RegionHeader), kAreaAlignment);
  for (const AreaBinding& binding : bindings) {
    size_t index = static_cast<size_t>(binding.area);
    RegionHeader::Entry& entry = header->areas[index];
    CHECK(entry.offset == 0);
    CHECK(offset + AreaBytes(binding) <= region.size_bytes());
    std::strncpy(entry.name, kAreaNames[index], sizeof entry.name - 1);
    entry.offset = offset;
    entry.size_bytes = binding.size();
    offset += AreaBytes(binding);
  }
  // Sizes first (a size may ask for the number of process slots, which is read from the table once that is
  // laid out), then addresses, then contents: an initialiser may look at an area laid out before its own.
  for (const AreaBinding& binding : bindings) {
    size_t index = static_cast<size_t>(binding.area);
    area_addresses[index] = region.base() + header->areas[index].offset;
  }
  for (const AreaBinding& binding : bindings) {
    if (binding.init != nullptr) binding.init(area_addresses[static_cast<size_t>(binding.area)]);
  }
  std::memcpy(header->magic, kMagic, sizeof kMagic);
}

void DetachAreas() {
  std::fill(std::begin(area_addresses), std::end(area_addresses), nullptr);
  attached = {};
}

std::vector<AreaInfo> ListAreas() {
  std::vector<AreaInfo> areas;
  if (attached.empty()) return areas;
  const RegionHeader* header = reinterpret_cast<const RegionHeader*>(attached.data());
  for (size_t i = 0; i < kAreaCount; ++i) {
    const RegionHeader::Entry& entry = header->areas[i];
    if (entry.offset == 0) continue;
    areas.push_back(
        {kAreaNames[i], entry.offset, entry.size_bytes, AlignUp(entry.size_bytes, kAreaAlignment)});
  }
  return areas;
}

std::span<char> AttachedRegion() { return attached; }

}  // namespace walden

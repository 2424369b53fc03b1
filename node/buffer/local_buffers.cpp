// Buffers for temporary relations: private to the process, allocated as needed up to temp_buffers, no locks
// and no WAL. Numbers are negative.
#include <cstring>
#include <memory>
#include <unordered_map>
#include <vector>

#include "node/base/error.h"
#include "node/buffer/buffer_state.h"
#include "node/config/settings.h"

namespace walden::buffer_internal {
namespace {

struct LocalBuffer {
  PageKey key;
  Tag tag{};
  int pins = 0;
  int usage = 0;
  bool dirty = false;
  std::unique_ptr<char[]> page;
};
struct TagHash {
  size_t operator()(const Tag& tag) const { return HashTag(tag); }
};
struct LocalPool {
  std::vector<LocalBuffer> buffers;
  std::unordered_map<Tag, int32_t, TagHash> lookup;  // index
  size_t hand = 0;
};
thread_local LocalPool pool;

LocalBuffer& At(int32_t buffer) { return pool.buffers[static_cast<size_t>(-buffer - 1)]; }
BufferPin PinAt(int32_t index) {
  return BufferPool::MakePin(-index - 1, pool.buffers[static_cast<size_t>(index)].page.get());
}

void Write(LocalBuffer& buffer) {
  const char* page = buffer.page.get();
  WriteRelationPages(buffer.key, &page, 1, false);
  buffer.dirty = false;
  ++buffer_statistics.local_written;
}

void Forget(LocalBuffer& buffer) {
  pool.lookup.erase(buffer.tag);
  buffer.tag = Tag{};
  buffer.dirty = false;
  buffer.usage = 0;
}

int32_t TakeBuffer() {
  if (pool.buffers.size() < static_cast<size_t>(GetInt(Setting::kTempBuffers))) {
    pool.buffers.emplace_back();
    pool.buffers.back().page.reset(new char[kPageSize]);
    return static_cast<int32_t>(pool.buffers.size()) - 1;
  }
  for (size_t steps = 0; steps < pool.buffers.size() * (kMaxUsage + 1); ++steps) {
    size_t index = pool.hand++ % pool.buffers.size();
    LocalBuffer& buffer = pool.buffers[index];
    if (buffer.pins > 0) continue;
    if (buffer.usage > 0) {
      --buffer.usage;
      continue;
    }
    if (buffer.dirty) Write(buffer);
    if (buffer.tag.words[2] != 0) Forget(buffer);
    return static_cast<int32_t>(index);
  }
  throw SqlError(ErrorCode::kInsufficientResources, "no empty local buffer available");
}

int32_t Place(const PageKey& key) {
  int32_t index = TakeBuffer();
  LocalBuffer& buffer = pool.buffers[static_cast<size_t>(index)];
  buffer.key = key;
  buffer.tag = MakeTag(key);
  buffer.pins = 1;
  buffer.usage = 1;
  pool.lookup[buffer.tag] = index;
  return index;
}

void Abandon(int32_t index) {
  LocalBuffer& buffer = pool.buffers[static_cast<size_t>(index)];
  buffer.pins = 0;
  Forget(buffer);
}

}  // namespace

BufferPin ReadLocalPage(const PageKey& key, ReadMode mode, bool only_cached) {
  auto found = pool.lookup.find(MakeTag(key));
  if (found != pool.lookup.end()) {
    LocalBuffer& buffer = pool.buffers[static_cast<size_t>(found->second)];
    ++buffer.pins;
    if (buffer.usage < static_cast<int>(kMaxUsage)) ++buffer.usage;
    ++buffer_statistics.local_hits;
    if (mode == ReadMode::kZeroAndLock) std::memset(buffer.page.get(), 0, kPageSize);
    return PinAt(found->second);
  }
  if (only_cached) return {};
  if (mode == ReadMode::kIfExists && key.block >= RelationBlocks(key.rel, key.fork, true)) return {};
  int32_t index = Place(key);
  char* page = pool.buffers[static_cast<size_t>(index)].page.get();
  try {
    if (mode == ReadMode::kZeroAndLock || mode == ReadMode::kWillOverwrite) {
      std::memset(page, 0, kPageSize);
    } else {
      ReadRelationPages(key, &page, 1);
      CheckReadPage(key, page, mode);
      ++buffer_statistics.local_reads;
    }
  } catch (...) {
    Abandon(index);
    throw;
  }
  return PinAt(index);
}

BufferPin ExtendLocal(const RelFileLocator& rel, Fork fork, int, int* added) {
  PageKey key{rel, fork, RelationBlocks(rel, fork)};
  int32_t index = Place(key);
  try {
    ExtendRelationFile(key, 1, false);
  } catch (...) {
    Abandon(index);
    throw;
  }
  std::memset(pool.buffers[static_cast<size_t>(index)].page.get(), 0, kPageSize);
  *added = 1;
  return PinAt(index);
}

char* LocalPage(int32_t buffer) { return At(buffer).page.get(); }
PageKey LocalKey(int32_t buffer) { return At(buffer).key; }
void LocalPin(int32_t buffer) { ++At(buffer).pins; }
void LocalUnpin(int32_t buffer) {
  if (At(buffer).pins > 0) --At(buffer).pins;
}
int LocalPins(int32_t buffer) { return At(buffer).pins; }
void LocalMarkDirty(int32_t buffer) {
  if (!At(buffer).dirty) ++buffer_statistics.local_dirtied;
  At(buffer).dirty = true;
}

void DropLocalBuffers(const RelFileLocator& rel, int fork, BlockNumber first) {
  for (LocalBuffer& buffer : pool.buffers) {
    bool match = buffer.tag.words[2] != 0 && buffer.key.rel == rel &&
                 (fork < 0 || static_cast<int>(buffer.key.fork) == fork) && buffer.key.block >= first;
    if (match) Forget(buffer);
  }
}

void FlushLocalBuffers(const RelFileLocator& rel) {
  for (LocalBuffer& buffer : pool.buffers) {
    if (buffer.dirty && buffer.key.rel == rel) Write(buffer);
  }
}

int ReleaseLocalPins() {
  int released = 0;
  for (LocalBuffer& buffer : pool.buffers) {
    released += buffer.pins;
    buffer.pins = 0;
  }
  return released;
}

}  // namespace walden::buffer_internal

namespace walden {
void DropTemporaryBuffers() {
  for (auto& buffer : buffer_internal::pool.buffers) {
    if (buffer.tag.words[2] != 0) buffer_internal::Forget(buffer);
  }
}
}  // namespace walden

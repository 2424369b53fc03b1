#include "node/session/statement_cache.h"

#include <algorithm>

#include "node/catalog/identity.h"
#include "node/config/settings.h"
#include "node/session/plan_environment.h"

namespace walden {
namespace {

constexpr size_t kEntryOverhead = 512;

size_t LimitBytes() { return static_cast<size_t>(GetInt(Setting::kStatementCacheSize)) * 1024; }

// Tree and plan, and about as much as the plan again for the executor that is kept ready.
size_t BytesOf(const StatementKey& key, const CachedStatement& entry) {
  size_t bytes = kEntryOverhead + key.text.size();
  if (entry.statement == nullptr) return bytes;
  bytes += entry.statement->tree_bytes();
  if (entry.statement->plan != nullptr) bytes += 2 * entry.statement->plan->statement->arena.bytes();
  return bytes;
}

}  // namespace

bool StatementCache::IsEnabled() { return GetInt(Setting::kStatementCacheSize) > 0; }

uint64_t StatementCache::HashOf(const StatementKey& key) {
  uint64_t hash = std::hash<std::string_view>()(key.text) ^ PlanEnvironment();
  hash = hash * 0x9E3779B97F4A7C15u + OidNumber(session_identity().current_role);
  for (Oid type : key.types) hash = hash * 31 + OidNumber(type);
  return hash + static_cast<uint64_t>(key.kind);
}

StatementCache::Slots::iterator StatementCache::Locate(const StatementKey& key, uint64_t hash) {
  auto [from, to] = by_hash_.equal_range(hash);
  for (; from != to; ++from) {
    const Slot& slot = *from->second;
    if (slot.kind == key.kind && slot.text == key.text && slot.environment == PlanEnvironment() &&
        slot.role == session_identity().current_role && std::ranges::equal(slot.types, key.types)) {
      return from->second;
    }
  }
  return slots_.end();
}

CachedStatementRef StatementCache::Find(const StatementKey& key) {
  if (slots_.empty()) return nullptr;
  auto at = Locate(key, HashOf(key));
  if (at == slots_.end()) return nullptr;
  if (at != slots_.begin()) slots_.splice(slots_.begin(), slots_, at);
  return at->entry;
}

void StatementCache::Add(const StatementKey& key, CachedStatementRef entry) {
  Remove(key);
  size_t bytes = BytesOf(key, *entry), limit = LimitBytes();
  if (bytes > limit) return;
  while (bytes_ + bytes > limit) Drop(std::prev(slots_.end()));
  uint64_t hash = HashOf(key);
  slots_.push_front(Slot{hash,
                         key.kind,
                         std::string(key.text),
                         {key.types.begin(), key.types.end()},
                         PlanEnvironment(),
                         session_identity().current_role,
                         bytes,
                         std::move(entry)});
  by_hash_.emplace(hash, slots_.begin());
  bytes_ += bytes;
}

void StatementCache::Remove(const StatementKey& key) {
  if (auto at = Locate(key, HashOf(key)); at != slots_.end()) Drop(at);
}

void StatementCache::Drop(Slots::iterator at) {
  auto [from, to] = by_hash_.equal_range(at->hash);
  while (from != to && from->second != at) ++from;
  CHECK(from != to);
  by_hash_.erase(from);
  bytes_ -= at->bytes;
  slots_.erase(at);
}

void StatementCache::Clear() {
  by_hash_.clear();
  slots_.clear();
  bytes_ = 0;
}

bool StatementCache::IsRepeated(const StatementKey& key) {
  uint64_t hash = HashOf(key);
  auto& recent = recent_[hash % recent_.size()];
  if (std::ranges::find(recent, hash) != recent.end()) return true;
  std::shift_right(recent.begin(), recent.end(), 1);
  recent[0] = hash;
  return false;
}

}  // namespace walden

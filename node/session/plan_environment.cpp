#include "node/session/plan_environment.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "node/config/setting_generation.h"
#include "node/config/settings.h"

namespace walden {
namespace {

// Applications change these often, and no analysis or plan depends on them. All others count.
constexpr Setting kIrrelevant[] = {
    Setting::kApplicationName,
    Setting::kClientMinMessages,
    Setting::kDefaultTransactionDeferrable,
    Setting::kDefaultTransactionIsolation,
    Setting::kDefaultTransactionReadOnly,
    Setting::kIdleInTransactionSessionTimeout,
    Setting::kIdleSessionTimeout,
    Setting::kLockTimeout,
    Setting::kStatementTimeout,
    Setting::kSynchronousCommit,
};

bool IsRelevant(Setting setting) {
  return std::find(std::begin(kIrrelevant), std::end(kIrrelevant), setting) == std::end(kIrrelevant);
}

uint64_t Mix(uint64_t hash, uint64_t value) { return (hash ^ value) * 0x9E3779B97F4A7C15u + (hash >> 29); }

uint64_t Compute() {
  uint64_t hash = 0;
  for (size_t i = 0; i < static_cast<size_t>(Setting::kCount); ++i) {
    Setting setting = static_cast<Setting>(i);
    if (!IsRelevant(setting)) continue;
    hash = Mix(hash, static_cast<uint64_t>(setting_numbers[i].integer));
    hash = Mix(hash, std::hash<std::string_view>()(GetString(setting)));
  }
  return hash;
}

}  // namespace

uint64_t PlanEnvironment() {
  thread_local uint64_t generation = 0, environment = 0;
  if (generation != setting_generation) {
    environment = Compute();
    generation = setting_generation;
  }
  return environment;
}

}  // namespace walden

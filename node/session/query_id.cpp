#include "node/session/query_id.h"

#include <functional>

#include "node/config/settings.h"
#include "node/shm/log_context.h"
#include "node/sql/query/tree_walk.h"
#include "node/stats/activity.h"

namespace walden {
namespace {

// "auto" and "regress" compute them when a loaded module asks; none does.
bool IsWanted() { return GetEnum<ComputeQueryId>(Setting::kComputeQueryId) == ComputeQueryId::kOn; }

// 0 stands for none.
int64_t NonZero(uint64_t hash) { return hash == 0 ? 1 : static_cast<int64_t>(hash); }

}  // namespace

int64_t QueryIdOf(const Query& query) { return IsWanted() ? NonZero(FingerprintNode(&query)) : 0; }

int64_t UtilityQueryId(std::string_view text) {
  return IsWanted() ? NonZero(std::hash<std::string_view>{}(text)) : 0;
}

void ReportQueryId(int64_t id) {
  if (id == 0 && log_context().query_id == 0) return;
  log_context().query_id = id;
  SetActivityQueryId(id);
}

}  // namespace walden

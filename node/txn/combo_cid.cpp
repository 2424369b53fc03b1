#include "node/txn/combo_cid.h"

#include <unordered_map>
#include <vector>

#include "node/base/check.h"

namespace walden {
namespace {

struct ComboCids {
  std::vector<std::pair<CommandId, CommandId>> pairs;  // by combo number
  std::unordered_map<uint64_t, CommandId> numbers;
};
thread_local ComboCids combos;

}  // namespace

CommandId MakeComboCid(CommandId cmin, CommandId cmax) {
  uint64_t key = (uint64_t{cmin} << 32) | cmax;
  auto [at, added] = combos.numbers.try_emplace(key, static_cast<CommandId>(combos.pairs.size()));
  if (added) combos.pairs.emplace_back(cmin, cmax);
  return at->second;
}

CommandId ComboCmin(CommandId combo) {
  CHECK(combo < combos.pairs.size());
  return combos.pairs[combo].first;
}

CommandId ComboCmax(CommandId combo) {
  CHECK(combo < combos.pairs.size());
  return combos.pairs[combo].second;
}

void ForgetComboCids() {
  if (combos.pairs.empty()) return;
  combos.pairs.clear();
  combos.numbers.clear();
}

}  // namespace walden

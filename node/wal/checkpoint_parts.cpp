#include "node/wal/checkpoint_parts.h"

#include <vector>

#include "node/base/check.h"

namespace walden {
namespace {
std::vector<CheckpointPart>& Parts() {
  static auto* parts = new std::vector<CheckpointPart>;
  return *parts;
}
}  // namespace

void RegisterCheckpointPart(const CheckpointPart& part) {
  for (CheckpointPart& known : Parts()) {
    if (std::string_view(known.name) == part.name) {
      known = part;
      return;
    }
  }
  Parts().push_back(part);
}
std::span<const CheckpointPart> CheckpointParts() { return Parts(); }

}  // namespace walden

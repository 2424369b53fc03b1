// Fault points: rows of fault_points.def, one relaxed load when off. See that file for how to arm one.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace walden {

enum class FaultPoint : uint16_t {
#define X(name, text) name,
#include "node/base/fault_points.def"
#undef X
  kCount
};

extern std::atomic<bool> fault_points_armed;
// Unit tests: called at every fault point that is passed, instead of what is armed; may block its thread. nullptr ends it.
void SetFaultPointCallback(void (*callback)(FaultPoint point));
// Does what was armed for `point`, if anything: may throw SqlError, kill or stop the process.
void HitFaultPoint(FaultPoint point, std::string_view detail = {});
// Replaces what is armed: "name[@detail]=action[:odds],..."; empty disarms all. Throws SqlError 22023 on bad text.
void ArmFaultPoints(std::string_view specification);
// The same check without effect.
void CheckFaultPoints(std::string_view specification);

inline bool FaultPointsArmed() {
  return __builtin_expect(fault_points_armed.load(std::memory_order_relaxed), 0);
}
inline void MaybeFault(FaultPoint point) {
  if (FaultPointsArmed()) HitFaultPoint(point);
}

}  // namespace walden

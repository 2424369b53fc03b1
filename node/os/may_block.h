// I3: who holds a spin lock calls nothing that can block. Debug builds count a thread's spin locks and check where it could.
#pragma once

#include <utility>

#include "node/base/check.h"

namespace walden {

#ifdef WALDEN_DCHECK
extern thread_local int held_spin_locks;  // kept by SpinLock
inline void CountSpinLock(int change) { held_spin_locks += change; }
inline void CheckMayBlock() {
  if (int held = std::exchange(held_spin_locks, 0); held != 0)
    Panic("a call that can block, while {} spin locks are held", held);
}
#else
inline void CountSpinLock(int) {}
inline void CheckMayBlock() {}
#endif

}  // namespace walden

#include "node/txn/fast_path.h"

#include "node/base/check.h"

namespace walden {
namespace {

int FindFast(const LockSlot& slot, const LockTag& tag) {
  for (int i = 0; i < kFastPathLocks; ++i) {
    if (slot.fast_modes[i] != 0 && slot.fast_tags[i].relation == tag.object &&
        slot.fast_tags[i].database == OidNumber(tag.database)) {
      return i;
    }
  }
  return -1;
}

// Requires: the slot's fast_lock.
void MoveOne(LockSlot& slot, int slot_number, int index, const LockTag& tag, uint64_t hash) {
  LwLockGuard partition(lock_table->PartitionLock(hash), LwMode::kExclusive);
  for (int m = 1; m <= static_cast<int>(LockMode::kRowExclusive); ++m) {
    if ((slot.fast_modes[index] >> m & 1) == 0) continue;
    LockEntry* lock;
    HolderEntry* holder;
    if (!EnterTable(tag, hash, slot_number, &lock, &holder)) throw OutOfLockMemory();
    Grant(lock, holder, static_cast<LockMode>(m));
    slot.fast_modes[index] &= static_cast<uint8_t>(~(1u << m));
  }
}

}  // namespace

bool FastPathAcquire(const LockTag& tag, LockMode mode) {
  LockSlot& own = OwnLockSlot();
  LwLockGuard guard(own.fast_lock, LwMode::kExclusive);
  if (StrongCounter(tag).load(std::memory_order_seq_cst) != 0) return false;
  int index = FindFast(own, tag);
  for (int i = 0; index < 0 && i < kFastPathLocks; ++i) {
    if (own.fast_modes[i] == 0) index = i;
  }
  if (index < 0) return false;
  own.fast_tags[index] = {OidNumber(tag.database), tag.object};
  own.fast_modes[index] |= static_cast<uint8_t>(ModeBit(mode));
  return true;
}

bool FastPathRelease(const LockTag& tag, LockMode mode) {
  LockSlot& own = OwnLockSlot();
  LwLockGuard guard(own.fast_lock, LwMode::kExclusive);
  int index = FindFast(own, tag);
  if (index < 0 || (own.fast_modes[index] & ModeBit(mode)) == 0) return false;
  own.fast_modes[index] &= static_cast<uint8_t>(~ModeBit(mode));
  return true;
}

void FastPathMoveAll(const LockTag& tag, uint64_t hash) {
  for (int i = 0; i < lock_table->slot_count; ++i) {
    LockSlot& slot = lock_table->slots[i];
    LwLockGuard guard(slot.fast_lock, LwMode::kExclusive);
    int index = FindFast(slot, tag);
    if (index >= 0) MoveOne(slot, i, index, tag, hash);
  }
}

void FastPathReleaseTransaction(LocalLocks& locks) {
  LockSlot& own = OwnLockSlot();
  LwLockGuard guard(own.fast_lock, LwMode::kExclusive);
  for (size_t i = locks.size(); i-- > 0;) {
    LocalLock& local = locks[i];
    if (!local.fast || local.session_count != 0) continue;
    int index = FindFast(own, local.tag);
    if (index < 0 || (own.fast_modes[index] & ModeBit(local.mode)) == 0) continue;
    own.fast_modes[index] &= static_cast<uint8_t>(~ModeBit(local.mode));
    locks.Erase(&local);
  }
}

LockMask FastPathModes(int slot_number, const LockTag& tag) {
  LockSlot& slot = lock_table->slots[slot_number];
  LwLockGuard guard(slot.fast_lock, LwMode::kShared);
  int index = FindFast(slot, tag);
  return index >= 0 ? slot.fast_modes[index] : 0;
}

}  // namespace walden

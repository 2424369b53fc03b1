// The eight heavyweight lock modes, weakest first, with PostgreSQL's conflict table, and the four row lock
// strengths.
#pragma once

#include <cstdint>
#include <string_view>

namespace walden {

enum class LockMode : uint8_t {
  kNone = 0,
  kAccessShare = 1,           // SELECT
  kRowShare = 2,              // SELECT FOR UPDATE/SHARE ...
  kRowExclusive = 3,          // INSERT, UPDATE, DELETE
  kShareUpdateExclusive = 4,  // VACUUM, ANALYZE, CREATE INDEX CONCURRENTLY
  kShare = 5,                 // CREATE INDEX
  kShareRowExclusive = 6,     // CREATE TRIGGER, foreign keys
  kExclusive = 7,             // blocks ROW SHARE
  kAccessExclusive = 8,       // ALTER, DROP, TRUNCATE, LOCK TABLE
};
inline constexpr int kLockModes = 9;  // including kNone

using LockMask = uint16_t;  // bit m set: mode m
constexpr LockMask ModeBit(LockMode mode) { return static_cast<LockMask>(1u << static_cast<int>(mode)); }
constexpr LockMask ModesUpTo(int last) { return static_cast<LockMask>(((2u << last) - 1) & ~1u); }

// The modes that `mode` conflicts with.
constexpr LockMask ConflictsOf(LockMode mode) {
  constexpr LockMask table[kLockModes] = {
      0,
      0x100,  // AccessShare: AccessExclusive
      0x180,  // RowShare: Exclusive up
      0x1E0,  // RowExclusive: Share up
      0x1F0,  // ShareUpdateExclusive: itself up
      0x1D8,  // Share: RowExclusive, ShareUpdateExclusive, ShareRowExclusive up
      0x1F8,  // ShareRowExclusive: RowExclusive up
      0x1FC,  // Exclusive: RowShare up
      0x1FE,  // AccessExclusive: all
  };
  return table[static_cast<int>(mode)];
}
constexpr bool Conflict(LockMode a, LockMode b) { return (ConflictsOf(a) & ModeBit(b)) != 0; }

// "AccessShareLock", as pg_locks shows it.
std::string_view LockModeName(LockMode mode);

// Strengths of a row lock, weakest first. A multixact member has one of these or is an updater.
enum class RowLockMode : uint8_t { kKeyShare = 0, kShare = 1, kNoKeyExclusive = 2, kExclusive = 3 };

// Whether two transactions may not both hold these on one row.
constexpr bool RowLocksConflict(RowLockMode a, RowLockMode b) {
  int x = static_cast<int>(a), y = static_cast<int>(b);
  // KeyShare conflicts with Exclusive only; Share with both exclusives; NoKeyExclusive with all but KeyShare.
  if (x > y) {
    int t = x;
    x = y;
    y = t;
  }
  if (y == 3) return true;
  if (y == 2) return x >= 1;
  return false;
}
// The mode of the tuple's heavyweight lock that a waiter for this strength queues with.
constexpr LockMode TupleLockModeOf(RowLockMode mode) {
  constexpr LockMode table[] = {LockMode::kAccessShare, LockMode::kRowShare, LockMode::kExclusive,
                                LockMode::kAccessExclusive};
  return table[static_cast<int>(mode)];
}

}  // namespace walden

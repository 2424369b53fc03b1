// Sets of row lockers, and lockers with one updater: what a row's xmax names when one xid does not suffice.
//
// A multixact id is immutable once made. Members are kept in pg_multixact/ (page_log.h), creation is
// WAL-logged, so that a crash or a replica finds the same set. Ids are 64 bits and never wrap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "node/base/ids.h"
#include "node/txn/lock_modes.h"

namespace walden {

enum class MemberStatus : uint8_t {
  kForKeyShare = 0,
  kForShare = 1,
  kForNoKeyUpdate = 2,
  kForUpdate = 3,
  kNoKeyUpdate = 4,  // an UPDATE that changed no key column
  kUpdate = 5,       // UPDATE of a key column, or DELETE
};
constexpr bool IsUpdater(MemberStatus status) { return status >= MemberStatus::kNoKeyUpdate; }
constexpr RowLockMode LockModeOf(MemberStatus status) {
  constexpr RowLockMode table[] = {RowLockMode::kKeyShare,       RowLockMode::kShare,
                                   RowLockMode::kNoKeyExclusive, RowLockMode::kExclusive,
                                   RowLockMode::kNoKeyExclusive, RowLockMode::kExclusive};
  return table[static_cast<int>(status)];
}

struct MultiXactMember {
  Xid xid;
  MemberStatus status;
  bool operator==(const MultiXactMember&) const = default;
};
inline constexpr size_t kMaxMultiXactMembers = 65535;

// Makes (or finds, in this process's cache) the id of exactly this set. At most one updater. WAL-logged.
// Requires: no page lock is held that ranks after the multixact locks (heap page locks are fine).
MultiXactId CreateMultiXact(std::span<const MultiXactMember> members);
// `multi` (or the single xid of a row's xmax) plus one: members that are finished and hold nothing any more
// are left out; the same member with a weaker status is strengthened.
MultiXactId ExpandMultiXact(MultiXactId multi, Xid xid, MemberStatus status);
MultiXactId MakeMultiXact(Xid first, MemberStatus first_status, Xid second, MemberStatus second_status);

// Replaces *members. Throws XX001 when the id was never made or has been truncated away.
void GetMultiXactMembers(MultiXactId multi, std::vector<MultiXactMember>* members);
// The updater in it, kInvalidXid when there is none.
Xid MultiXactUpdater(MultiXactId multi);
// Whether some member is still in progress (ourselves included).
bool MultiXactRunning(MultiXactId multi, bool lockers_only);

MultiXactId NextMultiXactId();
// Removes files wholly below `oldest`; same preconditions as TruncateClog.
void TruncateMultiXacts(MultiXactId oldest);

size_t MultiXactAreaSize();
void MultiXactAreaInit(void* at);

}  // namespace walden

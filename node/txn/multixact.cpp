#include "node/txn/multixact.h"

#include <algorithm>
#include <new>

#include "node/base/bytes.h"
#include "node/base/check.h"
#include "node/base/error.h"
#include "node/os/file.h"
#include "node/shm/interrupts.h"
#include "node/txn/clog.h"
#include "node/txn/multixact_log.h"
#include "node/txn/page_log.h"
#include "node/txn/transaction_state.h"
#include "node/txn/txn_records.h"
#include "node/txn/txn_shared.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

// Format: payload of pg_multixact/offsets: 8 bytes per multixact: first member << 16 | number of members, 0 =
// never made. Payload of pg_multixact/members: 8 bytes per member: xid << 3 | status.
constexpr uint64_t kEntriesPerPage = kPageLogPayload / 8;
constexpr int kBanks = 8;

struct MultiXactShared {
  LwLock generation_lock;             // kMultiXactGeneration
  std::atomic<uint64_t> next_multi;   // Guarded by: generation_lock for writing
  std::atomic<uint64_t> next_member;  // Guarded by: generation_lock for writing
  std::atomic<uint64_t> oldest_multi;
};
MultiXactShared* shared;
PageLog* offsets;
PageLog* members_log;

uint64_t ReadEntry(PageLog* log, uint64_t number) {
  const PageLog::Page page = log->Read(number / kEntriesPerPage);
  return Load<uint64_t>(page.payload() + number % kEntriesPerPage * 8);
}

void WriteEntries(PageLog* log, uint64_t number, const uint64_t* values, size_t count, Lsn lsn) {
  for (size_t i = 0; i < count;) {
    PageLog::Page page = log->Change((number + i) / kEntriesPerPage);
    uint64_t at = (number + i) % kEntriesPerPage;
    size_t here = std::min<size_t>(count - i, kEntriesPerPage - at);
    std::copy_n(values + i, here, reinterpret_cast<uint64_t*>(page.payload()) + at);
    page.MarkChanged(lsn);
    i += here;
  }
}

uint64_t Pack(const MultiXactMember& member) {
  return member.xid.value << 3 | static_cast<uint64_t>(member.status);
}
MultiXactMember Unpack(uint64_t value) { return {Xid{value >> 3}, static_cast<MemberStatus>(value & 7)}; }

// Sets that this process made or read lately: the same lockers meet on many rows.
struct CachedSet {
  MultiXactId multi;
  std::vector<uint64_t> packed;  // sorted
};
constexpr size_t kCacheSize = 64;
struct SetCache {
  std::vector<CachedSet> sets;
  size_t next = 0;
};
thread_local SetCache cache;

void Remember(MultiXactId multi, std::vector<uint64_t> packed) {
  OwnTxn();  // whose exit handler forgets the cache
  if (cache.sets.size() < kCacheSize) {
    cache.sets.push_back({multi, std::move(packed)});
  } else {
    cache.sets[cache.next++ % kCacheSize] = {multi, std::move(packed)};
  }
}

void StoreMultiXact(uint64_t multi, uint64_t first, const uint64_t* packed, size_t count, Lsn lsn) {
  WriteEntries(members_log, first, packed, count, lsn);
  uint64_t entry = first << 16 | count;
  WriteEntries(offsets, multi, &entry, 1, lsn);
}

MultiXactId Make(const std::vector<uint64_t>& packed) {
  EnsureWalSpace();
  LwLockGuard guard(shared->generation_lock, LwMode::kExclusive);
  uint64_t multi = shared->next_multi.load(std::memory_order_relaxed);
  uint64_t first = shared->next_member.load(std::memory_order_relaxed);
  // What can fail on I/O, before the record.
  offsets->Preload(multi / kEntriesPerPage);
  members_log->Preload(first / kEntriesPerPage);
  members_log->Preload((first + packed.size()) / kEntriesPerPage);
  DelayCheckpoint delay;
  CriticalSection section;
  MultiXactCreateRecord body{multi, first, static_cast<uint32_t>(packed.size()), 0};
  WalRecord record(RecordKind::kMultiXactCreate);
  record.AddStruct(body);
  record.AddData(packed.data(), packed.size() * 8);
  Lsn end = record.Insert();
  StoreMultiXact(multi, first, packed.data(), packed.size(), end);
  shared->next_member.store(first + packed.size(), std::memory_order_relaxed);
  shared->next_multi.store(multi + 1, std::memory_order_release);
  return MultiXactId{multi};
}

bool StillMatters(const MultiXactMember& member) {
  if (IsCurrentXid(member.xid)) return true;
  XidStatus status = LookupCommit(member.xid).status;
  return status == XidStatus::kInProgress || (status == XidStatus::kCommitted && IsUpdater(member.status));
}

}  // namespace

MultiXactId CreateMultiXact(std::span<const MultiXactMember> members) {
  CHECK(!members.empty());
  if (members.size() > kMaxMultiXactMembers) {
    throw SqlError(ErrorCode::kProgramLimitExceeded, "too many transactions lock one row (more than {})",
                   kMaxMultiXactMembers);
  }
  DCHECK(std::count_if(members.begin(), members.end(), [](auto& m) { return IsUpdater(m.status); }) <= 1);
  std::vector<uint64_t> packed;
  for (const MultiXactMember& member : members) packed.push_back(Pack(member));
  std::sort(packed.begin(), packed.end());
  for (const CachedSet& set : cache.sets) {
    if (set.packed == packed && set.multi.value >= shared->oldest_multi.load()) return set.multi;
  }
  MultiXactId multi = Make(packed);
  Remember(multi, std::move(packed));
  return multi;
}

MultiXactId ExpandMultiXact(MultiXactId multi, Xid xid, MemberStatus status) {
  thread_local std::vector<MultiXactMember> members;
  GetMultiXactMembers(multi, &members);
  for (const MultiXactMember& member : members) {
    if (member.xid == xid && member.status == status) return multi;
  }
  std::erase_if(members, [&](const MultiXactMember& member) {
    return (member.xid == xid && member.status < status) || (member.xid != xid && !StillMatters(member));
  });
  members.push_back({xid, status});
  return CreateMultiXact(members);
}

MultiXactId MakeMultiXact(Xid first, MemberStatus first_status, Xid second, MemberStatus second_status) {
  MultiXactMember members[2] = {{first, first_status}, {second, second_status}};
  return CreateMultiXact(members);
}

void GetMultiXactMembers(MultiXactId multi, std::vector<MultiXactMember>* members) {
  members->clear();
  for (const CachedSet& set : cache.sets) {
    if (set.multi != multi) continue;
    for (uint64_t value : set.packed) members->push_back(Unpack(value));
    return;
  }
  bool known = multi.value >= shared->oldest_multi.load() &&
               multi.value < shared->next_multi.load(std::memory_order_acquire);
  uint64_t entry = known ? ReadEntry(offsets, multi.value) : 0;
  if (entry == 0) throw SqlError(ErrorCode::kDataCorrupted, "MultiXactId {} does not exist", multi.value);
  std::vector<uint64_t> packed(entry & 0xFFFF);
  for (size_t i = 0; i < packed.size(); ++i) {
    packed[i] = ReadEntry(members_log, (entry >> 16) + i);
    members->push_back(Unpack(packed[i]));
  }
  Remember(multi, std::move(packed));
}

Xid MultiXactUpdater(MultiXactId multi) {
  thread_local std::vector<MultiXactMember> members;
  GetMultiXactMembers(multi, &members);
  for (const MultiXactMember& member : members) {
    if (IsUpdater(member.status)) return member.xid;
  }
  return kInvalidXid;
}

bool MultiXactRunning(MultiXactId multi, bool lockers_only) {
  thread_local std::vector<MultiXactMember> members;
  GetMultiXactMembers(multi, &members);
  return std::any_of(members.begin(), members.end(), [&](const MultiXactMember& member) {
    if (lockers_only && IsUpdater(member.status)) return false;
    return IsCurrentXid(member.xid) || LookupCommit(member.xid).status == XidStatus::kInProgress;
  });
}

MultiXactId NextMultiXactId() { return MultiXactId{shared->next_multi.load(std::memory_order_acquire)}; }

void TruncateMultiXacts(MultiXactId oldest) {
  if (oldest >= NextMultiXactId()) oldest = MultiXactId{NextMultiXactId().value - 1};
  uint64_t entry = oldest.value > 0 ? ReadEntry(offsets, oldest.value) : 0;
  RaiseTo(shared->oldest_multi, oldest.value);
  offsets->Truncate(oldest.value / kEntriesPerPage);
  if (entry != 0) members_log->Truncate((entry >> 16) / kEntriesPerPage);
}

void MultiXactWriteDirty() {
  members_log->WriteDirty();
  offsets->WriteDirty();
}

void ForgetMultiXactCache() { cache = {}; }

MultiXactCounters CurrentMultiXactCounters() {
  LwLockGuard guard(shared->generation_lock, LwMode::kShared);
  return {shared->next_multi.load(), shared->next_member.load(), shared->oldest_multi.load()};
}

void RaiseMultiXactCounters(const MultiXactCounters& counters) {
  RaiseTo(shared->next_multi, counters.next_multi);
  RaiseTo(shared->next_member, counters.next_member);
  RaiseTo(shared->oldest_multi, counters.oldest_multi);
}

void ReplayMultiXact(uint64_t multi, uint64_t first, std::span<const uint64_t> packed, Lsn lsn) {
  StoreMultiXact(multi, first, packed.data(), packed.size(), lsn);
  RaiseMultiXactCounters({multi + 1, first + packed.size(), 0});
}

namespace {
size_t LogSize() { return AlignUp(PageLog::Size(kBanks), 4096); }
}  // namespace

size_t MultiXactAreaSize() { return 4096 + 2 * LogSize(); }

void MultiXactAreaInit(void* at) {
  shared = new (at) MultiXactShared{};
  shared->generation_lock.Init(LwRank::kMultiXactGeneration);
  shared->next_multi.store(1);
  shared->next_member.store(1);
  shared->oldest_multi.store(1);
  char* logs = static_cast<char*>(at) + 4096;
  offsets = PageLog::Create(logs, {"pg_multixact/offsets", SyncKind::kMultiXactOffsets, false, kBanks,
                                   NodeCounter::kMultiXactOffsetZeroed});
  members_log = PageLog::Create(logs + LogSize(), {"pg_multixact/members", SyncKind::kMultiXactMembers, false,
                                                   kBanks, NodeCounter::kMultiXactMemberZeroed});
}

}  // namespace walden

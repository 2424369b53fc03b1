#include "node/recovery/replication_slots.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/recovery/checkpoint.h"
#include "node/recovery/recovery_shared.h"
#include "node/recovery/replication_slot_file.h"
#include "node/shm/process.h"
#include "node/txn/sender_slots.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

// Guarded by: the table's `lock`. `io` is held besides by whoever creates, drops or saves, so that the files of one
// slot have one writer; it is taken first.
struct Slot {
  bool in_use;
  bool temporary;  // never on disk
  bool dirty;      // the file says less than this
  bool lost;       // its WAL was taken away
  int32_t active_pid;
  int32_t process_slot;  // of the process that uses it
  char name[64];
  uint64_t restart;        // 0: reserves nothing
  uint64_t saved_restart;  // what the file says: WAL stays for that, a crash would bring it back
  uint64_t feedback;
  uint64_t xmin;
  uint64_t lost_at;
};

struct SlotTable {
  LwLock io;    // kReplicationSlotIo
  LwLock lock;  // kReplicationSlots
  int32_t count;
  std::atomic<uint64_t> oldest_segment;  // older ones are, or may be, gone

  std::span<Slot> slots() { return {reinterpret_cast<Slot*>(this + 1), static_cast<size_t>(count)}; }
};
SlotTable* table;

Lsn EndOfWal() { return InRecovery() ? ReplayedLsn() : WrittenLsn(); }

SqlError SlotMissing(std::string_view name) {
  return SqlError(ErrorCode::kUndefinedObject, "replication slot \"{}\" does not exist", name);
}
SqlError SlotActive(const Slot& slot) {
  return SqlError(ErrorCode::kObjectInUse, "replication slot \"{}\" is active for PID {}", slot.name,
                  slot.active_pid);
}

void CheckSlotsUsable() {
  if (table->count == 0) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "replication slots can only be used if max_replication_slots > 0");
  }
  if (GetEnum<WalLevel>(Setting::kWalLevel) < WalLevel::kReplica) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "replication slots can only be used if wal_level >= replica");
  }
}

// Requires: the lock.
Slot* Find(std::string_view name) {
  for (Slot& slot : table->slots()) {
    if (slot.in_use && name == slot.name) return &slot;
  }
  return nullptr;
}

// Requires: the lock, exclusive.
void PublishFeedback() {
  uint64_t floor = UINT64_MAX;
  for (const Slot& slot : table->slots()) {
    if (slot.in_use && !slot.lost) floor = std::min(floor, slot.feedback);
  }
  SetSlotFeedbackFloor(Lsn{floor});
}

// Requires: the lock, exclusive.
void Forget(Slot& slot) {
  slot = Slot{};
  PublishFeedback();
}

SlotFile StateOf(const Slot& slot) {
  SlotFile state{};
  std::memcpy(state.name, slot.name, sizeof state.name);
  state.restart = slot.restart;
  state.feedback = slot.feedback;
  state.xmin = slot.xmin;
  state.lost_at = slot.lost_at;
  return state;
}

thread_local bool uses_slots = false;  // this process had one, and may have it still

}  // namespace

void LeaveReplicationSlots() {
  if (!std::exchange(uses_slots, false)) return;
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  for (Slot& slot : table->slots()) {
    if (!slot.in_use || slot.active_pid == 0 || slot.process_slot != self_slot()) continue;
    slot.active_pid = 0;
    if (slot.temporary) Forget(slot);
  }
}

namespace {

void LeaveAtExit() {
  static thread_local bool registered = false;
  uses_slots = true;
  if (!std::exchange(registered, true)) OnProcessExit(LeaveReplicationSlots);
}

// Requires: the lock, exclusive.
void MakeActive(Slot& slot) {
  slot.active_pid = self().pid.load();
  slot.process_slot = self_slot();
}

// Requires: io. The new slot, reserved in memory: WAL from here on stays.
Slot& Claim(std::string_view name, Lsn restart, bool temporary) {
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  if (Find(name) != nullptr)
    throw SqlError(ErrorCode::kDuplicateObject, "replication slot \"{}\" already exists", name);
  for (Slot& slot : table->slots()) {
    if (slot.in_use) continue;
    slot = Slot{};
    std::memcpy(slot.name, name.data(), name.size());
    slot.restart = restart.value;
    slot.feedback = UINT64_MAX;
    slot.temporary = temporary;
    slot.in_use = true;
    if (temporary) MakeActive(slot);
    return slot;
  }
  throw SqlError(ErrorCode::kConfigurationLimitExceeded, "all replication slots are in use")
      .WithHint("Free one or increase max_replication_slots.");
}

// Requires: io. Writes the new slot's file; without it there is no slot.
void WriteNew(Slot& slot) {
  if (slot.temporary) return LeaveAtExit();
  try {
    CreateSlotFile(StateOf(slot));
  } catch (const SqlError&) {
    LwLockGuard guard(table->lock, LwMode::kExclusive);
    Forget(slot);
    throw;
  }
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  slot.saved_restart = slot.restart;
}

// A checkpoint that ends at this moment may have looked before the slot was there: then its redo point has moved, and
// the slot begins at the new one.
void ReserveFromRedo(Slot& slot) {
  for (uint64_t redo = slot.restart;;) {
    uint64_t now = Recovery()->redo.load(std::memory_order_seq_cst);
    if (now == redo) return;
    redo = now;
    LwLockGuard guard(table->lock, LwMode::kExclusive);
    slot.restart = redo;
  }
}

}  // namespace

std::string_view SlotWalName(SlotWal status) {
  switch (status) {
    case SlotWal::kNone: return "";
    case SlotWal::kReserved: return "reserved";
    case SlotWal::kExtended: return "extended";
    case SlotWal::kUnreserved: return "unreserved";
    case SlotWal::kLost: return "lost";
  }
  return "";
}

// ---- what SQL asks for ----

void CheckReplicationSlotName(std::string_view name) {
  if (name.empty())
    throw SqlError(ErrorCode::kInvalidName, "replication slot name \"{}\" is too short", name);
  if (name.size() >= sizeof Slot::name)
    throw SqlError(ErrorCode::kNameTooLong, "replication slot name \"{}\" is too long", name);
  for (char c : name) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') continue;
    throw SqlError(ErrorCode::kInvalidName, "replication slot name \"{}\" contains invalid character", name)
        .WithHint(
            "Replication slot names may only contain lower case letters, numbers, and the underscore "
            "character.");
  }
}

Lsn CreateReplicationSlot(std::string_view name, bool reserve, bool temporary) {
  CheckSlotsUsable();
  CheckReplicationSlotName(name);
  LwLockGuard io(table->io, LwMode::kExclusive);
  Lsn restart = reserve ? Lsn{Recovery()->redo.load(std::memory_order_seq_cst)} : kInvalidLsn;
  Slot& slot = Claim(name, restart, temporary);
  if (reserve) ReserveFromRedo(slot);
  WriteNew(slot);
  return Lsn{slot.restart};
}

Lsn CopyReplicationSlot(std::string_view source, std::string_view name, bool temporary) {
  CheckSlotsUsable();
  CheckReplicationSlotName(name);
  // While io is held no checkpoint takes WAL from a slot.
  LwLockGuard io(table->io, LwMode::kExclusive);
  Lsn restart;
  {
    LwLockGuard guard(table->lock, LwMode::kShared);
    const Slot* from = Find(source);
    if (from == nullptr) throw SlotMissing(source);
    restart = Lsn{from->restart};
  }
  if (!restart.IsValid()) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "cannot copy a replication slot that doesn't reserve WAL");
  }
  Slot& slot = Claim(name, restart, temporary);
  WriteNew(slot);
  return restart;
}

void DropReplicationSlot(std::string_view name) {
  CheckSlotsUsable();
  LwLockGuard io(table->io, LwMode::kExclusive);
  Slot* slot;
  {
    LwLockGuard guard(table->lock, LwMode::kExclusive);
    slot = Find(name);
    if (slot == nullptr) throw SlotMissing(name);
    bool mine = slot->temporary && slot->process_slot == self_slot();
    if (slot->active_pid != 0 && !mine) throw SlotActive(*slot);
    MakeActive(*slot);  // nobody takes it meanwhile
  }
  try {
    if (!slot->temporary) RemoveSlotFile(slot->name);
  } catch (const SqlError&) {
    LwLockGuard guard(table->lock, LwMode::kExclusive);
    slot->active_pid = 0;
    throw;
  }
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  Forget(*slot);
}

namespace {

SlotWal WalStatusOf(const Slot& slot, Lsn end) {
  if (slot.lost) return SlotWal::kLost;
  if (slot.restart == 0) return SlotWal::kNone;
  uint64_t wanted = SegmentOf(Lsn{slot.restart}), current = SegmentOf(end);
  if (wanted >= OldestNeededSegment(end)) {
    uint64_t in_limits =
        static_cast<uint64_t>(GetInt(Setting::kMaxWalSize)) * 1024 * 1024 / kWalSegmentSize + 1;
    return current < wanted + in_limits ? SlotWal::kReserved : SlotWal::kExtended;
  }
  if (wanted >= table->oldest_segment.load()) return SlotWal::kUnreserved;
  return slot.active_pid != 0 ? SlotWal::kUnreserved : SlotWal::kLost;
}

int64_t SafeBytes(const Slot& slot, Lsn end) {
  int64_t limit = GetInt(Setting::kMaxSlotWalKeepSize);
  if (limit < 0) return -1;
  uint64_t megabytes = static_cast<uint64_t>(std::max(limit, GetInt(Setting::kWalKeepSize)));
  uint64_t segments = megabytes * 1024 * 1024 / kWalSegmentSize;
  Lsn fails = SegmentStart(SegmentOf(Lsn{slot.restart}) + segments + 1);
  return static_cast<int64_t>(fails.value) - static_cast<int64_t>(end.value);
}

ReplicationSlotInfo InfoOf(const Slot& slot, Lsn end) {
  ReplicationSlotInfo info;
  info.name = slot.name;
  info.temporary = slot.temporary;
  info.active_pid = slot.active_pid;
  info.xmin = Xid{slot.xmin};
  info.feedback = Lsn{slot.feedback};
  info.restart = Lsn{slot.restart};
  info.wal = WalStatusOf(slot, end);
  if (info.wal != SlotWal::kNone && info.wal != SlotWal::kLost) info.safe_wal_bytes = SafeBytes(slot, end);
  return info;
}

}  // namespace

std::vector<ReplicationSlotInfo> ListReplicationSlots() {
  std::vector<Slot> copy;
  {
    LwLockGuard guard(table->lock, LwMode::kShared);
    for (const Slot& slot : table->slots()) {
      if (slot.in_use) copy.push_back(slot);
    }
  }
  std::vector<ReplicationSlotInfo> infos;
  Lsn end = EndOfWal();
  for (const Slot& slot : copy) infos.push_back(InfoOf(slot, end));
  return infos;
}

// ---- the stream ----

int AcquireReplicationSlot(std::string_view name) {
  CheckSlotsUsable();
  LeaveAtExit();
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  Slot* slot = Find(name);
  if (slot == nullptr) throw SlotMissing(name);
  if (slot->active_pid != 0) throw SlotActive(*slot);
  if (slot->lost) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "can no longer get changes from replication slot \"{}\"", name)
        .WithDetail("This slot has been invalidated because it exceeded the maximum reserved size.")
        .WithHint("Drop the slot, and make the replica anew with walden basebackup.");
  }
  MakeActive(*slot);
  return static_cast<int>(slot - table->slots().data());
}

void ReleaseReplicationSlot(int handle) {
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  Slot& slot = table->slots()[static_cast<size_t>(handle)];
  DCHECK(slot.in_use && slot.process_slot == self_slot());
  slot.active_pid = 0;
}

void AdvanceReplicationSlot(int handle, Lsn flushed) {
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  Slot& slot = table->slots()[static_cast<size_t>(handle)];
  if (slot.lost || flushed.value <= slot.restart) return;
  slot.restart = flushed.value;
  slot.dirty = !slot.temporary;
}

void SetReplicationSlotFeedback(int handle, Lsn oldest_snapshot, Xid xmin) {
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  Slot& slot = table->slots()[static_cast<size_t>(handle)];
  if (slot.feedback == oldest_snapshot.value && slot.xmin == xmin.value) return;
  slot.feedback = oldest_snapshot.value;
  slot.xmin = xmin.value;
  slot.dirty = !slot.temporary;
  PublishFeedback();
}

bool ReplicationSlotLost(int handle) {
  LwLockGuard guard(table->lock, LwMode::kShared);
  return table->slots()[static_cast<size_t>(handle)].lost;
}

// ---- checkpoints and start ----

void RestoreReplicationSlots() {
  std::vector<SlotFile> files = ReadSlotFiles();
  if (files.size() > static_cast<size_t>(table->count)) {
    throw SqlError(ErrorCode::kConfigurationLimitExceeded,
                   "too many replication slots active before shutdown")
        .WithHint("Increase max_replication_slots and try again.")
        .WithSeverity(Severity::kFatal);
  }
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  for (size_t i = 0; i < files.size(); ++i) {
    Slot& slot = table->slots()[i];
    slot = Slot{};
    slot.in_use = true;
    std::memcpy(slot.name, files[i].name, sizeof slot.name);
    slot.restart = slot.saved_restart = files[i].restart;
    slot.feedback = files[i].feedback;
    slot.xmin = files[i].xmin;
    slot.lost_at = files[i].lost_at;
    slot.lost = slot.lost_at != 0;
  }
  PublishFeedback();
}

void SaveReplicationSlots() {
  if (table->count == 0) return;
  LwLockGuard io(table->io, LwMode::kExclusive);
  for (Slot& slot : table->slots()) {
    SlotFile state;
    {
      LwLockGuard guard(table->lock, LwMode::kExclusive);
      if (!slot.in_use || !slot.dirty) continue;
      slot.dirty = false;
      state = StateOf(slot);
    }
    try {
      ReplaceSlotFile(state);
    } catch (const SqlError&) {
      LwLockGuard guard(table->lock, LwMode::kExclusive);
      slot.dirty = true;
      throw;
    }
    LwLockGuard guard(table->lock, LwMode::kExclusive);
    slot.saved_restart = state.restart;
  }
}

Lsn OldestSlotWal() {
  uint64_t oldest = UINT64_MAX;
  LwLockGuard guard(table->lock, LwMode::kShared);
  for (const Slot& slot : table->slots()) {
    if (!slot.in_use || slot.lost || slot.restart == 0) continue;
    oldest = std::min(oldest, slot.saved_restart != 0 ? slot.saved_restart : slot.restart);
  }
  return Lsn{oldest};
}

void InvalidateSlotsBelow(uint64_t oldest_segment) {
  uint64_t limit = SegmentStart(oldest_segment).value;
  bool any = false;
  {
    LwLockGuard guard(table->lock, LwMode::kExclusive);
    for (Slot& slot : table->slots()) {
      if (!slot.in_use || slot.lost || slot.restart == 0 || slot.restart >= limit) continue;
      Log(Severity::kLog,
          "invalidating slot \"{}\" because its restart_lsn {} exceeds max_slot_wal_keep_size", slot.name,
          Lsn{slot.restart}.ToString());
      slot.lost = true;
      slot.lost_at = slot.restart;
      slot.restart = 0;
      slot.dirty = !slot.temporary;
      if (slot.active_pid != 0) SlotAt(slot.process_slot).latch.Set();
      any = true;
    }
    if (any) PublishFeedback();
  }
  if (any) SaveReplicationSlots();
  table->oldest_segment.store(oldest_segment);
}

size_t ReplicationSlotsShmSize() {
  return sizeof(SlotTable) + static_cast<size_t>(GetInt(Setting::kMaxReplicationSlots)) * sizeof(Slot);
}

void ReplicationSlotsShmInit(void* area) {
  table = new (area) SlotTable{};
  table->io.Init(LwRank::kReplicationSlotIo);
  table->lock.Init(LwRank::kReplicationSlots);
  table->count = static_cast<int32_t>(GetInt(Setting::kMaxReplicationSlots));
  for (Slot& slot : table->slots()) new (&slot) Slot{};
}

}  // namespace walden

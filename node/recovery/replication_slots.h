// Physical replication slots: how much WAL, and how old a snapshot, an absent replica may rely on. Kept in shared
// memory (area kReplicationSlots) and in pg_replslot/<name>/state; README has the order of file operations and what a
// crash at each leaves. A slot is used by one stream at a time. Owner: recovery. Main threads only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/ids.h"

namespace walden {

// wal_status of pg_replication_slots.
enum class SlotWal : uint8_t {
  kNone,        // reserves nothing yet: null
  kReserved,    // within max_wal_size
  kExtended,    // kept because of the slot or wal_keep_size
  kUnreserved,  // the next checkpoint may remove it
  kLost,        // removed: the replica needs a new base backup
};
std::string_view SlotWalName(SlotWal status);

struct ReplicationSlotInfo {
  std::string name;
  bool temporary = false;
  int active_pid = 0;      // 0: nobody streams with it
  Xid xmin;                // oldest transaction that the replica's queries need; invalid: none
  Lsn feedback = kMaxLsn;  // the same as a position; kMaxLsn: none
  Lsn restart;             // WAL is kept from here; invalid: not reserved (or lost)
  SlotWal wal = SlotWal::kNone;
  int64_t safe_wal_bytes =
      -1;  // bytes that may be written before it is in danger of being lost; -1: unlimited
};

// Throws 42602 or 42622 unless the text may name a slot.
void CheckReplicationSlotName(std::string_view name);

// Throws 42602 (name), 42710 (exists), 53400 (all in use). `reserve`: WAL is kept from the last checkpoint's redo point
// on, else from the first stream that uses it. A temporary slot belongs to this process and goes when it ends.
// Returns restart_lsn.
Lsn CreateReplicationSlot(std::string_view name, bool reserve, bool temporary);
// Another slot that keeps what `source` keeps. Throws 42704, 55000 (the source reserves nothing), as above.
Lsn CopyReplicationSlot(std::string_view source, std::string_view name, bool temporary);
// Throws 42704 (no such slot), 55006 (in use).
void DropReplicationSlot(std::string_view name);
std::vector<ReplicationSlotInfo> ListReplicationSlots();
// After an error of a session, as in PostgreSQL: its temporary slots go, and what it uses is given back.
void LeaveReplicationSlots();

// --- the stream that uses a slot --------------------------------------------------------------------------------
// Takes it for this process (a walsender may hold several): throws 42704, 55006 "replication slot ... is active for
// PID", 55000 when its WAL is lost ("can no longer get changes", with the hint at walden basebackup). Returns a handle.
int AcquireReplicationSlot(std::string_view name);
void ReleaseReplicationSlot(int handle);  // noexcept in effect; also at process exit
// The replica has flushed up to here: older WAL may go. Never moves back; the first call reserves.
void AdvanceReplicationSlot(int handle, Lsn flushed);
// hot_standby_feedback: oldest snapshot there (kMaxLsn: none) and its xmin for pg_replication_slots.
void SetReplicationSlotFeedback(int handle, Lsn oldest_snapshot, Xid xmin);
// True once the checkpointer took the slot's WAL (max_slot_wal_keep_size): end the stream and release the slot.
bool ReplicationSlotLost(int handle);

// --- checkpoints and start ----------------------------------------------------------------------------------------
// Startup process, before anything is replayed: reads pg_replslot. FATAL if there are more than max_replication_slots.
void RestoreReplicationSlots();
// Makes what changed durable; part of every checkpoint, before WAL is removed.
void SaveReplicationSlots();
// Lowest WAL that a slot's saved state needs; kMaxLsn: none.
Lsn OldestSlotWal();
// Declares lost what needs segments below `oldest_segment`; returns when the streams that used them are told.
void InvalidateSlotsBelow(uint64_t oldest_segment);

size_t ReplicationSlotsShmSize();
void ReplicationSlotsShmInit(void* area);

}  // namespace walden

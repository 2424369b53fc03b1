// pg_stat_activity: one row per process slot. The owner writes its row between two increments of `change`; readers copy and try again
// if it moved. Area::kActivity.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "node/base/clock.h"
#include "node/base/ids.h"
#include "node/shm/process.h"

namespace walden {

enum class ActivityState : uint8_t {
  kUndefined,
  kIdle,
  kActive,
  kIdleInTransaction,
  kIdleInTransactionAborted,
  kFastpath,
  kDisabled,
};
std::string_view ActivityStateName(ActivityState state);  // "idle in transaction"

// ---- The owner's side. All do nothing in a process without a slot.
// At the start of a process or session. `backend_type`: nullptr for the kind's name (background workers have their own).
void BeginActivity(std::string_view backend_type = {});
// Once known. `remote_host` empty and port -1: a Unix socket. `host_name`: what log_hostname looked up.
void SetActivityClient(std::string_view remote_host, int remote_port, std::string_view host_name = {});
// The connection is encrypted; names are cut at 63 bytes.
struct ActivityTls {
  bool on = false;
  int32_t bits = 0;
  std::string version, cipher, client_dn, client_serial, issuer_dn;
};
void SetActivityTls(const ActivityTls& tls);
void SetActivityIdentity(Oid database, Oid role);
void SetActivityApplication(std::string_view name);
// A state change; `query` replaces the shown text unless its data() is nullptr. Cheap: two atomic increments and a copy.
void SetActivityState(ActivityState state, std::string_view query = {nullptr, 0}, TimestampUs now = 0);
// Of the query that runs; a new query text clears it.
void SetActivityQueryId(int64_t query_id);
// For processes that show no states; sessions' transactions follow their states. 0 ends the transaction.
void SetActivityTransaction(TimestampUs start);

// The session times of pg_stat_database: from `start`, when the session is let in, until it ends.
enum class SessionEnd : uint8_t { kNormal, kAbandoned, kFatal, kKilled };
void BeginSessionTime(TimestampUs start);
void EndSessionTime(SessionEnd how);

// ---- Readers.
struct ActivityRow {
  int slot;
  int32_t pid;
  ProcessKind kind;
  std::string backend_type, application_name, remote_host, host_name, query;
  int remote_port;  // -1: Unix socket; 0: no client
  Oid database, role;
  ActivityState state;
  TimestampUs backend_start, transaction_start, query_start, state_change;  // 0: none
  int64_t query_id;
  ActivityTls tls;
  uint32_t wait_event;  // see shm/wait_events.h
};
// False if nobody owns the slot.
bool ReadActivity(int slot, ActivityRow* row);

size_t ActivityAreaSize();
void ActivityAreaInit(void* at);

}  // namespace walden

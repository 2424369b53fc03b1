#include "node/stats/activity.h"

#include <sched.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "node/config/settings.h"
#include "node/shm/spinlock.h"
#include "node/stats/counters.h"

namespace walden {
namespace {

constexpr size_t kNameBytes = 64;
constexpr int kMostReadTries = 100000;

// Guarded by: `change`, odd while the owner writes. Everything else is plain memory that a reader may see torn, and
// then does not use.
struct alignas(64) ActivityEntry {
  std::atomic<uint32_t> change;
  ActivityState state;
  int32_t remote_port;
  Oid database, role;
  TimestampUs backend_start, transaction_start, query_start, state_change;
  int64_t query_id;
  uint32_t query_bytes;
  int32_t tls_bits;
  bool tls;
  char tls_version[kNameBytes], tls_cipher[kNameBytes], tls_client_dn[kNameBytes],
      tls_client_serial[kNameBytes], tls_issuer_dn[kNameBytes];
  char backend_type[kNameBytes], application_name[kNameBytes], remote_host[kNameBytes], host_name[kNameBytes];
};

size_t EntryBytes() {
  size_t bytes = sizeof(ActivityEntry) + static_cast<size_t>(GetInt(Setting::kTrackActivityQuerySize));
  return (bytes + 63) & ~size_t{63};
}

// The stride is fixed when the area is made: the setting needs a restart to change.
size_t stride = 0;

ActivityEntry* EntryOf(int slot) {
  char* base = ShmArea<char>(Area::kActivity);
  return base == nullptr || slot < 0
             ? nullptr
             : reinterpret_cast<ActivityEntry*>(base + static_cast<size_t>(slot) * stride);
}

char* QueryOf(ActivityEntry* entry) { return reinterpret_cast<char*>(entry + 1); }

// Brackets the owner's changes.
class Writing {
 public:
  Writing() : entry_(EntryOf(self_slot())) {
    if (entry_ != nullptr) entry_->change.fetch_add(1, std::memory_order_acq_rel);
  }
  ~Writing() {
    if (entry_ != nullptr) entry_->change.fetch_add(1, std::memory_order_release);
  }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;
  explicit operator bool() const { return entry_ != nullptr; }
  ActivityEntry* operator->() const { return entry_; }
  ActivityEntry* get() const { return entry_; }

 private:
  ActivityEntry* entry_;
};

void CopyName(char (&to)[kNameBytes], std::string_view from) { to[from.copy(to, kNameBytes - 1)] = '\0'; }

// Cuts at a character's boundary.
size_t ClippedBytes(std::string_view text, size_t room) {
  if (text.size() <= room) return text.size();
  size_t size = room;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return size;
}

// The end of what pg_stat_database's session times count; 0: not a session.
thread_local TimestampUs session_counted = 0;

void CountUntil(DatabaseCounter counter, TimestampUs since, TimestampUs now) {
  if (now > since) Count(counter, static_cast<uint64_t>(now - since));
}

// What the session did until now.
void CountStateTime(const ActivityEntry& entry, TimestampUs now) {
  if (session_counted == 0) return;
  CountUntil(DatabaseCounter::kSessionUs, session_counted, now);
  session_counted = now;
  switch (entry.state) {
    case ActivityState::kActive:
    case ActivityState::kFastpath: CountUntil(DatabaseCounter::kActiveUs, entry.state_change, now); break;
    case ActivityState::kIdleInTransaction:
    case ActivityState::kIdleInTransactionAborted:
      CountUntil(DatabaseCounter::kIdleInTransactionUs, entry.state_change, now);
      break;
    default: break;
  }
}

}  // namespace

void BeginSessionTime(TimestampUs start) {
  session_counted = start;
  Count(DatabaseCounter::kSessions);
}

void EndSessionTime(SessionEnd how) {
  if (session_counted == 0) return;
  if (ActivityEntry* mine = EntryOf(self_slot())) CountStateTime(*mine, WallClockUs());
  session_counted = 0;
  if (how == SessionEnd::kAbandoned) Count(DatabaseCounter::kSessionsAbandoned);
  if (how == SessionEnd::kFatal) Count(DatabaseCounter::kSessionsFatal);
  if (how == SessionEnd::kKilled) Count(DatabaseCounter::kSessionsKilled);
}

std::string_view ActivityStateName(ActivityState state) {
  constexpr std::string_view kNames[] = {"",
                                         "idle",
                                         "active",
                                         "idle in transaction",
                                         "idle in transaction (aborted)",
                                         "fastpath function call",
                                         "disabled"};
  return kNames[static_cast<size_t>(state)];
}

void BeginActivity(std::string_view backend_type) {
  Writing entry;
  if (!entry) return;
  std::memset(reinterpret_cast<char*>(entry.get()) + sizeof(entry->change), 0,
              sizeof(ActivityEntry) - sizeof(entry->change));
  entry->backend_start = WallClockUs();
  entry->state_change = entry->backend_start;
  CopyName(entry->backend_type, backend_type.empty()
                                    ? BackendTypeName(self().kind.load(std::memory_order_relaxed))
                                    : backend_type);
}

void SetActivityClient(std::string_view remote_host, int remote_port, std::string_view host_name) {
  Writing entry;
  if (!entry) return;
  CopyName(entry->remote_host, remote_host);
  CopyName(entry->host_name, host_name);
  entry->remote_port = remote_port;
}

void SetActivityTls(const ActivityTls& tls) {
  Writing entry;
  if (!entry) return;
  entry->tls = tls.on;
  entry->tls_bits = tls.bits;
  CopyName(entry->tls_version, tls.version);
  CopyName(entry->tls_cipher, tls.cipher);
  CopyName(entry->tls_client_dn, tls.client_dn);
  CopyName(entry->tls_client_serial, tls.client_serial);
  CopyName(entry->tls_issuer_dn, tls.issuer_dn);
}

void SetActivityIdentity(Oid database, Oid role) {
  Writing entry;
  if (!entry) return;
  entry->database = database;
  entry->role = role;
}

void SetActivityApplication(std::string_view name) {
  Writing entry;
  if (entry) CopyName(entry->application_name, name);
}

void SetActivityQueryId(int64_t query_id) {
  Writing entry;
  if (entry && entry->state != ActivityState::kDisabled) entry->query_id = query_id;
}

void SetActivityState(ActivityState state, std::string_view query, TimestampUs now) {
  ActivityEntry* mine = EntryOf(self_slot());
  if (mine == nullptr) return;
  if (!GetBool(Setting::kTrackActivities)) {
    if (mine->state == ActivityState::kDisabled) return;
    Writing entry;
    entry->state = ActivityState::kDisabled;
    entry->query_bytes = 0;
    return;
  }
  if (now == 0) now = WallClockUs();
  CountStateTime(*mine, now);
  Writing entry;
  // A transaction begins with the statement that finds none, and is over when the session is idle.
  if (state == ActivityState::kIdle)
    entry->transaction_start = 0;
  else if (entry->transaction_start == 0)
    entry->transaction_start = now;
  entry->state = state;
  entry->state_change = now;
  if (query.data() == nullptr) return;
  entry->query_start = now;
  entry->query_id = 0;
  size_t size = ClippedBytes(query, stride - sizeof(ActivityEntry) - 1);
  std::memcpy(QueryOf(entry.get()), query.data(), size);
  entry->query_bytes = static_cast<uint32_t>(size);
}

void SetActivityTransaction(TimestampUs start) {
  Writing entry;
  if (entry) entry->transaction_start = start;
}

bool ReadActivity(int slot, ActivityRow* row) {
  ActivityEntry* entry = EntryOf(slot);
  if (entry == nullptr) return false;
  ProcessSlot& process = SlotAt(slot);
  std::vector<char> copy(stride);
  // An owner that died while writing leaves it odd for ever; then the region is being rebuilt, and nobody's row matters.
  for (int tries = 0;; ++tries) {
    if (tries == kMostReadTries) return false;
    row->pid = process.pid.load(std::memory_order_acquire);
    if (row->pid == 0) return false;
    uint32_t before = entry->change.load(std::memory_order_acquire);
    std::memcpy(copy.data(), entry, stride);
    std::atomic_thread_fence(std::memory_order_acquire);
    if ((before & 1) == 0 && entry->change.load(std::memory_order_relaxed) == before) break;
    if (tries % 100 == 99) {
      sched_yield();
    } else {
      SpinPause();
    }
  }
  const ActivityEntry& seen = *reinterpret_cast<const ActivityEntry*>(copy.data());
  row->slot = slot;
  row->kind = process.kind.load(std::memory_order_relaxed);
  row->backend_type = seen.backend_type;
  row->application_name = seen.application_name;
  row->remote_host = seen.remote_host;
  row->host_name = seen.host_name;
  row->remote_port = seen.remote_port;
  row->tls = {seen.tls,           seen.tls_bits,          seen.tls_version,  seen.tls_cipher,
              seen.tls_client_dn, seen.tls_client_serial, seen.tls_issuer_dn};
  row->database = seen.database;
  row->role = seen.role;
  row->state = seen.state;
  row->backend_start = seen.backend_start;
  row->transaction_start = seen.transaction_start;
  row->query_start = seen.query_start;
  row->state_change = seen.state_change;
  row->query_id = seen.query_id;
  row->query.assign(copy.data() + sizeof(ActivityEntry),
                    std::min<size_t>(seen.query_bytes, stride - sizeof(ActivityEntry)));
  row->wait_event = process.wait_event.load(std::memory_order_relaxed);
  return true;
}

size_t ActivityAreaSize() { return static_cast<size_t>(MaxProcessSlots()) * EntryBytes(); }

void ActivityAreaInit(void*) { stride = EntryBytes(); }

}  // namespace walden

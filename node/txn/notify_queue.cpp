#include "node/txn/notify_queue.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "node/base/bytes.h"
#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/shm/interrupts.h"
#include "node/shm/process.h"
#include "node/txn/durability.h"
#include "node/txn/lock_manager.h"
#include "node/txn/page_log.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

constexpr char kDirectory[] = "pg_notify";
constexpr int kBanks = 2;
constexpr size_t kHeaderBytes = 12;
constexpr uint64_t kFarBehindPages = 4;
constexpr int64_t kWarningIntervalUs = 5000000;
constexpr uint64_t kNotListening = UINT64_MAX;
constexpr Oid kDatabaseCatalog{1262};
static_assert(kHeaderBytes + kMostChannelBytes + 1 + kMostNotificationBytes + 1 <= kPageLogPayload);

struct Queue {
  std::atomic<uint64_t> head;        // what is below counts
  std::atomic<uint64_t> newest_csn;  // the newest commit below head. Stored before it
  std::atomic<uint64_t> tail_page;   // pages below are gone
  std::atomic<int64_t> warned_us;
  PageLog* pages;
  std::atomic<uint64_t>* positions() {
    return reinterpret_cast<std::atomic<uint64_t>*>(this + 1);
  }  // by process slot
};
Queue* queue = nullptr;
// Of this process's transaction: where the queue ends if it commits; 0: it sends nothing.
thread_local uint64_t appended_to = 0;

size_t PagesAt() {
  return AlignUp(sizeof(Queue) + static_cast<size_t>(MaxProcessSlots()) * sizeof(std::atomic<uint64_t>),
                 4096);
}

uint64_t MostPages() { return static_cast<uint64_t>(GetInt(Setting::kWaldenNotifyQueuePages)); }
uint64_t PageOf(uint64_t position) { return position / kPageLogPayload; }

std::atomic<uint64_t>& OwnPosition() { return queue->positions()[self_slot()]; }

// The first position that somebody may still read.
uint64_t OldestPosition() {
  // The head first: whoever begins to listen meanwhile begins at it or later.
  uint64_t oldest = queue->head.load();
  for (int slot = 0; slot < MaxProcessSlots(); ++slot)
    oldest = std::min(oldest, queue->positions()[slot].load());
  return oldest;
}

// The warning for who fills the queue's second half, now and then.
std::optional<ErrorFields> HalfFullWarning(uint64_t head) {
  double used =
      static_cast<double>(PageOf(head) - queue->tail_page.load()) / static_cast<double>(MostPages());
  int64_t now_us = MonotonicUs(), last_us = queue->warned_us.load();
  if (used < 0.5 || (last_us != 0 && now_us < last_us + kWarningIntervalUs) ||
      !queue->warned_us.compare_exchange_strong(last_us, now_us))
    return std::nullopt;
  uint64_t oldest = queue->head.load();
  int slowest = -1;
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) {
    uint64_t position = queue->positions()[slot].load();
    if (position > oldest) continue;
    oldest = position;
    slowest = slot;
  }
  ErrorFields fields;
  fields.severity = Severity::kWarning;
  fields.code = ErrorCode::kWarning;
  fields.message = fmt::format("NOTIFY queue is {:.0f}% full", used * 100);
  if (slowest >= 0) {
    fields.detail = fmt::format("The server process with PID {} is among those with the oldest transactions.",
                                SlotAt(slowest).pid.load());
    fields.hint = "The NOTIFY queue cannot be emptied until that process ends its current transaction.";
  }
  return fields;
}

// Pages that nobody needs any more, if they are so many at least.
void GiveBackPages(uint64_t at_least) {
  uint64_t needed = PageOf(OldestPosition());
  if (needed < queue->tail_page.load() + at_least) return;
  queue->pages->Truncate(needed);
  queue->tail_page.store(needed);
}

// Writes one entry at `position`, or on the next page if it does not fit there; returns where it ends.
uint64_t Append(uint64_t position, const Notification& notification) {
  size_t bytes = AlignUp(kHeaderBytes + notification.channel.size() + 1 + notification.payload.size() + 1, 4);
  size_t room = kPageLogPayload - position % kPageLogPayload;
  if (room < bytes) {
    if (room >= kHeaderBytes) {
      PageLog::Page page = queue->pages->Change(PageOf(position));
      char* at = page.payload() + position % kPageLogPayload;
      Store<uint32_t>(at, static_cast<uint32_t>(room));
      Store<uint32_t>(at + 4, 0);
      page.MarkChanged(kInvalidLsn);
    }
    position += room;
  }
  if (PageOf(position) - queue->tail_page.load() >= MostPages())
    throw SqlError(ErrorCode::kProgramLimitExceeded, "too many notifications in the NOTIFY queue");
  PageLog::Page page = queue->pages->Change(PageOf(position));
  char* at = page.payload() + position % kPageLogPayload;
  Store<uint32_t>(at, static_cast<uint32_t>(bytes));
  Store<uint32_t>(at + 4, OidNumber(self().database.load(std::memory_order_relaxed)));
  Store<int32_t>(at + 8, getpid());
  char* text = at + kHeaderBytes;
  std::memcpy(text, notification.channel.c_str(), notification.channel.size() + 1);
  text += notification.channel.size() + 1;
  std::memcpy(text, notification.payload.c_str(), notification.payload.size() + 1);
  page.MarkChanged(kInvalidLsn);
  return position + bytes;
}

}  // namespace

size_t NotifyQueueSize() { return PagesAt() + PageLog::Size(kBanks); }

void NotifyQueueInit(void* at) {
  queue = new (at) Queue{};
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) queue->positions()[slot].store(kNotListening);
  queue->pages = PageLog::Create(static_cast<char*>(at) + PagesAt(),
                                 {kDirectory, SyncKind::kXact, true, kBanks, NodeCounter::kNotifyZeroed});
}

void ResetNotifyQueue() {
  if (!PathExists(kDirectory)) MakeDirectory(kDirectory);
  queue->pages->Clear();
}

std::optional<ErrorFields> AppendNotifications(const std::vector<Notification>& notifications) {
  CurrentXid();
  AcquireLock(LockTag::Object(Oid::kInvalid, kDatabaseCatalog, Oid::kInvalid), LockMode::kAccessExclusive);
  uint64_t position = queue->head.load();
  // Readers give nothing back, and who is refused for want of room does not come to it.
  if (PageOf(position) - queue->tail_page.load() >= MostPages() / 2) GiveBackPages(1);
  for (const Notification& notification : notifications) position = Append(position, notification);
  appended_to = position;
  return HalfFullWarning(position);
}

void PublishNotifications(Lsn csn) {
  if (appended_to == 0) return;
  queue->newest_csn.store(csn.value);
  queue->head.store(std::exchange(appended_to, 0));
}

void ForgetAppended() { appended_to = 0; }

void WakeListeners() {
  uint64_t head_page = PageOf(queue->head.load());
  Oid database = self().database.load(std::memory_order_relaxed);
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) {
    uint64_t position = queue->positions()[slot].load();
    if (position == kNotListening) continue;
    bool concerned = SlotAt(slot).database.load(std::memory_order_relaxed) == database;
    if (concerned || PageOf(position) + kFarBehindPages <= head_page)
      RaiseInterrupt(slot, Interrupt::kNotify);
  }
  GiveBackPages(kFarBehindPages);
}

void StartListening() {
  if (IsListening()) return;
  OwnPosition().store(0);  // nothing is given back until the place is known
  OwnPosition().store(queue->head.load());
}

void StopListening() {
  if (self_slot() >= 0) OwnPosition().store(kNotListening);
}

bool IsListening() {
  return self_slot() >= 0 && OwnPosition().load(std::memory_order_relaxed) != kNotListening;
}

void ReadNotifications(
    const std::function<void(int32_t pid, std::string_view channel, std::string_view payload)>& told) {
  uint64_t head = queue->head.load(), position = OwnPosition().load();
  if (position == head) return;
  Lsn newest{queue->newest_csn.load()};
  uint32_t database = OidNumber(self().database.load(std::memory_order_relaxed));
  while (position < head) {
    CheckInterrupts();
    std::string copy;
    {
      PageLog::Page page = queue->pages->Read(PageOf(position));
      size_t begin = position % kPageLogPayload;
      size_t end = PageOf(head) == PageOf(position) ? head % kPageLogPayload : kPageLogPayload;
      copy.assign(page.payload() + begin, end - begin);
    }
    uint64_t page_end = position + copy.size();
    for (size_t at = 0; at + kHeaderBytes <= copy.size();) {
      const char* entry = copy.data() + at;
      if (Load<uint32_t>(entry + 4) == database) {
        RaiseSeenLsn(newest);
        std::string_view channel = entry + kHeaderBytes;
        told(Load<int32_t>(entry + 8), channel, channel.data() + channel.size() + 1);
      }
      at += Load<uint32_t>(entry);
    }
    position = page_end;
    OwnPosition().store(position);
  }
}

double NotifyQueueUsage() {
  return static_cast<double>(PageOf(queue->head.load()) - PageOf(OldestPosition())) /
         static_cast<double>(MostPages());
}

}  // namespace walden

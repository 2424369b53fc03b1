#include "node/recovery/redo_queue.h"

#include <cstring>

#include "node/base/check.h"
#include "node/recovery/recovery_shared.h"
#include "node/shm/process.h"
#include "node/shm/region.h"

namespace walden {
namespace {

constexpr uint64_t kRingBytes = 1 << 20;
constexpr uint64_t kMuch = kRingBytes / 8;  // worth waking a worker
constexpr uint64_t kTellEvery = kRingBytes / 16;

constexpr uint64_t Aligned(uint64_t bytes) { return (bytes + 7) & ~uint64_t{7}; }
uint64_t MessageBytes(size_t payload) { return sizeof(RedoMessage) + Aligned(payload); }

constexpr size_t kHeadBytes = (sizeof(RedoQueues) + 63) & ~size_t{63};
char* AreaStart() { return ShmArea<char>(Area::kRedoWorkers); }
char* RingOf(int worker) {
  return AreaStart() + kHeadBytes + static_cast<size_t>(RedoWorkerCount()) * sizeof(RedoQueue) +
         static_cast<size_t>(worker) * kRingBytes;
}

// `left`: bytes that the worker has still to do.
void WakeDispatcher(uint64_t left) {
  RedoQueues* queues = TheRedoQueues();
  DispatcherWait wait = queues->dispatcher_waits.load(std::memory_order_seq_cst);
  // One that waits for room gets a good part of the ring at once.
  if (wait == DispatcherWait::kNone || left > (wait == DispatcherWait::kForRoom ? kRingBytes / 2 : 0)) return;
  queues->dispatcher_waits.store(DispatcherWait::kNone);
  int slot = Recovery()->startup_slot.load(std::memory_order_acquire);
  if (slot >= 0) SlotAt(slot).latch.Set();
}

}  // namespace

int RedoWorkerCount() { return SlotsOf(ProcessKind::kRedoWorker).count; }

size_t RedoQueuesShmSize() {
  return kHeadBytes + static_cast<size_t>(RedoWorkerSlots()) * (sizeof(RedoQueue) + kRingBytes);
}

void RedoQueuesShmInit(void* area) {
  new (area) RedoQueues{};
  for (int worker = 0; worker < RedoWorkerSlots(); ++worker) {
    new (static_cast<char*>(area) + kHeadBytes + static_cast<size_t>(worker) * sizeof(RedoQueue)) RedoQueue{};
  }
}

RedoQueues* TheRedoQueues() { return ShmArea<RedoQueues>(Area::kRedoWorkers); }
RedoQueue& RedoQueueOf(int worker) {
  return *reinterpret_cast<RedoQueue*>(AreaStart() + kHeadBytes +
                                       static_cast<size_t>(worker) * sizeof(RedoQueue));
}

// ---- dispatcher's end ----

void RedoWriter::Attach(int worker) {
  worker_ = worker;
  queue_ = &RedoQueueOf(worker);
  ring_ = RingOf(worker);
}

uint64_t RedoWriter::Needed(size_t payload) const {
  uint64_t bytes = MessageBytes(payload), left = kRingBytes - at_ % kRingBytes;
  return bytes <= left ? bytes : left + bytes;
}

uint64_t RedoWriter::Consumed() { return consumed_ = queue_->consumed.load(std::memory_order_acquire); }

bool RedoWriter::HasRoom(size_t payload) {
  uint64_t end = at_ + Needed(payload);
  return end - consumed_ <= kRingBytes || end - Consumed() <= kRingBytes;
}
bool RedoWriter::HasRoomAgain() { return at_ - Consumed() <= kRingBytes / 2; }

void RedoWriter::Write(const RedoMessage& message, const void* payload) {
  DCHECK(message.size <= kLargestPayload);
  uint64_t bytes = MessageBytes(message.size), left = kRingBytes - at_ % kRingBytes;
  if (bytes > left) {
    // No message begins in the last bytes that could not hold a header: the reader skips them by itself.
    if (left >= sizeof(RedoMessage)) {
      RedoMessage filler{.size = static_cast<uint32_t>(left - sizeof(RedoMessage)),
                         .command = RedoCommand::kFiller};
      std::memcpy(ring_ + at_ % kRingBytes, &filler, sizeof filler);
    }
    at_ += left;
  }
  if (message.command == RedoCommand::kRecord && !batch_.IsValid()) batch_ = Lsn{message.start};
  char* to = ring_ + at_ % kRingBytes;
  std::memcpy(to, &message, sizeof message);
  if (message.size > 0) std::memcpy(to + sizeof message, payload, message.size);
  at_ += bytes;
}

void RedoWriter::Publish(RedoWake wake) {
  uint64_t consumed = Consumed();
  if (at_ != published_) {
    if (consumed == published_ && batch_.IsValid()) floor_ = batch_;
    batch_ = kInvalidLsn;
    published_ = at_;
    queue_->written.store(at_, std::memory_order_seq_cst);
  }
  if (at_ - consumed < (wake == RedoWake::kNow ? 1 : kMuch)) return;
  if (queue_->sleeping.load(std::memory_order_seq_cst) == 0 || queue_->sleeping.exchange(0) == 0) return;
  SlotAt(SlotsOf(ProcessKind::kRedoWorker).first + worker_).latch.Set();
}

bool RedoWriter::Idle() { return Consumed() == at_; }

Lsn RedoWriter::AppliedBelow() {
  Lsn applied{queue_->applied.load(std::memory_order_acquire)};
  return Idle() ? kMaxLsn : std::max(applied, floor_);
}

// ---- worker's end ----

RedoReader::RedoReader(int worker) : queue_(&RedoQueueOf(worker)), ring_(RingOf(worker)) {
  at_ = told_ = ahead_ = queue_->consumed.load();
}

void RedoReader::Tell() {
  if (told_ == at_) return;
  told_ = at_;
  queue_->consumed.store(at_, std::memory_order_seq_cst);
  WakeDispatcher(queue_->written.load(std::memory_order_relaxed) - at_);
}

// The first message at or behind *at, which is moved to it.
const RedoMessage* RedoReader::Find(uint64_t* at) const {
  while (queue_->written.load(std::memory_order_acquire) != *at) {
    uint64_t left = kRingBytes - *at % kRingBytes;
    const auto* message = reinterpret_cast<const RedoMessage*>(ring_ + *at % kRingBytes);
    if (left >= sizeof(RedoMessage) && message->command != RedoCommand::kFiller) return message;
    *at += left;
  }
  return nullptr;
}

const RedoMessage* RedoReader::Peek() { return Find(&at_); }

void RedoReader::PrefetchBehind() {
  for (; looked_up_ <= done_ + kLookupAhead; ++looked_up_) {
    const RedoMessage* message = Find(&ahead_);
    if (message == nullptr) break;
    ahead_ += MessageBytes(message->size);
    PrefetchLookup(hints_[looked_up_ % hints_.size()] = message->lookup_hint);
  }
  for (; found_ < looked_up_ && found_ <= done_ + kFoundAhead; ++found_)
    PrefetchFound(hints_[found_ % hints_.size()]);
  if (done_ + kRoomAhead < found_) PrefetchRoom(hints_[(done_ + kRoomAhead) % hints_.size()]);
}

void RedoReader::Done(const RedoMessage& message) {
  if (message.command == RedoCommand::kRecord) queue_->applied.store(message.end, std::memory_order_release);
  at_ += MessageBytes(message.size);
  ++done_;
  if (at_ - told_ >= kTellEvery) Tell();
}

void RedoReader::Wait() {
  constexpr int64_t kLookAroundMs = 10000;
  Tell();
  self().latch.Reset();
  queue_->sleeping.store(1, std::memory_order_seq_cst);
  if (queue_->written.load(std::memory_order_seq_cst) == at_)
    WaitLatch(kLookAroundMs, WaitEvent::kRedoWorkerMain);
  queue_->sleeping.store(0, std::memory_order_relaxed);
}

// ---- failure ----

void ReportRedoFailure(const SqlError& error) {
  RedoQueues* queues = TheRedoQueues();
  uint32_t nobody = 0;
  if (!queues->failed.compare_exchange_strong(nobody, 1)) return;
  queues->code = static_cast<uint32_t>(error.code());
  auto copy = [](char(&to)[512], const std::string& from) {
    size_t size = std::min(from.size(), sizeof to - 1);
    std::memcpy(to, from.data(), size);
    to[size] = '\0';
  };
  copy(queues->message, error.fields().message);
  copy(queues->context, error.fields().context);
  queues->failed.store(2, std::memory_order_seq_cst);
  queues->dispatcher_waits.store(DispatcherWait::kUntilIdle);
  WakeDispatcher(0);
}

void CheckRedoFailure() {
  RedoQueues* queues = TheRedoQueues();
  if (queues->failed.load(std::memory_order_acquire) != 2) return;
  throw SqlError(static_cast<ErrorCode>(queues->code), "{}", queues->message)
      .WithContext(queues->context)
      .WithSeverity(Severity::kFatal);
}

}  // namespace walden

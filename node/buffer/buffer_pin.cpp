// BufferPin: pins, content locks, dirtying.
#include <cstring>

#include "node/base/error.h"
#include "node/buffer/buffer_state.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/shm/process.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {

using namespace buffer_internal;

constinit thread_local BufferStatistics buffer_statistics{};

namespace {

uint32_t IndexOf(int32_t buffer) { return static_cast<uint32_t>(buffer - 1); }
Descriptor& DescriptorOf(int32_t buffer) { return ThePool()->descriptor(IndexOf(buffer)); }

}  // namespace

PageKey BufferPin::key() const {
  DCHECK(buffer_ != 0);
  return buffer_ < 0 ? LocalKey(buffer_) : KeyOf(DescriptorOf(buffer_).tag());
}
BlockNumber BufferPin::block() const {
  return buffer_ < 0 ? LocalKey(buffer_).block
                     : static_cast<BlockNumber>(
                           DescriptorOf(buffer_).tag_words[1].load(std::memory_order_relaxed) >> 32);
}
bool BufferPin::Holds(const PageKey& key) const {
  if (buffer_ == 0) return false;
  return buffer_ < 0 ? LocalKey(buffer_) == key : DescriptorOf(buffer_).HasTag(MakeTag(key));
}

BufferPin BufferPin::Share() const {
  if (buffer_ < 0)
    LocalPin(buffer_);
  else if (buffer_ > 0)
    Pin(ThePool(), IndexOf(buffer_), false);
  return BufferPin(buffer_, page_);
}

void BufferPin::ReleaseSlow() {
  int32_t buffer = std::exchange(buffer_, 0);
  page_ = nullptr;
  if (buffer < 0) {
    LocalUnpin(buffer);
    return;
  }
  PrivatePin* mine = private_pins.Find(buffer);
  if (mine == nullptr) return;  // ReleaseAllPins took it already
  if (--mine->count > 0) return;
  Descriptor& descriptor = DescriptorOf(buffer);
  if (HeldLwLockCount() > 0 && descriptor.content.HeldByMe()) descriptor.content.Release();
  private_pins.Remove(mine);
  UnpinShared(descriptor);
}

void BufferPin::LockShared() {
  if (buffer_ > 0) DescriptorOf(buffer_).content.Acquire(LwMode::kShared);
}
void BufferPin::LockExclusive() {
  if (buffer_ > 0) DescriptorOf(buffer_).content.Acquire(LwMode::kExclusive);
}
bool BufferPin::TryLockShared() {
  return buffer_ < 0 || DescriptorOf(buffer_).content.TryAcquire(LwMode::kShared);
}
bool BufferPin::TryLockExclusive() {
  return buffer_ < 0 || DescriptorOf(buffer_).content.TryAcquire(LwMode::kExclusive);
}
void BufferPin::Unlock() {
  if (buffer_ > 0) DescriptorOf(buffer_).content.Release();
}
bool BufferPin::IsLocked() const { return buffer_ < 0 || DescriptorOf(buffer_).content.HeldByMe(); }
bool BufferPin::IsLockedExclusive() const {
  return buffer_ < 0 || DescriptorOf(buffer_).content.HeldByMe(LwMode::kExclusive);
}

// ---- cleanup lock ----

bool BufferPin::IsCleanupLock() const {
  if (buffer_ < 0) return LocalPins(buffer_) == 1;
  PrivatePin* mine = private_pins.Find(buffer_);
  return mine->count == 1 && Pins(DescriptorOf(buffer_).state.load(std::memory_order_acquire)) == 1;
}

bool BufferPin::TryLockForCleanup() {
  if (buffer_ < 0) return LocalPins(buffer_) == 1;
  if (!TryLockExclusive()) return false;
  if (IsCleanupLock()) return true;
  Unlock();
  return false;
}

namespace {

// Withdraws the announcement, also when an interrupt ends the wait.
class PinWaitGuard {
 public:
  explicit PinWaitGuard(Descriptor& descriptor) : descriptor_(descriptor) {}
  ~PinWaitGuard() {
    uint32_t state = descriptor_.LockHeader();
    if ((state & kPinWaiter) != 0 && descriptor_.cleanup_waiter.load() == self_slot()) {
      descriptor_.state.fetch_and(~uint32_t{kPinWaiter}, std::memory_order_relaxed);
    }
    descriptor_.UnlockHeader();
  }

 private:
  Descriptor& descriptor_;
};

thread_local int64_t (*cleanup_blocked)() = nullptr;
thread_local void (*cleanup_resolved)() = nullptr;

}  // namespace

void BindCleanupWait(int64_t (*blocked)(), void (*resolved)()) {
  cleanup_blocked = blocked;
  cleanup_resolved = resolved;
}

bool PinsAwaitedPage() {
  for (int i = 0; i < private_pins.used; ++i) {
    int32_t buffer = private_pins.entries[i].buffer;
    if (buffer > 0 && (DescriptorOf(buffer).state.load(std::memory_order_acquire) & kPinWaiter) != 0)
      return true;
  }
  return false;
}

void BufferPin::LockForCleanup() {
  if (buffer_ < 0) {
    CHECK(LocalPins(buffer_) == 1);
    return;
  }
  Descriptor& descriptor = DescriptorOf(buffer_);
  CHECK(private_pins.Find(buffer_)->count == 1);
  for (bool waited = false;; waited = true) {
    LockExclusive();
    self().latch.Reset();
    uint32_t state = descriptor.LockHeader();
    if (Pins(state) == 1) {
      descriptor.UnlockHeader();
      if (waited && cleanup_resolved != nullptr) cleanup_resolved();
      return;
    }
    bool taken = (state & kPinWaiter) != 0;
    if (!taken) {
      descriptor.cleanup_waiter.store(self_slot(), std::memory_order_relaxed);
      descriptor.state.fetch_or(kPinWaiter, std::memory_order_relaxed);
    }
    descriptor.UnlockHeader();
    Unlock();
    if (taken)
      throw SqlError(ErrorCode::kInternalError, "multiple processes attempting to wait for pincount 1");
    PinWaitGuard guard(descriptor);
    WaitLatch(cleanup_blocked != nullptr ? cleanup_blocked() : -1, WaitEvent::kBufferPin);
    CheckInterrupts();
  }
}

// ---- dirtying ----

void BufferPin::MarkDirty() {
  if (buffer_ < 0) {
    LocalMarkDirty(buffer_);
    return;
  }
  Descriptor& descriptor = DescriptorOf(buffer_);
  DCHECK(IsLockedExclusive());
  uint32_t old = descriptor.state.load(std::memory_order_relaxed);
  constexpr uint32_t kBoth = kDirty | kJustDirtied;
  if ((old & kBoth) == kBoth) return;
  old = descriptor.state.fetch_or(kBoth, std::memory_order_seq_cst);
  if ((old & kDirty) == 0) ++buffer_statistics.shared_dirtied;
}

namespace {

// Logs the page's image if this hint is the page's first change after a checkpoint, and stamps the page.
// Other hint setters may be at the page meanwhile, so the image is of a private copy.
void LogImageForHint(const PageKey& key, char* page) {
  if (PageLsn(page) > RedoLsn()) return;
  alignas(8) char copy[kPageSize];
  std::memcpy(copy, page, kPageSize);
  WalRecord record(RecordKind::kFullPageImageForHint);
  record.AddPage(0, key, copy, kWalStandard | kWalForceImage);
  SetPageLsn(page, record.Insert());
}

}  // namespace

void BufferPin::MarkDirtyHint() {
  if (buffer_ < 0) {
    LocalMarkDirty(buffer_);
    return;
  }
  Descriptor& descriptor = DescriptorOf(buffer_);
  constexpr uint32_t kBoth = kDirty | kJustDirtied;
  if ((descriptor.state.load(std::memory_order_relaxed) & kBoth) == kBoth) return;
  DCHECK(IsLocked());
  PageKey key = this->key();
  bool logged = NeedsWal(key.rel, key.fork) && (data_checksums_enabled || GetBool(Setting::kWalLogHints));
  uint32_t old;
  if (logged) {
    if (!WalIsWritable()) return;  // a standby keeps hints in memory
    // The image precedes the dirty bit; a checkpoint that starts in between must wait and see it.
    DelayCheckpoint delay;
    LogImageForHint(key, page_);
    old = descriptor.state.fetch_or(kBoth, std::memory_order_seq_cst);
  } else {
    old = descriptor.state.fetch_or(kBoth, std::memory_order_seq_cst);
  }
  if ((old & kDirty) == 0) ++buffer_statistics.shared_dirtied;
}

int ReleaseAllPins() {
  int released = 0;
  Pool* pool = ThePool();
  for (; pool != nullptr && private_pins.used > 0; ++released) {
    PrivatePin* mine = &private_pins.entries[private_pins.used - 1];
    Descriptor& descriptor = pool->descriptor(IndexOf(mine->buffer));
    if (descriptor.content.HeldByMe()) descriptor.content.Release();
    private_pins.Remove(mine);
    UnpinShared(descriptor);
  }
  return released + ReleaseLocalPins();
}

}  // namespace walden

#include "node/txn/page_log.h"

#include <fcntl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "node/base/bytes.h"
#include "node/base/check.h"
#include "node/base/crc32c.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/os/file.h"
#include "node/shm/wait_events.h"
#include "node/wal/wal.h"

namespace walden {

std::atomic<bool> page_log_accepts_torn_pages{false};

namespace {

constexpr size_t kLsnAt = 0, kCrcAt = 8, kVersionAt = 12, kNumberAt = 16;
constexpr uint32_t kVersion = 1;

uint32_t ChecksumOf(const char* page) {
  constexpr char zero[4] = {};
  uint32_t crc = Crc32c(0, page, kCrcAt);
  crc = Crc32c(crc, zero, sizeof(zero));
  return Crc32c(crc, page + kVersionAt, kPageSize - kVersionAt);
}

bool IsHole(const char* page) {
  return Load<uint64_t>(page + kNumberAt) == 0 && Load<uint32_t>(page + kVersionAt) == 0;
}

}  // namespace

size_t PageLog::Size(int banks) {
  size_t frames = static_cast<size_t>(banks) * kFramesPerBank;
  return AlignUp(sizeof(PageLog) + static_cast<size_t>(banks) * sizeof(Bank), 4096) + frames * kPageSize + 64;
}

PageLog* PageLog::Create(void* at, const Options& options) {
  auto* log = new (at) PageLog;
  log->bank_count_ = options.banks;
  log->counters_ = options.counters;
  log->sync_kind_ = options.sync_kind;
  log->scratch_ = options.scratch;
  std::snprintf(log->directory_, sizeof(log->directory_), "%s", options.directory);
  for (int b = 0; b < options.banks; ++b) {
    Bank* bank = new (log->banks() + b) Bank{};
    bank->lock.Init(LwRank::kClog);
  }
  return log;
}

char* PageLog::Data(const Frame* frame) {
  auto* base = reinterpret_cast<char*>(this);
  auto offset = reinterpret_cast<const char*>(frame) - reinterpret_cast<char*>(banks());
  size_t bank = static_cast<size_t>(offset) / sizeof(Bank);
  size_t index = static_cast<size_t>(frame - banks()[bank].frames);
  size_t start = AlignUp(sizeof(PageLog) + static_cast<size_t>(bank_count_) * sizeof(Bank), 4096);
  return base + start + (bank * kFramesPerBank + index) * kPageSize;
}

bool PageLog::Page::absent() const { return static_cast<const Frame*>(frame_)->absent; }

void PageLog::Page::MarkChanged(Lsn lsn) {
  DCHECK(lock_->HeldByMe(LwMode::kExclusive));
  auto* frame = static_cast<Frame*>(frame_);
  frame->absent = false;
  if (lsn.value > Load<uint64_t>(data_ + kLsnAt)) Store<uint64_t>(data_ + kLsnAt, lsn.value);
  frame->dirty.store(true, std::memory_order_relaxed);
}

PageLog::Page PageLog::Guard(Bank& bank, Frame* frame) {
  frame->last_used.store(bank.clock.fetch_add(1, std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return Page(&bank.lock, frame, Data(frame));
}

PageLog::Frame* PageLog::Find(Bank& bank, uint64_t page) {
  for (Frame& frame : bank.frames) {
    if (frame.page_plus_1 == page + 1) return &frame;
  }
  return nullptr;
}

PageLog::Page PageLog::Read(uint64_t page) {
  Bank& bank = BankOf(page);
  bank.lock.Acquire(LwMode::kShared);
  if (Frame* frame = Find(bank, page)) {
    CountEvent(Event::kHit);
    return Guard(bank, frame);
  }
  bank.lock.Release();
  return Guard(bank, LoadExclusive(bank, page));
}

PageLog::Page PageLog::Change(uint64_t page) {
  Bank& bank = BankOf(page);
  Frame* frame = LoadExclusive(bank, page);
  if (frame->absent) CountEvent(Event::kZeroed);
  return Guard(bank, frame);
}

// Returns with the bank's lock held exclusively; on error it is released.
PageLog::Frame* PageLog::LoadExclusive(Bank& bank, uint64_t page) {
  bank.lock.Acquire(LwMode::kExclusive);
  if (Frame* frame = Find(bank, page)) {
    CountEvent(Event::kHit);
    return frame;
  }
  try {
    Frame* frame = Evict(bank);
    frame->page_plus_1 = 0;
    ReadFrame(frame, page);
    frame->page_plus_1 = page + 1;
    return frame;
  } catch (...) {
    bank.lock.Release();
    throw;
  }
}

PageLog::Frame* PageLog::Evict(Bank& bank) {
  Frame* victim = nullptr;
  uint32_t now = bank.clock.load(std::memory_order_relaxed), oldest = 0;
  for (Frame& frame : bank.frames) {
    if (frame.page_plus_1 == 0) return &frame;
    uint32_t age = now - frame.last_used.load(std::memory_order_relaxed);
    if (victim == nullptr || age > oldest) {
      victim = &frame;
      oldest = age;
    }
  }
  if (victim->dirty.load(std::memory_order_relaxed)) WriteFrame(victim);
  return victim;
}

void PageLog::PathOf(const char* directory, uint64_t segment, char* path, size_t size) {
  std::snprintf(path, size, "%s/%04llX", directory, static_cast<unsigned long long>(segment));
}

void PageLog::ReadFrame(Frame* frame, uint64_t page) {
  char path[128];
  PathOf(directory_, page / kPageLogPagesPerSegment, path, sizeof(path));
  char* data = Data(frame);
  int error_number = 0;
  size_t got = 0;
  WaitEventScope wait(WaitEvent::kSlruRead);
  File file = File::TryOpen(path, O_RDONLY, &error_number);
  if (file.is_open()) {
    got = file.ReadAt(data, kPageSize, page % kPageLogPagesPerSegment * kPageSize);
  } else if (error_number != ENOENT) {
    throw FileError(error_number, fmt::format("could not open file \"{}\"", path));
  }
  std::memset(data + got, 0, kPageSize - got);
  frame->dirty.store(false, std::memory_order_relaxed);
  frame->absent = IsHole(data);
  if (frame->absent) {
    std::memset(data, 0, kPageSize);
    Store<uint32_t>(data + kVersionAt, kVersion);
    Store<uint64_t>(data + kNumberAt, page + 1);
    return;
  }
  CountEvent(Event::kRead);
  bool good = Load<uint32_t>(data + kVersionAt) == kVersion && Load<uint64_t>(data + kNumberAt) == page + 1;
  if (!good || Load<uint32_t>(data + kCrcAt) != ChecksumOf(data)) {
    if (!good || !page_log_accepts_torn_pages.load(std::memory_order_relaxed)) {
      throw SqlError(ErrorCode::kDataCorrupted, "invalid page {} in file \"{}\"", page, path);
    }
    Log(Severity::kLog, "page {} of file \"{}\" was torn by the crash; replay completes it", page, path);
  }
}

// Requires: the bank's lock, shared at least. Two writers at once write the same bytes.
void PageLog::WriteFrame(Frame* frame) {
  alignas(8) char copy[kPageSize];
  frame->dirty.store(false, std::memory_order_relaxed);
  std::memcpy(copy, Data(frame), kPageSize);
  try {
    if (!scratch_) Flush(Lsn{Load<uint64_t>(copy + kLsnAt)});
    Store<uint32_t>(copy + kCrcAt, ChecksumOf(copy));
    uint64_t page = frame->page_plus_1 - 1, segment = page / kPageLogPagesPerSegment;
    char path[128];
    PathOf(directory_, segment, path, sizeof(path));
    WaitEventScope wait(WaitEvent::kSlruWrite);
    File file = File::Open(path, O_RDWR | O_CREAT);
    file.WriteAt(copy, kPageSize, page % kPageLogPagesPerSegment * kPageSize);
    CountEvent(Event::kWritten);
    if (!scratch_)
      RequestSync(SyncTag{.kind = sync_kind_, .segment = static_cast<uint32_t>(segment), .rel = {}});
  } catch (...) {
    frame->dirty.store(true, std::memory_order_relaxed);
    throw;
  }
}

void PageLog::WriteDirty() {
  CountEvent(Event::kFlush);
  if (!scratch_) Flush(InsertPosition());
  for (int b = 0; b < bank_count_; ++b) {
    Bank& bank = banks()[b];
    LwLockGuard guard(bank.lock, LwMode::kShared);
    for (Frame& frame : bank.frames) {
      if (frame.page_plus_1 != 0 && frame.dirty.load(std::memory_order_relaxed)) WriteFrame(&frame);
    }
  }
}

void PageLog::Truncate(uint64_t before_page) {
  CountEvent(Event::kTruncate);
  uint64_t keep = before_page / kPageLogPagesPerSegment;
  for (int b = 0; b < bank_count_; ++b) {
    LwLockGuard guard(banks()[b].lock, LwMode::kExclusive);
    for (Frame& frame : banks()[b].frames) {
      if (frame.page_plus_1 == 0 || (frame.page_plus_1 - 1) / kPageLogPagesPerSegment >= keep) continue;
      frame.page_plus_1 = 0;
      frame.dirty.store(false, std::memory_order_relaxed);
    }
  }
  if (keep == 0 || !PathExists(directory_)) return;
  for (const std::string& name : ListDirectory(directory_)) {
    if (std::strtoull(name.c_str(), nullptr, 16) < keep) UnlinkIfExists(std::string(directory_) + "/" + name);
  }
}

void PageLog::Clear() {
  for (int b = 0; b < bank_count_; ++b) {
    LwLockGuard guard(banks()[b].lock, LwMode::kExclusive);
    for (Frame& frame : banks()[b].frames) {
      frame.page_plus_1 = 0;
      frame.dirty.store(false, std::memory_order_relaxed);
    }
  }
  if (!PathExists(directory_)) return;
  for (const std::string& name : ListDirectory(directory_))
    UnlinkIfExists(std::string(directory_) + "/" + name);
}

}  // namespace walden

// A log of fixed-size facts by number (two bits per xid, eight bytes per multixact ...), as numbered pages:
// frames in shared memory, segment files behind. CLOG, multixacts, and what the CSN window spills are page
// logs.
//
// Banks of eight frames, each under one LwLock (page number modulo banks): a page is read under its bank's
// shared lock and changed under its exclusive one. I/O happens under the bank lock; nobody waits there for
// anything but the disk and the WAL.
//
// I7: a page carries the LSN of the newest record that changed it; WAL is flushed up to it before the page is
// written. A scratch log has no LSNs, is never synced, and is emptied at every start.
//
// Format: directory/SSSS (hexadecimal segment number, at least four digits) holds 32 pages of 8192 bytes:
//   0 lsn (8)   8 CRC-32C of the page with this field zero (4)   12 version 1 (4)   16 page number + 1 (8)
//   24 payload (8168)
// A page of zeroes (a hole) was never written: it reads as absent.
// Crash point: a torn page is a mixture of two states of which the older holds everything up to the last
// checkpoint and bits are only ever added; redo adds the rest. So during recovery a bad checksum is accepted,
// later it is XX001.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "node/base/ids.h"
#include "node/shm/lwlock.h"
#include "node/stats/counters.h"
#include "node/storage/sync_queue.h"

namespace walden {

inline constexpr size_t kPageLogPayload = 8168;
inline constexpr uint64_t kPageLogPagesPerSegment = 32;

class alignas(64) PageLog {
 public:
  struct Options {
    const char* directory;  // relative to the data directory
    SyncKind sync_kind;
    bool scratch;
    int banks;
    NodeCounter counters;  // the first of its six (counter_rows.def)
  };
  static size_t Size(int banks);
  static PageLog* Create(void* at, const Options& options);

  // A page under its bank's lock, until destroyed.
  class Page {
   public:
    Page(Page&& other) noexcept : lock_(other.lock_), frame_(other.frame_), data_(other.data_) {
      other.lock_ = nullptr;
    }
    Page(const Page&) = delete;
    Page& operator=(const Page&) = delete;
    ~Page() {
      if (lock_ != nullptr) lock_->Release();
    }
    bool absent() const;
    const char* payload() const { return data_ + 24; }
    char* payload() { return data_ + 24; }
    // Requires: from Change(). Raises the page's LSN.
    void MarkChanged(Lsn lsn);

   private:
    friend class PageLog;
    Page(LwLock* lock, void* frame, char* data) : lock_(lock), frame_(frame), data_(data) {}
    LwLock* lock_;
    void* frame_;  // its Frame
    char* data_;
  };
  Page Read(uint64_t page);
  // Exclusive; an absent page comes zeroed and becomes present.
  Page Change(uint64_t page);
  // Reads the page in, so that a Change soon after meets no I/O error.
  void Preload(uint64_t page) { Read(page); }

  // Writes all dirty pages and registers their files for the checkpoint's fsync.
  void WriteDirty();
  // Removes segments wholly below `page`, and forgets their frames.
  void Truncate(uint64_t before_page);
  // Empties the log: frames and files.
  void Clear();
  static void PathOf(const char* directory, uint64_t segment, char* path, size_t size);
  const char* directory() const { return directory_; }

 private:
  static constexpr int kFramesPerBank = 8;
  struct Frame {
    uint64_t page_plus_1;  // 0 = free. Guarded by: bank lock
    std::atomic<uint32_t> last_used;
    std::atomic<bool> dirty;  // set under exclusive lock, cleared by the writer under at least shared
    bool absent;              // read as a hole, not changed since
  };
  struct alignas(64) Bank {
    LwLock lock;
    std::atomic<uint32_t> clock;
    Frame frames[kFramesPerBank];
  };
  Bank& BankOf(uint64_t page) { return banks()[page % bank_count_]; }
  Bank* banks() { return reinterpret_cast<Bank*>(this + 1); }
  char* Data(const Frame* frame);
  Frame* Find(Bank& bank, uint64_t page);
  Frame* LoadExclusive(Bank& bank, uint64_t page);
  Frame* Evict(Bank& bank);
  void ReadFrame(Frame* frame, uint64_t page);
  void WriteFrame(Frame* frame);
  Page Guard(Bank& bank, Frame* frame);
  enum class Event : uint8_t {
    kZeroed,
    kHit,
    kRead,
    kWritten,
    kFlush,
    kTruncate
  };  // as counter_rows.def has them
  void CountEvent(Event event) {
    Count(static_cast<NodeCounter>(static_cast<size_t>(counters_) + static_cast<size_t>(event)));
  }

  int bank_count_;
  NodeCounter counters_;
  SyncKind sync_kind_;
  bool scratch_;
  char directory_[64];
};

// Set while redo may meet torn pages; see above.
extern std::atomic<bool> page_log_accepts_torn_pages;

}  // namespace walden

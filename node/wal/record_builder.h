// Building and inserting one WAL record.
//
// The recipe for a logged change (storage README has the reasons):
//   1. Do all that can fail: find room, allocate, EnsureWalSpace().
//   2. Pin and lock exclusively the pages, in the access method's order.
//   3. CriticalSection cs;                       // from here any error is a PANIC
//   4. Change the pages; MarkDirty() each.
//   5. WalRecord record(RecordKind::k...);  AddData/AddPage/AddPageData
//      Lsn end = record.Insert();
//   6. SetPageLsn(page, end) on every page added. (InsertAndStamp does 5's Insert and 6.)
//   7. Leave the critical section, unlock, unpin.
// Skip 5 and 6 when !NeedsWal(rel, fork).
//
// Lifetime: a WalRecord keeps pointers: data and pages must stay unchanged until Insert() or Finish()
// returns. It allocates nothing. One record at a time per process.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "node/base/check.h"
#include "node/base/ids.h"
#include "node/storage/relation_file.h"
#include "node/wal/record_format.h"
#include "node/wal/record_kind.h"

namespace walden {

enum WalPageFlag : uint8_t {
  kWalStandard = 1,    // standard page layout: the gap between lower and upper is left out of an image
  kWalWillInit = 2,    // redo re-creates the page from nothing; no image is needed
  kWalForceImage = 4,  // log the whole page whatever its LSN
  kWalNoImage = 8,     // never an image (the caller proves that a torn page is harmless)
  kWalKeepData = 16,   // store the page data even when an image is logged
};

class WalRecord {
 public:
  // Carries wal_writer_xid (see wal.h) unless SetXid is called.
  explicit WalRecord(RecordKind kind);
  WalRecord(const WalRecord&) = delete;
  WalRecord& operator=(const WalRecord&) = delete;
  ~WalRecord();

  void SetXid(Xid xid) { xid_ = xid; }
  // Bytes of the record's own data; appended in call order.
  void AddData(const void* data, size_t size);
  void AddData(std::string_view bytes) { AddData(bytes.data(), bytes.size()); }
  // A temporary is copied; anything else must stay where it is.
  template <class T>
    requires std::is_trivially_copyable_v<std::remove_reference_t<T>>
  void AddStruct(T&& value) {
    if constexpr (std::is_lvalue_reference_v<T>)
      AddData(&value, sizeof(value));
    else
      AddData(KeepTemporary(&value, sizeof(value)), sizeof(value));
  }

  // References a page under a number that redo uses; ascending ids. `page` is its content *after* the change.
  // The first change after a checkpoint logs the whole page instead of its data (I7).
  void AddPage(int id, const PageKey& key, const char* page, int flags = kWalStandard);
  // Data that redo needs only if the page was not restored from an image. At most 65,535 bytes per page.
  void AddPageData(int id, const void* data, size_t size);
  void AddPageData(int id, std::string_view bytes) { AddPageData(id, bytes.data(), bytes.size()); }
  template <class T>
    requires std::is_trivially_copyable_v<std::remove_reference_t<T>>
  void AddPageStruct(int id, T&& value) {
    if constexpr (std::is_lvalue_reference_v<T>)
      AddPageData(id, &value, sizeof(value));
    else
      AddPageData(id, KeepTemporary(&value, sizeof(value)), sizeof(value));
  }

  // Reserves space, copies the record in, and returns its END LSN: the page LSN, the CSN of a commit record.
  // Not durable before Flush(end). Decisions about page images are made here and re-made if a checkpoint's
  // redo point moves in between. Inside a critical section nothing here can fail but by PANIC.
  Lsn Insert();
  // Insert, then SetPageLsn on every page added.
  Lsn InsertAndStamp();

  // The same in two steps, for a record without pages whose LSN must be fixed under a latch (commit, I4):
  //   record.Prepare();                // assembles and sums up; outside the latch
  //   { latch; Lsn csn = record.Reserve(); publish(csn); }   // one CAS, never waits, never fails
  //   record.Finish();                 // copies; must follow promptly, within the critical section
  // Between Reserve and Finish every flush past that LSN waits for this process.
  void Prepare();
  Lsn Reserve();
  void Finish();

  // The position where the record starts (after Insert or Reserve).
  Lsn start() const { return start_; }

 private:
  struct Chunk {
    const char* data;
    uint32_t size;
    int16_t next;  // chain of the same page; -1 ends
  };
  struct Page {
    PageKey key;
    const char* page;
    int flags;
    int16_t first_chunk, last_chunk;
    uint32_t data_size;
    PageRefHeader ref;  // this and the rest are decided by Assemble
    const char* image;  // compressed image, or nullptr: the page itself around its hole
    bool same_relation;
  };
  static constexpr int kMaxChunks = 64;

  Page& page(int i) { return reinterpret_cast<Page*>(page_storage_)[i]; }
  const Page& page(int i) const { return reinterpret_cast<const Page*>(page_storage_)[i]; }
  const char* KeepTemporary(const void* value, size_t size) {
    CHECK(kept_size_ + size <= sizeof(kept_));
    char* to = kept_ + kept_size_;
    std::memcpy(to, value, size);
    kept_size_ += size;
    return to;
  }
  Page* FindPage(int id);
  int16_t NewChunk(const void* data, size_t size);
  void Assemble(Lsn redo);
  void DecideImage(Page* page, Lsn redo, bool for_consistency);
  void CompressImage(Page* page, int index);
  uint32_t BodyCrc() const;
  bool ReserveInEpoch(uint32_t epoch);
  template <class Sink>
  void ForEachPiece(Sink&& sink) const;

  RecordKind kind_;
  Xid xid_;
  bool prepared_ = false;
  bool reserved_ = false;
  char kept_[128];
  size_t kept_size_ = 0;
  int page_count_ = 0;
  int chunk_count_ = 0;
  int images_ = 0;
  int16_t first_data_ = -1, last_data_ = -1;
  uint32_t data_size_ = 0;
  uint32_t size_ = 0;
  RecordHeader header_;
  Lsn start_, end_;
  int ids_[kMaxRecordPages];
  // Raw: constructing 32 pages would cost more than a small record.
  alignas(Page) char page_storage_[kMaxRecordPages * sizeof(Page)];
  Chunk chunks_[kMaxChunks];
};

// Logs whole pages (bulk builds, copies of relations). Stamps each page with the LSN.
Lsn LogNewPage(const PageKey& key, char* page, bool standard = true);
void LogNewPages(std::span<const PageKey> keys, std::span<char* const> pages, bool standard = true);

}  // namespace walden

// The WAL records of heaps: what they hold, and the changes of page bytes that both the original action and
// redo make. A record's xid is the creator or deleter, unless the record says otherwise.
#pragma once

#include <cstdint>
#include <span>

#include "node/access/table.h"
#include "node/access/tuple.h"
#include "node/buffer/buffer_pool.h"
#include "node/storage/page.h"
#include "node/wal/record_handler.h"

namespace walden {

inline TupleHeader* RowAt(char* page, OffsetNumber offset) {
  return reinterpret_cast<TupleHeader*>(PageItem(page, offset));
}
inline const TupleHeader* RowAt(const char* page, OffsetNumber offset) {
  return reinterpret_cast<const TupleHeader*>(PageItem(page, offset));
}

// Flags of the records below.
enum HeapRecordFlag : uint8_t {
  kRecNewPageVmCleared =
      1,  // the page that gets the row (or the only page) was all-visible; map page referenced
  kRecOldPageVmCleared = 2,
  kRecSuperDelete = 4,  // delete: of a speculative insertion; the row becomes invisible to everyone
  kRecMovedPartition = 8,
  kRecSettledCleared = 16,  // lock: only the all-settled bit was cleared
};
// Page reference ids.
inline constexpr int kRefNewPage = 0;
inline constexpr int kRefOldPage = 1;
inline constexpr int kRefNewVm = 2;
inline constexpr int kRefOldVm = 3;

// A row in WAL: this, then its bytes from offset 31 on.
struct WalRowHeader {
  uint16_t infomask2;
  uint16_t infomask;
  uint8_t hoff;
  uint8_t zero;
};

struct HeapInsertRecord {  // page 0: WalRowHeader, bytes
  uint16_t offset;
  uint8_t flags;
  uint8_t zero;
};
struct HeapMultiInsertRecord {  // then uint16 offsets[count]; page 0: per row uint16 size, WalRowHeader,
                                // bytes
  uint16_t count;
  uint8_t flags;
  uint8_t zero;
};
struct HeapDeleteRecord {
  uint64_t xmax;
  uint16_t offset;
  uint16_t infomask;   // the kXmaxBits
  uint16_t infomask2;  // kKeysUpdated
  uint8_t flags;
  uint8_t zero;
};
struct HeapUpdateRecord {  // page 0: WalRowHeader, bytes between prefix and suffix
  uint64_t old_xmax;
  uint64_t new_xmax;  // lockers carried over to the new version
  uint16_t old_offset;
  uint16_t old_infomask;
  uint16_t old_infomask2;
  uint16_t new_offset;
  uint16_t prefix;  // bytes from offset 31 on taken from the old version (same page only)
  uint16_t suffix;
  uint8_t flags;
  uint8_t zero[3];
};
struct HeapLockRecord {
  uint64_t xmax;
  uint16_t offset;
  uint16_t infomask;
  uint16_t infomask2;
  uint8_t flags;
  uint8_t zero;
};
struct HeapConfirmRecord {
  uint16_t offset;
};
struct HeapInplaceRecord {  // page 0: the attribute bytes
  uint16_t offset;
};
struct HeapPruneRecord {  // page 0: uint16 redirects[2 * redirected], dead[], unused[]
  uint64_t conflict_lsn;
  uint16_t redirected;
  uint16_t dead;
  uint16_t unused;
  uint16_t zero;
};
struct HeapVacuumRecord {  // page 0: uint16 unused[count]
  uint16_t count;
};
struct HeapVisibleRecord {  // page 0: the heap page, page 2: the map page
  uint64_t conflict_lsn;
  uint8_t bits;
  uint8_t zero[7];
};
struct SettleEntry {
  uint64_t xmax;
  uint16_t offset;
  uint16_t infomask;
  uint16_t infomask2;
  uint16_t zero;
};
struct HeapSettleRecord {  // page 0: SettleEntry[count]
  uint64_t conflict_lsn;
  uint16_t count;
  uint8_t zero[6];
};

// ---- Changes of page bytes. Requires: exclusive lock (cleanup lock for Prune), and the caller's critical
// section. ----

// Replaces a row's xmax and the flags that say what it is.
void SetXmax(TupleHeader* row, uint64_t xmax, uint16_t infomask, uint16_t infomask2);

// What pruning does to line pointers.
struct PruneChanges {
  std::span<const OffsetNumber> redirects;  // pairs from, to
  std::span<const OffsetNumber> dead;
  std::span<const OffsetNumber> unused;
};
void ApplyPrune(char* page, const PruneChanges& changes);
// Dead line pointers whose index entries are gone become unused.
void ApplyVacuum(char* page, std::span<const OffsetNumber> unused);

// Sets the all-visible flag and the map bits of a page and logs it, unless all are set. `conflict`: as visibility.h says.
// Requires: exclusive lock on the page, its map page pinned in `vm_pin`, WAL space; no critical section yet.
void MarkPageVisible(const TableRef& table, BufferPin& pin, BufferPin& vm_pin, uint8_t bits, Lsn conflict);

std::span<const RecordHandler> HeapRecordHandlers();

}  // namespace walden

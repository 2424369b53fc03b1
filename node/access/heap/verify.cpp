#include "node/access/heap/verify.h"

#include "node/access/counted_read.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/visibility_map.h"
#include "node/shm/interrupts.h"
#include "node/txn/multixact.h"

namespace walden {

namespace {

class Verifier {
 public:
  Verifier(const TableRef& table, const std::function<void(const HeapDefect&)>& report)
      : table_(table), report_(report) {}

  void Run() {
    BlockNumber blocks = RelationBlocks(table_.locator);
    for (block_ = 0; block_ < blocks; ++block_) {
      CheckInterrupts();
      BufferPin pin = ReadPageOf(table_, block_);
      PageLock lock(pin, PageLockMode::kShared);
      if (!PageIsNew(pin.page())) CheckPage(pin.page());
    }
  }

 private:
  template <class... Args>
  void Defect(OffsetNumber offset, int attno, fmt::format_string<Args...> format, Args&&... args) {
    report_({block_, offset, attno, fmt::format(format, std::forward<Args>(args)...)});
  }

  void CheckPage(const char* page) {
    const PageHeader* header = HeaderOf(page);
    if (header->lower < kPageHeaderSize || header->lower > header->upper || header->upper > header->special) {
      return Defect(0, -1, "page header has lower {} upper {} special {}", header->lower, header->upper,
                    header->special);
    }
    if (!PageHasFlag(page, kPageAllVisible) && VmStatus(table_.locator, block_, &vm_pin_) != 0) {
      Defect(0, -1, "page is not marked all-visible, but the visibility map says so");
    }
    bool reached[kMaxItemsPerPage + 1] = {};
    for (OffsetNumber offset = kFirstOffset; offset <= PageMaxOffset(page); ++offset)
      CheckItem(page, offset, reached);
    for (OffsetNumber offset = kFirstOffset; offset <= PageMaxOffset(page); ++offset)
      CheckChainStart(page, offset, reached);
  }

  void CheckItem(const char* page, OffsetNumber offset, bool* reached) {
    ItemId item = *PageItemId(page, offset);
    if (item.IsRedirected()) {
      OffsetNumber to = item.redirect();
      if (to < kFirstOffset || to > PageMaxOffset(page))
        return Defect(offset, -1, "line pointer redirects to offset {}, out of range", to);
      if (!PageItemId(page, to)->IsNormal())
        return Defect(offset, -1, "line pointer redirects to offset {}, which holds no row", to);
      reached[to] = true;
      return;
    }
    if (!item.IsNormal()) return;
    if (item.offset() % 8 != 0)
      Defect(offset, -1, "line pointer to page offset {} is not maximally aligned", item.offset());
    if (item.length() < sizeof(TupleHeader))
      return Defect(offset, -1, "line pointer length {} is less than the minimum tuple header size {}",
                    item.length(), sizeof(TupleHeader));
    if (item.offset() < HeaderOf(page)->upper || item.offset() + item.length() > HeaderOf(page)->special) {
      return Defect(offset, -1, "row at page offset {} of length {} is outside the item area", item.offset(),
                    item.length());
    }
    CheckRow(page, offset, item.length(), reached);
  }

  void CheckRow(const char* page, OffsetNumber offset, uint32_t length, bool* reached) {
    const TupleHeader& row = *RowAt(page, offset);
    if (row.natts() > table_.desc->size()) {
      return Defect(offset, -1, "number of attributes {} exceeds maximum {} expected for table", row.natts(),
                    table_.desc->size());
    }
    if (row.hoff != TupleHoff(row.has_null(), row.natts()) || row.hoff > length) {
      return Defect(offset, -1, "tuple data should begin at byte {}, but actually begins at byte {}",
                    TupleHoff(row.has_null(), row.natts()), row.hoff);
    }
    CheckAttributes(row, offset, length);
    if (row.is_hot_updated() && row.ctid_block == block_ && row.ctid_offset <= PageMaxOffset(page)) {
      const ItemId* next = PageItemId(page, row.ctid_offset);
      if (next->IsNormal() && RowAt(page, row.ctid_offset)->is_heap_only()) reached[row.ctid_offset] = true;
    } else if (row.is_hot_updated() && row.ctid_block != block_) {
      Defect(offset, -1, "HOT update points to block {}", row.ctid_block);
    }
  }

  void CheckAttributes(const TupleHeader& row, OffsetNumber offset, uint32_t length) {
    const char* p = row.attributes();
    const char* end = reinterpret_cast<const char*>(&row) + length;
    for (int attno = 1; attno <= row.natts(); ++attno) {
      if (row.has_null() && row.IsNullAt(attno)) {
        if ((*table_.desc)[attno].not_null && !(*table_.desc)[attno].dropped)
          Defect(offset, attno, "null in a column declared NOT NULL");
        continue;
      }
      PhysicalType type = (*table_.desc)[attno].physical;
      if (p >= end || (IsByReference(type) && !IsShort(p) && p + 4 > end)) {
        return Defect(offset, attno, "attribute begins at or beyond the end of the row");
      }
      uint32_t size = AttributeSize(type, p);
      if (size == 0 || size > static_cast<size_t>(end - p)) {
        return Defect(offset, attno, "attribute with length {} ends beyond the row's length {}", size,
                      length);
      }
      if (IsByReference(type) && IsExternal(p) && table_.toast == nullptr) {
        Defect(offset, attno, "toast pointer in a table without TOAST table");
      }
      p += size;
    }
    if (p != end) Defect(offset, -1, "{} bytes behind the last attribute", end - p);
  }

  // A live heap-only row must be reachable from a root.
  void CheckChainStart(const char* page, OffsetNumber offset, const bool* reached) {
    if (!PageItemId(page, offset)->IsNormal()) return;
    const TupleHeader& row = *RowAt(page, offset);
    if (row.is_heap_only() && !reached[offset] && !row.xmin_is_invalid() && (row.infomask & kXminCommitted)) {
      Defect(offset, -1, "heap-only row that no chain leads to");
    }
  }

  const TableRef& table_;
  const std::function<void(const HeapDefect&)>& report_;
  BufferPin vm_pin_;
  BlockNumber block_ = 0;
};

}  // namespace

void VerifyHeap(const TableRef& table, const std::function<void(const HeapDefect&)>& report) {
  Verifier(table, report).Run();
}

}  // namespace walden

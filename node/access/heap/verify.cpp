#include "node/access/heap/verify.h"

#include "node/access/counted_read.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/visibility_map.h"
#include "node/shm/interrupts.h"
#include "node/txn/multixact.h"

namespace walden {

namespace {

// One page on its own. Nothing on it is trusted before it was checked: the line pointers come first, and rows are only looked at where
// they lie within the page.
class PageVerifier {
 public:
  PageVerifier(const char* page, BlockNumber block, const TupleDesc& desc, bool has_toast,
               const std::function<void(const HeapDefect&)>& report)
      : page_(page), block_(block), desc_(desc), has_toast_(has_toast), report_(report) {}

  void Run() {
    const PageHeader* header = HeaderOf(page_);
    if (header->lower < kPageHeaderSize || header->lower > header->upper || header->upper > header->special ||
        header->special > kPageSize) {
      return Defect(0, -1, "page header has lower {} upper {} special {}", header->lower, header->upper,
                    header->special);
    }
    last_ = PageMaxOffset(page_);
    if (last_ > kMaxItemsPerPage)
      return Defect(0, -1, "page has {} line pointers, more than {}", last_, kMaxItemsPerPage);
    for (OffsetNumber offset = kFirstOffset; offset <= last_; ++offset) CheckLine(offset);
    for (OffsetNumber offset = kFirstOffset; offset <= last_; ++offset) CheckItem(offset);
    for (OffsetNumber offset = kFirstOffset; offset <= last_; ++offset) CheckChainStart(offset);
  }

 private:
  template <class... Args>
  void Defect(OffsetNumber offset, int attno, fmt::format_string<Args...> format, Args&&... args) {
    report_({block_, offset, attno, fmt::format(format, std::forward<Args>(args)...)});
  }

  // Does the line pointer lead to a row whose header is within the page?
  bool HasRow(OffsetNumber offset) const {
    return offset >= kFirstOffset && offset <= last_ && has_row_[offset];
  }

  void CheckLine(OffsetNumber offset) {
    ItemId item = *PageItemId(page_, offset);
    if (!item.IsNormal()) return;
    if (item.offset() % 8 != 0) {
      return Defect(offset, -1, "line pointer to page offset {} is not maximally aligned", item.offset());
    }
    if (item.length() < sizeof(TupleHeader)) {
      return Defect(offset, -1, "line pointer length {} is less than the minimum tuple header size {}",
                    item.length(), sizeof(TupleHeader));
    }
    if (item.offset() < HeaderOf(page_)->upper || item.offset() + item.length() > HeaderOf(page_)->special) {
      return Defect(offset, -1, "row at page offset {} of length {} is outside the item area", item.offset(),
                    item.length());
    }
    has_row_[offset] = true;
  }

  void CheckItem(OffsetNumber offset) {
    ItemId item = *PageItemId(page_, offset);
    if (item.IsRedirected()) {
      OffsetNumber to = item.redirect();
      if (to < kFirstOffset || to > last_)
        return Defect(offset, -1, "line pointer redirects to offset {}, out of range", to);
      if (!PageItemId(page_, to)->IsNormal())
        return Defect(offset, -1, "line pointer redirects to offset {}, which holds no row", to);
      reached_[to] = true;
      return;
    }
    if (has_row_[offset]) CheckRow(offset, item.length());
  }

  void CheckRow(OffsetNumber offset, uint32_t length) {
    const TupleHeader& row = *RowAt(page_, offset);
    if (row.natts() > desc_.size()) {
      return Defect(offset, -1, "number of attributes {} exceeds maximum {} expected for table", row.natts(),
                    desc_.size());
    }
    if (row.hoff != TupleHoff(row.has_null(), row.natts()) || row.hoff > length) {
      return Defect(offset, -1, "tuple data should begin at byte {}, but actually begins at byte {}",
                    TupleHoff(row.has_null(), row.natts()), row.hoff);
    }
    CheckAttributes(row, offset, length);
    if (!row.is_hot_updated()) return;
    if (row.ctid_block != block_) {
      Defect(offset, -1, "HOT update points to block {}", row.ctid_block);
    } else if (HasRow(row.ctid_offset) && RowAt(page_, row.ctid_offset)->is_heap_only()) {
      reached_[row.ctid_offset] = true;
    }
  }

  void CheckAttributes(const TupleHeader& row, OffsetNumber offset, uint32_t length) {
    const char* p = row.attributes();
    const char* end = reinterpret_cast<const char*>(&row) + length;
    for (int attno = 1; attno <= row.natts(); ++attno) {
      const AttributeDesc& attribute = desc_[static_cast<AttrNumber>(attno)];
      if (row.has_null() && row.IsNullAt(attno)) continue;
      PhysicalType type = attribute.physical;
      if (p >= end || (IsByReference(type) && !IsShort(p) && p + 4 > end)) {
        return Defect(offset, attno, "attribute begins at or beyond the end of the row");
      }
      uint32_t size = AttributeSize(type, p);
      if (size == 0 || size > static_cast<size_t>(end - p)) {
        return Defect(offset, attno, "attribute with length {} ends beyond the row's length {}", size,
                      length);
      }
      if (IsByReference(type)) CheckVariable(p, size, offset, attno);
      p += size;
    }
    if (p != end) Defect(offset, -1, "{} bytes behind the last attribute", end - p);
  }

  void CheckVariable(const char* p, uint32_t size, OffsetNumber offset, int attno) {
    if (IsExternal(p)) {
      if (!has_toast_) Defect(offset, attno, "toast pointer in a table without TOAST table");
    } else if (IsShort(p)) {
      return;
    } else if (size < 4 || (IsCompressed(p) && size <= 8)) {
      Defect(offset, attno, "attribute has an invalid length word {}", size);
    }
  }

  // A live heap-only row must be reachable from a root.
  void CheckChainStart(OffsetNumber offset) {
    if (!has_row_[offset]) return;
    const TupleHeader& row = *RowAt(page_, offset);
    if (row.is_heap_only() && !reached_[offset] && !row.xmin_is_invalid() &&
        (row.infomask & kXminCommitted)) {
      Defect(offset, -1, "heap-only row that no chain leads to");
    }
  }

  const char* page_;
  BlockNumber block_;
  const TupleDesc& desc_;
  bool has_toast_;
  const std::function<void(const HeapDefect&)>& report_;
  OffsetNumber last_ = 0;
  bool has_row_[kMaxItemsPerPage + 1] = {};
  bool reached_[kMaxItemsPerPage + 1] = {};
};

}  // namespace

void VerifyHeapPage(const char* page, BlockNumber block, const TupleDesc& desc, bool has_toast,
                    const std::function<void(const HeapDefect&)>& report) {
  PageVerifier(page, block, desc, has_toast, report).Run();
}

void VerifyHeap(const TableRef& table, const std::function<void(const HeapDefect&)>& report) {
  BufferPin vm_pin;
  BlockNumber blocks = RelationBlocks(table.locator);
  for (BlockNumber block = 0; block < blocks; ++block) {
    CheckInterrupts();
    BufferPin pin = ReadPageOf(table, block);
    PageLock lock(pin, PageLockMode::kShared);
    if (PageIsNew(pin.page())) continue;
    if (!PageHasFlag(pin.page(), kPageAllVisible) && VmStatus(table.locator, block, &vm_pin) != 0) {
      report({block, 0, -1, "page is not marked all-visible, but the visibility map says so"});
    }
    VerifyHeapPage(pin.page(), block, *table.desc, table.toast != nullptr, report);
  }
}

}  // namespace walden

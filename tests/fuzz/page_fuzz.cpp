// Pages of a table with anything on them: the check of a page looks at no byte outside of it, and the rows of a page without a defect
// can be read.
#include <cstring>
#include <memory>

#include "node/access/deform.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/verify.h"
#include "node/base/error.h"
#include "node/storage/page.h"
#include "tests/fuzz/fuzz_input.h"

namespace walden {
namespace {

TupleDesc MakeDesc() {
  std::vector<AttributeDesc> columns(5);
  columns[0].physical = PhysicalType::kInt32;
  columns[0].not_null = true;
  columns[1].physical = PhysicalType::kString;
  columns[2].physical = PhysicalType::kInt64;
  columns[3].physical = PhysicalType::kString;
  columns[4].physical = PhysicalType::kInt16;
  return TupleDesc(columns);
}

volatile uint64_t bytes_seen = 0;  // so that the reads are not left out

void ReadRows(const char* page, const TupleDesc& desc) {
  MemoryAccount account("fuzz");
  Arena arena(&account);
  DeformContext context{&arena, nullptr, false};
  std::vector<Value> values(static_cast<size_t>(desc.size()));
  uint64_t sum = 0;
  for (OffsetNumber offset = kFirstOffset; offset <= PageMaxOffset(page); ++offset) {
    if (!PageItemId(page, offset)->IsNormal()) continue;
    TupleView row{PageItem(page, offset),
                  static_cast<uint32_t>(PageItemLength(page, offset)),
                  {0, offset},
                  Oid::kInvalid};
    try {
      DeformTuple(desc, row, values.data(), context);
      for (int column : {1, 3}) {
        if (values[static_cast<size_t>(column)].is_null) continue;
        for (char c : values[static_cast<size_t>(column)].datum.string.view())
          sum += static_cast<unsigned char>(c);
      }
    } catch (const SqlError&) {
      // compressed bytes that do not unpack
    }
  }
  bytes_seen = sum;
}

}  // namespace
}  // namespace walden

// The input is the page without its gap: the first two bytes say how much of the rest stands before it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walden;
  FuzzInput input(data, size);
  size_t front = input.Byte() | size_t{input.Byte()} << 8;
  std::string_view bytes = input.Rest().substr(0, kPageSize);
  front = std::min(front, bytes.size());
  std::unique_ptr<char[]> page(new char[kPageSize]());  // new[] gives what pages need, alignment to 8
  std::memcpy(page.get(), bytes.data(), front);
  std::memcpy(page.get() + kPageSize - (bytes.size() - front), bytes.data() + front, bytes.size() - front);
  PageIsValid(page.get(), 0, true);
  if (PageIsNew(page.get()) || !PageIsValid(page.get(), 0, false)) return 0;
  static const TupleDesc desc = MakeDesc();
  bool sound = true;
  VerifyHeapPage(page.get(), 0, desc, false, [&](const HeapDefect&) { sound = false; });
  if (sound) ReadRows(page.get(), desc);
  return 0;
}

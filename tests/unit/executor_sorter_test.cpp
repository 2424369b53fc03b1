#include "node/sql/executor/sorter.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "node/base/random.h"

namespace walden {
namespace {

// Temporary files lie below the working directory.
class SorterTest : public testing::Test {
 protected:
  static constexpr size_t kPadBytes = 40;
  static constexpr size_t kSerializedRowBytes = 4 + 4 + kPadBytes + 16;

  void SetUp() override {
    folder_ = (std::filesystem::temp_directory_path() / "walden-sorter-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(folder_);
  }
  void TearDown() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(folder_);
  }

  // Rows of (key, serial number, padding), by key.
  Sorter MakeSorter(size_t memory_bytes) {
    SortKey key;
    key.type = &TypeOf(Oid{23});
    return Sorter({PhysicalType::kInt32, PhysicalType::kInt32, PhysicalType::kString}, {key},
                  &ProcessMemory(), memory_bytes);
  }
  void Fill(Sorter* sorter, int rows) {
    Random random(7);
    Vector keys(PhysicalType::kInt32), serials(PhysicalType::kInt32), pads(PhysicalType::kString);
    Vector* columns[] = {&keys, &serials, &pads};
    for (int done = 0; done < rows;) {
      uint32_t count = static_cast<uint32_t>(std::min(rows - done, 1000));
      keys.Reset(PhysicalType::kInt32, count);
      serials.Reset(PhysicalType::kInt32, count);
      pads.Reset(PhysicalType::kString, count);
      for (uint32_t i = 0; i < count; ++i, ++done) {
        keys.data<int32_t>()[i] = static_cast<int32_t>(random.Below(500)) - 250;
        serials.data<int32_t>()[i] = done;
        pads.Set(i, pad_);
      }
      sorter->Add(columns, Selection{nullptr, count});
    }
    sorter->Finish();
  }
  // In order, and equal keys in the order in which they came.
  void ExpectSorted(Sorter* sorter, int rows) {
    Vector keys(PhysicalType::kInt32), serials(PhysicalType::kInt32), pads(PhysicalType::kString);
    Vector* columns[] = {&keys, &serials, &pads};
    std::pair<int32_t, int32_t> last{INT32_MIN, -1};
    int seen = 0;
    while (uint32_t count = sorter->Next(columns, 777)) {
      for (uint32_t i = 0; i < count; ++i, ++seen) {
        std::pair<int32_t, int32_t> row{keys.data<int32_t>()[i], serials.data<int32_t>()[i]};
        ASSERT_LT(last, row);
        ASSERT_EQ(pads.Get(i).datum.string.view(), pad_.datum.string.view());
        last = row;
      }
    }
    EXPECT_EQ(seen, rows);
  }

  std::string folder_;
  std::filesystem::path before_;
  std::string padding_ = std::string(kPadBytes, 'p');
  Value pad_ = StringValue(padding_);

 private:
  static Value StringValue(const std::string& text) {
    Value value;
    value.is_null = false;
    value.datum.string = StringRef(text.data(), static_cast<uint32_t>(text.size()));
    return value;
  }
};

// A row is written once for each level of merging, and there are log(runs) of them: not once for every few runs.
TEST_F(SorterTest, LittleMemoryMeansFewLevels) {
  constexpr int kRows = 60000;
  for (size_t memory : {size_t{64} * 1024, size_t{1} << 20}) {
    uint64_t written = spill_totals().bytes_written;
    Sorter sorter = MakeSorter(memory);
    Fill(&sorter, kRows);
    EXPECT_EQ(sorter.method(), Sorter::Method::kExternalMerge);
    ExpectSorted(&sorter, kRows);
    sorter.Rewind();
    ExpectSorted(&sorter, kRows);
    written = spill_totals().bytes_written - written;
    EXPECT_LT(written, (memory == 1 << 20 ? 2 : 5) * kRows * kSerializedRowBytes) << memory;
  }
}

TEST_F(SorterTest, RunsOfOneRow) {
  constexpr int kRows = 1000;
  Sorter sorter = MakeSorter(1);
  Fill(&sorter, kRows);
  ExpectSorted(&sorter, kRows);
}

}  // namespace
}  // namespace walden

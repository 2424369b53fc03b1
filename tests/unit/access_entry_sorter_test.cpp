#include "node/access/btree/entry_sorter.h"

#include <algorithm>
#include <limits>

#include "node/base/random.h"
#include "tests/unit/access_fixture.h"

namespace walden {
namespace {

using btree::Entry;
using btree::EntryBuffer;
using btree::EntrySorter;

class EntrySorterTest : public AccessTest {
 protected:
  static constexpr size_t kEnough = 64 << 20;
  struct Row {
    std::string entry;
    bool alive;
  };

  // An index of one column, in the given order.
  IndexDesc IndexOf(const TupleDesc& desc, KeyOrder order, bool descending) {
    IndexDesc index = MakeIndex(21060, "sorted", &desc, false);
    index.keys[0].order = order;
    index.keys[0].descending = index.keys[0].nulls_first = descending;
    return index;
  }

  // Takes the values in their order, at row identities that grow, and expects what a plain sort makes of them.
  void ExpectSorted(const IndexDesc& index, std::span<const Value> values, size_t memory_bytes) {
    EntrySorter sorter(index, memory_bytes);
    std::vector<Row> rows;
    for (uint32_t i = 0; i < values.size(); ++i) {
      EntryBuffer formed;
      TupleId tid{i / 60, static_cast<OffsetNumber>(i % 60 + 1)};
      btree::FormEntry(index, &values[i], tid, &formed);
      bool alive = i % 7 != 0;
      sorter.Add(formed.entry(), alive);
      rows.push_back({std::string(formed.data, formed.size), alive});
    }
    auto entry_of = [](const Row& row) {
      return Entry{row.entry.data(), static_cast<uint32_t>(row.entry.size())};
    };
    std::sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
      return btree::CompareEntries(index, entry_of(a), entry_of(b)) < 0;
    });
    sorter.Sort();
    Entry entry;
    bool alive;
    for (size_t i = 0; i < rows.size(); ++i) {
      ASSERT_TRUE(sorter.Next(&entry, &alive)) << i;
      ASSERT_EQ(std::string_view(entry.data, entry.size), rows[i].entry) << i;
      ASSERT_EQ(alive, rows[i].alive) << i;
    }
    EXPECT_FALSE(sorter.Next(&entry, &alive));
    EXPECT_FALSE(sorter.Next(&entry, &alive));
  }

  // Numbers as a table may hold them: growing, falling, any, growing but for some, long runs, all equal, and the limits.
  template <class Make>
  void ExpectAllSorted(PhysicalType type, KeyOrder order, int64_t least, int64_t most, Make&& make) {
    std::vector<AttributeDesc> columns(1);
    columns[0].physical = type;
    TupleDesc desc(columns);
    constexpr int kRows = 4000;
    Random random(77);
    for (bool descending : {false, true}) {
      IndexDesc index = IndexOf(desc, order, descending);
      for (int pattern = 0; pattern < 7; ++pattern) {
        std::vector<Value> values;
        for (int i = 0; i < kRows; ++i) {
          int64_t any = static_cast<int64_t>(random.Below(kRows));
          int64_t number = pattern == 0   ? i
                           : pattern == 1 ? kRows - i
                           : pattern == 2 ? any
                           : pattern == 3 ? (i % 100 == 50 ? any : i)
                           : pattern == 4 ? i % 1000
                           : pattern == 5 ? 5
                           : i % 3 == 0   ? least + i / 2
                                          : most - kRows + i / 2;
          values.push_back(make(number));
          if (pattern == 3 && i % 500 == 499) values.push_back(Value{});
        }
        SCOPED_TRACE(fmt::format("pattern {}, descending {}", pattern, descending));
        ExpectSorted(index, values, kEnough);
      }
    }
  }

  template <class T>
  static Value Number(T Datum::* member, int64_t number) {
    Value value;
    value.is_null = false;
    value.datum.*member = static_cast<T>(number);
    return value;
  }
};

TEST_F(EntrySorterTest, Integers) {
  ExpectAllSorted(PhysicalType::kInt16, KeyOrder::kInt16, INT16_MIN, INT16_MAX,
                  [](int64_t n) { return Number(&Datum::i16, n); });
  ExpectAllSorted(PhysicalType::kInt32, KeyOrder::kInt32, INT32_MIN, INT32_MAX,
                  [](int64_t n) { return Number(&Datum::i32, n); });
  ExpectAllSorted(PhysicalType::kInt32, KeyOrder::kUint32, 0, UINT32_MAX,
                  [](int64_t n) { return Number(&Datum::i32, n); });
}

TEST_F(EntrySorterTest, WideIntegers) {
  ExpectAllSorted(PhysicalType::kInt64, KeyOrder::kInt64, INT64_MIN, INT64_MAX,
                  [](int64_t n) { return Number(&Datum::i64, n); });
}

TEST_F(EntrySorterTest, RunsOnDiskBesideWhatCameInOrder) {
  std::vector<AttributeDesc> columns(1);
  columns[0].physical = PhysicalType::kInt32;
  TupleDesc desc(columns);
  Random random(78);
  std::vector<Value> values;
  values.reserve(90000);
  for (int i = 0; i < 90000; ++i)
    values.push_back(Number(&Datum::i32, i % 4 == 0 ? i : static_cast<int64_t>(random.Below(90000))));
  ExpectSorted(IndexOf(desc, KeyOrder::kInt32, false), values, 0);
}

TEST_F(EntrySorterTest, Texts) {
  std::vector<std::string> texts;
  texts.reserve(5000);
  for (int i = 0; i < 5000; ++i) texts.push_back(fmt::format("row {}", i * 7 % 5000));
  std::vector<Value> values;
  values.reserve(texts.size());
  for (const std::string& text : texts) values.push_back(Text(text));
  std::vector<AttributeDesc> columns(1);
  columns[0].physical = PhysicalType::kString;
  TupleDesc desc(columns);
  ExpectSorted(IndexOf(desc, KeyOrder::kBytes, false), values, kEnough);
}

}  // namespace
}  // namespace walden

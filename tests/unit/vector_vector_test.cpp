#include <gtest/gtest.h>

#include "node/vector/vector.h"

namespace walden {
namespace {

TEST(Vector, HoldsValuesAndNulls) {
  Vector vector(PhysicalType::kInt32, kBatchRows);
  vector.data<int32_t>()[7] = 42;
  EXPECT_FALSE(vector.has_nulls());
  vector.SetNull(8);
  EXPECT_TRUE(vector.IsNull(8));
  EXPECT_FALSE(vector.IsNull(7));
  EXPECT_EQ(vector.Get(7).datum.i32, 42);
  EXPECT_TRUE(vector.Get(8).is_null);
  vector.SetValid(8);
  EXPECT_FALSE(vector.IsNull(8));
}

TEST(Vector, ConstantStandsForEveryRow) {
  Vector vector;
  vector.SetConstantValue(PhysicalType::kString, Value{StringDatum("walden"), false});
  EXPECT_EQ(vector.Get(900).datum.string.view(), "walden");
  vector.SetConstantValue(PhysicalType::kInt64, Value{});
  EXPECT_TRUE(vector.IsNull(3));
}

TEST(Vector, CopiesSelectedRowsOnly) {
  Vector from(PhysicalType::kInt16, 8), to(PhysicalType::kInt16, 8);
  for (int16_t i = 0; i < 8; ++i) from.data<int16_t>()[i] = static_cast<int16_t>(i * 10);
  from.SetNull(5);
  uint16_t rows[] = {1, 5};
  to.CopyRows(from, Selection{rows, 2});
  EXPECT_EQ(to.Get(1).datum.i16, 10);
  EXPECT_TRUE(to.IsNull(5));
  EXPECT_EQ(to.Get(2).datum.i16, 0);
}

}  // namespace
}  // namespace walden

// Batch kernels (nulls, selections, constants) and aggregates (groups, merging, spilling).
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "node/base/error.h"
#include "node/sql/functions/registry.h"
#include "node/types/array.h"

namespace walden {
namespace {

class Kernels : public testing::Test {
 protected:
  Vector Ints(std::vector<int> values, std::vector<bool> nulls = {}) {
    Vector result(PhysicalType::kInt32, kBatchRows);
    for (uint32_t i = 0; i < values.size(); ++i) {
      result.data<int32_t>()[i] = values[i];
      if (i < nulls.size() && nulls[i]) result.SetNull(i);
    }
    return result;
  }
  void Call(const char* name, std::vector<const Vector*> args, Selection selection, Vector* result) {
    const ScalarFunction* function = FindScalar(name);
    ASSERT_NE(function, nullptr);
    function->kernel(context_, args, selection, result);
  }
  std::string Text(Oid type, const Value& value) {
    return value.is_null ? "NULL" : std::string(FormatText(TypeOf(type), value.datum, context_.Io(type)));
  }
  Datum Parse(Oid type, std::string_view text) { return ParseText(TypeOf(type), text, context_.Io(type)); }

  // The aggregate over a column, computed at once; by two groups merged through their serialised form the same.
  std::string Aggregate(uint32_t oid, Oid argument, Oid result_type, const std::vector<const char*>& values) {
    const AggregateFunction* function = FindAggregate(Oid{oid});
    EXPECT_NE(function, nullptr);
    Oid types[] = {argument};
    site_.arg_types = types;
    site_.result_type = result_type;
    Vector column(TypeOf(argument).physical, kBatchRows);
    for (uint32_t i = 0; i < values.size(); ++i) {
      Value value;
      if (values[i] != nullptr) value = Value{Parse(argument, values[i]), false};
      column.Set(i, value);
    }
    std::vector<const Vector*> args = {&column};
    Selection all{nullptr, static_cast<uint32_t>(values.size())};
    std::vector<char> whole(function->state_bytes), even(function->state_bytes), odd(function->state_bytes);
    function->update_single(context_, args, all, whole.data());
    std::string once = Finish(*function, whole, result_type);
    if (function->combine == nullptr) return once;
    std::vector<void*> groups;
    for (uint32_t i = 0; i < values.size(); ++i) groups.push_back(i % 2 == 0 ? even.data() : odd.data());
    function->update(context_, args, all, groups.data());
    std::string bytes;
    function->serialize(context_, odd.data(), &bytes);
    std::vector<char> restored(function->state_bytes);
    function->deserialize(context_, bytes, restored.data());
    function->combine(context_, even.data(), restored.data());
    EXPECT_EQ(Finish(*function, even, result_type), once) << function->signature;
    return once;
  }
  std::string Finish(const AggregateFunction& function, const std::vector<char>& state, Oid type) {
    Value value;
    function.finalize(context_, state.data(), &value);
    return Text(type, value);
  }

  Arena arena_;
  CallSite site_;
  CallContext context_{arena_, DefaultTextFormat(), nullptr, site_};
};

using namespace type_oid;

TEST_F(Kernels, StrictKernelsSkipNulls) {
  Vector a = Ints({1, 2, 3, 4}, {false, true, false, false}),
         b = Ints({10, 20, 30, 40}, {false, false, false, true});
  Vector result(PhysicalType::kInt32, kBatchRows);
  Call("int4pl", {&a, &b}, {nullptr, 4}, &result);
  EXPECT_EQ(result.data<int32_t>()[0], 11);
  EXPECT_TRUE(result.IsNull(1));
  EXPECT_EQ(result.data<int32_t>()[2], 33);
  EXPECT_TRUE(result.IsNull(3));
  EXPECT_FALSE(result.is_constant());
}

TEST_F(Kernels, OnlySelectedRowsAreComputed) {
  Vector a = Ints({1, 2147483647, 3}), b = Ints({1, 1, 1});
  Vector result(PhysicalType::kInt32, kBatchRows);
  const uint16_t rows[] = {0, 2};
  Call("int4pl", {&a, &b}, {rows, 2}, &result);
  EXPECT_EQ(result.data<int32_t>()[0], 2);
  EXPECT_EQ(result.data<int32_t>()[2], 4);
  EXPECT_THROW(Call("int4pl", {&a, &b}, {nullptr, 3}, &result), SqlError);
}

TEST_F(Kernels, ConstantsFold) {
  Vector a = Ints({1, 2, 3}), five(PhysicalType::kInt32), null(PhysicalType::kInt32);
  five.SetConstantValue(PhysicalType::kInt32, Value{Datum{.i32 = 5}, false});
  null.SetConstantValue(PhysicalType::kInt32, Value{});
  Vector result(PhysicalType::kInt32, kBatchRows);
  Call("int4mul", {&five, &a}, {nullptr, 3}, &result);
  EXPECT_EQ(result.data<int32_t>()[2], 15);
  Call("int4mul", {&five, &five}, {nullptr, 3}, &result);
  EXPECT_TRUE(result.is_constant());
  EXPECT_EQ(result.data<int32_t>()[0], 25);
  Call("int4mul", {&five, &null}, {nullptr, 3}, &result);
  EXPECT_TRUE(result.is_constant());
  EXPECT_TRUE(result.IsNull(2));
  Call("int4gcd", {&five, &null}, {nullptr, 3}, &result);  // through the shared row loop
  EXPECT_TRUE(result.is_constant());
  EXPECT_TRUE(result.IsNull(2));
}

// Values from PostgreSQL.
TEST_F(Kernels, Aggregates) {
  std::vector<const char*> numbers = {"1", nullptr, "2", "4", "7"};
  EXPECT_EQ(Aggregate(2108, kInt4, kInt8, numbers), "14");
  EXPECT_EQ(Aggregate(2101, kInt4, kNumeric, numbers), "3.5000000000000000");
  EXPECT_EQ(Aggregate(2107, kInt8, kNumeric, {"9223372036854775807", "9223372036854775807"}),
            "18446744073709551614");
  EXPECT_EQ(Aggregate(2114, kNumeric, kNumeric, {"1.5", "2.25", "1e30", "-1e30"}), "3.75");
  EXPECT_EQ(Aggregate(2114, kNumeric, kNumeric, {"1.5", "NaN"}), "NaN");
  EXPECT_EQ(Aggregate(2103, kNumeric, kNumeric, {"1.5", "2.25"}), "1.8750000000000000");
  EXPECT_EQ(Aggregate(2105, kFloat8, kFloat8, {"1.5", "2.25"}), "1.875");
  EXPECT_EQ(Aggregate(2642, kInt4, kNumeric, numbers), "7.0000000000000000");
  EXPECT_EQ(Aggregate(2713, kInt4, kNumeric, numbers), "2.6457513110645906");
  EXPECT_EQ(Aggregate(2729, kNumeric, kNumeric, {"1.1", "2.2", "3.3"}), "0.89814623902049863601");
  EXPECT_EQ(Aggregate(2715, kFloat4, kFloat8, {"1", "2", "4"}), "1.5275252316519468");
  EXPECT_EQ(Aggregate(2147, kInt4, kInt8, numbers), "4");
  EXPECT_EQ(Aggregate(2116, kInt4, kInt4, numbers), "7");
  EXPECT_EQ(Aggregate(2145, kText, kText, {"pear", "apple", nullptr}), "apple");
  EXPECT_EQ(Aggregate(2130, kNumeric, kNumeric, {"1e40", "NaN", "5"}), "NaN");
  EXPECT_EQ(Aggregate(2517, kBool, kBool, {"t", "f"}), "f");
  EXPECT_EQ(Aggregate(2238, kInt4, kInt4, {"7", "12"}), "4");
  EXPECT_EQ(Aggregate(2335, kInt4, kInt4Array, {"7", nullptr, "12"}), "{7,NULL,12}");
  EXPECT_EQ(Aggregate(2108, kInt4, kInt8, {}), "NULL");
}

TEST_F(Kernels, StringAggTakesTheSeparatorOfTheLaterRow) {
  const AggregateFunction* function = FindAggregate(Oid{3538});
  Vector values(PhysicalType::kString, kBatchRows), separators(PhysicalType::kString, kBatchRows);
  const char* words[] = {"a", nullptr, "b", "c"};
  const char* between[] = {"1", "2", "3", "4"};
  for (uint32_t i = 0; i < 4; ++i) {
    values.Set(i, words[i] == nullptr ? Value{} : Value{StringDatum(words[i]), false});
    separators.Set(i, Value{StringDatum(between[i]), false});
  }
  std::vector<const Vector*> args = {&values, &separators};
  std::vector<char> state(function->state_bytes);
  function->update_single(context_, args, {nullptr, 4}, state.data());
  EXPECT_EQ(Finish(*function, state, kText), "a3b4c");
}

TEST_F(Kernels, NestedArrayAgg) {
  EXPECT_EQ(Aggregate(4053, kInt4Array, kInt4Array, {"{1,2}", "{3,4}"}), "{{1,2},{3,4}}");
  EXPECT_THROW(Aggregate(4053, kInt4Array, kInt4Array, {"{1,2}", "{3}"}), SqlError);
}

}  // namespace
}  // namespace walden

// The queue of deferred checks: order, savepoints, spilling.
#include "node/sql/executor/waiting_checks.h"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <set>

#include "node/base/error.h"

namespace walden {
namespace {

// Makes the checks of the constraints; what was made, in order.
std::vector<std::string> Make(WaitingChecks& checks, const std::set<uint32_t>& constraints, int level,
                              uint64_t from = 0) {
  std::vector<std::string> made;
  checks.Make(
      from, [&](uint32_t constraint) { return constraints.contains(constraint); }, level,
      [&](uint32_t constraint, std::string_view check) {
        made.push_back(fmt::format("{}{}", constraint, check));
      });
  return made;
}

using Names = std::vector<std::string>;

TEST(WaitingChecksTest, MadeInOrderAndOnce) {
  WaitingChecks checks(1 << 20);
  checks.Add(0, "a", 1);
  checks.Add(1, "b", 1);
  checks.Add(0, "c", 1);
  EXPECT_EQ(Make(checks, {0}, 1), (Names{"0a", "0c"}));
  EXPECT_FALSE(checks.AnyWaiting([](uint32_t constraint) { return constraint == 0; }));
  EXPECT_TRUE(checks.AnyWaiting([](uint32_t constraint) { return constraint == 1; }));
  checks.Add(0, "d", 1);
  EXPECT_EQ(Make(checks, {0, 1}, 1), (Names{"1b", "0d"}));
  EXPECT_TRUE(checks.empty());
}

TEST(WaitingChecksTest, RolledBackSavepointTakesItsChecksAndUndoesThoseMadeInIt) {
  WaitingChecks checks(1 << 20);
  checks.Add(0, "a", 1);
  checks.Add(0, "b", 2);
  EXPECT_EQ(Make(checks, {0}, 2), (Names{"0a", "0b"}));
  checks.Add(0, "c", 2);
  EXPECT_EQ(Make(checks, {0}, 2), (Names{"0c"}));
  checks.Add(0, "d", 3);
  checks.UndoSavepoint(2);
  EXPECT_EQ(Make(checks, {0}, 1), (Names{"0a"}));
  EXPECT_TRUE(checks.empty());
}

TEST(WaitingChecksTest, ReleasedSavepointHandsItsChecksOn) {
  WaitingChecks checks(1 << 20);
  checks.Add(0, "a", 1);
  checks.Add(1, "b", 3);
  EXPECT_EQ(Make(checks, {0}, 3), (Names{"0a"}));
  checks.EndSavepoint(3);
  checks.Add(1, "c", 2);
  checks.EndSavepoint(2);
  checks.UndoSavepoint(2);  // another one
  EXPECT_EQ(Make(checks, {0, 1}, 1), (Names{"1b", "1c"}));
}

TEST(WaitingChecksTest, StatementsEachMakeTheirOwn) {
  WaitingChecks checks(1 << 20);
  checks.Add(1, "waits", 1);
  for (int statement = 0; statement < 100; ++statement) {
    uint64_t begin = checks.end();
    checks.Add(0, fmt::format("{}", statement), 1);
    EXPECT_EQ(Make(checks, {0}, 1, begin), (Names{fmt::format("0{}", statement)}));
    EXPECT_EQ(checks.end(), begin);
  }
  EXPECT_EQ(Make(checks, {0, 1}, 1), (Names{"1waits"}));
}

TEST(WaitingChecksTest, AFailedCheckLeavesAllWaiting) {
  WaitingChecks checks(1 << 20);
  checks.Add(0, "a", 2);
  checks.Add(0, "b", 2);
  auto fail = [](uint32_t, std::string_view check) {
    if (check == "b") throw SqlError(ErrorCode::kUniqueViolation, "b");
  };
  EXPECT_THROW(checks.Make(0, [](uint32_t) { return true; }, 2, fail), SqlError);
  EXPECT_EQ(Make(checks, {0}, 2), (Names{"0a", "0b"}));
}

TEST(WaitingChecksTest, Spilled) {
  for (size_t limit : {size_t{0}, size_t{4096}, size_t{300000}}) {
    WaitingChecks checks(limit);
    for (int i = 0; i < 20000; ++i) checks.Add(i % 2, fmt::format("{}", i), 1);
    for (int i = 0; i < 80000; ++i) checks.Add(0, fmt::format("undone {}", i), 2);
    checks.UndoSavepoint(2);
    checks.Add(1, "last", 2);
    Names odd = Make(checks, {1}, 2);
    ASSERT_EQ(odd.size(), 10001u);
    EXPECT_EQ(odd[5000], "110001");
    EXPECT_EQ(odd.back(), "1last");
    checks.UndoSavepoint(2);
    Names all = Make(checks, {0, 1}, 1);
    ASSERT_EQ(all.size(), 20000u);
    for (int i = 0; i < 20000; ++i) ASSERT_EQ(all[i], fmt::format("{}{}", i % 2, i));
    EXPECT_TRUE(checks.empty());
  }
}

}  // namespace
}  // namespace walden

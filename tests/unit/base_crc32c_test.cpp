#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "node/base/arena.h"
#include "node/base/crc32c.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/ids.h"

namespace walden {
namespace {

// Vectors of RFC 3720, appendix B.4.
TEST(Crc32c, MatchesRfc3720) {
  char zeros[32] = {};
  EXPECT_EQ(Crc32c(0, zeros, 32), 0x8A9136AAu);
  char ones[32];
  std::memset(ones, 0xFF, 32);
  EXPECT_EQ(Crc32c(0, ones, 32), 0x62A8AB43u);
  EXPECT_EQ(Crc32c(0, "123456789", 9), 0xE3069283u);
  EXPECT_EQ(Crc32c(Crc32c(0, "1234", 4), "56789", 5), 0xE3069283u);
}

// Long inputs take another way; it must agree with the short steps at every length and alignment.
TEST(Crc32c, LongInputsAgreeWithShortSteps) {
  std::string bytes(10000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7919 >> 3);
  for (size_t size : {767u, 768u, 769u, 1535u, 1536u, 8191u, 8192u, 9000u}) {
    for (size_t start : {0u, 1u, 5u}) {
      uint32_t whole = Crc32c(0, bytes.data() + start, size), stepped = 0;
      for (size_t i = 0; i < size; i += 100)
        stepped = Crc32c(stepped, bytes.data() + start + i, std::min<size_t>(100, size - i));
      EXPECT_EQ(whole, stepped) << size << " from " << start;
    }
  }
}

TEST(Error, SqlStatesFollowTheTable) {
  EXPECT_EQ(SqlState(ErrorCode::kUndefinedTable), "42P01");
  EXPECT_EQ(ConditionName(ErrorCode::kUniqueViolation), "unique_violation");
  ErrorCode code;
  ASSERT_TRUE(FindErrorCode("40P01", &code));
  EXPECT_EQ(code, ErrorCode::kDeadlockDetected);
  EXPECT_FALSE(FindErrorCode("ZZZZZ", &code));
}

TEST(Lsn, PrintsAsPgLsn) { EXPECT_EQ(Lsn{0x16B374D48}.ToString(), "1/6B374D48"); }

TEST(Arena, ChargesItsAccountAndAncestors) {
  MemoryAccount query("query", &ProcessMemory());
  {
    MemoryAccount sort("sort", &query);
    Arena arena(&sort);
    arena.Allocate(5000);
    EXPECT_GE(sort.bytes(), 5000);
    EXPECT_EQ(query.bytes(), sort.bytes());
    arena.Reset();
    EXPECT_EQ(arena.Copy("walden"), "walden");
  }
  EXPECT_EQ(query.bytes(), 0);
}

TEST(FaultPoint, ArmsRaisesAndDisarms) {
  ArmFaultPoints("before-commit-record=error");
  EXPECT_THROW(MaybeFault(FaultPoint::kBeforeCommitRecord), SqlError);
  EXPECT_NO_THROW(MaybeFault(FaultPoint::kAfterCommitRecord));
  EXPECT_THROW(ArmFaultPoints("no-such-point=kill"), SqlError);
  ArmFaultPoints("");
  EXPECT_NO_THROW(MaybeFault(FaultPoint::kBeforeCommitRecord));
}

}  // namespace
}  // namespace walden

// What is gathered while a count is worked out (node/txn/untold.h), and who tells it.
#include <gtest/gtest.h>

#include "node/base/error.h"
#include "node/session/session_state.h"
#include "node/txn/durability.h"
#include "node/txn/untold.h"

namespace walden {
namespace {

class UntoldTest : public testing::Test {
 protected:
  ~UntoldTest() override {
    ForgetContents();
    ResetSeenLsn();
  }
  // As an UPDATE whose count is the same without that commit.
  void RestContentsOn(Lsn lsn) {
    SeenGathering gathering;
    RaiseSeenLsn(lsn);
    gathering.KeepUntold();
  }
};

TEST_F(UntoldTest, WhatIsGatheredIsSeenAtTheEndUnlessItIsKept) {
  {
    SeenGathering gathering;
    RaiseSeenLsn(Lsn{100});
    EXPECT_EQ(gathering.gathered(), Lsn{100});
    EXPECT_EQ(SeenLsn(), kInvalidLsn);
  }
  EXPECT_EQ(SeenLsn(), Lsn{100});
  RestContentsOn(Lsn{200});
  EXPECT_EQ(SeenLsn(), Lsn{100});
  TellContents();
  EXPECT_EQ(SeenLsn(), Lsn{200});
}

TEST_F(UntoldTest, WhatMustBeSeenAtOnceIsNotGathered) {
  SeenGathering gathering;
  {
    SeenAtOnce at_once;
    RaiseSeenLsn(Lsn{100});
  }
  EXPECT_EQ(SeenLsn(), Lsn{100});
  RaiseSeenLsn(Lsn{200});
  EXPECT_EQ(SeenLsn(), Lsn{100});
  EXPECT_EQ(gathering.gathered(), Lsn{200});
}

TEST_F(UntoldTest, TellingWithinAGatheringTellsItToo) {
  RestContentsOn(Lsn{100});
  SeenGathering gathering;
  RaiseSeenLsn(Lsn{200});
  TellContents();
  EXPECT_EQ(SeenLsn(), Lsn{200});
  EXPECT_EQ(gathering.gathered(), kInvalidLsn);
}

// Today's statements that answer with a count fail only after they have met the commits again; an error is told as other answers are.
TEST_F(UntoldTest, AnErrorTells) {
  RestContentsOn(Lsn{100});
  EXPECT_FALSE(CatchStatementError([] {}).has_value());
  EXPECT_EQ(SeenLsn(), kInvalidLsn);
  EXPECT_TRUE(CatchStatementError([] {
                throw SqlError(ErrorCode::kDivisionByZero, "division by zero");
              }).has_value());
  EXPECT_EQ(SeenLsn(), Lsn{100});
}

}  // namespace
}  // namespace walden

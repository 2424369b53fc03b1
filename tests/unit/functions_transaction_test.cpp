#include "node/sql/functions/registry.h"
#include "node/types/numeric.h"
#include "node/types/text_format.h"
#include "tests/unit/txn_fixture.h"

namespace walden {
namespace {

class TransactionFunctionTest : public TxnTest {
 protected:
  Value Call(std::string_view name, std::vector<Value> args = {}) {
    CallContext context{arena_, DefaultTextFormat(), nullptr, site_};
    return CallScalar(*FindScalar(name), context, args);
  }
  static Value Int8(int64_t value) { return {Datum{.i64 = value}, false}; }

  Arena arena_;
  CallSite site_;
};

TEST_F(TransactionFunctionTest, AdvisoryLocks) {
  BeginTransaction();
  EXPECT_TRUE(Call("pg_try_advisory_lock_int8", {Int8(5)}).datum.b);
  EXPECT_TRUE(Call("pg_try_advisory_lock_int8", {Int8(5)}).datum.b);
  InProcesses(1, 1, [&](int) {
    BeginTransaction();
    EXPECT_FALSE(Call("pg_try_advisory_xact_lock_int8", {Int8(5)}).datum.b);
    EXPECT_TRUE(Call("pg_try_advisory_xact_lock_int8", {Int8(-5)}).datum.b);
    CommitTransaction();
  });
  CommitTransaction();
  EXPECT_TRUE(Call("pg_advisory_unlock_int8", {Int8(5)}).datum.b);
  EXPECT_TRUE(Call("pg_advisory_unlock_int8", {Int8(5)}).datum.b);
  EXPECT_FALSE(Call("pg_advisory_unlock_int8", {Int8(5)}).datum.b);
}

TEST_F(TransactionFunctionTest, XactIdAndStatus) {
  BeginTransaction();
  EXPECT_TRUE(Call("pg_current_xact_id_if_assigned").is_null);
  int64_t xid = Call("pg_current_xact_id").datum.i64;
  EXPECT_EQ(Call("pg_current_xact_id_if_assigned").datum.i64, xid);
  EXPECT_GE(SeenLsn().value, 1u) << "the id must survive a crash before the client learns it";
  EXPECT_EQ(Call("pg_xact_status", {Int8(xid)}).datum.string.view(), "in progress");
  CommitTransaction();
  EXPECT_EQ(Call("pg_xact_status", {Int8(xid)}).datum.string.view(), "committed");
  EXPECT_ANY_THROW(Call("pg_xact_status", {Int8(xid + 1)}));
}

TEST_F(TransactionFunctionTest, WalPositions) {
  EXPECT_FALSE(Call("pg_is_in_recovery").datum.b);
  EXPECT_EQ(Call("pg_current_wal_insert_lsn").datum.i64, static_cast<int64_t>(InsertPosition().value));
  std::string difference;
  AppendNumeric(&difference, Call("pg_wal_lsn_diff", {Int8(3), Int8(10)}).datum.numeric);
  EXPECT_EQ(difference, "-7");
  EXPECT_ANY_THROW(Call("pg_wal_replay_pause"));
}

}  // namespace
}  // namespace walden

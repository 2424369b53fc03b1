// Messages that tell of rows.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "node/base/error.h"
#include "node/pgwire/wire_sink.h"
#include "node/txn/durability.h"
#include "node/txn/untold.h"

namespace walden {
namespace {

// A notice comes from within a statement, also from one whose count is told early: what it met is told (I5).
TEST(WireSinkTest, ANoticeTells) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  Descriptor client(ends[1]);
  Connection connection{Descriptor(ends[0])};
  WireSink sink(connection);
  {
    SeenGathering gathering;
    RaiseSeenLsn(Lsn{100});
    sink.Notice(SqlError(ErrorCode::kSuccessfulCompletion, "of no interest")
                    .WithSeverity(Severity::kDebug1)
                    .fields());
    EXPECT_EQ(SeenLsn(), kInvalidLsn);
    EXPECT_TRUE(connection.out().empty());
    sink.Notice(SqlError(ErrorCode::kWarning, "a row holds 7").WithSeverity(Severity::kWarning).fields());
    EXPECT_EQ(SeenLsn(), Lsn{100});
    EXPECT_NE(connection.out().find("a row holds 7"), std::string::npos);
  }
  ResetSeenLsn();
}

}  // namespace
}  // namespace walden

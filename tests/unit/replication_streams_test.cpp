// The two ends of a WAL stream, against each other and against what must not happen.
#include <gtest/gtest.h>

#include "node/base/error.h"
#include "replication/lag_tracker.h"
#include "replication/receiver_stream.h"
#include "replication/sender_stream.h"

namespace walden::replication {
namespace {

constexpr int64_t kSecond = 1000000;
constexpr uint64_t kSystem = 4711;

NodeView Node(uint64_t flushed, uint64_t settled, TimelineId timeline = 1) {
  return {kSystem, 1, timeline, Lsn{flushed}, Lsn{settled}};
}

SenderStream Sender(uint64_t start, int64_t timeout_us = 0) {
  SenderStream::Start begin;
  begin.lsn = Lsn{start};
  begin.timeline = 1;
  begin.timeout_us = timeout_us;
  return SenderStream(begin);
}

v1::StandbyStatus Status(uint64_t write, uint64_t flush, uint64_t apply) {
  v1::StandbyStatus status;
  status.set_write_lsn(write);
  status.set_flush_lsn(flush);
  status.set_apply_lsn(apply);
  return status;
}

using Act = SenderStream::Act;

TEST(SenderStream, SendsWhatIsFlushedAndNothingElse) {
  SenderStream stream = Sender(1000);
  EXPECT_EQ(stream.Next(Node(1500, 1500), 0).act, Act::kStarted);
  SenderStream::Step step = stream.Next(Node(1500, 1500), 0);
  EXPECT_EQ(step.act, Act::kWal);
  EXPECT_EQ(step.from, Lsn{1000});
  EXPECT_EQ(step.size, 500u);
  EXPECT_EQ(stream.Next(Node(1500, 1500), 0).act, Act::kNothing);
  EXPECT_TRUE(stream.CaughtUp(Node(1500, 1500)));
  EXPECT_FALSE(stream.CaughtUp(Node(1501, 1500)));
}

TEST(SenderStream, CutsIntoMessages) {
  SenderStream stream = Sender(0);
  uint64_t end = 3 * SenderStream::kMostMessageBytes + 8;
  stream.Next(Node(end, end), 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(stream.Next(Node(end, end), 0).size, SenderStream::kMostMessageBytes);
  EXPECT_EQ(stream.Next(Node(end, end), 0).size, 8u);
}

TEST(SenderStream, AnnouncesSettledTheMomentItMoves) {
  SenderStream stream = Sender(1000);
  stream.Next(Node(1500, 1000), 0);
  EXPECT_EQ(stream.Next(Node(1500, 1000), 0).act, Act::kWal);
  EXPECT_EQ(stream.Next(Node(1500, 1000), 0).act, Act::kNothing);
  stream.OnStatus(Status(1500, 1500, 1000), Node(1500, 1000), 0);
  SenderStream::Step step = stream.Next(Node(1500, 1500), 0);
  EXPECT_EQ(step.act, Act::kKeepAlive);
  EXPECT_FALSE(step.reply_wanted);
  EXPECT_EQ(stream.Next(Node(1500, 1500), 0).act, Act::kNothing);
}

TEST(SenderStream, AsksASilentStandbyThenGivesUp) {
  SenderStream stream = Sender(1000, 60 * kSecond);
  stream.Next(Node(1000, 0), 0);
  EXPECT_EQ(stream.Deadline(), 30 * kSecond);
  EXPECT_EQ(stream.Next(Node(1000, 0), 29 * kSecond).act, Act::kNothing);
  SenderStream::Step step = stream.Next(Node(1000, 0), 30 * kSecond);
  EXPECT_EQ(step.act, Act::kKeepAlive);
  EXPECT_TRUE(step.reply_wanted);
  EXPECT_EQ(stream.Next(Node(1000, 0), 31 * kSecond).act, Act::kNothing);
  EXPECT_EQ(stream.Deadline(), 60 * kSecond);
  EXPECT_EQ(stream.Next(Node(1000, 0), 60 * kSecond).act, Act::kTimedOut);
}

TEST(SenderStream, GivesUpAStandbyThatTakesNothing) {
  SenderStream stream = Sender(1000, 60 * kSecond);
  stream.set_gathering(true);
  stream.Next(Node(1000, 0), 0);
  EXPECT_EQ(stream.Next(Node(2000, 0), 1).act, Act::kWal);
  // Next is not asked while the message is on its way: what it would do sooner does not matter.
  EXPECT_LT(stream.Deadline(), kSecond);
  EXPECT_EQ(stream.GivesUpAt(), 60 * kSecond);
  stream.OnStatus(Status(1000, 1000, 1000), Node(2000, 0), 31 * kSecond);
  EXPECT_EQ(stream.GivesUpAt(), 91 * kSecond);
  EXPECT_EQ(Sender(1000).GivesUpAt(), INT64_MAX);
}

TEST(SenderStream, AnAnswerResetsTheClock) {
  SenderStream stream = Sender(1000, 60 * kSecond);
  stream.Next(Node(1000, 0), 0);
  stream.Next(Node(1000, 0), 30 * kSecond);
  stream.OnStatus(Status(1000, 1000, 1000), Node(1000, 0), 31 * kSecond);
  EXPECT_EQ(stream.Next(Node(1000, 0), 60 * kSecond).act, Act::kNothing);
  EXPECT_EQ(stream.Deadline(), 61 * kSecond);
}

TEST(SenderStream, PositionsNeverFall) {
  SenderStream stream = Sender(1000);
  stream.Next(Node(2000, 0), 0);
  stream.Next(Node(2000, 0), 0);
  stream.OnStatus(Status(2000, 1900, 1800), Node(2000, 0), 0);
  stream.OnStatus(Status(1500, 1500, 1500), Node(2000, 0), 0);
  EXPECT_EQ(stream.written(), Lsn{2000});
  EXPECT_EQ(stream.flushed(), Lsn{1900});
  EXPECT_EQ(stream.applied(), Lsn{1800});
}

TEST(SenderStream, RefusesAStandbyThatIsAhead) {
  SenderStream stream = Sender(1000);
  EXPECT_THROW(stream.OnStatus(Status(1000, 5000, 1000), Node(2000, 0), 0), SqlError);
  EXPECT_THROW(stream.OnStatus(Status(1000, 1000, 2001), Node(2000, 0), 0), SqlError);
}

TEST(SenderStream, GathersWhatNobodyWaitsFor) {
  constexpr int64_t kSoon = SenderStream::kGatherUs;
  SenderStream stream = Sender(1000);
  stream.Next(Node(1000, 0), 0);
  stream.set_gathering(true);
  EXPECT_EQ(stream.Next(Node(1100, 1000), 100).act, Act::kWal) << "after a pause at once";
  EXPECT_EQ(stream.Next(Node(1200, 1200), 200).act, Act::kNothing);
  EXPECT_EQ(stream.Next(Node(1300, 1300), 99 + kSoon).act, Act::kNothing);
  EXPECT_EQ(stream.Deadline(), 100 + kSoon);
  SenderStream::Step step = stream.Next(Node(1400, 1300), 100 + kSoon);
  EXPECT_EQ(step.act, Act::kWal);
  EXPECT_EQ(step.size, 300u);
  // An announcement about what the standby has does not wait, nor does an answer or a whole message.
  EXPECT_EQ(stream.Next(Node(1500, 1400), 101 + kSoon).act, Act::kKeepAlive);
  EXPECT_EQ(stream.Next(Node(1500, 1500), 101 + kSoon).act, Act::kNothing);
  v1::StandbyStatus asks = Status(1100, 1100, 1100);
  asks.set_reply_wanted(true);
  stream.OnStatus(asks, Node(1500, 1400), 102 + kSoon);
  EXPECT_EQ(stream.Next(Node(1500, 1400), 103 + kSoon).act, Act::kKeepAlive);
  EXPECT_EQ(stream.Next(Node(1401 + SenderStream::kMessageBytes, 0), 104 + kSoon).act, Act::kWal);
  // Nothing came: there is nothing to look for any more.
  EXPECT_EQ(stream.Next(Node(1402 + SenderStream::kMessageBytes, 0), 104 + 2 * kSoon).act, Act::kWal);
  EXPECT_EQ(stream.Next(Node(1402 + SenderStream::kMessageBytes, 0), 104 + 3 * kSoon).act, Act::kNothing);
  EXPECT_EQ(stream.Deadline(), INT64_MAX);
  // A commit waits now.
  stream.Next(Node(1500 + SenderStream::kMessageBytes, 0), 104 + 4 * kSoon);
  stream.set_gathering(false);
  EXPECT_EQ(stream.Next(Node(1600 + SenderStream::kMessageBytes, 0), 105 + 4 * kSoon).act, Act::kWal);
}

TEST(SenderStream, EndsWhereTheTimelineEnds) {
  SenderStream::Start begin;
  begin.lsn = Lsn{1000};
  begin.timeline = 1;
  begin.timeline_end = Lsn{1200};
  begin.next_timeline = 2;
  SenderStream stream(begin);
  stream.Next(Node(9000, 9000, 2), 0);
  EXPECT_EQ(stream.Next(Node(9000, 9000, 2), 0).size, 200u);
  EXPECT_EQ(stream.Next(Node(9000, 9000, 2), 0).act, Act::kEndOfTimeline);
  EXPECT_EQ(stream.Next(Node(9000, 9000, 2), 0).act, Act::kNothing);
  EXPECT_TRUE(stream.ended());
}

TEST(SenderStream, PromotionUnderTheStreamEndsIt) {
  SenderStream stream = Sender(1000);
  stream.Next(Node(1500, 1500), 0);
  stream.Next(Node(1500, 1500), 0);
  stream.EndTimeline(Lsn{1500}, 2);
  EXPECT_EQ(stream.Next(Node(1600, 1600, 2), 0).act, Act::kEndOfTimeline);
}

// ---- the receiving end ----

ReceiverStream Receiver(uint64_t start, int64_t status_us = 0, int64_t timeout_us = 0) {
  return ReceiverStream({kSystem, 1, Lsn{start}, status_us, timeout_us, 0});
}

v1::PrimaryMessage Message(uint64_t settled = 0) {
  v1::PrimaryMessage message;
  PutSpeaker({kSystem, 1, 1, Lsn{9000}}, message.mutable_at());
  message.set_settled_lsn(settled);
  return message;
}
std::string Bytes(const OutMessage& message) { return message.head + message.tail; }
std::string Started() {
  v1::PrimaryMessage message = Message();
  message.mutable_started();
  return message.SerializeAsString();
}
std::string Wal(uint64_t start, const std::string& bytes, uint64_t settled = 0) {
  return Bytes(EncodeWal(Message(settled), Lsn{start}, bytes));
}

TEST(ReceiverStream, TakesWalInOrder) {
  ReceiverStream stream = Receiver(1000);
  stream.OnMessage(Started(), 0);
  std::string message = Wal(1000, "abcdefgh", 1004);
  ReceiverStream::Event event = stream.OnMessage(message, 0);
  EXPECT_EQ(event.kind, ReceiverStream::Kind::kWal);
  EXPECT_EQ(event.bytes.data(), message.data() + message.size() - 8) << "WAL is not copied";
  EXPECT_EQ(event.start, Lsn{1000});
  EXPECT_EQ(event.bytes, "abcdefgh");
  EXPECT_EQ(event.settled, Lsn{1004});
  EXPECT_EQ(event.primary_end, Lsn{9000});
  EXPECT_EQ(stream.received(), Lsn{1008});
}

TEST(ReceiverStream, RefusesGapsOverlapsAndStrangers) {
  ReceiverStream stream = Receiver(1000);
  EXPECT_THROW(stream.OnMessage(Wal(1000, "early"), 0), SqlError) << "before the stream has started";
  stream.OnMessage(Started(), 0);
  EXPECT_THROW(stream.OnMessage(Wal(1008, "gap"), 0), SqlError);
  EXPECT_THROW(stream.OnMessage(Wal(992, "overlap"), 0), SqlError);
  EXPECT_THROW(stream.OnMessage(Wal(1000, ""), 0), SqlError);
  EXPECT_THROW(stream.OnMessage("\xff\xff\xff", 0), SqlError);
  v1::PrimaryMessage stranger = Message();
  stranger.mutable_at()->set_system_id(kSystem + 1);
  stranger.mutable_keep_alive();
  EXPECT_THROW(stream.OnMessage(stranger.SerializeAsString(), 0), SqlError);
}

TEST(ReceiverStream, ThrowsWhatThePrimarySays) {
  ReceiverStream stream = Receiver(1000);
  v1::PrimaryMessage message = Message();
  PutFailure(SqlError(ErrorCode::kUndefinedFile, "gone").WithHint("elsewhere"), message.mutable_failure());
  try {
    stream.OnMessage(message.SerializeAsString(), 0);
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUndefinedFile);
    EXPECT_EQ(error.fields().message, "gone");
    EXPECT_EQ(error.fields().hint, "elsewhere");
  }
}

TEST(ReceiverStream, ReportsWhenSomethingMoved) {
  using Due = ReceiverStream::Due;
  ReceiverStream stream = Receiver(1000);
  EXPECT_EQ(stream.Check(0), Due::kReport) << "the first report says where it stands";
  stream.Report(0);
  EXPECT_EQ(stream.Check(0), Due::kNothing);
  stream.OnMessage(Started(), 0);
  stream.OnMessage(Wal(1000, "abcdefgh"), 0);
  stream.Written(Lsn{1008});
  EXPECT_EQ(stream.Check(0), Due::kReport);
  v1::StandbyStatus report = stream.Report(0);
  EXPECT_EQ(report.write_lsn(), 1008u);
  EXPECT_EQ(report.flush_lsn(), 1000u);
  stream.Flushed(Lsn{1008});
  stream.Applied(Lsn{1008});
  report = stream.Report(0);
  EXPECT_EQ(report.flush_lsn(), 1008u);
  EXPECT_EQ(report.apply_lsn(), 1008u);
  EXPECT_EQ(stream.Check(0), Due::kNothing);
}

TEST(ReceiverStream, ReportsLaterWhenNobodyWaits) {
  using Due = ReceiverStream::Due;
  ReceiverStream stream = Receiver(1000);
  stream.OnMessage(Started(), 0);
  stream.Report(0);
  v1::PrimaryMessage lazy = Message();
  lazy.mutable_keep_alive();
  lazy.set_lazy_reports(true);
  EXPECT_TRUE(stream.OnMessage(lazy.SerializeAsString(), 0).lazy_reports);
  EXPECT_EQ(stream.Deadline(), INT64_MAX);
  stream.Written(Lsn{1008});
  stream.Flushed(Lsn{1008});
  EXPECT_EQ(stream.Check(0), Due::kNothing);
  int64_t due = stream.Deadline();
  EXPECT_LE(due, 50000);
  EXPECT_EQ(stream.Check(due), Due::kReport);
  EXPECT_EQ(stream.Report(due).flush_lsn(), 1008u);
  EXPECT_EQ(stream.Deadline(), INT64_MAX);
  stream.Applied(Lsn{1008});
  EXPECT_EQ(stream.Check(due), Due::kNothing);
  // A commit waits now.
  lazy.set_lazy_reports(false);
  stream.OnMessage(lazy.SerializeAsString(), due);
  EXPECT_EQ(stream.Check(due), Due::kReport);
}

TEST(ReceiverStream, SpeaksInTimeAndNoticesSilence) {
  using Due = ReceiverStream::Due;
  ReceiverStream stream = Receiver(1000, 10 * kSecond, 60 * kSecond);
  stream.Report(0);
  EXPECT_EQ(stream.Deadline(), 10 * kSecond);
  EXPECT_EQ(stream.Check(10 * kSecond), Due::kReport);
  EXPECT_TRUE(stream.Report(10 * kSecond).reply_wanted());
  EXPECT_EQ(stream.Check(60 * kSecond), Due::kTimedOut);
}

// ---- both ends ----

TEST(Streams, EveryByteArrives) {
  std::string wal(700000, '\0');
  for (size_t i = 0; i < wal.size(); ++i) wal[i] = static_cast<char>(i * 31 + i / 251);
  SenderStream sender = Sender(0);
  ReceiverStream receiver = Receiver(0);
  std::string received;
  NodeView node = Node(wal.size(), wal.size());
  for (SenderStream::Step step; (step = sender.Next(node, 0)).act != Act::kNothing;) {
    if (step.act == Act::kStarted) {
      receiver.OnMessage(Started(), 0);
      continue;
    }
    ASSERT_EQ(step.act, Act::kWal);
    received += receiver.OnMessage(Wal(step.from.value, wal.substr(step.from.value, step.size)), 0).bytes;
  }
  EXPECT_EQ(received, wal);
}

TEST(LagTracker, MeasuresFromSendingToReport) {
  LagTracker lag;
  lag.Sent(Lsn{100}, 10);
  lag.Sent(Lsn{200}, 20);
  lag.Reached(Lsn{150}, Lsn{0}, Lsn{0}, 50);
  EXPECT_EQ(lag.lag_us(LagTracker::kWrite), 40);
  EXPECT_EQ(lag.lag_us(LagTracker::kFlush), -1);
  lag.Reached(Lsn{200}, Lsn{200}, Lsn{100}, 60);
  EXPECT_EQ(lag.lag_us(LagTracker::kWrite), 40);
  EXPECT_EQ(lag.lag_us(LagTracker::kFlush), 40);
  EXPECT_EQ(lag.lag_us(LagTracker::kApply), 50);
  lag.Reached(Lsn{200}, Lsn{200}, Lsn{200}, 90);
  EXPECT_EQ(lag.lag_us(LagTracker::kWrite), 40) << "the others are not forgotten while one moves";
  EXPECT_EQ(lag.lag_us(LagTracker::kApply), 70);
  lag.Reached(Lsn{200}, Lsn{200}, Lsn{200}, 99);
  EXPECT_EQ(lag.lag_us(LagTracker::kApply), -1) << "idle";
}

}  // namespace
}  // namespace walden::replication

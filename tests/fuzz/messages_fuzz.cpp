// What another node may send: replication messages, the states that they drive on both sides, and a base backup's files. The first byte
// says which.
#include <stdlib.h>

#include <filesystem>

#include "node/base/check.h"
#include "node/base/error.h"
#include "replication/backup_writer.h"
#include "replication/login.h"
#include "replication/messages.h"
#include "replication/receiver_stream.h"
#include "replication/sender_stream.h"
#include "tests/fuzz/fuzz_input.h"

namespace walden::replication {
namespace {

constexpr uint64_t kStartLsn = 16 << 20;

// The messages of an input: each behind its length in one byte (times four, so that 1 kB fits).
template <class Handle>
void ForEachMessage(FuzzInput* input, Handle handle) {
  std::string_view rest = input->Rest();
  while (!rest.empty()) {
    size_t length = std::min<size_t>(static_cast<uint8_t>(rest[0]) * size_t{4}, rest.size() - 1);
    handle(std::string(rest.substr(1, length)));
    rest.remove_prefix(1 + length);
  }
}

// What is found without a copy is what a plain reader finds.
void CheckPayload(const std::string& bytes) {
  v1::BaseBackupReply plain, found;
  Decode(bytes, &plain);
  std::string payload(DecodeBackup(bytes, &found));
  CHECK(payload == (plain.has_batch() ? plain.batch().data() : plain.data().data()));
  if (found.has_batch()) found.mutable_batch()->set_data(payload);
  if (found.has_data()) found.mutable_data()->set_data(payload);
  CHECK(plain.SerializeAsString() == found.SerializeAsString());
}
void CheckWal(const std::string& bytes) {
  v1::PrimaryMessage plain, found;
  Decode(bytes, &plain);
  std::string payload(DecodeStream(bytes, &found));
  CHECK(payload == plain.wal().data());
  if (found.has_wal()) found.mutable_wal()->set_data(payload);
  CHECK(plain.SerializeAsString() == found.SerializeAsString());
}

void Receive(FuzzInput* input) {
  ReceiverStream stream({1, 1, Lsn{kStartLsn}, 1000, 5000, 0});
  int64_t now = 0;
  ForEachMessage(input, [&](const std::string& bytes) {
    CheckWal(bytes);
    ReceiverStream::Event event = stream.OnMessage(bytes, now += 100);
    if (event.kind == ReceiverStream::Kind::kWal) stream.Written(event.start);
    stream.Check(now);
    stream.Report(now);
  });
}

void Send(FuzzInput* input) {
  SenderStream stream({Lsn{kStartLsn}, 1, kMaxLsn, 0, 5000, 0});
  NodeView node{1, 1, 1, Lsn{kStartLsn + (1 << 20)}, Lsn{kStartLsn}};
  int64_t now = 0;
  ForEachMessage(input, [&](const std::string& bytes) {
    v1::StandbyMessage message;
    Decode(bytes, &message);
    GetSpeaker(message.at());
    if (message.has_status()) stream.OnStatus(message.status(), node, now += 100);
    stream.Next(node, now);
  });
}

void LogIn(FuzzInput* input) {
  LoginPolicy policy{[](const LoginQuestion&) { return Proof::kScram; },
                     [](const std::string&, const std::string&) { return false; },
                     [](const std::string&) -> std::optional<ReplicationRole> { return std::nullopt; }};
  LoginExchange exchange(policy, LoginQuestion{});
  ForEachMessage(input, [&](const std::string& bytes) {
    v1::LoginRequest request;
    Decode(bytes, &request);
    exchange.Step(request);
  });
}

// Nothing outside of the folder may be written, whatever the file names say.
void TakeBackup(FuzzInput* input) {
  static const std::string outer = [] {
    char name[] = "/tmp/walden-fuzz-XXXXXX";
    return std::string(mkdtemp(name));
  }();
  std::string inner = outer + "/inner";
  std::filesystem::create_directory(inner);
  try {
    BackupWriter writer(inner);
    ForEachMessage(input, [&](const std::string& bytes) {
      CheckPayload(bytes);
      writer.OnMessage(bytes);
    });
  } catch (const SqlError&) {
    // refused
  }
  CHECK(std::distance(std::filesystem::directory_iterator(outer), {}) == 1);
  std::filesystem::remove_all(inner);
}

template <class Message>
void Parse(FuzzInput* input) {
  Message message;
  Decode(input->Rest(), &message);
  GetSpeaker(message.at());
  FailureToError(message.failure());
}

}  // namespace
}  // namespace walden::replication

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walden;
  using namespace walden::replication;
  FuzzInput input(data, size);
  constexpr void (*kReaders[])(FuzzInput*) = {Receive,
                                              Send,
                                              LogIn,
                                              TakeBackup,
                                              Parse<v1::IdentifyReply>,
                                              Parse<v1::SlotReply>,
                                              Parse<v1::TimelineHistoryReply>};
  auto* reader = kReaders[input.Byte() % std::size(kReaders)];
  try {
    reader(&input);
  } catch (const SqlError&) {
    // what does not fit is refused so
  }
  return 0;
}

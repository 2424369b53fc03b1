#include "replication/messages.h"

namespace walden::replication {
namespace {

// Protocol buffers' wire format, for the fields whose payload stays where it is.
constexpr uint32_t kLengthDelimited = 2;

void PutVarint(uint64_t value, std::string* to) {
  while (value >= 0x80) {
    to->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  to->push_back(static_cast<char>(value));
}

// A length-delimited field's tag and length; its bytes follow.
std::string FieldHead(int number, size_t length) {
  std::string head;
  PutVarint(static_cast<uint64_t>(number) << 3 | kLengthDelimited, &head);
  PutVarint(length, &head);
  return head;
}

// head + inner's fields + the bytes field `payload_number` of inner, as field `number` of the outer message.
OutMessage Nest(std::string outer, int number, const google::protobuf::MessageLite& inner, int payload_number,
                std::string bytes) {
  std::string fields = inner.SerializeAsString() + FieldHead(payload_number, bytes.size());
  OutMessage message;
  message.head = std::move(outer) + FieldHead(number, fields.size() + bytes.size()) + fields;
  message.tail = std::move(bytes);
  return message;
}

}  // namespace

std::string MethodPath(std::string_view method) { return std::string(kServicePath) + std::string(method); }

OutMessage Encode(const google::protobuf::MessageLite& message) { return {message.SerializeAsString(), {}}; }

OutMessage EncodeWal(const v1::PrimaryMessage& frame, Lsn start, std::string bytes) {
  v1::WalChunk chunk;
  chunk.set_start_lsn(start.value);
  return Nest(frame.SerializeAsString(), v1::PrimaryMessage::kWalFieldNumber, chunk,
              v1::WalChunk::kDataFieldNumber, std::move(bytes));
}

OutMessage EncodeBackupData(uint32_t raw_bytes, std::string bytes) {
  v1::BackupFileData data;
  data.set_raw_bytes(raw_bytes);
  return Nest({}, v1::BaseBackupReply::kDataFieldNumber, data, v1::BackupFileData::kDataFieldNumber,
              std::move(bytes));
}

void Decode(std::string_view bytes, google::protobuf::MessageLite* message) {
  if (bytes.size() <= INT32_MAX && message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return;
  throw SqlError(ErrorCode::kProtocolViolation, "invalid replication message");
}

void PutFailure(const SqlError& error, v1::Failure* failure) {
  failure->set_sqlstate(std::string(SqlState(error.code())));
  failure->set_message(error.fields().message);
  failure->set_detail(error.fields().detail);
  failure->set_hint(error.fields().hint);
}

SqlError FailureToError(const v1::Failure& failure) {
  ErrorFields fields;
  if (!FindErrorCode(failure.sqlstate(), &fields.code)) fields.code = ErrorCode::kInternalError;
  fields.message = failure.message();
  fields.detail = failure.detail();
  fields.hint = failure.hint();
  return SqlError(std::move(fields));
}

void PutSpeaker(const Speaker& speaker, v1::Position* position) {
  position->set_system_id(speaker.system_id);
  position->set_term(speaker.term);
  position->set_timeline(speaker.timeline);
  position->set_lsn(speaker.lsn.value);
}

Speaker GetSpeaker(const v1::Position& position) {
  return {position.system_id(), position.term(), position.timeline(), Lsn{position.lsn()}};
}

}  // namespace walden::replication

#include "replication/messages.h"

#include <optional>

namespace walden::replication {
namespace {

// Protocol buffers' wire format, for the fields whose payload stays where it is.
enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

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

bool TakeVarint(std::string_view* from, uint64_t* value) {
  *value = 0;
  for (unsigned shift = 0; shift < 64 && !from->empty(); shift += 7) {
    auto byte = static_cast<uint8_t>(from->front());
    from->remove_prefix(1);
    *value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Takes a field off: number and bytes of a length-delimited one, 0 for others. False: no field, or one of no known kind.
bool TakeField(std::string_view* from, uint64_t* number, std::string_view* value) {
  uint64_t tag, length = 0;
  if (!TakeVarint(from, &tag)) return false;
  *number = (tag & 7) == kLengthDelimited ? tag >> 3 : 0;
  *value = {};
  switch (tag & 7) {
    case kVarint: return TakeVarint(from, &length);
    case kFixed64: length = 8; break;
    case kFixed32: length = 4; break;
    case kLengthDelimited:
      if (!TakeVarint(from, &length)) return false;
      break;
    default: return false;
  }
  if (length > from->size()) return false;
  if ((tag & 7) == kLengthDelimited) *value = from->substr(0, length);
  from->remove_prefix(length);
  return true;
}

struct LastField {
  uint64_t number = 0;
  std::string_view before, value;  // the fields before it, its bytes
};
std::optional<LastField> FindLastField(std::string_view message) {
  LastField last;
  for (std::string_view rest = message; !rest.empty();) {
    last.before = message.substr(0, message.size() - rest.size());
    if (!TakeField(&rest, &last.number, &last.value)) return std::nullopt;
  }
  return last;
}

// The last field; what stands before it is parsed.
std::optional<LastField> FindBody(std::string_view bytes, google::protobuf::MessageLite* message) {
  std::optional<LastField> body = FindLastField(bytes);
  if (!body || bytes.size() > INT32_MAX || !message->ParseFromString(std::string(body->before)))
    return std::nullopt;
  return body;
}

// Parses `body`, whose last field is the payload `number`, without that one. False: it stands elsewhere.
bool ParseWithoutPayload(std::string_view body, uint64_t number, google::protobuf::MessageLite* message,
                         std::string_view* payload) {
  std::optional<LastField> last = FindLastField(body);
  if (!last || last->number != number) return false;
  *payload = last->value;
  return message->MergeFromString(std::string(last->before));
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

OutMessage EncodeBackupBatch(const v1::BackupBatch& batch, std::string bytes) {
  return Nest({}, v1::BaseBackupReply::kBatchFieldNumber, batch, v1::BackupBatch::kDataFieldNumber,
              std::move(bytes));
}

void Decode(std::string_view bytes, google::protobuf::MessageLite* message) {
  if (bytes.size() <= INT32_MAX && message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return;
  throw SqlError(ErrorCode::kProtocolViolation, "invalid replication message");
}

std::string_view DecodeBackup(std::string_view bytes, v1::BaseBackupReply* reply) {
  std::optional<LastField> body = FindBody(bytes, reply);
  std::string_view payload;
  bool found = false;
  if (body && body->number == v1::BaseBackupReply::kBatchFieldNumber) {
    found =
        ParseWithoutPayload(body->value, v1::BackupBatch::kDataFieldNumber, reply->mutable_batch(), &payload);
  } else if (body && body->number == v1::BaseBackupReply::kDataFieldNumber) {
    found = ParseWithoutPayload(body->value, v1::BackupFileData::kDataFieldNumber, reply->mutable_data(),
                                &payload);
  }
  if (found) return payload;
  Decode(bytes, reply);
  return reply->has_batch() ? reply->batch().data() : reply->data().data();
}

std::string_view DecodeStream(std::string_view bytes, v1::PrimaryMessage* message) {
  std::optional<LastField> body = FindBody(bytes, message);
  std::string_view payload;
  if (body && body->number == v1::PrimaryMessage::kWalFieldNumber &&
      ParseWithoutPayload(body->value, v1::WalChunk::kDataFieldNumber, message->mutable_wal(), &payload))
    return payload;
  Decode(bytes, message);
  return message->wal().data();
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

// Messages as bytes: who speaks, failures, and WAL chunks whose payload is not copied into the message.
#pragma once

#include <google/protobuf/message_lite.h>

#include <string>
#include <string_view>

#include "node/base/error.h"
#include "node/base/ids.h"
#include "proto/replication.pb.h"

namespace walden::replication {

// The service's name and methods, as they stand in a call's path.
inline constexpr std::string_view kServicePath = "/walden.replication.v1.Replication/";
std::string MethodPath(std::string_view method);

// One message to be sent: `tail` follows `head` and is handed to the network as it is.
struct OutMessage {
  std::string head;
  std::string tail;
};
OutMessage Encode(const google::protobuf::MessageLite& message);
// `frame` without a body, and the chunk; parses as a PrimaryMessage whose body is a WalChunk.
OutMessage EncodeWal(const v1::PrimaryMessage& frame, Lsn start, std::string bytes);
// `data` as the body of a BaseBackupReply; `batch` with its data.
OutMessage EncodeBackupData(uint32_t raw_bytes, std::string bytes);
OutMessage EncodeBackupBatch(const v1::BackupBatch& batch, std::string bytes);

// Throws 08P01 when the bytes are no such message.
void Decode(std::string_view bytes, google::protobuf::MessageLite* message);
// The payload (of `data`, of `batch`; of `wal`; empty without one) is not copied: it is a part of `bytes` where it stands last,
// otherwise of the message.
std::string_view DecodeBackup(std::string_view bytes, v1::BaseBackupReply* reply);
std::string_view DecodeStream(std::string_view bytes, v1::PrimaryMessage* message);

void PutFailure(const SqlError& error, v1::Failure* failure);
SqlError FailureToError(const v1::Failure& failure);

// Who speaks.
struct Speaker {
  uint64_t system_id = 0;
  uint64_t term = 0;
  TimelineId timeline = 0;
  Lsn lsn;
};
void PutSpeaker(const Speaker& speaker, v1::Position* position);
Speaker GetSpeaker(const v1::Position& position);

}  // namespace walden::replication

#include "node/pgwire/wire_sink.h"

#include <charconv>

#include "node/config/settings.h"
#include "node/txn/untold.h"
#include "node/types/client_text.h"

namespace walden {

bool IsForClient(Severity severity) {
  // INFO always goes out; otherwise client_min_messages decides.
  if (severity == Severity::kInfo || severity >= Severity::kError) return true;
  return static_cast<int>(severity) >= GetEnum(Setting::kClientMinMessages);
}

void WireSink::SendFields(char message, const ErrorFields& fields) {
  connection_.Begin(message);
  auto put = [&](char code, std::string_view text) {
    if (text.empty()) return;
    connection_.PutByte(code);
    connection_.PutString(ToClientLossy(text, &converted_));
  };
  put('S', SeverityName(fields.severity));
  put('V', SeverityName(fields.severity));
  put('C', SqlState(fields.code));
  put('M', fields.message.empty() ? "missing error text" : fields.message);
  put('D', fields.detail);
  put('H', fields.hint);
  if (fields.position > 0) put('P', fmt::format("{}", fields.position));
  if (fields.internal_position > 0) put('p', fmt::format("{}", fields.internal_position));
  put('q', fields.internal_query);
  put('W', fields.context);
  put('s', fields.schema_name);
  put('t', fields.table_name);
  put('c', fields.column_name);
  put('d', fields.datatype_name);
  put('n', fields.constraint_name);
  connection_.PutByte('\0');
  connection_.End();
}

void WireSink::SendError(const ErrorFields& fields) { SendFields('E', fields); }

void WireSink::SendReady(char status) {
  connection_.Begin('Z');
  connection_.PutByte(status);
  connection_.End();
  connection_.Flush();
}

void WireSink::Notice(const ErrorFields& fields) {
  if (!IsForClient(fields.severity)) return;
  TellContents();
  SendFields('N', fields);
}

void WireSink::Notification(int32_t pid, std::string_view channel, std::string_view payload) {
  connection_.Begin('A');
  connection_.PutInt32(pid);
  connection_.PutString(ToClientLossy(channel, &converted_));
  connection_.PutString(ToClientLossy(payload, &converted_));
  connection_.End();
  connection_.FlushIfLarge();
}

void WireSink::ParameterStatus(std::string_view name, std::string_view value) {
  connection_.Begin('S');
  connection_.PutString(name);
  connection_.PutString(value);
  connection_.End();
}

void WireSink::ExpectRows(std::span<const ResultColumn> columns, std::span<const int16_t> formats) {
  columns_.clear();
  for (size_t i = 0; i < columns.size(); ++i) {
    int16_t format = formats.empty() ? 0 : formats.size() == 1 ? formats[0] : formats[i];
    const TypeDescriptor& type = TypeOf(columns[i].type);
    if (format == 1 && type.send == nullptr) {
      throw SqlError(ErrorCode::kUndefinedFunction, "no binary output function available for type {}",
                     type.name);
    }
    columns_.push_back({&type, columns[i].typmod, format == 1});
  }
}

void WireSink::SendRowDescription(std::span<const ResultColumn> columns, std::span<const int16_t> formats) {
  connection_.Begin('T');
  connection_.PutInt16(static_cast<int16_t>(columns.size()));
  for (size_t i = 0; i < columns.size(); ++i) {
    const ResultColumn& column = columns[i];
    connection_.PutString(ToClientLossy(column.name, &converted_));
    int16_t format = formats.empty() ? int16_t{0} : formats.size() == 1 ? formats[0] : formats[i];
    char fields[18];
    StoreBig<uint32_t>(fields, OidNumber(column.table));
    StoreBig<uint16_t>(fields + 4, static_cast<uint16_t>(column.column));
    StoreBig<uint32_t>(fields + 6, OidNumber(column.type));
    StoreBig<uint16_t>(fields + 10, static_cast<uint16_t>(TypeOf(column.type).length));
    StoreBig<uint32_t>(fields + 12, static_cast<uint32_t>(column.typmod));
    StoreBig<uint16_t>(fields + 16, static_cast<uint16_t>(format));
    connection_.PutBytes({fields, sizeof fields});
  }
  connection_.End();
}

void WireSink::Describe(std::span<const ResultColumn> columns, std::span<const int16_t> formats) {
  ExpectRows(columns, formats);
  SendRowDescription(columns, formats);
}

void WireSink::Rows(const Batch& batch) {
  batch.selection.ForEach([&](uint32_t row) {
    SendRow(batch, row);
    connection_.FlushIfLarge();
  });
}

void WireSink::SendRow(const Batch& batch, uint32_t row) {
  connection_.Begin('D');
  try {
    PutRow(batch, row);
  } catch (...) {
    // A value that cannot be shown: the error must not follow half a message.
    connection_.Abandon();
    throw;
  }
  connection_.End();
  if (arena_.bytes() > 64 * 1024) arena_.Reset();
}

void WireSink::PutRow(const Batch& batch, uint32_t row) {
  connection_.PutInt16(static_cast<int16_t>(columns_.size()));
  std::string& out = connection_.out();
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Vector& vector = *batch.columns[i];
    uint32_t index = vector.Index(row);
    if (vector.IsNullAt(index)) {
      connection_.PutInt32(-1);
      continue;
    }
    size_t at = connection_.ReserveInt32();
    const Column& column = columns_[i];
    Datum datum = LoadDatum(vector.type(), vector.raw_data(), index);
    TypeIo io{arena_, *format_, names_, column.type, column.typmod};
    if (column.binary) {
      column.type->send(datum, io, &out);
    } else {
      column.type->output(datum, io, &out);
    }
    if (!column.binary && ClientConverts()) {
      std::string_view text = ToClient(std::string_view(out).substr(at + 4), &converted_);
      out.resize(at + 4);
      out.append(text);
    }
    connection_.PatchInt32(at, static_cast<int32_t>(out.size() - at - 4));
  }
}

void WireSink::Complete(std::string_view tag) {
  connection_.Begin('C');
  connection_.PutString(tag);
  connection_.End();
}

void WireSink::EmptyQuery() {
  connection_.Begin('I');
  connection_.End();
}

void WireSink::PortalSuspended() {
  connection_.Begin('s');
  connection_.End();
}

void WireSink::CopyOutBegin(bool binary, int columns) {
  connection_.Begin('H');
  connection_.PutByte(binary ? 1 : 0);
  connection_.PutInt16(static_cast<int16_t>(columns));
  for (int i = 0; i < columns; ++i) connection_.PutInt16(binary ? 1 : 0);
  connection_.End();
}

void WireSink::CopyOutData(std::string_view bytes) {
  connection_.Begin('d');
  connection_.PutBytes(bytes);
  connection_.End();
  connection_.FlushIfLarge();
}

void WireSink::CopyOutEnd() {
  connection_.Begin('c');
  connection_.End();
}

void WireSink::CopyInBegin(bool binary, int columns) {
  connection_.Begin('G');
  connection_.PutByte(binary ? 1 : 0);
  connection_.PutInt16(static_cast<int16_t>(columns));
  for (int i = 0; i < columns; ++i) connection_.PutInt16(binary ? 1 : 0);
  connection_.End();
  connection_.Flush();
}

bool WireSink::CopyInRead(std::string_view* bytes) {
  while (true) {
    char type;
    if (!connection_.ReadMessage(&type, bytes)) throw ConnectionLost();
    switch (type) {
      case 'd':
        // Some clients send a message for every row: they are taken together.
        if (constexpr size_t kSmall = 1024; bytes->size() < kSmall) connection_.JoinBuffered(type, bytes);
        return true;
      case 'c': return false;
      case 'f':
        throw SqlError(ErrorCode::kQueryCanceled, "COPY from stdin failed: {}",
                       MessageReader(*bytes).String());
      case 'H':
      case 'S': continue;  // Flush and Sync mean nothing here
      default:
        throw SqlError(ErrorCode::kProtocolViolation,
                       "unexpected message type 0x{:02X} during COPY from stdin",
                       static_cast<unsigned char>(type));
    }
  }
}

}  // namespace walden

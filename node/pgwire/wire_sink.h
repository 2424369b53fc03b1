// Results as protocol messages.
#pragma once

#include <vector>

#include "node/pgwire/connection.h"
#include "node/session/result_sink.h"
#include "node/types/type_table.h"

namespace walden {

class WireSink : public ResultSink {
 public:
  explicit WireSink(Connection& connection) : connection_(connection), format_(&DefaultTextFormat()) {}
  // How values look; both must outlive the sink.
  void Use(const TextFormat* format, ObjectNames* names) {
    format_ = format;
    names_ = names;
  }

  void SendRowDescription(std::span<const ResultColumn> columns, std::span<const int16_t> formats);
  void SendError(const ErrorFields& fields);
  void SendReady(char status);

  void Describe(std::span<const ResultColumn> columns, std::span<const int16_t> formats) override;
  void ExpectRows(std::span<const ResultColumn> columns, std::span<const int16_t> formats) override;
  void Rows(const Batch& batch) override;
  void Complete(std::string_view tag) override;
  void EmptyQuery() override;
  void PortalSuspended() override;
  void Notice(const ErrorFields& fields) override;
  void Notification(int32_t pid, std::string_view channel, std::string_view payload) override;
  void ParameterStatus(std::string_view name, std::string_view value) override;
  void CopyOutBegin(bool binary, int columns) override;
  void CopyOutData(std::string_view bytes) override;
  void CopyOutEnd() override;
  void CopyInBegin(bool binary, int columns) override;
  bool CopyInRead(std::string_view* bytes) override;

 private:
  struct Column {
    const TypeDescriptor* type;
    int32_t typmod;
    bool binary;
  };
  void SendFields(char message, const ErrorFields& fields);
  void SendRow(const Batch& batch, uint32_t row);
  void PutRow(const Batch& batch, uint32_t row);

  Connection& connection_;
  const TextFormat* format_;
  ObjectNames* names_ = nullptr;
  std::vector<Column> columns_;
  Arena arena_;
  std::string converted_;  // what ToClient keeps
};

// client_min_messages: is a message of this severity for the client?
bool IsForClient(Severity severity);

}  // namespace walden

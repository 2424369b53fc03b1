// Where a statement's results go: the wire protocol implements it for clients, internal callers for themselves.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "node/base/error.h"
#include "node/base/ids.h"
#include "node/vector/vector.h"

namespace walden {

struct ResultColumn {
  std::string_view name;  // valid as long as the plan or portal
  Oid table = Oid::kInvalid;
  AttrNumber column = 0;
  Oid type = Oid::kInvalid;
  int32_t typmod = -1;
};

class ResultSink {
 public:
  virtual ~ResultSink() = default;
  // Once before the rows of a result set (not for statements without one). `formats`: one per column, 0 text, 1 binary.
  virtual void Describe(std::span<const ResultColumn> columns, std::span<const int16_t> formats) = 0;
  // The same for rows whose columns are not to be announced (extended protocol: the client asked before).
  virtual void ExpectRows(std::span<const ResultColumn> columns, std::span<const int16_t> formats) = 0;
  // Selected rows; the bytes are valid during the call only. Columns beyond those described are junk.
  virtual void Rows(const Batch& batch) = 0;
  virtual void Complete(std::string_view tag) = 0;
  virtual void EmptyQuery() = 0;
  virtual void PortalSuspended() = 0;
  virtual void Notice(const ErrorFields& fields) = 0;
  // What another session, or this one, sent with NOTIFY.
  virtual void Notification(int32_t pid, std::string_view channel, std::string_view payload) = 0;
  // A setting that clients are told about has changed (client_encoding, DateStyle, ...).
  virtual void ParameterStatus(std::string_view name, std::string_view value) = 0;

  // COPY ... TO STDOUT: Begin, Data for each row (or piece), End.
  virtual void CopyOutBegin(bool binary, int columns) = 0;
  virtual void CopyOutData(std::string_view bytes) = 0;
  virtual void CopyOutEnd() = 0;
  // COPY ... FROM STDIN: after Begin, Read delivers the next piece (valid until the next call); false at the end. A client that
  // gives up throws 57014 "COPY from stdin failed: ...".
  virtual void CopyInBegin(bool binary, int columns) = 0;
  virtual bool CopyInRead(std::string_view* bytes) = 0;
};

}  // namespace walden

// One client's session: settings, transaction block, prepared statements, portals, and the statement boundary where
// errors stop. Not process globals but one object, so that an idle session could be parked; a process serves one at a time.
//
// The wire protocol drives it:
//   simple query     SimpleQuery: every statement of the text, each result to the sink
//   extended query   Parse, Bind, Describe*, Execute, Close; Sync ends the implicit transaction
// Every entry throws nothing but FATAL errors (SqlError with severity kFatal or above: the connection ends): an ordinary error is
// recorded, the transaction is aborted or marked failed, and the error comes back as the return value.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/clock.h"
#include "node/session/result_sink.h"
#include "node/sql/commands/commands.h"
#include "node/sql/functions/registry.h"
#include "node/types/text_format.h"

namespace walden {

class Portal;
class PreparedStatement;
struct SessionState;

enum class TransactionStatus : char { kIdle = 'I', kInBlock = 'T', kFailed = 'E' };

// Who connects to what; filled by authentication.
struct SessionStart {
  std::string user;
  std::string database;
  std::string application_name;
  std::vector<std::pair<std::string, std::string>> settings;  // of the startup packet and its options
};

class Session : public QueryRunner {
 public:
  explicit Session(ResultSink& sink);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Binds role and database, applies their settings. Throws FATAL errors as PostgreSQL (28000, 3D000, 42501, 53300 ...).
  void Start(const SessionStart& start);
  // Rolls back what is open, drops temporary objects and locks. Safe to call twice.
  void End();

  using Result = std::optional<ErrorFields>;  // the error, if any
  Result SimpleQuery(std::string_view text);
  Result Parse(std::string_view name, std::string_view text, std::span<const Oid> parameter_types);
  struct BindParameters {
    std::span<const int16_t> formats;                         // none, one for all, or one each
    std::span<const std::optional<std::string_view>> values;  // absent: null
    std::span<const int16_t> result_formats;
  };
  Result Bind(std::string_view portal, std::string_view statement, const BindParameters& parameters);
  // A message was waited for and came: what it begins, begins now.
  void ClientSent(TimestampUs at);
  // What a statement or portal gives. Valid until the session's next entry.
  struct Description {
    std::span<const Oid> parameters;  // of a statement
    bool has_rows = false;
    std::span<const ResultColumn> columns;  // of the rows
    std::span<const int16_t> formats;       // of a portal
    std::vector<ResultColumn> made;         // what `columns` points to when nobody else keeps it
  };
  Result DescribeStatement(std::string_view name, Description* description);
  Result DescribePortal(std::string_view name, Description* description);
  Result Execute(std::string_view portal, int64_t max_rows);  // 0: all rows
  Result ClosePrepared(std::string_view name);
  Result ClosePortal(std::string_view name);
  // End of an extended-query sequence: commits the implicit transaction.
  Result Sync();
  // An error outside of any statement (bad message): marks the transaction failed.
  void Fail(const ErrorFields& error);

  TransactionStatus transaction_status() const;
  const TextFormat& format() const { return format_; }
  ResultSink& sink() { return sink_; }

  // QueryRunner, for commands.
  uint64_t RunQuery(Query* query, const std::function<void(std::span<const Value> row)>& row) override;
  uint64_t RunSql(std::string_view sql, const std::function<void(std::span<const Value> row)>& row) override;

 private:
  friend class SessionFunctions;
  friend class SessionSets;
  friend struct SessionState;

  ResultSink& sink_;
  TextFormat format_;
  std::unique_ptr<SessionState> state_;
};

}  // namespace walden

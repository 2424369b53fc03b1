#include "node/pgwire/serve_client.h"

#include <unistd.h>

#include "node/base/log.h"
#include "node/base/random.h"
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/config/conf_file.h"
#include "node/config/settings.h"
#include "node/pgwire/authentication.h"
#include "node/pgwire/connection.h"
#include "node/pgwire/session_report.h"
#include "node/pgwire/startup_packet.h"
#include "node/pgwire/wire_sink.h"
#include "node/recovery/hot_standby.h"
#include "node/session/session.h"
#include "node/shm/interrupts.h"
#include "node/shm/process.h"
#include "node/shm/timeouts.h"
#include "node/txn/transaction.h"
#include "node/txn/txn_state.h"

namespace walden {
namespace {

bool client_is_idle = false;  // waiting for the next command

SqlError Refusal(Admission verdict) {
  auto make = [](ErrorCode code, const char* message) { return SqlError(code, std::string(message)).WithSeverity(Severity::kFatal); };
  switch (verdict) {
    case Admission::kTooMany: return make(ErrorCode::kTooManyConnections, "sorry, too many clients already");
    case Admission::kStarting: return make(ErrorCode::kCannotConnectNow, "the database system is starting up");
    case Admission::kNotConsistent:
      return make(ErrorCode::kCannotConnectNow, "the database system is not yet accepting connections")
          .WithDetail("Consistent recovery state has not been yet reached.");
    case Admission::kNoHotStandby:
      return make(ErrorCode::kCannotConnectNow, "the database system is not accepting connections")
          .WithDetail("Hot standby mode is disabled.");
    case Admission::kShuttingDown: return make(ErrorCode::kCannotConnectNow, "the database system is shutting down");
    case Admission::kRecovering: return make(ErrorCode::kCannotConnectNow, "the database system is in recovery mode");
    case Admission::kAccept: break;
  }
  return make(ErrorCode::kInternalError, "unexpected admission verdict");
}

// The message loop of one session.
class Conversation {
 public:
  Conversation(Connection& connection, const SessionStart& start, SessionReport& report)
      : connection_(connection), start_(start), report_(report), sink_(connection), session_(sink_) {}

  void Run() {
    session_.Start(start_);
    RespectReservedConnections();
    report_.Started();
    sink_.Use(&session_.format(), session_identity().object_names);
    SendGreeting();
    while (true) {
      if (!skipping_ && needs_ready_) {
        report_.Waiting(session_.transaction_status());
        // Promoted since: the client hears of it before its next command.
        if (GetBool(Setting::kInHotStandby) && !InRecovery()) OverrideSetting(Setting::kInHotStandby, "off");
        sink_.SendReady(static_cast<char>(session_.transaction_status()));
        needs_ready_ = false;
      }
      client_is_idle = true;
      connection_.set_idle(true);
      IdleTimeout idle(session_.transaction_status());
      char type;
      std::string_view body;
      bool more = connection_.ReadMessage(&type, &body);
      connection_.set_idle(false);
      client_is_idle = false;
      if (!more || type == 'X') break;
      if (TakeInterrupt(Interrupt::kReload)) ReloadConfiguration();
      Handle(type, body);
    }
    session_.End();
  }

 private:
  // Ends a session that stays idle too long, as its settings say.
  class IdleTimeout {
   public:
    explicit IdleTimeout(TransactionStatus status)
        : kind_(status == TransactionStatus::kIdle ? Interrupt::kIdleSessionTimeout : Interrupt::kIdleInTransactionTimeout),
          delay_ms_(GetInt(status == TransactionStatus::kIdle ? Setting::kIdleSessionTimeout
                                                              : Setting::kIdleInTransactionSessionTimeout)) {
      if (delay_ms_ > 0) EnableTimeout(kind_, delay_ms_);
    }
    ~IdleTimeout() {
      if (delay_ms_ > 0) DisableTimeout(kind_);
    }
    IdleTimeout(const IdleTimeout&) = delete;
    IdleTimeout& operator=(const IdleTimeout&) = delete;

   private:
    Interrupt kind_;
    int64_t delay_ms_;
  };

  // The last connections are kept for superusers, so that somebody can get in and look.
  static void RespectReservedConnections() {
    int64_t ordinary = GetInt(Setting::kMaxConnections) - GetInt(Setting::kSuperuserReservedConnections);
    if (CountSessions() <= ordinary) return;
    BeginTransaction();
    bool is_superuser = IsSuperuser(session_identity().authenticated_role);
    CommitTransaction();
    if (is_superuser) return;
    throw SqlError(ErrorCode::kTooManyConnections,
                   "remaining connection slots are reserved for non-replication superuser connections")
        .WithSeverity(Severity::kFatal);
  }

  void SendGreeting() {
    for (const auto& [name, value] : ReportedSettings()) sink_.ParameterStatus(name, value);
    uint32_t key;
    SecureRandom(&key, sizeof key);
    self().cancel_key.store(key, std::memory_order_relaxed);
    connection_.Begin('K');
    connection_.PutInt32(getpid());
    connection_.PutInt32(static_cast<int32_t>(key));
    connection_.End();
    needs_ready_ = true;
  }

  // An ordinary error: told to the client; in an extended-query sequence the rest up to Sync is skipped.
  void ReportError(const Session::Result& error, bool extended) {
    if (!error) return;
    EmitLogIfWanted(*error);
    sink_.SendError(*error);
    if (extended) skipping_ = true;
  }

  static void EmitLogIfWanted(const ErrorFields& error) {
    if (error.severity >= log_threshold.load(std::memory_order_relaxed)) EmitLog(error);
  }

  void Handle(char type, std::string_view body) {
    if (skipping_ && type != 'S') return;
    try {
      Dispatch(type, MessageReader(body));
    } catch (const SqlError& error) {
      if (error.fields().severity >= Severity::kFatal) throw;
      // A malformed message: the session goes on at the next Sync (or query).
      session_.Fail(error.fields());
      ReportError(error.fields(), type != 'Q');
      if (type == 'Q') needs_ready_ = true;
    }
  }

  void Dispatch(char type, MessageReader reader) {
    switch (type) {
      case 'Q': HandleQuery(reader); break;
      case 'P': HandleParse(reader); break;
      case 'B': HandleBind(reader); break;
      case 'D': HandleDescribe(reader); break;
      case 'E': HandleExecute(reader); break;
      case 'C': HandleClose(reader); break;
      case 'H': connection_.Flush(); break;
      case 'S':
        skipping_ = false;
        ReportError(session_.Sync(), false);
        needs_ready_ = true;
        break;
      case 'd':
      case 'c':
      case 'f': break;  // left over from a COPY that failed
      case 'F': throw NotSupported("fastpath function call");
      default:
        throw SqlError(ErrorCode::kProtocolViolation, "invalid frontend message type {}", static_cast<int>(static_cast<unsigned char>(type)))
            .WithSeverity(Severity::kFatal);
    }
  }

  void HandleQuery(MessageReader& reader) {
    query_text_ = reader.String();  // a COPY in it reads further messages
    reader.ExpectEnd();
    report_.Running(query_text_);
    ReportError(session_.SimpleQuery(query_text_), false);
    needs_ready_ = true;
  }

  void HandleParse(MessageReader& reader) {
    std::string_view name = reader.String(), text = reader.String();
    std::vector<Oid> types;
    for (int count = reader.Int16(); count > 0; --count) types.push_back(Oid{static_cast<uint32_t>(reader.Int32())});
    reader.ExpectEnd();
    statement_text_ = text;
    report_.Running(statement_text_);
    Session::Result error = session_.Parse(name, statement_text_, types);
    if (error) return ReportError(error, true);
    connection_.Begin('1');
    connection_.End();
  }

  static void ReadFormats(MessageReader& reader, std::vector<int16_t>* formats) {
    formats->clear();
    for (int count = reader.Int16(); count > 0; --count) formats->push_back(reader.Int16());
  }

  void HandleBind(MessageReader& reader) {
    std::string_view portal = reader.String(), statement = reader.String();
    ReadFormats(reader, &formats_);
    values_.clear();
    for (int count = reader.Int16(); count > 0; --count) {
      int32_t length = reader.Int32();
      if (length < -1) throw SqlError(ErrorCode::kProtocolViolation, "insufficient data left in message");
      values_.push_back(length == -1 ? std::nullopt : std::optional(reader.Bytes(static_cast<size_t>(length))));
    }
    ReadFormats(reader, &result_formats_);
    reader.ExpectEnd();
    Session::Result error = session_.Bind(portal, statement, {formats_, values_, result_formats_});
    if (error) return ReportError(error, true);
    connection_.Begin('2');
    connection_.End();
  }

  void SendRowShape(const Session::Description& shown) {
    if (shown.has_rows) {
      sink_.SendRowDescription(shown.columns, shown.formats);
    } else {
      connection_.Begin('n');
      connection_.End();
    }
  }

  void HandleDescribe(MessageReader& reader) {
    char kind = reader.Bytes(1)[0];
    std::string_view name = reader.String();
    reader.ExpectEnd();
    Session::Description shown;
    if (kind == 'S') {
      if (Session::Result error = session_.DescribeStatement(name, &shown)) return ReportError(error, true);
      connection_.Begin('t');
      connection_.PutInt16(static_cast<int16_t>(shown.parameters.size()));
      for (Oid type : shown.parameters) connection_.PutInt32(static_cast<int32_t>(OidNumber(type)));
      connection_.End();
      SendRowShape(shown);
    } else if (kind == 'P') {
      if (Session::Result error = session_.DescribePortal(name, &shown)) return ReportError(error, true);
      SendRowShape(shown);
    } else {
      throw SqlError(ErrorCode::kProtocolViolation, "invalid DESCRIBE message subtype {}", static_cast<int>(kind));
    }
  }

  void HandleExecute(MessageReader& reader) {
    portal_name_ = reader.String();
    int32_t max_rows = reader.Int32();
    reader.ExpectEnd();
    report_.Running(statement_text_);
    ReportError(session_.Execute(portal_name_, max_rows), true);
  }

  void HandleClose(MessageReader& reader) {
    char kind = reader.Bytes(1)[0];
    std::string_view name = reader.String();
    reader.ExpectEnd();
    if (kind != 'S' && kind != 'P') {
      throw SqlError(ErrorCode::kProtocolViolation, "invalid CLOSE message subtype {}", static_cast<int>(kind));
    }
    if (kind == 'S') {
      session_.ClosePrepared(name);
    } else {
      session_.ClosePortal(name);
    }
    connection_.Begin('3');
    connection_.End();
  }

  Connection& connection_;
  const SessionStart& start_;
  SessionReport& report_;
  WireSink sink_;
  Session session_;
  // Of the Bind being read; they keep their memory.
  std::vector<int16_t> formats_, result_formats_;
  std::vector<std::optional<std::string_view>> values_;
  std::string query_text_, portal_name_;
  std::string statement_text_;  // of the last Parse; what the extended protocol is seen to run
  bool needs_ready_ = false;
  bool skipping_ = false;
};

void TellAndLog(Connection& connection, const ErrorFields& fields) {
  EmitLog(fields);
  try {
    WireSink(connection).SendError(fields);
    connection.Flush();
  } catch (...) {
    // The client cannot be told: it has gone.
  }
}

}  // namespace

void ServeClient(Descriptor client, Admission verdict) {
  Connection connection(std::move(client));
  SessionReport report(connection.peer());
  try {
    EnableTimeout(Interrupt::kAuthenticationTimeout, GetInt(Setting::kAuthenticationTimeout) * 1000);
    std::optional<SessionStart> start = ReadStartupPacket(connection);
    if (!start) return;
    if (verdict != Admission::kAccept) throw Refusal(verdict);
    report.Requested(*start);
    Authenticate(connection, *start);
    DisableTimeout(Interrupt::kAuthenticationTimeout);
    BindClientIsIdle([] { return client_is_idle; });
    Conversation(connection, *start, report).Run();
  } catch (const ConnectionLost&) {
    report.Ends(SessionEnd::kAbandoned);
    Log(Severity::kDebug1, "client closed the connection");
  } catch (const SqlError& error) {
    report.Ends(error.code() == ErrorCode::kAdminShutdown ? SessionEnd::kKilled : SessionEnd::kFatal);
    ErrorFields fields = error.fields();
    if (fields.severity < Severity::kFatal) fields.severity = Severity::kFatal;
    TellAndLog(connection, fields);
  }
}

}  // namespace walden

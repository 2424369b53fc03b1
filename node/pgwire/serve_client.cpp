#include "node/pgwire/serve_client.h"

#include <unistd.h>

#include "node/base/log.h"
#include "node/base/random.h"
#include "node/catalog/identity.h"
#include "node/config/settings.h"
#include "node/os/process.h"
#include "node/pgwire/authentication.h"
#include "node/pgwire/connection.h"
#include "node/pgwire/startup_packet.h"
#include "node/pgwire/wire_sink.h"
#include "node/session/session.h"
#include "node/shm/interrupts.h"
#include "node/shm/process.h"
#include "node/shm/timeouts.h"

namespace walden {
namespace {

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
  Conversation(Connection& connection, const SessionStart& start)
      : connection_(connection), start_(start), sink_(connection), session_(sink_) {}

  void Run() {
    session_.Start(start_);
    sink_.Use(&session_.format(), session_identity().object_names);
    SendGreeting();
    while (true) {
      if (!skipping_ && needs_ready_) {
        ReportState();
        sink_.SendReady(static_cast<char>(session_.transaction_status()));
        needs_ready_ = false;
      }
      connection_.set_idle(true);
      IdleTimeout idle(session_.transaction_status());
      char type;
      std::string_view body;
      bool more = connection_.ReadMessage(&type, &body);
      connection_.set_idle(false);
      if (!more || type == 'X') break;
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
    SetTitle("idle");
  }

  void SetTitle(std::string_view state) {
    if (!GetBool(Setting::kUpdateProcessTitle)) return;
    const PeerAddress& peer = connection_.peer();
    std::string host = peer.is_unix ? "[local]" : fmt::format("{}({})", peer.host, peer.port);
    SetProcessTitle(fmt::format("walden: {} {} {} {}", start_.user, start_.database, host, state));
  }

  void ReportState() {
    switch (session_.transaction_status()) {
      case TransactionStatus::kIdle: SetTitle("idle"); break;
      case TransactionStatus::kInBlock: SetTitle("idle in transaction"); break;
      case TransactionStatus::kFailed: SetTitle("idle in transaction (aborted)"); break;
    }
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
    std::string text(reader.String());
    reader.ExpectEnd();
    ReportError(session_.SimpleQuery(text), false);
    needs_ready_ = true;
  }

  void HandleParse(MessageReader& reader) {
    std::string name(reader.String()), text(reader.String());
    std::vector<Oid> types;
    for (int count = reader.Int16(); count > 0; --count) types.push_back(Oid{static_cast<uint32_t>(reader.Int32())});
    reader.ExpectEnd();
    Session::Result error = session_.Parse(name, text, types);
    if (error) return ReportError(error, true);
    connection_.Begin('1');
    connection_.End();
  }

  static std::vector<int16_t> ReadFormats(MessageReader& reader) {
    std::vector<int16_t> formats;
    for (int count = reader.Int16(); count > 0; --count) formats.push_back(reader.Int16());
    return formats;
  }

  void HandleBind(MessageReader& reader) {
    std::string_view portal = reader.String(), statement = reader.String();
    std::vector<int16_t> formats = ReadFormats(reader);
    std::vector<std::optional<std::string_view>> values;
    for (int count = reader.Int16(); count > 0; --count) {
      int32_t length = reader.Int32();
      if (length < -1) throw SqlError(ErrorCode::kProtocolViolation, "insufficient data left in message");
      values.push_back(length == -1 ? std::nullopt : std::optional(reader.Bytes(static_cast<size_t>(length))));
    }
    std::vector<int16_t> result_formats = ReadFormats(reader);
    reader.ExpectEnd();
    Session::Result error = session_.Bind(portal, statement, {formats, values, result_formats});
    if (error) return ReportError(error, true);
    connection_.Begin('2');
    connection_.End();
  }

  void SendRowShape(const std::vector<ResultColumn>& columns, std::span<const int16_t> formats, bool has_rows) {
    if (has_rows) {
      sink_.SendRowDescription(columns, formats);
    } else {
      connection_.Begin('n');
      connection_.End();
    }
  }

  void HandleDescribe(MessageReader& reader) {
    char kind = reader.Bytes(1)[0];
    std::string_view name = reader.String();
    reader.ExpectEnd();
    std::vector<ResultColumn> columns;
    bool has_rows = false;
    if (kind == 'S') {
      std::vector<Oid> parameters;
      Session::Result error = session_.DescribeStatement(name, &parameters, &columns, &has_rows);
      if (error) return ReportError(error, true);
      connection_.Begin('t');
      connection_.PutInt16(static_cast<int16_t>(parameters.size()));
      for (Oid type : parameters) connection_.PutInt32(static_cast<int32_t>(OidNumber(type)));
      connection_.End();
      SendRowShape(columns, {}, has_rows);
    } else if (kind == 'P') {
      std::vector<int16_t> formats;
      Session::Result error = session_.DescribePortal(name, &columns, &formats, &has_rows);
      if (error) return ReportError(error, true);
      SendRowShape(columns, formats, has_rows);
    } else {
      throw SqlError(ErrorCode::kProtocolViolation, "invalid DESCRIBE message subtype {}", static_cast<int>(kind));
    }
  }

  void HandleExecute(MessageReader& reader) {
    std::string portal(reader.String());
    int32_t max_rows = reader.Int32();
    reader.ExpectEnd();
    ReportError(session_.Execute(portal, max_rows), true);
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
  WireSink sink_;
  Session session_;
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
  try {
    EnableTimeout(Interrupt::kAuthenticationTimeout, GetInt(Setting::kAuthenticationTimeout) * 1000);
    std::optional<SessionStart> start = ReadStartupPacket(connection);
    if (!start) return;
    if (verdict != Admission::kAccept) throw Refusal(verdict);
    SetProcessTitle(fmt::format("walden: {} {} {} authentication", start->user, start->database, connection.peer().host));
    Authenticate(connection, *start);
    DisableTimeout(Interrupt::kAuthenticationTimeout);
    Conversation(connection, *start).Run();
  } catch (const ConnectionLost&) {
    Log(Severity::kDebug1, "client closed the connection");
  } catch (const SqlError& error) {
    ErrorFields fields = error.fields();
    if (fields.severity < Severity::kFatal) fields.severity = Severity::kFatal;
    TellAndLog(connection, fields);
  }
}

}  // namespace walden

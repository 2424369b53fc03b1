#include "node/pgwire/serve_client.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "node/base/log.h"
#include "node/base/random.h"
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/config/conf_file.h"
#include "node/config/settings.h"
#include "node/pgwire/authentication.h"
#include "node/pgwire/client_access_functions.h"
#include "node/pgwire/connection.h"
#include "node/pgwire/session_report.h"
#include "node/pgwire/startup_packet.h"
#include "node/pgwire/wire_sink.h"
#include "node/recovery/hot_standby.h"
#include "node/session/notifications.h"
#include "node/session/session.h"
#include "node/shm/interrupts.h"
#include "node/shm/log_context.h"
#include "node/shm/process.h"
#include "node/shm/timeouts.h"
#include "node/txn/transaction.h"
#include "node/txn/txn_state.h"
#include "node/types/client_text.h"

namespace walden {
namespace {

bool client_is_idle = false;  // waiting for the next command
SqlError Ending(ErrorCode code, const char* message) {
  return SqlError(code, std::string(message)).WithSeverity(Severity::kFatal);
}

SqlError Refusal(Admission verdict) {
  switch (verdict) {
    case Admission::kTooMany:
      return Ending(ErrorCode::kTooManyConnections, "sorry, too many clients already");
    case Admission::kStarting:
      return Ending(ErrorCode::kCannotConnectNow, "the database system is starting up");
    case Admission::kNotConsistent:
      return Ending(ErrorCode::kCannotConnectNow, "the database system is not yet accepting connections")
          .WithDetail("Consistent recovery state has not been yet reached.");
    case Admission::kNoHotStandby:
      return Ending(ErrorCode::kCannotConnectNow, "the database system is not accepting connections")
          .WithDetail("Hot standby mode is disabled.");
    case Admission::kShuttingDown:
      return Ending(ErrorCode::kCannotConnectNow, "the database system is shutting down");
    case Admission::kRecovering:
      return Ending(ErrorCode::kCannotConnectNow, "the database system is in recovery mode");
    case Admission::kAccept: break;
  }
  return Ending(ErrorCode::kInternalError, "unexpected admission verdict");
}

// client_connection_check_interval: a session whose client has gone need not finish its statement. Rests on Interrupt::kWork, which sessions have no
// other use for.
int watched_client = -1;

void WatchClient() {
  int64_t interval_ms = GetInt(Setting::kClientConnectionCheckInterval);
  if (interval_ms > 0 && !TimeoutEnabled(Interrupt::kWork)) EnableTimeout(Interrupt::kWork, interval_ms);
}

void LookForClient() {
  pollfd client{watched_client, POLLRDHUP, 0};
  if (poll(&client, 1, 0) > 0 && (client.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
    throw Ending(ErrorCode::kConnectionFailure, "connection to client lost");
  }
  WatchClient();
}

// What is seen to run. Outlives the conversation: the error that ends it is logged with its statement.
struct StatementTexts {
  std::string query;   // of a simple query
  std::string parsed;  // of the last Parse; what the extended protocol is seen to run
  StatementTexts() = default;
  ~StatementTexts() { log_context().statement = {}; }
  StatementTexts(const StatementTexts&) = delete;
  StatementTexts& operator=(const StatementTexts&) = delete;
};

// The message loop of one session.
class Conversation {
 public:
  Conversation(Connection& connection, const SessionStart& start, SessionReport& report,
               StatementTexts& texts)
      : connection_(connection),
        start_(start),
        report_(report),
        texts_(texts),
        sink_(connection),
        session_(sink_) {}

  void Run() {
    watched_client = connection_.fd();
    ServesConnection(connection_.fd());
    SetInterruptHandler(Interrupt::kWork, LookForClient);
    InstallClientEncoding();
    session_.Start(start_);
    RespectReservedConnections();
    report_.Started();
    sink_.Use(&session_.format(), session_identity().object_names);
    SendGreeting();
    connection_.OnNotification([this] {
      Deliver();
      connection_.Flush();
    });
    while (true) {
      bool is_ready = !skipping_ && needs_ready_;
      if (is_ready) {
        if (InterruptPending(Interrupt::kNotify)) Deliver();
        report_.Waiting(session_.transaction_status());
        // Promoted since: the client hears of it before its next command.
        if (GetBool(Setting::kInHotStandby) && !InRecovery()) OverrideSetting(Setting::kInHotStandby, "off");
        sink_.SendReady(static_cast<char>(session_.transaction_status()));
        needs_ready_ = false;
      }
      char type;
      std::string_view body;
      // The rest of a sequence has mostly come with its beginning.
      bool more = !is_ready && connection_.TakeBufferedMessage(&type, &body);
      if (!more) more = AwaitMessage(&type, &body);
      if (!more || type == 'X') break;
      if (InterruptPending(Interrupt::kReload) && TakeInterrupt(Interrupt::kReload)) ReloadConfiguration();
      Handle(type, body);
    }
    session_.End();
  }

 private:
  // What has been sent to this session, between its transactions.
  void Deliver() {
    if (session_.transaction_status() == TransactionStatus::kIdle && !InTransaction())
      DeliverNotifications(sink_);
  }

  // The client's turn.
  bool AwaitMessage(char* type, std::string_view* body) {
    client_is_idle = true;
    if (TimeoutEnabled(Interrupt::kWork)) DisableTimeout(Interrupt::kWork);
    connection_.set_idle(true);
    IdleTimeout idle(session_.transaction_status());
    bool more = connection_.ReadMessage(type, body);
    connection_.set_idle(false);
    client_is_idle = false;
    received_at_ = WallClockUs();
    session_.ClientSent(received_at_);
    return more;
  }

  // Ends a session that stays idle too long, as its settings say.
  class IdleTimeout {
   public:
    explicit IdleTimeout(TransactionStatus status)
        : kind_(status == TransactionStatus::kIdle ? Interrupt::kIdleSessionTimeout
                                                   : Interrupt::kIdleInTransactionTimeout),
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
    WatchClient();
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
        throw SqlError(ErrorCode::kProtocolViolation, "invalid frontend message type {}",
                       static_cast<int>(static_cast<unsigned char>(type)))
            .WithSeverity(Severity::kFatal);
    }
  }

  // A statement's text is checked when it is parsed, so that one of the cache is not checked each time. Valid until the next read.
  static std::string_view ReadText(MessageReader& reader, std::string* storage) {
    std::string_view text = reader.String();
    return ClientConverts() ? FromClient(text, storage) : text;
  }

  // A statement that takes its time is about to run.
  void ReportRunning(std::string_view text) { report_.Running(text, std::exchange(received_at_, 0)); }

  void HandleQuery(MessageReader& reader) {
    texts_.query = ReadText(reader, &converted_);  // a COPY in it reads further messages
    reader.ExpectEnd();
    ReportRunning(texts_.query);
    ReportError(session_.SimpleQuery(texts_.query), false);
    needs_ready_ = true;
  }

  void HandleParse(MessageReader& reader) {
    std::string name(ReadText(reader, &converted_));
    std::string_view text = ReadText(reader, &converted_);
    std::vector<Oid> types;
    for (int count = reader.Int16(); count > 0; --count)
      types.push_back(Oid{static_cast<uint32_t>(reader.Int32())});
    reader.ExpectEnd();
    texts_.parsed = text;
    ReportRunning(texts_.parsed);
    Session::Result error = session_.Parse(name, texts_.parsed, types);
    if (error) return ReportError(error, true);
    connection_.Begin('1');
    connection_.End();
  }

  static void ReadFormats(MessageReader& reader, std::vector<int16_t>* formats) {
    formats->clear();
    for (int count = reader.Int16(); count > 0; --count) formats->push_back(reader.Int16());
  }

  // Values in text form are the client's text; the types know what binary ones are.
  void ReadValues(MessageReader& reader) {
    int count = reader.Int16();
    values_.clear();
    converted_values_.clear();
    converted_values_.resize(ClientConverts() ? static_cast<size_t>(std::max(count, 0)) : 0);
    std::string unused;
    for (int i = 0; i < count; ++i) {
      int32_t length = reader.Int32();
      if (length < -1) throw SqlError(ErrorCode::kProtocolViolation, "insufficient data left in message");
      if (length == -1) {
        values_.push_back(std::nullopt);
        continue;
      }
      std::string_view bytes = reader.Bytes(static_cast<size_t>(length));
      size_t format_at = formats_.size() == 1 ? 0 : static_cast<size_t>(i);
      bool is_text = format_at >= formats_.size() || formats_[format_at] == 0;
      if (is_text)
        bytes = FromClient(bytes, ClientConverts() ? &converted_values_[static_cast<size_t>(i)] : &unused);
      values_.push_back(bytes);
    }
  }

  void HandleBind(MessageReader& reader) {
    std::string_view portal = ReadText(reader, &converted_portal_), statement = ReadText(reader, &converted_);
    ReadFormats(reader, &formats_);
    ReadValues(reader);
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
    std::string_view name = ReadText(reader, &converted_);
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
      throw SqlError(ErrorCode::kProtocolViolation, "invalid DESCRIBE message subtype {}",
                     static_cast<int>(kind));
    }
  }

  void HandleExecute(MessageReader& reader) {
    portal_name_ = ReadText(reader, &converted_);
    int32_t max_rows = reader.Int32();
    reader.ExpectEnd();
    ReportRunning(texts_.parsed);
    ReportError(session_.Execute(portal_name_, max_rows), true);
  }

  void HandleClose(MessageReader& reader) {
    char kind = reader.Bytes(1)[0];
    std::string_view name = ReadText(reader, &converted_);
    reader.ExpectEnd();
    if (kind != 'S' && kind != 'P') {
      throw SqlError(ErrorCode::kProtocolViolation, "invalid CLOSE message subtype {}",
                     static_cast<int>(kind));
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
  StatementTexts& texts_;
  WireSink sink_;
  Session session_;
  // Of the Bind being read; they keep their memory.
  std::vector<int16_t> formats_, result_formats_;
  std::vector<std::optional<std::string_view>> values_;
  std::string portal_name_;
  std::vector<std::string> converted_values_;
  std::string converted_, converted_portal_;
  TimestampUs received_at_ = 0;  // the message that was waited for; 0 once something has run since
  bool needs_ready_ = false;
  bool skipping_ = false;
};

void TellAndLog(Connection& connection, ErrorFields fields, const std::string& log_detail) {
  fields.severity = std::max(fields.severity, Severity::kFatal);
  ErrorFields logged = fields;
  logged.detail = log_detail;
  EmitLog(logged);
  try {
    WireSink(connection).SendError(fields);
    connection.Flush();
  } catch (...) {
    // The client cannot be told: it has gone.
  }
}

// Time-outs that end a session.
void InstallTimeoutManners() {
  SetInterruptHandler(Interrupt::kAuthenticationTimeout, [] {
    throw Ending(ErrorCode::kQueryCanceled, "canceling authentication due to timeout");
  });
  SetInterruptHandler(Interrupt::kIdleInTransactionTimeout, [] {
    throw Ending(ErrorCode::kIdleInTransactionSessionTimeout,
                 "terminating connection due to idle-in-transaction timeout");
  });
  SetInterruptHandler(Interrupt::kIdleSessionTimeout, [] {
    throw Ending(ErrorCode::kIdleSessionTimeout, "terminating connection due to idle-session timeout");
  });
}

}  // namespace

bool ServeClient(Descriptor client, Admission verdict) {
  Connection connection(std::move(client));
  StatementTexts texts;
  SessionReport report(connection.peer());
  InstallTimeoutManners();
  try {
    EnableTimeout(Interrupt::kAuthenticationTimeout, GetInt(Setting::kAuthenticationTimeout) * 1000);
    std::optional<SessionStart> start = ReadStartupPacket(connection);
    if (!start) return false;
    if (verdict != Admission::kAccept) throw Refusal(verdict);
    report.Requested(*start, connection.tls() != nullptr ? &connection.tls()->info() : nullptr);
    Authenticate(connection, *start);
    DisableTimeout(Interrupt::kAuthenticationTimeout);
    BindClientIsIdle([] { return client_is_idle; });
    Conversation(connection, *start, report, texts).Run();
    return true;
  } catch (const ConnectionLost&) {
    report.Ends(SessionEnd::kAbandoned);
    Log(Severity::kDebug1, "client closed the connection");
  } catch (const AuthenticationRefused& error) {
    TellAndLog(connection, error.fields(), error.log_detail());
  } catch (const SqlError& error) {
    report.Ends(error.code() == ErrorCode::kAdminShutdown ? SessionEnd::kKilled : SessionEnd::kFatal);
    TellAndLog(connection, error.fields(), error.fields().detail);
  }
  return false;
}

}  // namespace walden

#include "node/pgwire/authentication.h"

#include <pwd.h>

#include <optional>

#include "node/auth/scram.h"
#include "node/base/clock.h"
#include "node/catalog/acl.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/syscache.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/pgwire/hba.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

constexpr int32_t kAuthOk = 0, kAuthSasl = 10, kAuthSaslContinue = 11, kAuthSaslFinal = 12;

SqlError PasswordFailed(std::string_view user) {
  return SqlError(ErrorCode::kInvalidPassword, "password authentication failed for user \"{}\"", user).WithSeverity(Severity::kFatal);
}

void SendRequest(Connection& connection, int32_t code, std::string_view data = {}) {
  connection.Begin('R');
  connection.PutInt32(code);
  connection.PutBytes(data);
  connection.End();
}

std::string_view ReadAnswer(Connection& connection) {
  char type;
  std::string_view body;
  connection.Flush();
  if (!connection.ReadMessage(&type, &body, 65536)) throw ConnectionLost();
  if (type != 'p') {
    throw SqlError(ErrorCode::kProtocolViolation, "expected password response, got message type {}", static_cast<int>(type))
        .WithSeverity(Severity::kFatal);
  }
  return body;
}

struct StoredPassword {
  std::optional<ScramVerifier> verifier;
};

// Reads the shared catalogs in a transaction of its own; no database is bound yet.
StoredPassword FindPassword(std::string_view user) {
  StoredPassword found;
  BeginTransaction();
  if (RowRef<PgAuthidRow> role = RoleRow(user); role != nullptr && role->rolpassword) {
    bool expired = role->rolvaliduntil && *role->rolvaliduntil < WallClockUs();
    if (!expired) found.verifier = ParseScramVerifier(*role->rolpassword);
  }
  CommitTransaction();
  return found;
}

bool IsMemberByName(std::string_view user, std::string_view role) {
  BeginTransaction();
  RowRef<PgAuthidRow> member = RoleRow(user), group = RoleRow(role);
  bool result = member != nullptr && group != nullptr && IsMemberNoSuper(member->oid, group->oid);
  CommitTransaction();
  return result;
}

void RunScram(Connection& connection, std::string_view user) {
  StoredPassword stored = FindPassword(user);
  bool can_succeed = stored.verifier.has_value();
  ScramExchange exchange(can_succeed ? *stored.verifier : MockScramVerifier(user));
  SendRequest(connection, kAuthSasl, std::string_view("SCRAM-SHA-256\0\0", 15));
  MessageReader reader(ReadAnswer(connection));
  std::string_view mechanism = reader.String();
  if (mechanism != "SCRAM-SHA-256") {
    throw SqlError(ErrorCode::kProtocolViolation, "client selected an invalid SASL authentication mechanism").WithSeverity(Severity::kFatal);
  }
  int32_t length = reader.Int32();
  std::string first = exchange.FirstMessage(reader.Bytes(length < 0 ? 0 : static_cast<size_t>(length)));
  SendRequest(connection, kAuthSaslContinue, first);
  std::optional<std::string> final = exchange.FinalMessage(ReadAnswer(connection));
  if (!final || !can_succeed) throw PasswordFailed(user);
  SendRequest(connection, kAuthSaslFinal, *final);
}

void RunPeer(Connection& connection, std::string_view user) {
  uid_t uid;
  passwd entry;
  passwd* found = nullptr;
  char buffer[4096];
  if (PeerUser(connection.fd(), &uid)) getpwuid_r(uid, &entry, buffer, sizeof buffer, &found);
  if (found == nullptr || user != found->pw_name) {
    throw SqlError(ErrorCode::kInvalidAuthorizationSpecification, "Peer authentication failed for user \"{}\"", user)
        .WithSeverity(Severity::kFatal);
  }
}

}  // namespace

void Authenticate(Connection& connection, const SessionStart& start) {
  std::string file = GetString(Setting::kHbaFile);
  if (file.empty()) file = "pg_hba.conf";
  std::vector<HbaLine> lines = ParseHba(ReadWholeFile(file), file);
  HbaQuestion question{connection.peer(), false, start.database, start.user, IsMemberByName};
  switch (MatchHba(lines, question)) {
    case AuthMethod::kTrust: break;
    case AuthMethod::kPeer: RunPeer(connection, start.user); break;
    case AuthMethod::kScram: RunScram(connection, start.user); break;
    case AuthMethod::kPassword: throw NotSupported("password authentication").WithHint("Use scram-sha-256 in pg_hba.conf.").WithSeverity(Severity::kFatal);
    case AuthMethod::kReject:
      throw SqlError(ErrorCode::kInvalidAuthorizationSpecification,
                     "pg_hba.conf rejects connection for host \"{}\", user \"{}\", database \"{}\", no encryption",
                     connection.peer().host, start.user, start.database)
          .WithSeverity(Severity::kFatal);
    case AuthMethod::kImplicitReject:
      throw SqlError(ErrorCode::kInvalidAuthorizationSpecification,
                     "no pg_hba.conf entry for host \"{}\", user \"{}\", database \"{}\", no encryption", connection.peer().host,
                     start.user, start.database)
          .WithSeverity(Severity::kFatal);
  }
  SendRequest(connection, kAuthOk);
}

}  // namespace walden

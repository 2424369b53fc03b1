#include "node/pgwire/authentication.h"

#include <pwd.h>

#include <filesystem>
#include <optional>

#include "node/auth/scram.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/base/random.h"
#include "node/catalog/acl.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/syscache.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/pgwire/hba.h"
#include "node/pgwire/password.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

constexpr int32_t kAuthOk = 0, kAuthCleartext = 3, kAuthMd5 = 5, kAuthSasl = 10, kAuthSaslContinue = 11,
                  kAuthSaslFinal = 12;
constexpr char kMechanism[] = "SCRAM-SHA-256", kMechanismPlus[] = "SCRAM-SHA-256-PLUS";

struct ClientAccess {
  std::vector<HbaLine> hba;
  std::vector<IdentLine> ident;
  std::string hba_file;
};
ClientAccess access;

ClientAccess ReadClientAccess() {
  ClientAccess fresh;
  fresh.hba_file = GetString(Setting::kHbaFile);
  fresh.hba = ParseHba(ReadWholeFile(fresh.hba_file), fresh.hba_file,
                       std::filesystem::path(fresh.hba_file).parent_path().string());
  // Nobody needs a map: without the file there are none.
  std::string text;
  const std::string& ident_file = GetString(Setting::kIdentFile);
  if (TryReadWholeFile(ident_file, &text)) fresh.ident = ParseIdent(text, ident_file);
  return fresh;
}

// One client's authentication.
class Authentication {
 public:
  Authentication(Connection& connection, const SessionStart& start)
      : connection_(connection), start_(start) {}

  void Run() {
    HbaQuestion question{connection_.peer(), connection_.tls() != nullptr, start_.database, start_.user,
                         IsMemberByName};
    line_ = MatchHba(access.hba, question);
    if (line_ == nullptr)
      throw Unwelcome("no pg_hba.conf entry for host \"{}\", user \"{}\", database \"{}\", {}");
    if (line_->client_cert != HbaLine::ClientCert::kOff) RequireCertificate();
    switch (line_->method) {
      case AuthMethod::kTrust: break;
      case AuthMethod::kReject:
        throw Unwelcome("pg_hba.conf rejects connection for host \"{}\", user \"{}\", database \"{}\", {}");
      case AuthMethod::kPeer: RunPeer(); break;
      case AuthMethod::kPassword: RunCleartext(); break;
      case AuthMethod::kMd5: RunMd5OrScram(); break;
      case AuthMethod::kScram: RunScram(); break;
      case AuthMethod::kCert: break;  // checked below
    }
    if (line_->client_cert == HbaLine::ClientCert::kVerifyFull) CheckCertificateName();
    if (line_->method != AuthMethod::kTrust) LogIdentity();
    SendRequest(kAuthOk);
  }

 private:
  static SqlError Fatal(ErrorCode code, std::string message) {
    SqlError error(code, std::move(message));
    error.WithSeverity(Severity::kFatal);
    return error;
  }

  SqlError Unwelcome(const char* format) const {
    return Fatal(ErrorCode::kInvalidAuthorizationSpecification,
                 fmt::format(fmt::runtime(format), connection_.peer().host, start_.user, start_.database,
                             connection_.tls() != nullptr ? "SSL encryption" : "no encryption"));
  }

  // The method's refusal; the reason is for the log.
  AuthenticationRefused Failed(std::string reason) const {
    ErrorCode code = ErrorCode::kInvalidAuthorizationSpecification;
    const char* format = "authentication failed for user \"{}\": invalid authentication method";
    switch (line_->method) {
      case AuthMethod::kReject: format = "authentication failed for user \"{}\": host rejected"; break;
      case AuthMethod::kTrust: format = "\"trust\" authentication failed for user \"{}\""; break;
      case AuthMethod::kPeer: format = "Peer authentication failed for user \"{}\""; break;
      case AuthMethod::kCert: format = "certificate authentication failed for user \"{}\""; break;
      case AuthMethod::kPassword:
      case AuthMethod::kMd5:
      case AuthMethod::kScram:
        code = ErrorCode::kInvalidPassword;
        format = "password authentication failed for user \"{}\"";
        break;
    }
    if (!reason.empty()) reason += '\n';
    reason += fmt::format("Connection matched pg_hba.conf line {}: \"{}\"", line_->line_number, line_->text);
    return AuthenticationRefused(Fatal(code, fmt::format(fmt::runtime(format), start_.user)),
                                 std::move(reason));
  }

  void SendRequest(int32_t code, std::string_view data = {}) {
    connection_.Begin('R');
    connection_.PutInt32(code);
    connection_.PutBytes(data);
    connection_.End();
  }

  std::string_view ReadAnswer(std::string_view expected = "password") {
    char type;
    std::string_view body;
    connection_.Flush();
    // A client that asks its user for the password goes away meanwhile and comes back.
    if (!connection_.ReadMessage(&type, &body, 65536)) throw ConnectionLost();
    if (type != 'p') {
      throw Fatal(ErrorCode::kProtocolViolation,
                  fmt::format("expected {} response, got message type {}", expected,
                              static_cast<int>(static_cast<unsigned char>(type))));
    }
    return body;
  }

  std::string_view ReadPassword() {
    MessageReader reader(ReadAnswer());
    std::string_view password = reader.String();
    if (!reader.AtEnd()) throw Fatal(ErrorCode::kProtocolViolation, "invalid password packet size");
    if (password.empty()) throw Fatal(ErrorCode::kInvalidPassword, "empty password returned by client");
    return password;
  }

  void RunCleartext() {
    SendRequest(kAuthCleartext);
    std::string password(ReadPassword());
    StoredPassword stored = FindPassword(start_.user);
    if (!stored.usable) throw Failed(stored.problem);
    if (!PasswordFits(stored.text, start_.user, password))
      throw Failed(fmt::format("Password does not match for user \"{}\".", start_.user));
  }

  // "md5" asks for whatever the stored password can prove.
  void RunMd5OrScram() {
    StoredPassword stored = FindPassword(start_.user);
    bool scram = stored.usable ? !IsMd5Password(stored.text)
                               : GetEnum<PasswordEncryption>(Setting::kPasswordEncryption) ==
                                     PasswordEncryption::kScramSha256;
    if (scram) return RunScram();
    char salt[4];
    SecureRandom(salt, sizeof salt);
    SendRequest(kAuthMd5, {salt, sizeof salt});
    std::string answer(ReadPassword());
    if (!stored.usable) throw Failed(stored.problem);
    if (!Md5AnswerFits(stored.text, {salt, sizeof salt}, answer)) {
      throw Failed(fmt::format("Password does not match for user \"{}\".", start_.user));
    }
  }

  void RunScram() {
    StoredPassword stored = FindPassword(start_.user);
    std::optional<ScramVerifier> verifier = stored.usable ? ParseScramVerifier(stored.text) : std::nullopt;
    if (stored.usable && !verifier)
      stored.problem = fmt::format("User \"{}\" does not have a valid SCRAM secret.", start_.user);
    std::string binding = connection_.tls() != nullptr ? connection_.tls()->ServerEndPoint() : std::string();
    std::string offered;
    if (!binding.empty()) offered.append(kMechanismPlus).push_back('\0');
    offered.append(kMechanism).push_back('\0');
    offered.push_back('\0');
    SendRequest(kAuthSasl, offered);
    MessageReader reader(ReadAnswer("SASL"));
    std::string_view mechanism = reader.String();
    bool plus = !binding.empty() && mechanism == kMechanismPlus;
    if (!plus && mechanism != kMechanism) {
      throw Fatal(ErrorCode::kProtocolViolation, "client selected an invalid SASL authentication mechanism");
    }
    int32_t length = reader.Int32();
    std::string_view first = reader.Bytes(length < 0 ? 0 : static_cast<size_t>(length));
    ScramExchange exchange(verifier ? *verifier : MockScramVerifier(start_.user), binding, plus);
    SendRequest(kAuthSaslContinue, exchange.FirstMessage(first));
    std::optional<std::string> final = exchange.FinalMessage(ReadAnswer("SASL"));
    if (!verifier) throw Failed(stored.problem);
    if (!final) throw Failed({});
    SendRequest(kAuthSaslFinal, *final);
  }

  void RunPeer() {
    uid_t uid;
    passwd entry;
    passwd* found = nullptr;
    char buffer[4096];
    if (PeerUser(connection_.fd(), &uid)) getpwuid_r(uid, &entry, buffer, sizeof buffer, &found);
    if (found == nullptr) throw Failed("The account of the peer could not be found.");
    identity_ = found->pw_name;
    CheckMap(identity_);
  }

  void RequireCertificate() {
    if (!TlsVerifiesClients()) {
      throw Fatal(ErrorCode::kConfigFileError,
                  "client certificates can only be checked if a root certificate store is available");
    }
    if (connection_.tls() == nullptr || !connection_.tls()->info().has_certificate) {
      throw Fatal(ErrorCode::kInvalidAuthorizationSpecification,
                  "connection requires a valid client certificate");
    }
  }

  void CheckCertificateName() {
    const TlsInfo& info = connection_.tls()->info();
    bool whole = line_->client_name == HbaLine::ClientName::kDistinguishedName;
    const std::string& name = whole ? info.client_dn_2253 : info.common_name;
    if (name.empty()) throw Failed("Client certificate contains no user name.");
    if (line_->method == AuthMethod::kCert) {
      identity_ = info.client_dn_2253;
      return CheckMap(name);
    }
    if (name != start_.user) {
      throw Failed(
          fmt::format("certificate validation (clientcert=verify-full) failed for user \"{}\": {} mismatch",
                      start_.user, whole ? "DN" : "CN"));
    }
  }

  void CheckMap(std::string_view system_user) const {
    if (IdentAllows(access.ident, line_->user_map, system_user, start_.user)) return;
    throw Failed(line_->user_map.empty()
                     ? fmt::format("provided user name ({}) and authenticated user name ({}) do not match",
                                   start_.user, system_user)
                     : fmt::format("no match in usermap \"{}\" for user \"{}\" authenticated as \"{}\"",
                                   line_->user_map, start_.user, system_user));
  }

  void LogIdentity() const {
    if (!GetBool(Setting::kLogConnections)) return;
    Log(Severity::kLog, "connection authenticated: identity=\"{}\" method={} ({}:{})",
        identity_.empty() ? start_.user : identity_, AuthMethodName(line_->method), access.hba_file,
        line_->line_number);
  }

  struct StoredPassword {
    bool usable = false;
    std::string text;
    std::string problem;
  };

  // Reads the shared catalogs in a transaction of its own; no database is bound yet.
  static StoredPassword FindPassword(std::string_view user) {
    StoredPassword found;
    BeginTransaction();
    RowRef<PgAuthidRow> role = RoleRow(user);
    if (role == nullptr) {
      found.problem = fmt::format("Role \"{}\" does not exist.", user);
    } else if (!role->rolpassword) {
      found.problem = fmt::format("User \"{}\" has no password assigned.", user);
    } else if (role->rolvaliduntil && *role->rolvaliduntil < WallClockUs()) {
      found.problem = fmt::format("User \"{}\" has an expired password.", user);
    } else {
      found.text = *role->rolpassword;
      found.usable = true;
    }
    CommitTransaction();
    return found;
  }

  static bool IsMemberByName(std::string_view user, std::string_view role) {
    BeginTransaction();
    RowRef<PgAuthidRow> member = RoleRow(user), group = RoleRow(role);
    bool result = member != nullptr && group != nullptr && IsMemberNoSuper(member->oid, group->oid);
    CommitTransaction();
    return result;
  }

  Connection& connection_;
  const SessionStart& start_;
  const HbaLine* line_ = nullptr;
  std::string identity_;  // as the method knows the client
};

}  // namespace

void LoadClientAccess() {
  LoadTls();
  access = ReadClientAccess();
}

void ReloadClientAccess() {
  ReloadTls();
  try {
    access = ReadClientAccess();
  } catch (const SqlError& error) {
    LogError(Severity::kLog, error);
    Log(Severity::kLog, "{} was not reloaded", GetString(Setting::kHbaFile));
  }
}

void Authenticate(Connection& connection, const SessionStart& start) {
  Authentication(connection, start).Run();
}

}  // namespace walden

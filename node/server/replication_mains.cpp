// The processes that speak with other nodes, and the node's rules about who may replicate.
#include <filesystem>
#include <optional>
#include <utility>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/syscache.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/pgwire/hba.h"
#include "node/pgwire/password.h"
#include "node/server/process_mains.h"
#include "node/txn/transaction.h"
#include "replication/walreceiver.h"
#include "replication/walsender.h"

namespace walden {
namespace {

using replication::LoginQuestion;
using replication::Proof;
using replication::ReplicationRole;

// A transaction for looking at the shared catalogs; no database is bound.
class CatalogLook {
 public:
  CatalogLook() {
    static bool joined = false;
    if (!std::exchange(joined, true)) JoinInvalidations();
    BeginTransaction();
  }
  ~CatalogLook() {
    if (std::uncaught_exceptions() > exceptions_)
      AbortTransaction();
    else
      CommitTransaction();
  }
  CatalogLook(const CatalogLook&) = delete;
  CatalogLook& operator=(const CatalogLook&) = delete;

 private:
  int exceptions_ = std::uncaught_exceptions();
};

bool IsMemberByName(std::string_view user, std::string_view role) {
  CatalogLook look;
  RowRef<PgAuthidRow> member = RoleRow(user), group = RoleRow(role);
  return member != nullptr && group != nullptr && IsMemberNoSuper(member->oid, group->oid);
}

std::optional<ReplicationRole> FindReplicationRole(const std::string& user) {
  CatalogLook look;
  RowRef<PgAuthidRow> row = RoleRow(user);
  if (row == nullptr) return std::nullopt;
  ReplicationRole role;
  role.oid = row->oid;
  role.may_log_in = row->rolcanlogin;
  role.may_replicate = row->rolreplication || row->rolsuper;
  bool expired = row->rolvaliduntil && *row->rolvaliduntil < WallClockUs();
  if (row->rolpassword && !expired) role.verifier = ParseScramVerifier(*row->rolpassword);
  return role;
}

SqlError Rejected(const LoginQuestion& question, std::string_view why) {
  return SqlError(ErrorCode::kInvalidAuthorizationSpecification,
                  "{} replication connection from host \"{}\", user \"{}\", {}", why, question.peer.host,
                  question.user, question.encrypted ? "SSL encryption" : "no encryption");
}

bool PasswordFitsRole(const std::string& user, const std::string& password) {
  CatalogLook look;
  RowRef<PgAuthidRow> row = RoleRow(user);
  if (row == nullptr || !row->rolpassword || password.empty()) return false;
  bool expired = row->rolvaliduntil && *row->rolvaliduntil < WallClockUs();
  return !expired && PasswordFits(*row->rolpassword, user, password);
}

// `cert`, and the clientcert option of the other methods.
void CheckCertificate(const LoginQuestion& question, const HbaLine& line) {
  if (line.method != AuthMethod::kCert && line.client_cert == HbaLine::ClientCert::kOff) return;
  if (!question.certificate) {
    throw SqlError(ErrorCode::kInvalidAuthorizationSpecification,
                   "connection requires a valid client certificate");
  }
  if (line.method != AuthMethod::kCert && line.client_cert != HbaLine::ClientCert::kVerifyFull) return;
  bool whole = line.client_name == HbaLine::ClientName::kDistinguishedName;
  const std::string& name = whole ? question.certificate->distinguished : question.certificate->common;
  std::string text;
  const std::string& ident_file = GetString(Setting::kIdentFile);
  bool mapped = line.method == AuthMethod::kCert && !line.user_map.empty();
  if (mapped) TryReadWholeFile(ident_file, &text);
  bool fits =
      !name.empty() && (mapped ? IdentAllows(ParseIdent(text, ident_file), line.user_map, name, question.user)
                               : name == question.user);
  if (fits) return;
  throw SqlError(ErrorCode::kInvalidAuthorizationSpecification,
                 "certificate authentication failed for user \"{}\"", question.user);
}

Proof RequiredProof(const LoginQuestion& question) {
  std::string file = GetString(Setting::kHbaFile);
  if (file.empty()) file = "pg_hba.conf";
  std::vector<HbaLine> lines =
      ParseHba(ReadWholeFile(file), file, std::filesystem::path(file).parent_path().string());
  HbaQuestion asked{question.peer, question.encrypted, "replication", question.user, IsMemberByName, true};
  const HbaLine* line = MatchHba(lines, asked);
  if (line == nullptr) throw Rejected(question, "no pg_hba.conf entry for");
  if (line->method != AuthMethod::kReject) CheckCertificate(question, *line);
  switch (line->method) {
    case AuthMethod::kTrust:
    case AuthMethod::kCert: return Proof::kNone;
    case AuthMethod::kScram:
    case AuthMethod::
        kMd5:  // asks for what the stored password can prove; over this protocol that is SCRAM alone
      return Proof::kScram;
    case AuthMethod::kPassword: return Proof::kPassword;
    case AuthMethod::kReject: throw Rejected(question, "pg_hba.conf rejects");
    default:
      throw NotSupported("this authentication method for replication")
          .WithHint("Use scram-sha-256, cert, password or trust in the replication lines of pg_hba.conf.");
  }
}

}  // namespace

int WalSenderMain(const ChildStart&) {
  replication::RunWalSender(replication::LoginPolicy{RequiredProof, PasswordFitsRole, FindReplicationRole});
  return 0;
}

int WalReceiverMain(const ChildStart&) {
  replication::RunWalReceiver();
  return 0;
}

}  // namespace walden

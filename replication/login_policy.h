// Who may replicate, and how he proves it: the node's rules (roles, pg_hba.conf), handed in by node/server because
// replication/ stands below the catalogs. Called on the main thread only.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "node/auth/scram.h"
#include "node/base/ids.h"
#include "node/os/socket.h"

namespace walden::replication {

// Names in a verified client certificate.
struct CertificateNames {
  std::string common;
  std::string distinguished;  // as RFC 2253 writes it
};

struct LoginQuestion {
  PeerAddress peer;
  bool encrypted = false;
  std::optional<CertificateNames> certificate;
  std::string user;
};

enum class Proof : uint8_t { kNone, kScram, kPassword };

struct ReplicationRole {
  Oid oid{};
  bool may_log_in = false;
  bool may_replicate = false;             // REPLICATION or superuser
  std::optional<ScramVerifier> verifier;  // none: no usable password
};

struct LoginPolicy {
  // The first `replication` line of pg_hba.conf that fits. Throws 28000 when it rejects.
  // What a certificate has to prove is checked there.
  std::function<Proof(const LoginQuestion&)> required_proof;
  // Does a password in plain text fit? False for a role that is not there or has none.
  std::function<bool(const std::string& user, const std::string& password)> password_fits;
  // nullopt: no such role.
  std::function<std::optional<ReplicationRole>(const std::string& user)> find_role;
};

}  // namespace walden::replication

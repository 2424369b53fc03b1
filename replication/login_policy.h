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

struct LoginQuestion {
  PeerAddress peer;
  bool encrypted = false;
  // Subject's common name of a verified client certificate; empty: none.
  std::string certificate_name;
  std::string user;
};

enum class Proof : uint8_t { kNone, kScram };

struct ReplicationRole {
  Oid oid{};
  bool may_log_in = false;
  bool may_replicate = false;             // REPLICATION or superuser
  std::optional<ScramVerifier> verifier;  // none: no usable password
};

struct LoginPolicy {
  // The first `replication` line of pg_hba.conf that fits. Throws 28000 when it rejects.
  std::function<Proof(const LoginQuestion&)> required_proof;
  // nullopt: no such role.
  std::function<std::optional<ReplicationRole>(const std::string& user)> find_role;
};

}  // namespace walden::replication

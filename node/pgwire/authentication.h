// Proving who the client is, as pg_hba.conf demands.
#pragma once

#include "node/pgwire/connection.h"
#include "node/session/session.h"

namespace walden {

// What decides about clients: the rules of pg_hba.conf and pg_ident.conf, and TLS. The postmaster reads it and its children inherit it. Load throws
// for what cannot be used; after a reload that fails the log says why, and the former rules stay.
void LoadClientAccess();
void ReloadClientAccess();

// Returns when the client may go on (AuthenticationOk has been sent). Throws AuthenticationRefused and other FATAL errors (28000, 28P01).
void Authenticate(Connection& connection, const SessionStart& start);

// A refusal whose reason only the log shall name.
class AuthenticationRefused : public SqlError {
 public:
  AuthenticationRefused(SqlError error, std::string log_detail)
      : SqlError(std::move(error)), log_detail_(std::move(log_detail)) {}
  const std::string& log_detail() const { return log_detail_; }

 private:
  std::string log_detail_;
};

}  // namespace walden

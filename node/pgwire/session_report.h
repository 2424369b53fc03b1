// What others see of a session: process title, pg_stat_activity, the log's context, connection and disconnection lines.
#pragma once

#include <string>
#include <string_view>

#include "node/base/clock.h"
#include "node/os/socket.h"
#include "node/pgwire/tls.h"
#include "node/session/session.h"
#include "node/stats/activity.h"

namespace walden {

class SessionReport {
 public:
  // A connection was taken.
  explicit SessionReport(const PeerAddress& peer);
  ~SessionReport();
  SessionReport(const SessionReport&) = delete;
  SessionReport& operator=(const SessionReport&) = delete;

  // The start-up packet was read. `tls`: null if the connection is not encrypted; it outlives the report.
  void Requested(const SessionStart& start, const TlsInfo* tls);
  // Authenticated and bound to a database.
  void Started();
  // A statement begins; `text` stays valid until the next call. `now`: where it is known, else 0.
  void Running(std::string_view text, TimestampUs now);
  // The client's turn.
  void Waiting(TransactionStatus status);
  // How the session comes to its end, unless the client takes leave.
  void Ends(SessionEnd how) { end_ = how; }

 private:
  void SetTitle(std::string_view state);

  std::string HostAndPort() const;

  PeerAddress peer_;
  std::string host_;  // its name, where log_hostname asks for it and it has one, else its address
  int64_t connected_us_;
  std::string title_prefix_;
  bool title_is_set_ = false;  // as far as title_prefix_ goes
  std::string user_, database_;
  const TlsInfo* tls_ = nullptr;
  bool started_ = false;
  SessionEnd end_ = SessionEnd::kNormal;
};

}  // namespace walden

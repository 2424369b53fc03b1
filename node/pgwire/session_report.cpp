#include "node/pgwire/session_report.h"

#include <fmt/format.h>

#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/os/process.h"
#include "node/pgwire/host_names.h"
#include "node/shm/log_context.h"
#include "node/shm/process.h"
#include "node/stats/activity.h"
#include "node/stats/counter_tables.h"
#include "node/stats/counters.h"

namespace walden {

std::string SessionReport::HostAndPort() const {
  return peer_.is_unix ? "[local]" : fmt::format("{} port={}", host_, peer_.port);
}

SessionReport::SessionReport(const PeerAddress& peer)
    : peer_(peer), host_(peer.host), connected_us_(MonotonicUs()) {
  std::string name = peer.is_unix || !GetBool(Setting::kLogHostname) ? "" : HostNameOf(peer);
  if (!name.empty()) host_ = name;
  LogContext& context = log_context();
  context.remote_host = host_;
  context.remote_port = peer.port;
  context.start_time_us = WallClockUs();
  BeginActivity();
  SetActivityClient(peer.is_unix ? "" : peer.host, peer.is_unix ? -1 : peer.port, name);
  if (GetBool(Setting::kLogConnections)) Log(Severity::kLog, "connection received: host={}", HostAndPort());
}

SessionReport::~SessionReport() {
  if (!started_) return;
  EndSessionTime(end_);
  if (!GetBool(Setting::kLogDisconnections)) return;
  int64_t ms = (MonotonicUs() - connected_us_) / 1000;
  Log(Severity::kLog, "disconnection: session time: {}:{:02}:{:02}.{:03} user={} database={} host={}",
      ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000, user_, database_, HostAndPort());
}

void SessionReport::Requested(const SessionStart& start, const TlsInfo* tls) {
  tls_ = tls;
  if (tls != nullptr) {
    SetActivityTls(
        {true, tls->bits, tls->version, tls->cipher, tls->client_dn, tls->client_serial, tls->issuer_dn});
  }
  user_ = start.user;
  database_ = start.database;
  LogContext& context = log_context();
  context.user_name = user_;
  context.database_name = database_;
  context.application_name = start.application_name;
  const std::string& cluster = GetString(Setting::kClusterName);
  title_prefix_ = fmt::format("walden: {}{}{} {} {} ", cluster, cluster.empty() ? "" : ": ", user_, database_,
                              peer_.is_unix ? "[local]" : fmt::format("{}({})", host_, peer_.port));
  SetTitle("authentication");
}

void SessionReport::Started() {
  started_ = true;
  Oid database = self().database.load(std::memory_order_relaxed);
  SetActivityIdentity(database, self().role.load(std::memory_order_relaxed));
  SetActivityApplication(GetString(Setting::kApplicationName));
  SetStatsDatabase(database);
  DescribeDatabase(database, database_);
  BeginSessionTime(log_context().start_time_us);
  InstallSettingHooks(Setting::kApplicationName, {.assign = [] {
                        log_context().application_name = GetString(Setting::kApplicationName);
                        SetActivityApplication(log_context().application_name);
                      }});
  if (!GetBool(Setting::kLogConnections)) return;
  std::string application = log_context().application_name;
  std::string encryption;
  if (tls_ != nullptr) {
    encryption = fmt::format(" SSL enabled (protocol={}, cipher={}, bits={})", tls_->version, tls_->cipher,
                             tls_->bits);
  }
  Log(Severity::kLog, "connection authorized: user={} database={}{}{}{}", user_, database_,
      application.empty() ? "" : " application_name=", application, encryption);
}

void SessionReport::Running(std::string_view text, TimestampUs now) {
  log_context().statement = text;
  SetActivityState(ActivityState::kActive, text, now);
  SetTitle("active");
}

void SessionReport::Waiting(TransactionStatus status) {
  ActivityState state = status == TransactionStatus::kIdle      ? ActivityState::kIdle
                        : status == TransactionStatus::kInBlock ? ActivityState::kIdleInTransaction
                                                                : ActivityState::kIdleInTransactionAborted;
  log_context().statement = {};
  log_context().command_tag = ActivityStateName(state);
  SetActivityState(state);
  SetTitle(ActivityStateName(state));
}

void SessionReport::SetTitle(std::string_view state) {
  if (!GetBool(Setting::kUpdateProcessTitle)) {
    title_is_set_ = false;
  } else if (title_is_set_ && title_prefix_.size() >= kShortNameEnd) {
    SetProcessTitleEnd(title_prefix_.size(), state);
  } else {
    SetProcessTitle(title_prefix_ + std::string(state));
    title_is_set_ = true;
  }
}

}  // namespace walden

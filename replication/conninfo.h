// primary_conninfo: how to reach a node's replication port. libpq's keyword = value and URI forms; the keywords that
// mean something here, others are refused by name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "replication/tls.h"

namespace walden::replication {

struct Conninfo {
  struct Host {
    std::string name;
    int port = 0;
  };
  std::vector<Host> hosts;  // tried in order
  std::string user;
  std::string password;
  std::string passfile;
  std::string application_name;
  SslMode ssl_mode = SslMode::kPrefer;
  std::string ssl_root_file, ssl_cert_file, ssl_key_file;
  int connect_timeout_s = 0;  // 0: the default
};

inline constexpr int kReplicationPortOffset = 10000;  // replication_port = 0 means port + 10000
inline constexpr int kDefaultReplicationPort = 5432 + kReplicationPortOffset;

// Throws 42601 / 22023 with libpq's words. Fills in defaults; reads no file.
Conninfo ParseConninfo(std::string_view text);
// The text for primary_conninfo: everything that differs from the defaults, quoted where needed.
std::string FormatConninfo(const Conninfo& info);
// As pg_stat_wal_receiver shows it: the password starred out.
std::string ConninfoForDisplay(const Conninfo& info);
// The password that a password file (~/.pgpass form) has for this host, database "replication"; empty: none.
std::string FindPassword(std::string_view passfile_text, const Conninfo::Host& host, std::string_view user);
// The password to use with `host`: the given one, or the password file's (passfile, PGPASSFILE, ~/.pgpass).
std::string PasswordFor(const Conninfo& info, const Conninfo::Host& host);
// Reads the certificate files.
ClientTls ReadClientTls(const Conninfo& info);

}  // namespace walden::replication

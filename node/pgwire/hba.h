// pg_hba.conf: which clients may connect as whom, and how they prove it. The first matching line decides.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "node/os/socket.h"

namespace walden {

enum class AuthMethod : uint8_t { kReject, kImplicitReject, kTrust, kPassword, kScram, kPeer };

struct HbaLine {
  enum class Kind : uint8_t { kLocal, kHost, kHostSsl, kHostNoSsl } kind;
  std::vector<std::string> databases;
  std::vector<std::string> users;
  bool any_address = false;
  bool same_host = false;
  bool is_ipv6 = false;
  uint8_t address[16] = {};
  int prefix_bits = 0;
  AuthMethod method = AuthMethod::kReject;
  int line_number = 0;
};

// Throws F0000 naming file and line for a line that is not understood.
std::vector<HbaLine> ParseHba(std::string_view text, std::string_view file_name);
// `is_member(user, role)` answers "+role" and "samerole" entries.
struct HbaQuestion {
  const PeerAddress& peer;
  bool encrypted;
  std::string_view database;
  std::string_view user;
  bool (*is_member)(std::string_view user, std::string_view role);
  bool replication = false;  // only lines that name `replication` as the database fit
};
AuthMethod MatchHba(const std::vector<HbaLine>& lines, const HbaQuestion& question);

}  // namespace walden

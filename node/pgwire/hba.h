// pg_hba.conf and pg_ident.conf: which clients may connect as whom, and how they prove it. The first matching line decides.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/error.h"
#include "node/os/socket.h"

namespace walden {

enum class AuthMethod : uint8_t { kReject, kTrust, kPassword, kMd5, kScram, kPeer, kCert };
std::string_view AuthMethodName(AuthMethod method);  // "scram-sha-256"

struct HbaLine {
  enum class Kind : uint8_t { kLocal, kHost, kHostSsl, kHostNoSsl, kHostGss, kHostNoGss } kind;
  enum class Address : uint8_t { kAny, kNetwork, kSameHost, kSameNet, kName };
  enum class ClientCert : uint8_t { kOff, kVerifyCa, kVerifyFull };
  enum class ClientName : uint8_t { kCommonName, kDistinguishedName };
  std::vector<std::string> databases;
  std::vector<std::string> users;
  Address address_kind = Address::kAny;
  bool is_ipv6 = false;
  uint8_t address[16] = {};
  int prefix_bits = 0;
  std::string host_name;  // ".example.com" stands for every host below it
  AuthMethod method = AuthMethod::kReject;
  ClientCert client_cert = ClientCert::kOff;
  ClientName client_name = ClientName::kCommonName;
  std::string user_map;  // of pg_ident.conf; empty: both names must be the same
  int line_number = 0;
  std::string text;
};

// Throws F0000 naming file and line for a line that is not understood. `directory` is where "@file" lists are looked for.
std::vector<HbaLine> ParseHba(std::string_view text, std::string_view file_name,
                              const std::string& directory);

std::string_view HbaKindName(HbaLine::Kind kind);  // "hostssl"

// A line of one of the files as it was understood, or why it was not.
template <class Line>
struct ReadLine {
  int number;
  std::optional<Line> line;
  std::optional<SqlError> problem;  // there is no line then
  std::string remark;               // on a line that is understood and cannot match
};
// Line by line, for those who want to see them all.
std::vector<ReadLine<HbaLine>> ReadHba(std::string_view text, std::string_view file_name,
                                       const std::string& directory);

// Who asks. `is_member(user, role)` answers "+role" and "samerole" entries.
struct HbaQuestion {
  const PeerAddress& peer;
  bool encrypted;
  std::string_view database;
  std::string_view user;
  bool (*is_member)(std::string_view user, std::string_view role);
  bool replication = false;  // only lines that name `replication` as the database fit
};
// Null: no line matches, which refuses the client.
const HbaLine* MatchHba(const std::vector<HbaLine>& lines, const HbaQuestion& question);

// One line of pg_ident.conf: `system_user` (a regular expression after a leading '/') may connect as `role`.
struct IdentLine {
  std::string map;
  std::string system_user;
  std::string role;
};
std::vector<IdentLine> ParseIdent(std::string_view text, std::string_view file_name);
std::vector<ReadLine<IdentLine>> ReadIdent(std::string_view text, std::string_view file_name);
// May `system_user` (a Unix account, a certificate's name) connect as `role`?
bool IdentAllows(const std::vector<IdentLine>& lines, std::string_view map, std::string_view system_user,
                 std::string_view role);

}  // namespace walden

#include "node/pgwire/hba.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <strings.h>

#include <charconv>
#include <span>

#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/pgwire/auth_file.h"
#include "node/pgwire/host_names.h"

namespace walden {
namespace {

using Kind = HbaLine::Kind;
using Address = HbaLine::Address;

struct MethodName {
  const char* name;
  AuthMethod method;
};
constexpr MethodName kMethods[] = {
    {"reject", AuthMethod::kReject},       {"trust", AuthMethod::kTrust},
    {"password", AuthMethod::kPassword},   {"md5", AuthMethod::kMd5},
    {"scram-sha-256", AuthMethod::kScram}, {"peer", AuthMethod::kPeer},
    {"cert", AuthMethod::kCert},
};
struct KindName {
  const char* name;
  Kind kind;
};
constexpr KindName kKinds[] = {
    {"local", Kind::kLocal},         {"host", Kind::kHost},          {"hostssl", Kind::kHostSsl},
    {"hostnossl", Kind::kHostNoSsl}, {"hostgssenc", Kind::kHostGss}, {"hostnogssenc", Kind::kHostNoGss},
};

// A quoted key word is a plain name: it is kept with a mark that no key word has.
std::string NameOf(const AuthToken& token) { return token.quoted ? "\"" + token.text : token.text; }

// One line, field by field.
class LineParser {
 public:
  LineParser(const AuthFileLine& source, std::string_view file) : source_(source), file_(file) {
    line_.line_number = source.number;
    line_.text = source.text;
  }

  const std::string& remark() const { return remark_; }

  HbaLine Parse() {
    if (!source_.error.empty()) throw Bad(source_.error);
    ParseKind();
    for (const AuthToken& token : Next("database")) line_.databases.push_back(NameOf(token));
    for (const AuthToken& token : Next("role")) line_.users.push_back(NameOf(token));
    if (line_.kind != Kind::kLocal) ParseAddress();
    ParseMethod();
    while (at_ < source_.fields.size()) {
      for (const AuthToken& option : source_.fields[at_++]) ParseOption(option.text);
    }
    return std::move(line_);
  }

 private:
  SqlError Bad(std::string_view what) const { return BadAuthLine(file_, source_.number, what); }

  const std::vector<AuthToken>& Next(std::string_view what) {
    if (at_ >= source_.fields.size() || source_.fields[at_].empty()) {
      throw Bad(fmt::format("end-of-line before {} specification", what));
    }
    return source_.fields[at_++];
  }

  const AuthToken& Single(std::string_view what, std::string_view plural) {
    const std::vector<AuthToken>& tokens = Next(what);
    if (tokens.size() > 1) throw Bad(fmt::format("multiple values specified for {}", plural));
    return tokens[0];
  }

  void ParseKind() {
    const std::string& text = Single("connection type", "connection type").text;
    for (const KindName& known : kKinds) {
      if (text != known.name) continue;
      line_.kind = known.kind;
      if (known.kind == Kind::kHostSsl && !GetBool(Setting::kSsl)) {
        remark_ = "hostssl record cannot match because SSL is disabled";
      }
      if (known.kind == Kind::kHostGss) {
        remark_ = "hostgssenc record cannot match because GSSAPI is not supported by this build";
      }
      return;
    }
    throw Bad(fmt::format("invalid connection type \"{}\"", text));
  }

  void ParseAddress() {
    const AuthToken& token = Single("IP address", "host address");
    const std::string& text = token.text;
    if (!token.quoted && text == "all") return;
    if (!token.quoted && text == "samehost") {
      line_.address_kind = Address::kSameHost;
      return;
    }
    if (!token.quoted && text == "samenet") {
      line_.address_kind = Address::kSameNet;
      return;
    }
    std::string host = text.substr(0, text.find('/'));
    line_.is_ipv6 = host.find(':') != std::string::npos;
    if (inet_pton(line_.is_ipv6 ? AF_INET6 : AF_INET, host.c_str(), line_.address) != 1) {
      if (text.find('/') != std::string::npos) {
        throw Bad(fmt::format("specifying both host name and CIDR mask is invalid: \"{}\"", text));
      }
      line_.address_kind = Address::kName;
      line_.host_name = text;
      return;
    }
    line_.address_kind = Address::kNetwork;
    size_t slash = text.find('/');
    if (slash == std::string::npos) {
      ParseMask();
    } else {
      ParsePrefix(std::string_view(text).substr(slash + 1), text);
    }
  }

  void ParsePrefix(std::string_view bits, const std::string& whole) {
    auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), line_.prefix_bits);
    bool ok = error == std::errc() && end == bits.data() + bits.size() && line_.prefix_bits >= 0 &&
              line_.prefix_bits <= (line_.is_ipv6 ? 128 : 32);
    if (!ok) throw Bad(fmt::format("invalid CIDR mask in address \"{}\"", whole));
  }

  // A mask in a field of its own.
  void ParseMask() {
    if (at_ >= source_.fields.size()) {
      throw Bad("end-of-line before netmask specification")
          .WithHint("Specify an address range in CIDR notation, or provide a separate netmask.");
    }
    const std::string& text = Single("netmask", "netmask").text;
    uint8_t mask[16] = {};
    if (inet_pton(line_.is_ipv6 ? AF_INET6 : AF_INET, text.c_str(), mask) != 1) {
      throw Bad(inet_pton(line_.is_ipv6 ? AF_INET : AF_INET6, text.c_str(), mask) == 1
                    ? "IP address and mask do not match"
                    : fmt::format("invalid IP mask \"{}\": {}", text, gai_strerror(EAI_NONAME)));
    }
    for (uint8_t byte : mask) line_.prefix_bits += __builtin_popcount(byte);
  }

  void ParseMethod() {
    if (at_ >= source_.fields.size()) throw Bad("end-of-line before authentication method");
    const std::string& text = Single("authentication method", "authentication type").text;
    const MethodName* found = nullptr;
    for (const MethodName& known : kMethods) {
      if (text == known.name) found = &known;
    }
    if (found == nullptr) throw Bad(fmt::format("invalid authentication method \"{}\"", text));
    line_.method = found->method;
    if (line_.method == AuthMethod::kPeer && line_.kind != Kind::kLocal) {
      throw Bad("peer authentication is only supported on local sockets");
    }
    if (line_.method == AuthMethod::kCert) {
      if (line_.kind != Kind::kHostSsl)
        throw Bad("cert authentication is only supported on hostssl connections");
      line_.client_cert = HbaLine::ClientCert::kVerifyFull;
    }
  }

  void ParseOption(const std::string& text) {
    size_t equals = text.find('=');
    if (equals == std::string::npos)
      throw Bad(fmt::format("authentication option not in name=value format: {}", text));
    std::string name = text.substr(0, equals), value = text.substr(equals + 1);
    if (name == "map") {
      if (line_.method != AuthMethod::kPeer && line_.method != AuthMethod::kCert) {
        throw Bad(
            "authentication option \"map\" is only valid for authentication methods ident, peer, gssapi, "
            "sspi, and cert");
      }
      line_.user_map = value;
    } else if (name == "clientcert") {
      ParseClientCert(value);
    } else if (name == "clientname") {
      if (line_.kind != Kind::kHostSsl) throw Bad("clientname can only be configured for \"hostssl\" rows");
      if (value != "CN" && value != "DN")
        throw Bad(fmt::format("invalid value for clientname: \"{}\"", value));
      line_.client_name =
          value == "DN" ? HbaLine::ClientName::kDistinguishedName : HbaLine::ClientName::kCommonName;
    } else {
      throw Bad(fmt::format("unrecognized authentication option name: \"{}\"", name));
    }
  }

  void ParseClientCert(const std::string& value) {
    if (line_.kind != Kind::kHostSsl) throw Bad("clientcert can only be configured for \"hostssl\" rows");
    if (value == "verify-full") {
      line_.client_cert = HbaLine::ClientCert::kVerifyFull;
    } else if (value == "verify-ca") {
      if (line_.method == AuthMethod::kCert) {
        throw Bad("clientcert only accepts \"verify-full\" when using \"cert\" authentication");
      }
      line_.client_cert = HbaLine::ClientCert::kVerifyCa;
    } else {
      throw Bad(fmt::format("invalid value for clientcert: \"{}\"", value));
    }
  }

  const AuthFileLine& source_;
  std::string_view file_;
  HbaLine line_;
  std::string remark_;
  size_t at_ = 0;
};

bool MatchesAddress(const HbaLine& line, const PeerAddress& peer) {
  switch (line.address_kind) {
    case Address::kAny: return true;
    case Address::kSameHost: return IsOwnAddress(peer);
    case Address::kSameNet: return IsInOwnNetwork(peer);
    case Address::kName: return HasHostName(peer, line.host_name);
    case Address::kNetwork:
      return line.is_ipv6 == peer.is_ipv6 && SamePrefix(line.address, peer.ip, line.prefix_bits);
  }
  return false;
}

bool MatchesDatabase(const HbaLine& line, const HbaQuestion& question) {
  for (const std::string& entry : line.databases) {
    if (question.replication) {
      if (entry == "replication") return true;
      continue;
    }
    if (entry == "all") return true;
    if (entry == "sameuser" && question.database == question.user) return true;
    if ((entry == "samerole" || entry == "samegroup") && question.is_member(question.user, question.database))
      return true;
    if (entry.starts_with('"') && entry.substr(1) == question.database) return true;
    bool is_key_word =
        entry == "sameuser" || entry == "samerole" || entry == "samegroup" || entry == "replication";
    if (!is_key_word && entry == question.database) return true;
  }
  return false;
}

bool MatchesUser(const HbaLine& line, const HbaQuestion& question) {
  for (const std::string& entry : line.users) {
    if (entry == "all" || entry == question.user) return true;
    if (entry.starts_with('"') && entry.substr(1) == question.user) return true;
    if (entry.starts_with('+') && question.is_member(question.user, std::string_view(entry).substr(1)))
      return true;
  }
  return false;
}

bool MatchesTransport(const HbaLine& line, const HbaQuestion& question) {
  switch (line.kind) {
    case Kind::kLocal: return question.peer.is_unix;
    case Kind::kHost:
    case Kind::kHostNoGss: return !question.peer.is_unix;
    case Kind::kHostSsl: return !question.peer.is_unix && question.encrypted;
    case Kind::kHostNoSsl: return !question.peer.is_unix && !question.encrypted;
    case Kind::kHostGss: return false;
  }
  return false;
}

}  // namespace

std::string_view AuthMethodName(AuthMethod method) {
  for (const MethodName& known : kMethods) {
    if (known.method == method) return known.name;
  }
  return "";
}

std::string_view HbaKindName(Kind kind) {
  for (const KindName& known : kKinds) {
    if (known.kind == kind) return known.name;
  }
  return "";
}

std::vector<ReadLine<HbaLine>> ReadHba(std::string_view text, std::string_view file,
                                       const std::string& directory) {
  std::vector<ReadLine<HbaLine>> lines;
  for (const AuthFileLine& source : ReadAuthLines(text, directory)) {
    LineParser parser(source, file);
    ReadLine<HbaLine>& read = lines.emplace_back();
    read.number = source.number;
    try {
      read.line = parser.Parse();
      read.remark = parser.remark();
    } catch (const SqlError& error) {
      read.problem = error;
    }
  }
  return lines;
}

std::vector<HbaLine> ParseHba(std::string_view text, std::string_view file, const std::string& directory) {
  std::vector<HbaLine> lines;
  for (ReadLine<HbaLine>& read : ReadHba(text, file, directory)) {
    if (read.problem) throw *read.problem;
    if (!read.remark.empty()) Log(Severity::kLog, "{} (line {} of \"{}\")", read.remark, read.number, file);
    lines.push_back(std::move(*read.line));
  }
  if (lines.empty()) {
    throw SqlError(ErrorCode::kConfigFileError, "configuration file \"{}\" contains no entries", file);
  }
  return lines;
}

const HbaLine* MatchHba(const std::vector<HbaLine>& lines, const HbaQuestion& question) {
  for (const HbaLine& line : lines) {
    if (!MatchesTransport(line, question)) continue;
    if (line.kind != Kind::kLocal && !MatchesAddress(line, question.peer)) continue;
    if (MatchesDatabase(line, question) && MatchesUser(line, question)) return &line;
  }
  return nullptr;
}

}  // namespace walden

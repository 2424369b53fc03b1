#include "node/pgwire/hba.h"

#include <arpa/inet.h>

#include <charconv>

#include "node/base/error.h"

namespace walden {
namespace {

struct Token {
  std::string text;
  bool quoted = false;
};

// Fields of one line, each a comma-separated list; quotes protect spaces, commas and key words.
std::vector<std::vector<Token>> Tokenize(std::string_view line) {
  std::vector<std::vector<Token>> fields;
  size_t i = 0;
  auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (i < line.size()) {
    while (i < line.size() && is_space(line[i])) ++i;
    if (i >= line.size() || line[i] == '#') break;
    std::vector<Token> field(1);
    while (i < line.size() && !is_space(line[i]) && line[i] != '#') {
      if (line[i] == '"') {
        field.back().quoted = true;
        for (++i; i < line.size() && line[i] != '"'; ++i) field.back().text += line[i];
        ++i;
      } else if (line[i] == ',') {
        field.emplace_back();
        ++i;
        while (i < line.size() && is_space(line[i])) ++i;
      } else {
        field.back().text += line[i++];
      }
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

// A quoted key word is a plain name: it is kept with a mark that no key word has.
std::string NameOf(const Token& token) { return token.quoted ? "\"" + token.text : token.text; }

SqlError Bad(std::string_view file, int line, std::string_view what) {
  return SqlError(ErrorCode::kConfigFileError, "{}", what).WithContext(fmt::format("line {} of configuration file \"{}\"", line, file));
}

bool ParseAddress(std::string_view text, HbaLine* line) {
  if (text == "all") {
    line->any_address = true;
    return true;
  }
  if (text == "samehost" || text == "samenet") {
    line->same_host = true;
    return true;
  }
  std::string host(text.substr(0, text.find('/')));
  line->is_ipv6 = host.find(':') != std::string::npos;
  if (inet_pton(line->is_ipv6 ? AF_INET6 : AF_INET, host.c_str(), line->address) != 1) return false;
  int full = line->is_ipv6 ? 128 : 32;
  line->prefix_bits = full;
  size_t slash = text.find('/');
  if (slash == std::string_view::npos) return true;
  std::string_view bits = text.substr(slash + 1);
  auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), line->prefix_bits);
  return error == std::errc() && end == bits.data() + bits.size() && line->prefix_bits >= 0 && line->prefix_bits <= full;
}

// The prefix length of a mask in a field of its own.
bool ParseMask(const std::string& text, HbaLine* line) {
  uint8_t mask[16] = {};
  if (inet_pton(line->is_ipv6 ? AF_INET6 : AF_INET, text.c_str(), mask) != 1) return false;
  int bits = 0;
  for (int i = 0; i < (line->is_ipv6 ? 16 : 4); ++i) bits += __builtin_popcount(mask[i]);
  line->prefix_bits = bits;
  return true;
}

bool ParseMethod(std::string_view text, AuthMethod* method) {
  if (text == "trust") *method = AuthMethod::kTrust;
  else if (text == "reject") *method = AuthMethod::kReject;
  else if (text == "scram-sha-256" || text == "md5") *method = AuthMethod::kScram;
  else if (text == "password") *method = AuthMethod::kPassword;
  else if (text == "peer") *method = AuthMethod::kPeer;
  else return false;
  return true;
}

bool InNetwork(const HbaLine& line, const PeerAddress& peer) {
  if (line.any_address) return true;
  if (line.same_host) return peer.host == "127.0.0.1" || peer.host == "::1";
  if (line.is_ipv6 != peer.is_ipv6) return false;
  int bits = line.prefix_bits;
  for (int i = 0; bits > 0; ++i, bits -= 8) {
    uint8_t mask = bits >= 8 ? 0xFF : static_cast<uint8_t>(0xFF << (8 - bits));
    if ((line.address[i] & mask) != (peer.ip[i] & mask)) return false;
  }
  return true;
}

bool MatchesList(const std::vector<std::string>& list, std::string_view value, const HbaQuestion& question, bool is_user) {
  for (const std::string& entry : list) {
    if (!is_user && question.replication) {
      if (entry == "replication") return true;
    } else if (entry.starts_with('"')) {
      if (entry.substr(1) == value) return true;
    } else if (entry == "all") {
      return true;
    } else if (!is_user && entry == "sameuser") {
      if (question.database == question.user) return true;
    } else if (!is_user && entry == "samerole") {
      if (question.is_member(question.user, question.database)) return true;
    } else if (!is_user && entry == "replication") {
      continue;
    } else if (is_user && entry.starts_with('+')) {
      if (question.is_member(question.user, std::string_view(entry).substr(1))) return true;
    } else if (entry == value) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<HbaLine> ParseHba(std::string_view text, std::string_view file) {
  std::vector<HbaLine> lines;
  int number = 0;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view row = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    std::vector<std::vector<Token>> fields = Tokenize(row);
    if (fields.empty()) continue;
    HbaLine line;
    line.line_number = number;
    const std::string& kind = fields[0][0].text;
    if (kind == "local") line.kind = HbaLine::Kind::kLocal;
    else if (kind == "host") line.kind = HbaLine::Kind::kHost;
    else if (kind == "hostssl") line.kind = HbaLine::Kind::kHostSsl;
    else if (kind == "hostnossl") line.kind = HbaLine::Kind::kHostNoSsl;
    else throw Bad(file, number, fmt::format("invalid connection type \"{}\"", kind));
    size_t at = 1;
    auto need = [&](std::string_view what) {
      if (at >= fields.size()) throw Bad(file, number, fmt::format("end-of-line before {} specification", what));
      return at++;
    };
    for (const Token& token : fields[need("database")]) line.databases.push_back(NameOf(token));
    for (const Token& token : fields[need("role")]) line.users.push_back(NameOf(token));
    if (line.kind != HbaLine::Kind::kLocal) {
      const std::string& address = fields[need("IP address")][0].text;
      if (!ParseAddress(address, &line)) throw Bad(file, number, fmt::format("invalid IP address \"{}\"", address));
      bool has_mask = !line.any_address && !line.same_host && address.find('/') == std::string::npos;
      if (has_mask && !ParseMask(fields[need("IP mask")][0].text, &line)) throw Bad(file, number, "invalid IP mask");
    }
    const std::string& method = fields[need("authentication method")][0].text;
    if (!ParseMethod(method, &line.method)) throw Bad(file, number, fmt::format("invalid authentication method \"{}\"", method));
    if (line.method == AuthMethod::kPeer && line.kind != HbaLine::Kind::kLocal) {
      throw Bad(file, number, "peer authentication is only supported on local sockets");
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

AuthMethod MatchHba(const std::vector<HbaLine>& lines, const HbaQuestion& question) {
  for (const HbaLine& line : lines) {
    if ((line.kind == HbaLine::Kind::kLocal) != question.peer.is_unix) continue;
    if (line.kind == HbaLine::Kind::kHostSsl && !question.encrypted) continue;
    if (line.kind == HbaLine::Kind::kHostNoSsl && question.encrypted) continue;
    if (line.kind != HbaLine::Kind::kLocal && !InNetwork(line, question.peer)) continue;
    if (!MatchesList(line.databases, question.database, question, false)) continue;
    if (!MatchesList(line.users, question.user, question, true)) continue;
    return line.method;
  }
  return AuthMethod::kImplicitReject;
}

}  // namespace walden

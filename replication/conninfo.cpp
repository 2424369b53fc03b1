#include "replication/conninfo.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <map>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/os/file.h"

namespace walden::replication {
namespace {

using Values = std::map<std::string, std::string>;

// `database` and `replication` select nothing here: a replica always follows the whole node.
constexpr std::string_view kKeywords[] = {"host",
                                          "hostaddr",
                                          "port",
                                          "user",
                                          "password",
                                          "passfile",
                                          "sslmode",
                                          "sslcert",
                                          "sslkey",
                                          "sslrootcert",
                                          "application_name",
                                          "fallback_application_name",
                                          "connect_timeout",
                                          "dbname",
                                          "replication"};

void Put(Values* values, std::string key, std::string value) {
  for (std::string_view known : kKeywords) {
    if (key == known) {
      (*values)[std::move(key)] = std::move(value);
      return;
    }
  }
  throw SqlError(ErrorCode::kSyntaxError, "invalid connection option \"{}\"", key);
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

std::string TakeValue(std::string_view* text) {
  std::string value;
  bool quoted = !text->empty() && text->front() == '\'';
  if (quoted) text->remove_prefix(1);
  for (;;) {
    if (text->empty()) {
      if (quoted)
        throw SqlError(ErrorCode::kSyntaxError, "unterminated quoted string in connection info string");
      return value;
    }
    char c = text->front();
    if (!quoted && IsSpace(c)) return value;
    text->remove_prefix(1);
    if (quoted && c == '\'') return value;
    if (c == '\\' && !text->empty()) {
      c = text->front();
      text->remove_prefix(1);
    }
    value += c;
  }
}

Values ParseKeywords(std::string_view text) {
  Values values;
  auto skip = [&] {
    while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  };
  for (skip(); !text.empty(); skip()) {
    size_t end = 0;
    while (end < text.size() && text[end] != '=' && !IsSpace(text[end])) ++end;
    std::string key(text.substr(0, end));
    text.remove_prefix(end);
    skip();
    if (text.empty() || text.front() != '=') {
      throw SqlError(ErrorCode::kSyntaxError, "missing \"=\" after \"{}\" in connection info string", key);
    }
    text.remove_prefix(1);
    skip();
    Put(&values, key, TakeValue(&text));
  }
  return values;
}

std::string PercentDecode(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    unsigned char byte = 0;
    auto [end, error] =
        std::from_chars(text.data() + i + 1, text.data() + std::min(i + 3, text.size()), byte, 16);
    if (error != std::errc() || end != text.data() + i + 3)
      throw SqlError(ErrorCode::kSyntaxError, "invalid percent-encoded token: \"{}\"", text);
    plain += static_cast<char>(byte);
    i += 2;
  }
  return plain;
}

// postgresql://user:password@host:port,host:port/database?key=value&...
Values ParseUri(std::string_view text) {
  Values values;
  text.remove_prefix(text.find("://") + 3);
  std::string_view query = text.substr(std::min(text.size(), text.find('?')));
  text = text.substr(0, text.size() - query.size());
  size_t slash = text.find('/', text.rfind('@') == std::string_view::npos ? 0 : text.rfind('@'));
  text = text.substr(0, slash);
  if (size_t at = text.rfind('@'); at != std::string_view::npos) {
    std::string_view login = text.substr(0, at);
    text.remove_prefix(at + 1);
    size_t colon = login.find(':');
    Put(&values, "user", PercentDecode(login.substr(0, colon)));
    if (colon != std::string_view::npos) Put(&values, "password", PercentDecode(login.substr(colon + 1)));
  }
  std::string hosts, ports;
  while (!text.empty()) {
    std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    size_t bracket = one.starts_with('[') ? one.find(']') : 0;
    size_t colon = one.find(':', bracket == std::string_view::npos ? 0 : bracket);
    std::string host = PercentDecode(one.substr(0, colon));
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    hosts += (hosts.empty() ? "" : ",") + host;
    ports += (ports.empty() ? "" : ",") +
             std::string(colon == std::string_view::npos ? "" : one.substr(colon + 1));
  }
  if (!hosts.empty()) Put(&values, "host", hosts);
  if (ports.find_first_not_of(',') != std::string::npos) Put(&values, "port", ports);
  while (query.size() > 1) {
    query.remove_prefix(1);
    std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(pair.size());
    size_t equals = pair.find('=');
    if (equals == std::string_view::npos)
      throw SqlError(ErrorCode::kSyntaxError,
                     "missing key/value separator \"=\" in URI query parameter: \"{}\"", pair);
    Put(&values, PercentDecode(pair.substr(0, equals)), PercentDecode(pair.substr(equals + 1)));
  }
  return values;
}

int ParseNumber(const std::string& text, std::string_view what, int lowest, int highest) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < lowest || value > highest) {
    throw SqlError(ErrorCode::kInvalidParameterValue,
                   "invalid integer value \"{}\" for connection option \"{}\"", text, what);
  }
  return value;
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0;;) {
    size_t comma = text.find(',', begin);
    parts.push_back(text.substr(begin, comma == std::string::npos ? std::string::npos : comma - begin));
    if (comma == std::string::npos) return parts;
    begin = comma + 1;
  }
}

std::string CurrentUser() {
  passwd* entry = getpwuid(geteuid());
  return entry != nullptr ? entry->pw_name : "";
}

struct ModeName {
  std::string_view name;
  SslMode mode;
};
constexpr ModeName kModes[] = {{"disable", SslMode::kDisable},    {"allow", SslMode::kPrefer},
                               {"prefer", SslMode::kPrefer},      {"require", SslMode::kRequire},
                               {"verify-ca", SslMode::kVerifyCa}, {"verify-full", SslMode::kVerifyFull}};

SslMode ParseMode(const std::string& text) {
  for (const ModeName& row : kModes) {
    if (text == row.name) return row.mode;
  }
  throw SqlError(ErrorCode::kInvalidParameterValue, "invalid {} value: \"{}\"", "sslmode", text);
}

std::vector<Conninfo::Host> ParseHosts(const Values& values, std::string_view fallback) {
  auto value = [&](const char* key) {
    auto found = values.find(key);
    return found == values.end() ? std::string() : found->second;
  };
  std::string names = value("hostaddr").empty() ? value("host") : value("hostaddr");
  std::vector<std::string> hosts = Split(names.empty() ? std::string(fallback) : names),
                           ports = Split(value("port"));
  if (ports.size() != 1 && ports.size() != hosts.size()) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "could not match {} port numbers to {} hosts",
                   ports.size(), hosts.size());
  }
  std::vector<Conninfo::Host> result;
  for (size_t i = 0; i < hosts.size(); ++i) {
    const std::string& port = ports.size() == 1 ? ports[0] : ports[i];
    if (hosts[i].starts_with('/')) {
      throw SqlError(ErrorCode::kFeatureNotSupported, "replication over a Unix socket is not supported")
          .WithHint("Name a host, for instance localhost.");
    }
    result.push_back({hosts[i].empty() ? "localhost" : hosts[i],
                      port.empty() ? kDefaultReplicationPort : ParseNumber(port, "port", 1, 65535)});
  }
  return result;
}

std::string Quote(const std::string& value) {
  bool plain = !value.empty();
  for (char c : value) plain = plain && !IsSpace(c) && c != '\'' && c != '\\';
  if (plain) return value;
  std::string quoted = "'";
  for (char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::string_view NameOf(SslMode mode) {
  for (const ModeName& row : kModes) {
    if (row.mode == mode && row.name != "allow") return row.name;
  }
  return "";
}

}  // namespace

Conninfo ParseConninfo(std::string_view text) {
  bool uri = text.starts_with("postgresql://") || text.starts_with("postgres://");
  Values values = uri ? ParseUri(text) : ParseKeywords(text);
  auto value = [&](const char* key) { return values[key]; };
  Conninfo info;
  info.hosts = ParseHosts(values, "localhost");
  info.user = value("user").empty() ? CurrentUser() : value("user");
  info.password = value("password");
  info.passfile = value("passfile");
  info.application_name =
      value("application_name").empty() ? value("fallback_application_name") : value("application_name");
  if (!value("sslmode").empty()) info.ssl_mode = ParseMode(value("sslmode"));
  info.ssl_root_file = value("sslrootcert");
  info.ssl_cert_file = value("sslcert");
  info.ssl_key_file = value("sslkey");
  if (!value("connect_timeout").empty())
    info.connect_timeout_s = ParseNumber(value("connect_timeout"), "connect_timeout", 0, INT32_MAX);
  return info;
}

std::string FormatConninfo(const Conninfo& info) {
  std::string text;
  auto add = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) text += fmt::format("{}{}={}", text.empty() ? "" : " ", key, Quote(value));
  };
  std::string hosts, ports;
  for (const Conninfo::Host& host : info.hosts) {
    hosts += (hosts.empty() ? "" : ",") + host.name;
    ports += (ports.empty() ? "" : ",") + std::to_string(host.port);
  }
  add("user", info.user);
  add("password", info.password);
  add("passfile", info.passfile);
  add("host", hosts);
  add("port", ports);
  add("application_name", info.application_name);
  add("sslmode", std::string(NameOf(info.ssl_mode)));
  add("sslrootcert", info.ssl_root_file);
  add("sslcert", info.ssl_cert_file);
  add("sslkey", info.ssl_key_file);
  if (info.connect_timeout_s > 0) add("connect_timeout", std::to_string(info.connect_timeout_s));
  return text;
}

std::string ConninfoForDisplay(const Conninfo& info) {
  Conninfo shown = info;
  if (!shown.password.empty()) shown.password = "********";
  return FormatConninfo(shown);
}

std::string FindPassword(std::string_view text, const Conninfo::Host& host, std::string_view user) {
  const std::string wanted[] = {host.name, std::to_string(host.port), "replication", std::string(user)};
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('#')) continue;
    std::vector<std::string> fields(1);
    for (size_t i = 0; i < line.size(); ++i) {
      bool escaped = line[i] == '\\' && i + 1 < line.size();
      if (escaped) {
        fields.back() += line[++i];
      } else if (line[i] == ':' && fields.size() < 5) {
        fields.emplace_back();
      } else {
        fields.back() += line[i];
      }
    }
    if (fields.size() != 5) continue;
    bool fits = true;
    for (size_t i = 0; i < 4; ++i) fits = fits && (fields[i] == "*" || fields[i] == wanted[i]);
    if (fits) return fields[4];
  }
  return "";
}

std::string PasswordFor(const Conninfo& info, const Conninfo::Host& host) {
  if (!info.password.empty()) return info.password;
  std::string path = info.passfile;
  if (const char* file = std::getenv("PGPASSFILE"); path.empty() && file != nullptr) path = file;
  if (const char* home = std::getenv("HOME"); path.empty() && home != nullptr)
    path = std::string(home) + "/.pgpass";
  struct stat status;
  if (path.empty() || stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return "";
  if ((status.st_mode & 077) != 0) {
    Log(Severity::kWarning,
        "password file \"{}\" has group or world access; permissions should be u=rw (0600) or less", path);
    return "";
  }
  return FindPassword(ReadWholeFile(path), host, info.user);
}

ClientTls ReadClientTls(const Conninfo& info) {
  ClientTls tls;
  tls.mode = info.ssl_mode;
  if (tls.mode == SslMode::kDisable) return tls;
  if (!info.ssl_root_file.empty()) {
    tls.root_certificates = ReadWholeFile(info.ssl_root_file);
    // As libpq: a root certificate that is given is checked against.
    if (tls.mode == SslMode::kRequire) tls.mode = SslMode::kVerifyCa;
  } else if (tls.mode >= SslMode::kVerifyCa) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "sslmode {} needs a root certificate", NameOf(tls.mode))
        .WithHint("Name the file of the certificate authority with sslrootcert.");
  }
  if (!info.ssl_cert_file.empty()) {
    tls.certificate = ReadWholeFile(info.ssl_cert_file);
    tls.key = ReadWholeFile(info.ssl_key_file);
  }
  return tls;
}

}  // namespace walden::replication

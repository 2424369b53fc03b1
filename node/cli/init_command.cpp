// walden init: makes a data directory.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "node/auth/scram.h"
#include "node/base/error.h"
#include "node/cli/commands.h"
#include "node/cli/conf_templates.h"
#include "node/os/file.h"
#include "node/server/bootstrap.h"
#include "node/server/data_directory.h"

namespace walden {
namespace {

constexpr OptionSpec kOptions[] = {
    {'D', "pgdata", "DIR", "data directory to make (default: environment variable PGDATA)"},
    {'U', "username", "NAME", "superuser (default postgres)"},
    {'A', "auth", "METHOD", "how all connections prove who they are"},
    {0, "auth-local", "METHOD", "the same for the Unix socket: trust (default), peer, scram-sha-256, md5, password, reject"},
    {0, "auth-host", "METHOD", "the same for TCP: scram-sha-256 (default), md5, password, trust, reject"},
    {0, "pwfile", "FILE", "file whose first line is the superuser's password"},
    {'E', "encoding", "ENCODING", "UTF8, the only one"},
    {0, "locale", "LOCALE", "C or C.UTF-8 (default)"},
    {0, "lc-collate", "LOCALE", "the same, given apart"},
    {0, "lc-ctype", "LOCALE", "must be the locale of lc-collate"},
    {0, "no-locale", nullptr, "locale C"},
    {'k', "data-checksums", nullptr, "page checksums (always on; for initdb's users)"},
};

// A directory of ours alone: made, or empty. Returns whether init made it.
bool ClaimDirectory(const std::string& directory) {
  if (!PathExists(directory)) {
    MakeDirectories(directory);
    return true;
  }
  for (const std::string& name : ListDirectory(directory)) {
    if (name == "lost+found" || name.starts_with('.')) continue;
    throw SqlError(ErrorCode::kDuplicateFile, "directory \"{}\" exists but is not empty", directory)
        .WithHint(
            "If you want to create a new node, either remove or empty the directory or use another one.");
  }
  if (chmod(directory.c_str(), kPrivateDirectoryMode) < 0) {
    throw FileError(errno, fmt::format("could not change permissions of directory \"{}\"", directory));
  }
  return false;
}

// The file may be a pipe.
std::string ReadPassword(const CommandLine& line) {
  if (!line.Has("pwfile")) return "";
  std::ifstream file(line.Value("pwfile"));
  if (!file) throw FileError(errno, fmt::format("could not open file \"{}\" for reading", line.Value("pwfile")));
  std::string password;
  std::getline(file, password);
  password.erase(password.find_last_not_of('\r') + 1);
  if (password.empty()) line.Fail(fmt::format("password file \"{}\" is empty", line.Value("pwfile")));
  return password;
}

// The method of one of the auth options; --auth stands for both.
std::string AuthMethod(const CommandLine& line, const char* option, const char* usual) {
  std::string method = line.Value(option, line.Value("auth", usual));
  bool is_local = std::string_view(option) == "auth-local";
  constexpr std::string_view kMethods[] = {"trust", "scram-sha-256", "md5", "password", "reject"};
  bool known = std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods) || (is_local && method == "peer");
  if (!known) {
    line.Fail(fmt::format("invalid authentication method \"{}\" for {} connections", method, is_local ? "local" : "host"));
  }
  return method;
}

std::string Locale(const CommandLine& line) {
  std::string locale = line.Has("no-locale") ? "C" : line.Value("locale", "C.UTF-8");
  std::string collate = line.Value("lc-collate", locale);
  for (const std::string& name : {collate, line.Value("lc-ctype", collate)}) {
    if (name != "C" && name != "C.UTF-8" && name != "POSIX") line.Fail(fmt::format("invalid locale name \"{}\"", name));
    if (name != collate) line.Fail("lc-collate and lc-ctype must be the same locale");
  }
  return collate == "POSIX" ? "C" : collate;
}

void CheckEncoding(const CommandLine& line) {
  std::string given = line.Value("encoding", "UTF8"), name;
  for (char c : given) {
    if (std::isalnum(static_cast<unsigned char>(c))) name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  if (name != "UTF8") line.Fail(fmt::format("\"{}\" is not a supported server encoding name: Walden stores UTF8", given));
}

// The system's zone, as /etc/localtime's target names it.
std::string SystemTimeZone() {
  if (const char* zone = std::getenv("TZ"); zone != nullptr && *zone != '\0')
    return zone[0] == ':' ? zone + 1 : zone;
  std::string target;
  constexpr std::string_view kBase = "zoneinfo/";
  if (fs().ReadLink("/etc/localtime", &target) == 0) {
    size_t at = target.find(kBase);
    if (at != std::string::npos) return target.substr(at + kBase.size());
  }
  return "Etc/UTC";
}

void WriteConfiguration(const std::string& directory, const std::string& auth_local, const std::string& auth_host) {
  WriteWholeFileDurably(directory + "/postgresql.conf", PostgresqlConf(SystemTimeZone()));
  WriteWholeFileDurably(
      directory + "/postgresql.auto.conf",
      "# Do not edit this file manually!\n# It will be overwritten by the ALTER SYSTEM command.\n");
  WriteWholeFileDurably(directory + "/pg_hba.conf", PgHbaConf(auth_local, auth_host));
  WriteWholeFileDurably(directory + "/pg_ident.conf", PgIdentConf());
}

}  // namespace

constexpr CommandSpec kInitSpec{
    "init", "make a data directory for a new node", nullptr, kOptions,
    "The databases postgres, template0 and template1 are created, owned by the superuser."};

int InitCommand(const CommandLine& line) {
  std::string directory = line.DataDirectory();
  std::string auth_local = AuthMethod(line, "auth-local", "trust"), auth_host = AuthMethod(line, "auth-host", "scram-sha-256");
  std::string locale = Locale(line);
  CheckEncoding(line);
  if (geteuid() == 0) {
    throw SqlError(ErrorCode::kInsufficientPrivilege, "cannot be run as root")
        .WithHint(
            "Please log in (using, e.g., \"su\") as the (unprivileged) user that will own the server "
            "process.");
  }
  umask(077);
  std::string password = ReadPassword(line);
  bool made = ClaimDirectory(directory);
  fmt::print("creating data directory {} ... ", directory);
  std::fflush(stdout);
  try {
    WriteConfiguration(directory, auth_local, auth_host);
    std::string verifier = password.empty() ? "" : EncodePassword(password);
    BootstrapNode({directory, line.Value("username", "postgres"), verifier, locale});
  } catch (const SqlError&) {
    fmt::print("failed\n");
    std::fflush(stdout);
    if (made) {
      RemoveTree(directory);
    } else {
      for (const std::string& name : ListDirectory(directory)) {
        if (name != "lost+found") RemoveTree(directory + "/" + name);
      }
    }
    throw;
  }
  fmt::print("ok\n");
  if (!line.Has("auth-local") && !line.Has("auth")) {
    fmt::print(stderr,
               "\nwalden init: warning: enabling \"trust\" authentication for local connections\n"
               "walden init: hint: You can change this by editing pg_hba.conf or using the option "
               "--auth-local=peer.\n");
  }
  fmt::print("\nSuccess. You can now start the node using:\n\n    walden start -D {}\n\n", directory);
  return 0;
}

}  // namespace walden

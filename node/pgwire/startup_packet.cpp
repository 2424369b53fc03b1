#include "node/pgwire/startup_packet.h"

#include <algorithm>

#include "node/base/bytes.h"
#include "node/base/log.h"
#include "node/shm/interrupts.h"
#include "node/shm/process.h"

namespace walden {
namespace {

constexpr uint32_t kProtocolVersion3 = 3 << 16;
constexpr uint32_t kCancelRequest = (1234 << 16) | 5678;
constexpr uint32_t kSslRequest = (1234 << 16) | 5679;
constexpr uint32_t kGssRequest = (1234 << 16) | 5680;
constexpr uint32_t kMaxStartupBytes = 10000;

SqlError Fatal(ErrorCode code, std::string message) {
  SqlError error(code, std::move(message));
  error.WithSeverity(Severity::kFatal);
  return error;
}

// The session whose pid and key the request names is asked to stop its statement. Says nothing either way.
void ServeCancelRequest(std::string_view body) {
  if (body.size() < 8) return;
  int32_t pid = static_cast<int32_t>(LoadBig<uint32_t>(body.data()));
  uint32_t key = LoadBig<uint32_t>(body.data() + 4);
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) {
    const ProcessSlot& process = SlotAt(slot);
    if (process.pid.load(std::memory_order_acquire) != pid) continue;
    if (process.cancel_key.load(std::memory_order_relaxed) == key)
      RaiseInterruptOfPid(pid, Interrupt::kCancel);
    return;
  }
}

// "-c name=value --name=value", backslash quotes the next character.
void ParseOptions(std::string_view options, SessionStart* start) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;
  for (size_t i = 0; i < options.size(); ++i) {
    char c = options[i];
    if (c == '\\' && i + 1 < options.size()) {
      word += options[++i];
      open = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (open) words.push_back(std::exchange(word, {}));
      open = false;
    } else {
      word += c;
      open = true;
    }
  }
  if (open) words.push_back(word);
  for (size_t i = 0; i < words.size(); ++i) {
    std::string setting;
    if (words[i] == "-c" && i + 1 < words.size()) {
      setting = words[++i];
    } else if (words[i].starts_with("-c") || words[i].starts_with("--")) {
      setting = words[i].substr(2);
    } else {
      throw Fatal(ErrorCode::kSyntaxError,
                  fmt::format("invalid command-line argument for server process: {}", words[i]));
    }
    size_t equals = setting.find('=');
    if (equals == std::string::npos)
      throw Fatal(ErrorCode::kSyntaxError, fmt::format("-c {} requires a value", setting));
    std::string name = setting.substr(0, equals);
    for (char& c : name) c = c == '-' ? '_' : c;
    start->settings.emplace_back(name, setting.substr(equals + 1));
  }
}

SessionStart ParseStartup(std::string_view body, std::vector<std::string>* unknown_options) {
  SessionStart start;
  if (!body.ends_with('\0')) {
    throw Fatal(ErrorCode::kProtocolViolation,
                "invalid startup packet layout: expected terminator as last byte");
  }
  MessageReader reader(body);
  while (true) {
    std::string_view name = reader.String();
    if (name.empty()) {
      if (!reader.AtEnd())
        throw Fatal(ErrorCode::kProtocolViolation,
                    "invalid startup packet layout: expected terminator as last byte");
      break;
    }
    std::string_view value = reader.String();
    if (name == "user") {
      start.user = value;
    } else if (name == "database") {
      start.database = value;
    } else if (name == "options") {
      ParseOptions(value, &start);
    } else if (name == "replication") {
      if (value == "off" || value == "false" || value == "0" || value == "no") continue;
      SqlError error = Fatal(ErrorCode::kFeatureNotSupported,
                             "replication connections are not supported by this protocol");
      error.WithHint("Replicas stream over gRPC: use \"walden basebackup\".");
      throw error;
    } else if (name.starts_with("_pq_.")) {
      unknown_options->emplace_back(name);
    } else {
      start.settings.emplace_back(name, value);
    }
  }
  if (start.user.empty()) {
    throw Fatal(ErrorCode::kInvalidAuthorizationSpecification,
                "no PostgreSQL user name specified in startup packet");
  }
  if (start.database.empty()) start.database = start.user;
  // Names are cut as those of the catalogs are.
  start.user.resize(std::min<size_t>(start.user.size(), 63));
  start.database.resize(std::min<size_t>(start.database.size(), 63));
  return start;
}

// Answers a request for encryption. What the client sent behind it was not encrypted, yet would be taken for what is.
void ServeEncryptionRequest(Connection& connection, bool tls) {
  bool accepted = tls && TlsAvailable() && !connection.peer().is_unix;
  connection.PutByte(accepted ? 'S' : 'N');
  connection.Flush();
  if (connection.HasBufferedInput()) {
    SqlError error = Fatal(ErrorCode::kProtocolViolation,
                           tls ? "received unencrypted data after SSL request"
                               : "received unencrypted data after GSSAPI encryption request");
    error.WithDetail(
        "This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.");
    throw error;
  }
  if (accepted) connection.StartTls();
}

// What a newer client asked for and does not get: it decides whether to go on.
void NegotiateProtocolVersion(Connection& connection, const std::vector<std::string>& unknown_options) {
  connection.Begin('v');
  connection.PutInt32(kProtocolVersion3);
  connection.PutInt32(static_cast<int32_t>(unknown_options.size()));
  for (const std::string& name : unknown_options) connection.PutString(name);
  connection.End();
}

// A client that leaves within the packet is told of in the log; one that only looked whether the port is open is not.
void ReadPart(Connection& connection, char* to, size_t bytes, bool begun) {
  try {
    connection.ReadExactly(to, bytes);
  } catch (const ConnectionLost&) {
    if (begun || connection.HasBufferedInput()) Log(Severity::kLog, "incomplete startup packet");
    throw;
  }
}

}  // namespace

std::optional<SessionStart> ReadStartupPacket(Connection& connection) {
  bool ssl_asked = false, gss_asked = false;
  while (true) {
    char header[8];
    ReadPart(connection, header, sizeof header, false);
    uint32_t length = LoadBig<uint32_t>(header), code = LoadBig<uint32_t>(header + 4);
    if (length < 8 || length > kMaxStartupBytes) {
      Log(Severity::kLog, "invalid length of startup packet");
      throw ConnectionLost();
    }
    std::string body(length - 8, '\0');
    ReadPart(connection, body.data(), body.size(), true);
    if (code == kCancelRequest) {
      ServeCancelRequest(body);
      return std::nullopt;
    }
    if ((code == kSslRequest && !ssl_asked) || (code == kGssRequest && !gss_asked)) {
      (code == kSslRequest ? ssl_asked : gss_asked) = true;
      ServeEncryptionRequest(connection, code == kSslRequest);
      continue;
    }
    if (code >> 16 != 3) {
      throw Fatal(ErrorCode::kFeatureNotSupported,
                  fmt::format("unsupported frontend protocol {}.{}: server supports 3.0 to 3.0", code >> 16,
                              code & 0xFFFF));
    }
    std::vector<std::string> unknown_options;
    SessionStart start = ParseStartup(body, &unknown_options);
    if (code > kProtocolVersion3 || !unknown_options.empty())
      NegotiateProtocolVersion(connection, unknown_options);
    return start;
  }
}

}  // namespace walden

// TLS of the replication port and of the connections to it. Only rpc_*.cpp sees gRPC's credential types.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "replication/login_policy.h"

namespace grpc {
class ServerCredentials;
class ChannelCredentials;
}  // namespace grpc

namespace walden::replication {

// The PEM texts of ssl_cert_file, ssl_key_file, ssl_ca_file.
struct TlsIdentity {
  std::string certificate;
  std::string key;
  std::string authorities;  // client certificates are verified against; empty: none are asked for
};
// Throws like any failed read; F0000 for a key that cannot be used. At the process's start a key with a passphrase is the one that the
// postmaster has opened.
TlsIdentity ReadTlsIdentity(bool is_reload);

// Nothing for text that is no certificate.
std::optional<CertificateNames> NamesInCertificate(std::string_view pem);

// Server credentials whose identity may change under running connections: new handshakes get the newest.
class ReloadableTls {
 public:
  explicit ReloadableTls(TlsIdentity identity);
  ~ReloadableTls();
  void Replace(TlsIdentity identity);
  std::shared_ptr<grpc::ServerCredentials> credentials() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
};

enum class SslMode : uint8_t { kDisable, kPrefer, kRequire, kVerifyCa, kVerifyFull };
struct ClientTls {
  SslMode mode = SslMode::kPrefer;
  std::string root_certificates;  // PEM
  std::string certificate, key;   // PEM; empty: none
};
// `encrypted` false: plain text.
std::shared_ptr<grpc::ChannelCredentials> MakeClientCredentials(const ClientTls& tls, bool encrypted);

}  // namespace walden::replication

#include "replication/tls.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <mutex>
#include <vector>

#include "node/auth/server_key.h"
#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/os/file.h"

namespace walden::replication {

TlsIdentity ReadTlsIdentity(bool is_reload) {
  TlsIdentity identity;
  identity.certificate = ReadWholeFile(GetString(Setting::kSslCertFile));
  identity.key = is_reload ? ReadServerKey(KeyReading::kReload) : InheritedServerKey();
  const std::string& authorities = GetString(Setting::kSslCaFile);
  if (!authorities.empty()) identity.authorities = ReadWholeFile(authorities);
  return identity;
}

std::optional<CertificateNames> NamesInCertificate(std::string_view pem) {
  using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
  Bio text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr), X509_free);
  if (certificate == nullptr) return std::nullopt;
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  CertificateNames names;
  Bio printed(BIO_new(BIO_s_mem()), BIO_free);
  X509_NAME_print_ex(printed.get(), subject, 0, XN_FLAG_RFC2253);
  char* bytes = nullptr;
  long length = BIO_get_mem_data(printed.get(), &bytes);
  names.distinguished.assign(bytes, static_cast<size_t>(length));
  int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  unsigned char* utf8 = nullptr;
  int common_length =
      at < 0 ? -1 : ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (common_length >= 0)
    names.common.assign(reinterpret_cast<char*>(utf8), static_cast<size_t>(common_length));
  OPENSSL_free(utf8);
  // A zero byte inside a name could make it look like another one.
  if (names.common.find('\0') != std::string::npos) names.common.clear();
  return names;
}

struct ReloadableTls::State {
  std::mutex mutex;
  TlsIdentity identity;  // Guarded by: mutex
  bool changed = true;   // since the last handshake asked. Guarded by: mutex
};

namespace {

// gRPC's C++ interface has no credentials that are asked for their certificate at each handshake; its C interface has.
class FetchingCredentials : public grpc::ServerCredentials {
 public:
  explicit FetchingCredentials(grpc_server_credentials* credentials) : credentials_(credentials) {}
  ~FetchingCredentials() override { grpc_server_credentials_release(credentials_); }
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }
  grpc_server_credentials* credentials_;
};

}  // namespace

ReloadableTls::ReloadableTls(TlsIdentity identity) : state_(std::make_shared<State>()) {
  bool ask_client = !identity.authorities.empty();
  state_->identity = std::move(identity);
  auto fetch = [](void* data, grpc_ssl_server_certificate_config** config) {
    State* state = static_cast<State*>(data);
    std::lock_guard guard(state->mutex);
    if (!state->changed) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    grpc_ssl_pem_key_cert_pair pair{state->identity.key.c_str(), state->identity.certificate.c_str()};
    // gRPC aborts without roots, also where no client certificate will be asked for and nothing is verified with them.
    const TlsIdentity& identity = state->identity;
    const char* roots =
        identity.authorities.empty() ? identity.certificate.c_str() : identity.authorities.c_str();
    *config = grpc_ssl_server_certificate_config_create(roots, &pair, 1);
    state->changed = false;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  };
  grpc_ssl_server_credentials_options* options =
      grpc_ssl_server_credentials_create_options_using_config_fetcher(
          ask_client ? GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY
                     : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
          fetch, state_.get());
  credentials_ =
      std::make_shared<FetchingCredentials>(grpc_ssl_server_credentials_create_with_options(options));
}

ReloadableTls::~ReloadableTls() = default;

void ReloadableTls::Replace(TlsIdentity identity) {
  std::lock_guard guard(state_->mutex);
  state_->identity = std::move(identity);
  state_->changed = true;
}

std::shared_ptr<grpc::ServerCredentials> ReloadableTls::credentials() const { return credentials_; }

namespace {

// A certificate that vouches for nobody: its key is gone with this call. "" if it cannot be made.
std::string CertificateOfNobody() {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), BIO_free);
  if (key == nullptr || certificate == nullptr || text == nullptr) return {};
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 1);
  bool made = X509_set_pubkey(certificate.get(), key.get()) == 1 &&
              X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0 &&
              PEM_write_bio_X509(text.get(), certificate.get()) == 1;
  char* bytes = nullptr;
  long length = BIO_get_mem_data(text.get(), &bytes);
  return made ? std::string(bytes, static_cast<size_t>(length)) : std::string();
}

}  // namespace

std::shared_ptr<grpc::ChannelCredentials> MakeClientCredentials(const ClientTls& tls, bool encrypted) {
  if (!encrypted) return grpc::InsecureChannelCredentials();
  namespace e = grpc::experimental;
  e::TlsChannelCredentialsOptions options;
  std::vector<e::IdentityKeyCertPair> pairs;
  if (!tls.certificate.empty()) pairs.push_back({tls.key, tls.certificate});
  // Without roots of its own a channel reads the system's, a hundred and more, also where nothing is verified.
  bool verifies = tls.mode >= SslMode::kVerifyCa;
  std::string roots = verifies ? tls.root_certificates : CertificateOfNobody();
  if (!roots.empty() || !pairs.empty())
    options.set_certificate_provider(std::make_shared<e::StaticDataCertificateProvider>(roots, pairs));
  if (!roots.empty()) options.watch_root_certs();
  if (!pairs.empty()) options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(verifies);
  if (tls.mode == SslMode::kVerifyFull) {
    options.set_certificate_verifier(std::make_shared<e::HostNameCertificateVerifier>());
  } else {
    options.set_certificate_verifier(std::make_shared<e::NoOpCertificateVerifier>());
    options.set_check_call_host(false);
  }
  return e::TlsCredentials(options);
}

}  // namespace walden::replication

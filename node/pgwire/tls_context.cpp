#include "node/pgwire/tls_context.h"

#include <openssl/dh.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <memory>
#include <utility>

#include "node/auth/server_key.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/pgwire/tls.h"

namespace walden {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

Context context(nullptr, SSL_CTX_free);
bool verifies_clients = false;

template <class... Args>
SqlError Unusable(fmt::format_string<Args...> format, Args&&... args) {
  return SqlError(ErrorCode::kConfigFileError, format, std::forward<Args>(args)...);
}

void UseKey(SSL_CTX* fresh, const std::string& pem) {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                BIO_free);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr);
  bool used = key != nullptr && SSL_CTX_use_PrivateKey(fresh, key) == 1;
  EVP_PKEY_free(key);
  if (!used)
    throw Unusable("could not load private key file \"{}\": {}", GetString(Setting::kSslKeyFile),
                   TlsErrorText());
}

void LoadCertificate(SSL_CTX* fresh, KeyReading reading) {
  const std::string& certificate = GetString(Setting::kSslCertFile);
  if (SSL_CTX_use_certificate_chain_file(fresh, certificate.c_str()) != 1) {
    throw Unusable("could not load server certificate file \"{}\": {}", certificate, TlsErrorText());
  }
  UseKey(fresh, ReadServerKey(reading));
  if (SSL_CTX_check_private_key(fresh) != 1)
    throw Unusable("check of private key failed: {}", TlsErrorText());
}

int LibraryVersion(Setting setting) {
  switch (GetEnum<TlsVersion>(setting)) {
    case TlsVersion::kAny: return 0;
    case TlsVersion::kTls1: return TLS1_VERSION;
    case TlsVersion::kTls1_1: return TLS1_1_VERSION;
    case TlsVersion::kTls1_2: return TLS1_2_VERSION;
    case TlsVersion::kTls1_3: return TLS1_3_VERSION;
  }
  return 0;
}

void SetVersions(SSL_CTX* fresh) {
  int lowest = LibraryVersion(Setting::kSslMinProtocolVersion),
      highest = LibraryVersion(Setting::kSslMaxProtocolVersion);
  if (SSL_CTX_set_min_proto_version(fresh, lowest) != 1)
    throw Unusable("could not set minimum SSL protocol version");
  if (SSL_CTX_set_max_proto_version(fresh, highest) != 1)
    throw Unusable("could not set maximum SSL protocol version");
  if (lowest != 0 && highest != 0 && lowest > highest) {
    throw Unusable("could not set SSL protocol version range")
        .WithDetail("\"ssl_min_protocol_version\" cannot be higher than \"ssl_max_protocol_version\"");
  }
}

void LoadDhParameters(SSL_CTX* fresh) {
  const std::string& file = GetString(Setting::kSslDhParamsFile);
  if (file.empty()) {
    SSL_CTX_set_dh_auto(fresh, 1);
    return;
  }
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_file(file.c_str(), "r"), BIO_free);
  if (bio == nullptr) throw Unusable("could not open DH parameters file \"{}\": {}", file, TlsErrorText());
  EVP_PKEY* parameters = PEM_read_bio_Parameters(bio.get(), nullptr);
  if (parameters == nullptr) throw Unusable("could not load DH parameters file: {}", TlsErrorText());
  if (SSL_CTX_set0_tmp_dh_pkey(fresh, parameters) != 1) {
    EVP_PKEY_free(parameters);
    throw Unusable("DH: could not set DH parameters: {}", TlsErrorText());
  }
}

void SetCiphers(SSL_CTX* fresh) {
  const std::string& curve = GetString(Setting::kSslEcdhCurve);
  if (OBJ_sn2nid(curve.c_str()) == NID_undef) throw Unusable("ECDH: unrecognized curve name: {}", curve);
  if (SSL_CTX_set1_groups_list(fresh, curve.c_str()) != 1) throw Unusable("ECDH: could not create key");
  if (SSL_CTX_set_cipher_list(fresh, GetString(Setting::kSslCiphers).c_str()) != 1) {
    TlsErrorText();
    throw Unusable("could not set the cipher list (no valid ciphers available)");
  }
  if (GetBool(Setting::kSslPreferServerCiphers)) SSL_CTX_set_options(fresh, SSL_OP_CIPHER_SERVER_PREFERENCE);
}

// Whoever shows a certificate must have one of these authorities; who must show one is for pg_hba.conf to say.
void LoadAuthorities(SSL_CTX* fresh) {
  const std::string& file = GetString(Setting::kSslCaFile);
  if (file.empty()) return;
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file.c_str());
  if (names == nullptr || SSL_CTX_load_verify_locations(fresh, file.c_str(), nullptr) != 1) {
    if (names != nullptr) sk_X509_NAME_pop_free(names, X509_NAME_free);
    throw Unusable("could not load root certificate file \"{}\": {}", file, TlsErrorText());
  }
  SSL_CTX_set_client_CA_list(fresh, names);
  SSL_CTX_set_verify(fresh, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, nullptr);
}

void LoadRevocations(SSL_CTX* fresh) {
  const std::string& file = GetString(Setting::kSslCrlFile);
  const std::string& directory = GetString(Setting::kSslCrlDir);
  if (file.empty() && directory.empty()) return;
  X509_STORE* store = SSL_CTX_get_cert_store(fresh);
  if (X509_STORE_load_locations(store, file.empty() ? nullptr : file.c_str(),
                                directory.empty() ? nullptr : directory.c_str()) != 1) {
    if (directory.empty())
      throw Unusable("could not load SSL certificate revocation list file \"{}\": {}", file, TlsErrorText());
    if (file.empty())
      throw Unusable("could not load SSL certificate revocation list directory \"{}\": {}", directory,
                     TlsErrorText());
    throw Unusable("could not load SSL certificate revocation list file \"{}\" or directory \"{}\": {}", file,
                   directory, TlsErrorText());
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

Context MakeContext(KeyReading reading) {
  Context fresh(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (fresh == nullptr) throw Unusable("could not create SSL context: {}", TlsErrorText());
  // A session of the wire protocol is never resumed by a second TLS connection.
  SSL_CTX_set_options(fresh.get(), SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_SINGLE_DH_USE | SSL_OP_SINGLE_ECDH_USE);
  SSL_CTX_set_num_tickets(fresh.get(), 0);
  SSL_CTX_set_session_cache_mode(fresh.get(), SSL_SESS_CACHE_OFF);
  LoadCertificate(fresh.get(), reading);
  SetVersions(fresh.get());
  LoadDhParameters(fresh.get());
  SetCiphers(fresh.get());
  LoadAuthorities(fresh.get());
  LoadRevocations(fresh.get());
  return fresh;
}

}  // namespace

ssl_ctx_st* CurrentTlsContext() { return context.get(); }
bool TlsAvailable() { return context != nullptr; }
bool TlsVerifiesClients() { return context != nullptr && verifies_clients; }

static void MakeTls(KeyReading reading) {
  if (!GetBool(Setting::kSsl)) {
    context.reset();
    return;
  }
  context = MakeContext(reading);
  verifies_clients = !GetString(Setting::kSslCaFile).empty();
}

void LoadTls() { MakeTls(KeyReading::kStart); }

void ReloadTls() {
  try {
    MakeTls(KeyReading::kReload);
  } catch (const SqlError& error) {
    LogError(Severity::kLog, error);
    Log(Severity::kLog, "SSL configuration was not reloaded");
  }
}

}  // namespace walden

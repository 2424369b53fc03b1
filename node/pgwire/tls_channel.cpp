#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>

#include "node/auth/server_key.h"
#include "node/base/error.h"
#include "node/pgwire/tls.h"
#include "node/pgwire/tls_context.h"

namespace walden {
namespace {

using BytesBio = std::unique_ptr<BIO, decltype(&BIO_free)>;

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  long length = BIO_get_mem_data(bio, &data);
  return length > 0 ? std::string(data, static_cast<size_t>(length)) : std::string();
}

// "/C=DE/CN=alice": each field in order, as pg_stat_ssl shows it.
std::string SlashedName(const X509_NAME* name) {
  BytesBio bio(BIO_new(BIO_s_mem()), BIO_free);
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    const char* field = OBJ_nid2sn(nid);
    BIO_printf(bio.get(), "/%s=", field != nullptr ? field : OBJ_nid2ln(nid));
    ASN1_STRING_print_ex(bio.get(), X509_NAME_ENTRY_get_data(entry),
                         (ASN1_STRFLGS_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) | ASN1_STRFLGS_UTF8_CONVERT);
  }
  return TextOf(bio.get());
}

std::string Rfc2253Name(const X509_NAME* name) {
  BytesBio bio(BIO_new(BIO_s_mem()), BIO_free);
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  return TextOf(bio.get());
}

// A zero byte inside a name could make it look like another one.
std::string CommonName(const X509_NAME* name) {
  int at = X509_NAME_get_index_by_NID(const_cast<X509_NAME*>(name), NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* utf8 = nullptr;
  int length = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (length < 0) return {};
  std::string text(reinterpret_cast<char*>(utf8), static_cast<size_t>(length));
  OPENSSL_free(utf8);
  if (text.find('\0') != std::string::npos) {
    throw SqlError(ErrorCode::kProtocolViolation, "SSL certificate's common name contains embedded null")
        .WithSeverity(Severity::kFatal);
  }
  return text;
}

std::string SerialText(X509* certificate) {
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get_serialNumber(certificate), nullptr);
  char* decimal = BN_bn2dec(number);
  std::string text(decimal);
  OPENSSL_free(decimal);
  BN_free(number);
  return text;
}

}  // namespace

TlsChannel::TlsChannel(int fd) : ssl_(SSL_new(CurrentTlsContext())) {
  if (ssl_ == nullptr || SSL_set_fd(ssl_, fd) != 1) {
    throw SqlError(ErrorCode::kProtocolViolation, "could not initialize SSL connection: {}", TlsErrorText())
        .WithSeverity(Severity::kFatal);
  }
  SSL_set_mode(ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

TlsChannel::~TlsChannel() {
  // Tells the client that this is the end, if the socket takes it at once.
  if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
  SSL_free(ssl_);
  ERR_clear_error();
}

TlsChannel::Attempt TlsChannel::Failed(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ: return {0, POLLIN};
    case SSL_ERROR_WANT_WRITE: return {0, POLLOUT};
    default: return {0, 0};
  }
}

TlsChannel::Attempt TlsChannel::Handshake() {
  ERR_clear_error();
  int result = SSL_accept(ssl_);
  if (result == 1) {
    Describe();
    return {1, 0};
  }
  Attempt attempt = Failed(result);
  if (attempt.wait != 0) return attempt;
  if (ERR_peek_error() == 0)
    throw SqlError(ErrorCode::kProtocolViolation, "could not accept SSL connection: EOF detected");
  SqlError error(ErrorCode::kProtocolViolation, "could not accept SSL connection: {}", TlsErrorText());
  if (long verdict = SSL_get_verify_result(ssl_); verdict != X509_V_OK) {
    error.WithDetail(
        fmt::format("Client certificate verification failed: {}.", X509_verify_cert_error_string(verdict)));
  }
  throw error;
}

TlsChannel::Attempt TlsChannel::Read(char* to, size_t bytes) {
  ERR_clear_error();
  size_t got = 0;
  int result = SSL_read_ex(ssl_, to, bytes, &got);
  return result == 1 ? Attempt{static_cast<ssize_t>(got), 0} : Failed(result);
}

TlsChannel::Attempt TlsChannel::Write(const char* from, size_t bytes) {
  ERR_clear_error();
  size_t sent = 0;
  int result = SSL_write_ex(ssl_, from, bytes, &sent);
  return result == 1 ? Attempt{static_cast<ssize_t>(sent), 0} : Failed(result);
}

bool TlsChannel::HasBufferedInput() const { return SSL_has_pending(ssl_) == 1; }

void TlsChannel::Describe() {
  info_.version = SSL_get_version(ssl_);
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_);
  info_.cipher = SSL_CIPHER_get_name(cipher);
  info_.bits = SSL_CIPHER_get_bits(cipher, nullptr);
  std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(ssl_), X509_free);
  if (peer == nullptr || SSL_get_verify_result(ssl_) != X509_V_OK) return;
  info_.has_certificate = true;
  const X509_NAME* subject = X509_get_subject_name(peer.get());
  info_.common_name = CommonName(subject);
  info_.client_dn = SlashedName(subject);
  info_.client_dn_2253 = Rfc2253Name(subject);
  info_.client_serial = SerialText(peer.get());
  info_.issuer_dn = SlashedName(X509_get_issuer_name(peer.get()));
}

std::string TlsChannel::ServerEndPoint() const {
  X509* own = SSL_get_certificate(ssl_);
  int digest_nid = NID_undef;
  if (own == nullptr || X509_get_signature_info(own, &digest_nid, nullptr, nullptr, nullptr) != 1) return {};
  // RFC 5929: what is weaker than SHA-256 is replaced by it.
  const EVP_MD* digest =
      digest_nid == NID_md5 || digest_nid == NID_sha1 ? EVP_sha256() : EVP_get_digestbynid(digest_nid);
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (digest == nullptr || X509_digest(own, digest, hash, &length) != 1) return {};
  return std::string(reinterpret_cast<char*>(hash), length);
}

}  // namespace walden

// TLS of client connections. The context (certificate, key, authorities) is made from the ssl_* settings by the postmaster, which its children
// inherit: a reload that fails leaves the former one in force. Each connection that asks for TLS gets a channel over its non-blocking socket.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

struct ssl_st;

namespace walden {

// Makes the context if `ssl` is on. Throws F0000 (or a file error) for what cannot be used.
void LoadTls();
// The same after the settings changed: failures are logged and the former context stays.
void ReloadTls();
// Connections may ask for TLS.
bool TlsAvailable();
// ssl_ca_file names authorities, so client certificates can be verified.
bool TlsVerifiesClients();

// What pg_stat_ssl and the log say of a connection.
struct TlsInfo {
  std::string version;  // "TLSv1.3"
  std::string cipher;
  int bits = 0;
  // Of the client's certificate, verified by the authorities of ssl_ca_file; empty without one.
  bool has_certificate = false;
  std::string common_name;
  std::string client_dn;       // "/CN=alice"
  std::string client_dn_2253;  // "CN=alice", as clientname=DN compares
  std::string client_serial;   // decimal
  std::string issuer_dn;
};

class TlsChannel {
 public:
  explicit TlsChannel(int fd);
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  // An attempt does what it can without waiting.
  struct Attempt {
    ssize_t bytes = 0;  // > 0: done; 0: the stream has ended or is broken
    short wait = 0;     // not 0: nothing was done, try again after these poll events
  };
  // bytes 1: the handshake is complete. A failed one throws 08P01, to be logged: the client learns of it by an alert.
  Attempt Handshake();
  Attempt Read(char* to, size_t bytes);
  Attempt Write(const char* from, size_t bytes);
  // Input that the library has decrypted already: the socket would not become readable for it.
  bool HasBufferedInput() const;

  const TlsInfo& info() const { return info_; }
  // The hash of the server's certificate that channel binding "tls-server-end-point" (RFC 5929) uses; empty if its signature names no hash.
  std::string ServerEndPoint() const;

 private:
  Attempt Failed(int result);
  void Describe();

  ssl_st* ssl_;
  TlsInfo info_;
};

}  // namespace walden

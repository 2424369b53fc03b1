// The server's private key (ssl_key_file), opened with ssl_passphrase_command if it has a passphrase.
#pragma once

#include <string>

namespace walden {

// The oldest error of the TLS library's queue as text; empties the queue.
std::string TlsErrorText();

// A reload asks for a passphrase only with ssl_passphrase_command_supports_reload.
enum class KeyReading { kStart, kReload };

// The key as PEM without a passphrase. Throws F0000, or a file error, for a key that cannot be used or that
// others may read.
std::string ReadServerKey(KeyReading reading);
// For a child of the process that read the key: the file's key if it can be read without asking anybody, else
// the one read before the fork.
std::string InheritedServerKey();

}  // namespace walden

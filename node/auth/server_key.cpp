#include "node/auth/server_key.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/os/process.h"

namespace walden {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

constexpr char kPrompt[] = "Enter PEM pass phrase:";

std::string former_key;  // the last key that this process, or the one it was forked from, read

template <class... Args>
SqlError Unusable(fmt::format_string<Args...> format, Args&&... args) {
  return SqlError(ErrorCode::kConfigFileError, format, std::forward<Args>(args)...);
}

void CheckKeyFile(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) < 0)
    throw FileError(errno, fmt::format("could not access private key file \"{}\"", path));
  if (!S_ISREG(info.st_mode)) throw Unusable("private key file \"{}\" is not a regular file", path);
  if (info.st_uid != geteuid() && info.st_uid != 0) {
    throw Unusable("private key file \"{}\" must be owned by the database user or root", path);
  }
  mode_t forbidden = info.st_uid == geteuid() ? S_IRWXG | S_IRWXO : S_IWGRP | S_IXGRP | S_IRWXO;
  if ((info.st_mode & forbidden) != 0) {
    throw Unusable("private key file \"{}\" has group or world access", path)
        .WithDetail(
            "File must have permissions u=rw (0600) or less if owned by the database user, or permissions "
            "u=rw,g=r (0640) or less if owned by root.");
  }
}

// %p stands for the prompt, %% for %.
std::string PassphraseCommand(const std::string& pattern) {
  std::string command;
  for (size_t i = 0; i < pattern.size(); ++i) {
    bool escape = pattern[i] == '%' && i + 1 < pattern.size();
    if (escape && pattern[i + 1] == 'p')
      command += kPrompt;
    else if (!escape || pattern[i + 1] != '%') {
      command += pattern[i];
      continue;
    } else
      command += '%';
    ++i;
  }
  return command;
}

// The first line that the command prints.
std::string AskForPassphrase() {
  std::string command = PassphraseCommand(GetString(Setting::kSslPassphraseCommand)), output;
  int status = RunShellCommand(command, &output);
  if (status != 0) {
    OPENSSL_cleanse(output.data(), output.size());
    throw Unusable("command \"{}\" failed", command)
        .WithDetail("child process " + DescribeWaitStatus(status));
  }
  std::string line = output.substr(0, output.find_first_of("\r\n"));
  OPENSSL_cleanse(output.data(), output.size());
  return line;
}

// What the library's wish for a passphrase came to. Nothing may be thrown through the library.
struct Wish {
  bool may_ask;
  bool was_refused = false;
  std::optional<SqlError> error;
};

int AnswerWish(char* buffer, int size, int, void* data) {
  Wish& wish = *static_cast<Wish*>(data);
  if (!wish.may_ask) {
    wish.was_refused = true;
    return -1;
  }
  try {
    std::string passphrase = AskForPassphrase();
    int length = static_cast<int>(std::min<size_t>(passphrase.size(), static_cast<size_t>(size)));
    std::memcpy(buffer, passphrase.data(), static_cast<size_t>(length));
    OPENSSL_cleanse(passphrase.data(), passphrase.size());
    return length;
  } catch (const SqlError& error) {
    wish.error = error;
    return -1;
  }
}

std::string ToPem(EVP_PKEY* key) {
  Bio memory(BIO_new(BIO_s_secmem()), BIO_free);
  PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  char* bytes = nullptr;
  long length = BIO_get_mem_data(memory.get(), &bytes);
  return std::string(bytes, static_cast<size_t>(length));
}

// Nothing: the key wants a passphrase that nobody may be asked for.
std::optional<std::string> ReadKey(bool may_ask) {
  const std::string& path = GetString(Setting::kSslKeyFile);
  CheckKeyFile(path);
  Bio file(BIO_new_file(path.c_str(), "r"), BIO_free);
  Wish wish{may_ask, false, std::nullopt};
  Key key(file == nullptr ? nullptr : PEM_read_bio_PrivateKey(file.get(), nullptr, AnswerWish, &wish),
          EVP_PKEY_free);
  if (key != nullptr) return ToPem(key.get());
  std::string problem = TlsErrorText();
  if (wish.error) throw *wish.error;
  if (wish.was_refused) return std::nullopt;
  throw Unusable("could not load private key file \"{}\": {}", path, problem);
}

}  // namespace

std::string TlsErrorText() {
  unsigned long code = ERR_get_error();
  std::string text = "no SSL error reported";
  if (code != 0) {
    const char* reason = ERR_reason_error_string(code);
    // An error of the operating system carries errno and no reason of the library's.
    text = ERR_SYSTEM_ERROR(code) ? std::string(strerror(ERR_GET_REASON(code)))
           : reason != nullptr    ? std::string(reason)
                                  : fmt::format("SSL error code {}", code);
  }
  ERR_clear_error();
  return text;
}

std::string ReadServerKey(KeyReading reading) {
  bool may_ask = !GetString(Setting::kSslPassphraseCommand).empty() &&
                 (reading == KeyReading::kStart || GetBool(Setting::kSslPassphraseCommandSupportsReload));
  std::optional<std::string> key = ReadKey(may_ask);
  if (!key) {
    throw Unusable("private key file \"{}\" cannot be loaded because it requires a passphrase",
                   GetString(Setting::kSslKeyFile));
  }
  former_key = *key;
  return *key;
}

std::string InheritedServerKey() {
  std::optional<std::string> key = ReadKey(/*may_ask=*/false);
  return key ? *key : former_key;
}

}  // namespace walden

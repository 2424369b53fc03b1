// The sockets that clients connect to: TCP for listen_addresses, one Unix socket per directory with its .lock
// file.
#pragma once

#include <string>
#include <vector>

#include "node/os/socket.h"

namespace walden {

class Listeners {
 public:
  // From settings. Throws unless at least one socket could be made.
  void Open(const std::string& data_directory);
  // Closes and removes the Unix sockets' files.
  void CloseAndRemove();
  // Closes descriptors only (in a child).
  void Close();
  const std::vector<Descriptor>& sockets() const { return sockets_; }
  const std::string& first_unix_directory() const { return first_unix_directory_; }
  const std::string& first_address() const { return first_address_; }

 private:
  void OpenTcp(int port);
  void OpenUnix(const std::string& directory, int port, const std::string& data_directory);

  std::vector<Descriptor> sockets_;
  std::vector<std::string> unix_paths_;
  std::string first_unix_directory_;
  std::string first_address_;
};

}  // namespace walden

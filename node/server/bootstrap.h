// Making the contents of a data directory in this process alone: what `walden init` does after the
// configuration files.
#pragma once

#include <string>

namespace walden {

struct NodeBootstrap {
  std::string directory;  // exists, private, holds the configuration files only
  std::string superuser;
  std::string password_verifier;  // SCRAM secret; empty: none
  std::string locale;
};
void BootstrapNode(const NodeBootstrap& options);

}  // namespace walden

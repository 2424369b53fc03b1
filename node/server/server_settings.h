// Settings at the node's start and reload, and what the node says about itself.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace walden {

// Command line over files over computed defaults. Throws F0000 on errors in the files.
void LoadServerSettings(const std::string& data_directory,
                        const std::vector<std::pair<std::string, std::string>>& overrides);
// System identifier from global/pg_control in the current directory; also sets what else this process and its children
// must know from there (checksums).
uint64_t ReadSystemId();
// Throws FATAL when a program with other catalogs made the data directory (the current one). Requires: InstallBuiltins was called.
void RefuseOtherCatalog();

}  // namespace walden

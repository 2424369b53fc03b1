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
// "Walden 0.1 (PostgreSQL 15.8)".
std::string VersionText();
// "x86_64-pc-linux-gnu, compiled by ..., 64-bit".
std::string PlatformText();
// System identifier from global/pg_control in the current directory; also sets what else this process and its children
// must know from there (checksums).
uint64_t ReadSystemId();

}  // namespace walden

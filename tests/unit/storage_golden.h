// Golden files: bytes of a format, as hexadecimal text with runs of zeroes shortened. To write them anew
// after a deliberate change of format (with a new version number), run the test with WALDEN_WRITE_GOLDEN=1.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace walden {

inline std::string HexDump(std::string_view bytes) {
  std::string text;
  constexpr size_t kLine = 16;
  for (size_t at = 0; at < bytes.size(); at += kLine) {
    std::string_view line = bytes.substr(at, kLine);
    if (line.find_first_not_of('\0') == std::string_view::npos) continue;
    text += fmt::format("{:06x}:", at);
    for (char c : line) text += fmt::format(" {:02x}", static_cast<unsigned char>(c));
    text += '\n';
  }
  return text + fmt::format("{:06x}\n", bytes.size());
}

inline void ExpectGolden(const std::string& name, std::string_view bytes) {
  std::string path = std::string(WALDEN_SOURCE_DIR) + "/tests/unit/golden/" + name + ".hex";
  std::string dump = HexDump(bytes);
  if (std::getenv("WALDEN_WRITE_GOLDEN") != nullptr) std::ofstream(path) << dump;
  std::ifstream file(path);
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(golden.str(), dump) << path;
}

}  // namespace walden

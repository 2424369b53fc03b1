// What both sides of SCRAM-SHA-256 compute. Internal to auth/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace walden::scram {

inline constexpr size_t kKeyBytes = 32;

std::string Base64(std::string_view bytes);
std::optional<std::string> FromBase64(std::string_view text);
std::string Hmac(std::string_view key, std::string_view text);
std::string Sha256(std::string_view text);
// PBKDF2 over the password prepared by SASLprep: the key that client and server keys derive from.
std::string SaltedPassword(std::string_view password, std::string_view salt, int iterations);
std::string Xor(std::string_view left, std::string_view right);

}  // namespace walden::scram

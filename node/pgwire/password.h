// Stored passwords (pg_authid.rolpassword): a SCRAM verifier or an md5 hash, made from and compared with plain text.
#pragma once

#include <string>
#include <string_view>

namespace walden {

// What is stored for a password in plain text, by password_encryption. Text that is a verifier or an md5 hash already stays as it is.
std::string EncodeRolePassword(std::string_view role, std::string_view password);
bool IsMd5Password(std::string_view stored);
// Does a password in plain text fit what is stored?
bool PasswordFits(std::string_view stored, std::string_view role, std::string_view password);
// The client's answer to an md5 request: "md5" and the hash of the stored hash and the salt.
bool Md5AnswerFits(std::string_view stored, std::string_view salt, std::string_view answer);

}  // namespace walden

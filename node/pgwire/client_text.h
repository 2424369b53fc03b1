// Text of the client in its encoding (client_encoding), text of the server in UTF-8: what passes between them is checked and converted here. One
// client a process.
#pragma once

#include <string>
#include <string_view>

namespace walden {

// Makes client_encoding name an encoding that can be converted and act from then on.
void InstallClientEncoding();

// The client's text as UTF-8: `text` itself, or what is kept in `storage`. Throws 22021 for bytes that are no text.
std::string_view FromClient(std::string_view text, std::string* storage);
// Text as the client wants it; throws 22P05 for what its encoding lacks.
std::string_view ToClient(std::string_view text, std::string* storage);
// The same for messages that must arrive: what cannot be said is replaced.
std::string_view ToClientLossy(std::string_view text, std::string* storage);
// Data in parts that end anywhere.
std::string_view StreamFromClient(std::string_view part, bool last, std::string* storage);
void BeginStreamFromClient();
bool ClientConverts();

}  // namespace walden

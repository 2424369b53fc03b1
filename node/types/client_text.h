// Text of the client in its encoding (client_encoding), text of the server in UTF-8: what passes between them is
// checked and converted here: messages, values in text form, and the text inside binary values (by the types' send
// and receive functions). One client a process.
#pragma once

#include <string>
#include <string_view>

#include "node/base/arena.h"
#include "node/types/encoding.h"

namespace walden {

// Makes client_encoding name an encoding that can be converted and act from then on.
void InstallClientEncoding();

const Encoding& ClientEncoding();
bool ClientConverts();

// The client's text as UTF-8: `text` itself, or what is kept in `storage`. Throws 22021 for bytes that are no text.
std::string_view FromClient(std::string_view text, std::string* storage);
// The same, in `arena` in any case.
std::string_view FromClient(std::string_view text, Arena& arena);
// Text as the client wants it; throws 22P05 for what its encoding lacks.
std::string_view ToClient(std::string_view text, std::string* storage);
void AppendToClient(std::string_view text, std::string* to);
// The same for messages that must arrive: what cannot be said is replaced.
std::string_view ToClientLossy(std::string_view text, std::string* storage);

}  // namespace walden

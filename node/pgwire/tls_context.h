// Private to the TLS files: the library's context in force.
#pragma once

#include <string>

struct ssl_ctx_st;

namespace walden {

ssl_ctx_st* CurrentTlsContext();
// The oldest error of the library's queue as text; empties the queue.
std::string TlsErrorText();

}  // namespace walden

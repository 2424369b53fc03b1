// Private to the TLS files: the library's context in force.
#pragma once

struct ssl_ctx_st;

namespace walden {

ssl_ctx_st* CurrentTlsContext();

}  // namespace walden

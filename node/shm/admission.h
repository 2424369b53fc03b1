// What the postmaster decided about a new connection, handed to the backend with the socket. The backend
// reads the start-up packet in any case: cancel requests are always served, and a refusal is answered in the
// protocol.
#pragma once

#include <cstdint>

namespace walden {

enum class Admission : uint8_t {
  kAccept,
  kTooMany,        // 53300 sorry, too many clients already
  kStarting,       // 57P03 the database system is starting up
  kNotConsistent,  // 57P03 the database system is not yet accepting connections (Consistent recovery state
                   // has not been yet reached.)
  kNoHotStandby,   // 57P03 the database system is not accepting connections (Hot standby mode is disabled.)
  kShuttingDown,   // 57P03 the database system is shutting down
  kRecovering,     // 57P03 the database system is in recovery mode
};

}  // namespace walden

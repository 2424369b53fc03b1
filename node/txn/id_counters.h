// Shared counters: transaction ids and object ids.
//
// Xids are reserved in batches: a WAL record announces the end of the batch before any of it is used, so that
// an id that anybody has seen is never given out again after a crash (64 bits never run out). A clean
// shutdown records the exact next one. OIDs work likewise and wrap at 2^32 to 16384.
#pragma once

#include <cstddef>

#include "node/base/ids.h"

namespace walden {

// The next xid to be assigned; everything below has been assigned (or skipped).
Xid NextXid();
// Used by CurrentXid. Extends CLOG and CSN window first. `top` is kInvalidXid for a top-level transaction,
// else the new xid becomes its subtransaction.
Xid AssignXid(Xid top);
// The end of the WAL record that reserved the newest batch: pg_current_xact_id() raises seen_lsn to it.
Lsn XidReservationLsn();

// A new OID, never below kFirstNormalOid; the caller checks that its catalog has no such row (after a wrap).
Oid AllocateOid();
// Makes the counter go past `oid` (pg_upgrade-like loads, bootstrap).
void AdvanceOidCounter(Oid oid);
Oid NextOid();

}  // namespace walden

// Foreign key checks that wait for the end of the transaction: of constraints that are DEFERRABLE and INITIALLY DEFERRED, or were
// deferred by SET CONSTRAINTS. Owned by the process; what an aborted savepoint queued is dropped with it.
#pragma once

#include <optional>
#include <span>

#include "node/sql/executor/referential.h"

namespace walden {

// Whether this transaction checks the constraint at its end.
bool ChecksAreDeferred(const PgConstraintRow& constraint);

// Takes the event over if its check waits; false: check it now.
bool DeferIfAsked(const ReferentialEvent& event, const TextFormat& format, SessionHooks* session);

// SET CONSTRAINTS: for these constraints (none: all that are deferrable) until the transaction ends. Making them immediate runs what
// waits for them. Throws 23503.
void SetConstraintTiming(std::span<const Oid> constraints, bool deferred);

// Registers with txn once per process.
void InstallDeferredChecks();

}  // namespace walden

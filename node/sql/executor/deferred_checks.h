// Checks that wait: of foreign keys for the end of the transaction, if they are DEFERRABLE and INITIALLY DEFERRED or were deferred by
// SET CONSTRAINTS; of deferrable unique constraints for the end of the statement at least. Owned by the process, in work_mem and a
// temporary file; what an aborted savepoint queued is dropped with it.
#pragma once

#include <optional>
#include <span>

#include "node/sql/executor/referential.h"

namespace walden {

// Whether this transaction checks the constraint at its end.
bool ChecksAreDeferred(const PgConstraintRow& constraint);

// Takes the event over if its check waits; false: check it now.
bool DeferIfAsked(const ReferentialEvent& event, const TextFormat& format, SessionHooks* session);

// The row's key in a unique index that is not immediate may have another owner.
void QueueUniqueCheck(const Relation& table, Oid index, TupleId tid);
// At the end of a statement: unique checks that wait no longer. Throws 23505.
void RunDueUniqueChecks();

// SET CONSTRAINTS: for these constraints (none: all that are deferrable) until the transaction ends. Making them immediate runs what
// waits for them. Throws 23503, 23505.
void SetConstraintTiming(std::span<const Oid> constraints, bool deferred);

// Registers with txn, and with the catalog as who knows which relations are in use, once per process.
void InstallDeferredChecks();

}  // namespace walden

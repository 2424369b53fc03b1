// Autovacuum: a launcher that visits every database once in autovacuum_naptime by asking the postmaster for a worker, and workers
// that VACUUM and ANALYZE the tables whose statistics say that it is time.
//
// A worker gives way: whoever waits for its table's lock longer than deadlock_timeout cancels it (txn/lock_wait.cpp), and it goes
// on with the next table. When the commit log has grown old (autovacuum_freeze_max_age) workers settle all tables of their
// database instead; the one that completes the last database truncates the log.
#pragma once

#include <cstddef>

#include "node/sql/commands/vacuum_cost.h"

namespace walden {

void RunAutovacuumLauncher();
// `number`: of the place in shared memory where the launcher wrote what to do.
void RunAutovacuumWorker(int number);

// Area::kAutovacuum.
size_t AutovacuumAreaSize();
void AutovacuumAreaInit(void* at);

// ---- Shared by the files of autovacuum.
// The budget of all workers, divided by those at work; a table with budgets of its own takes no part.
struct AutovacuumBudget {
  VacuumCost cost;
  bool shared;
};
// The cost of this worker now.
VacuumCost CurrentAutovacuumCost();

}  // namespace walden

// VACUUM of one btree.
#pragma once

#include "node/access/index.h"

namespace walden::btree {

void BulkDelete(const IndexDesc& index, const DeadTids& dead, IndexVacuumStats* stats);
void VacuumCleanup(const IndexDesc& index, IndexVacuumStats* stats);

}  // namespace walden::btree

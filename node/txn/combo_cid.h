// A row header has one command id field. When one transaction creates and deletes the same version, the field
// holds a combo: a process-local number that stands for (cmin, cmax) until the transaction ends.
#pragma once

#include "node/base/ids.h"

namespace walden {

// The number for (cmin, cmax); the row must be flagged as carrying a combo.
CommandId MakeComboCid(CommandId cmin, CommandId cmax);
CommandId ComboCmin(CommandId combo);
CommandId ComboCmax(CommandId combo);
// At the end of the top transaction.
void ForgetComboCids();

}  // namespace walden

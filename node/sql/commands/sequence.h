// Sequences between their commands and their functions. Private to this folder.
#pragma once

#include "node/sql/commands/commands.h"
#include "node/sql/commands/sequence_storage.h"

namespace walden {

// ALTER SEQUENCE and ALTER COLUMN ... SET (identity): the sequence is locked and checked for rights.
void AlterSequenceOptions(Oid sequence, const ast::NodeList& options, bool for_identity,
                          CommandContext& context);
// Gives the sequence a new file with this state.
void ReplaceSequenceState(Oid sequence, const SequenceState& state, CommandContext& context);
// This session forgets what it had fetched ahead.
void ForgetSequence(Oid sequence);

int64_t NextSequenceValue(Oid sequence, bool check_rights);

}  // namespace walden

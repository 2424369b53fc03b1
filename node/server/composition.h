// Where the folders that must not know each other are joined: WAL record handlers, checkpoint parts,
// transaction hooks, built-in functions, callbacks. Everything that is bound here is bound once, before the
// first fork, and the same in every process.
#pragma once

namespace walden {

// Idempotent. Needs no shared memory: commands that only look at files call it too.
void ComposeNode();

}  // namespace walden

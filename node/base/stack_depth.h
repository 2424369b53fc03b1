// Guards recursion (tree walkers, parsers of nested values) against running off the stack.
#pragma once

#include <cstddef>
#include <cstdint>

namespace walden {

// max_stack_depth; 2 MiB until set. Process-wide.
void SetStackDepthLimit(size_t bytes);
size_t StackDepthLimit();

// Throws SqlError 54001 "stack depth limit exceeded" when the calling thread's stack is deeper than the limit.
// Call it in every function that recurses as deep as user input says. Costs a few instructions.
void CheckStackDepth();

}  // namespace walden

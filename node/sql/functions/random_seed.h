// random() draws from one generator per process.
#pragma once

namespace walden {

// A new seed from the kernel, as at the start of a process: what an earlier session drew or set with setseed() tells nothing.
void ReseedRandom();

}  // namespace walden

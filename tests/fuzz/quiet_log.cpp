// For targets that need nothing but silence before their first input.
#include "node/base/error.h"
#include "node/base/log.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  walden::SetLogSink([](const walden::ErrorFields&) {});
  return 0;
}

// The first packet of a connection, before anybody has proved who they are.
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/in_process_node.h"

static walden::InProcessNode* node;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  node = new walden::InProcessNode();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  node->Serve({reinterpret_cast<const char*>(data), size});
  return 0;
}

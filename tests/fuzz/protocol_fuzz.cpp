// The messages of a session that has been let in: simple and extended queries, COPY, what does not belong there.
#include <string>

#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/in_process_node.h"

namespace {

walden::InProcessNode* node;

// Read only and short, so that one input does not change what the next one meets.
std::string StartupPacket() {
  std::string body("\0\3\0\0", 4);
  for (const char* text :
       {"user", "postgres", "database", "template1", "options",
        "-c default_transaction_read_only=on -c statement_timeout=2000 -c log_min_messages=panic"}) {
    body += text;
    body += '\0';
  }
  body += '\0';
  uint32_t size = static_cast<uint32_t>(body.size() + 4);
  std::string packet;
  for (int shift = 24; shift >= 0; shift -= 8) packet += static_cast<char>(size >> shift);
  return packet + body;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  node = new walden::InProcessNode();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string startup = StartupPacket();
  node->Serve(startup + std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}

#include "node/base/stack_depth.h"

#include <pthread.h>

#include "node/base/error.h"

namespace walden {

namespace {

size_t limit_bytes = 2 * 1024 * 1024;
thread_local uintptr_t stack_top = 0;  // the highest address of this thread's stack

uintptr_t FindStackTop() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return reinterpret_cast<uintptr_t>(&attributes);
  void* lowest = nullptr;
  size_t size_bytes = 0;
  pthread_attr_getstack(&attributes, &lowest, &size_bytes);
  pthread_attr_destroy(&attributes);
  return reinterpret_cast<uintptr_t>(lowest) + size_bytes;
}

[[noreturn]] void ThrowTooDeep() {
  throw SqlError(ErrorCode::kStatementTooComplex, "stack depth limit exceeded")
      .WithHint(
          fmt::format("Increase the configuration parameter \"max_stack_depth\" (currently {}kB), after "
                      "ensuring the platform's stack depth limit is adequate.",
                      limit_bytes / 1024));
}

}  // namespace

void SetStackDepthLimit(size_t bytes) { limit_bytes = bytes; }
size_t StackDepthLimit() { return limit_bytes; }

void CheckStackDepth() {
  if (__builtin_expect(stack_top == 0, 0)) stack_top = FindStackTop();
  uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (__builtin_expect(stack_top - here > limit_bytes, 0)) ThrowTooDeep();
}

}  // namespace walden

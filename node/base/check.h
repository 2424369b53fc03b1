// Broken invariants end the process: CHECK in every build, DCHECK in builds with WALDEN_DCHECK.
// PANIC is for a failed fsync and any failure inside a critical section: the process aborts, and the
// postmaster runs crash recovery (I2).
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace walden {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
// Logs at PANIC and aborts. Never returns and never throws.
[[noreturn]] void Panic(std::string_view message) noexcept;

template <class... Args>
[[noreturn]] void Panic(fmt::format_string<Args...> format, Args&&... args) noexcept
  requires(sizeof...(Args) > 0)
{
  Panic(std::string_view(fmt::format(format, std::forward<Args>(args)...)));
}

}  // namespace walden

#define CHECK(condition)                                                                          \
  do {                                                                                            \
    if (__builtin_expect(!(condition), 0)) ::walden::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (0)

#ifdef WALDEN_DCHECK
#define DCHECK(condition) CHECK(condition)
#else
#define DCHECK(condition)         \
  do {                            \
    if (false) (void)(condition); \
  } while (0)
#endif

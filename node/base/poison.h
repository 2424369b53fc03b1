// Memory that must not be touched for now, told to the address sanitizer: what an arena has not handed out or has taken back, pages that
// this process has no pin on. Other builds are not changed by it.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define WALDEN_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WALDEN_POISONS 1
#endif
#endif

#ifdef WALDEN_POISONS
#include <sanitizer/asan_interface.h>
#endif

namespace walden {

#ifdef WALDEN_POISONS
inline constexpr bool kPoisons = true;
inline void Poison(const void* from, size_t bytes) { __asan_poison_memory_region(from, bytes); }
inline void Unpoison(const void* from, size_t bytes) { __asan_unpoison_memory_region(from, bytes); }
#else
inline constexpr bool kPoisons = false;
inline void Poison(const void*, size_t) {}
inline void Unpoison(const void*, size_t) {}
#endif

}  // namespace walden

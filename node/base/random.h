// Randomness: a fast generator for decisions (xoshiro256**, Blackman and Vigna 2018) and the kernel's for secrets.
#pragma once

#include <cstddef>
#include <cstdint>

namespace walden {

class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t Next();
  // Uniform in [0, bound); bound > 0.
  uint64_t Below(uint64_t bound);
  // Uniform in [0, 1).
  double NextDouble();

 private:
  uint64_t state_[4];
};

// Fills with bytes fit for keys, nonces and UUIDs.
void SecureRandom(void* to, size_t size_bytes);

}  // namespace walden

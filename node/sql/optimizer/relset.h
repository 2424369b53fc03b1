// Sets of range table indexes.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "node/base/error.h"

namespace walden {

class RelSet {
 public:
  static constexpr int kMaxMembers = 512;
  RelSet() = default;
  static RelSet Of(int member) {
    RelSet set;
    set.Add(member);
    return set;
  }
  void Add(int member) {
    if (member >= kMaxMembers)
      throw SqlError(ErrorCode::kProgramLimitExceeded, "too many range table entries");
    words_[member >> 6] |= uint64_t{1} << (member & 63);
  }
  bool Contains(int member) const { return (words_[member >> 6] >> (member & 63)) & 1; }
  bool IsSubsetOf(const RelSet& other) const {
    for (size_t i = 0; i < kWords; ++i) {
      if (words_[i] & ~other.words_[i]) return false;
    }
    return true;
  }
  bool Overlaps(const RelSet& other) const {
    for (size_t i = 0; i < kWords; ++i) {
      if (words_[i] & other.words_[i]) return true;
    }
    return false;
  }
  bool empty() const { return *this == RelSet(); }
  int count() const {
    int n = 0;
    for (uint64_t word : words_) n += std::popcount(word);
    return n;
  }
  RelSet operator|(const RelSet& other) const {
    RelSet result;
    for (size_t i = 0; i < kWords; ++i) result.words_[i] = words_[i] | other.words_[i];
    return result;
  }
  RelSet operator-(const RelSet& other) const {
    RelSet result;
    for (size_t i = 0; i < kWords; ++i) result.words_[i] = words_[i] & ~other.words_[i];
    return result;
  }
  RelSet& operator|=(const RelSet& other) { return *this = *this | other; }
  bool operator==(const RelSet& other) const = default;

 private:
  static constexpr size_t kWords = kMaxMembers / 64;
  std::array<uint64_t, kWords> words_{};
};

}  // namespace walden

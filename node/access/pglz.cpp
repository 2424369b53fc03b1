#include "node/access/pglz.h"

#include <algorithm>
#include <memory>

namespace walden {
namespace {

constexpr size_t kLeastMatch = 3, kLongMatch = 18, kMostMatch = kLongMatch + 255;
constexpr size_t kMostDistance = 4095;
constexpr size_t kGoodMatch = 128;  // long enough to look no further
constexpr int kMostCandidates = 64;
constexpr size_t kHopelessAfter = 1024;  // bytes without a single copy: not worth going on
constexpr uint32_t kHashBits = 12;

// Where the same three bytes stood before: the newest place of each hash, and from each place the one before it.
class Places {
 public:
  explicit Places(std::string_view text)
      : text_(text), newest_(new int32_t[size_t{1} << kHashBits]), before_(new int32_t[kMostDistance + 1]) {
    std::fill_n(newest_.get(), size_t{1} << kHashBits, -1);
  }
  void Add(size_t at) {
    if (at + kLeastMatch > text_.size()) return;
    int32_t& newest = newest_[Hash(at)];
    before_[at & kMostDistance] = newest;
    newest = static_cast<int32_t>(at);
  }
  // The length of the longest match of what stands at `at`, and how far back it is.
  size_t Find(size_t at, size_t* distance) const {
    size_t best = 0;
    if (at + kLeastMatch > text_.size()) return 0;
    size_t limit = std::min(kMostMatch, text_.size() - at);
    int32_t place = newest_[Hash(at)];
    for (int tries = 0;
         tries < kMostCandidates && place >= 0 && at - static_cast<size_t>(place) <= kMostDistance; ++tries) {
      size_t from = static_cast<size_t>(place), length = 0;
      while (length < limit && text_[from + length] == text_[at + length]) ++length;
      if (length > best) {
        best = length;
        *distance = at - from;
        if (best >= kGoodMatch || best == limit) break;
      }
      int32_t older = before_[from & kMostDistance];
      if (older >= place) break;  // overwritten by a later place
      place = older;
    }
    return best;
  }

 private:
  uint32_t Hash(size_t at) const {
    uint32_t word = static_cast<uint8_t>(text_[at]) |
                    static_cast<uint32_t>(static_cast<uint8_t>(text_[at + 1])) << 8 |
                    static_cast<uint32_t>(static_cast<uint8_t>(text_[at + 2])) << 16;
    return (word * 2654435761u) >> (32 - kHashBits);
  }

  std::string_view text_;
  std::unique_ptr<int32_t[]> newest_, before_;
};

// Groups of eight items behind their control byte.
class Output {
 public:
  explicit Output(std::span<char> to) : to_(to) {}
  bool Put(bool is_copy, std::initializer_list<uint32_t> bytes) {
    if (items_ == 0) {
      if (size_ >= to_.size()) return false;
      control_ = size_++;
      to_[control_] = 0;
    }
    if (to_.size() - size_ < bytes.size()) return false;
    if (is_copy) to_[control_] = static_cast<char>(static_cast<uint8_t>(to_[control_]) | 1u << items_);
    for (uint32_t byte : bytes) to_[size_++] = static_cast<char>(byte);
    items_ = (items_ + 1) % 8;
    return true;
  }
  bool PutCopy(size_t distance, size_t length) {
    uint32_t far = static_cast<uint32_t>(distance), size = static_cast<uint32_t>(length);
    constexpr uint32_t kLeast = kLeastMatch;
    if (length < kLongMatch) return Put(true, {(far >> 8) << 4 | (size - kLeast), far & 0xFF});
    return Put(true, {(far >> 8) << 4 | 15u, far & 0xFF, size - static_cast<uint32_t>(kLongMatch)});
  }
  size_t size() const { return size_; }

 private:
  std::span<char> to_;
  size_t size_ = 0, control_ = 0;
  uint32_t items_ = 0;
};

}  // namespace

size_t PglzCompress(std::string_view from, std::span<char> to) {
  Places places(from);
  Output output(to);
  bool copied = false;
  for (size_t at = 0; at < from.size();) {
    size_t distance = 0, length = places.Find(at, &distance);
    bool is_copy = length >= kLeastMatch;
    if (!copied && !is_copy && at >= kHopelessAfter) return 0;
    if (!is_copy) length = 1;
    bool fits =
        is_copy ? output.PutCopy(distance, length) : output.Put(false, {static_cast<uint8_t>(from[at])});
    if (!fits) return 0;
    copied |= is_copy;
    for (size_t end = at + length; at < end; ++at) places.Add(at);
  }
  return output.size();
}

bool PglzDecompress(std::string_view from, std::span<char> to) {
  size_t at = 0, made = 0;
  while (at < from.size() && made < to.size()) {
    uint8_t control = static_cast<uint8_t>(from[at++]);
    for (int item = 0; item < 8 && at < from.size() && made < to.size(); ++item, control >>= 1) {
      if ((control & 1) == 0) {
        to[made++] = from[at++];
        continue;
      }
      if (from.size() - at < 2) return false;
      uint8_t first = static_cast<uint8_t>(from[at++]);
      size_t distance = static_cast<size_t>(first & 0xF0) << 4 | static_cast<uint8_t>(from[at++]);
      size_t length = (first & 0x0F) + kLeastMatch;
      if (length == kLongMatch) {
        if (at == from.size()) return false;
        length += static_cast<uint8_t>(from[at++]);
      }
      if (distance == 0 || distance > made || length > to.size() - made) return false;
      // The source may run into what is being made.
      for (size_t end = made + length; made < end; ++made) to[made] = to[made - distance];
    }
  }
  return at == from.size() && made == to.size();
}

}  // namespace walden

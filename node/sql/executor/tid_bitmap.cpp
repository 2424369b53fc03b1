#include "node/sql/executor/tid_bitmap.h"

#include <bit>

namespace walden {

void TidBitmap::MakeLossy(BlockNumber block) {
  parts_.erase(parts_.lower_bound(FirstPart(block)), parts_.lower_bound(FirstPart(block) + kParts));
  lossy_.insert(block);
}

void TidBitmap::Add(TupleId tid) {
  if (lossy_.contains(tid.block)) return;
  Bits& bits = parts_[FirstPart(tid.block) + tid.offset / kPartOffsets];
  size_t at = tid.offset % kPartOffsets;
  bits.words[at / 64] |= uint64_t{1} << (at % 64);
  if (parts_.size() > max_parts_) Shrink();
}

// Half of the pages lose their bitmaps: shrinking a little would soon be needed again.
void TidBitmap::Shrink() {
  bool drop = false;
  for (auto at = parts_.begin(); at != parts_.end();) {
    BlockNumber block = BlockOf(at->first);
    at = parts_.lower_bound(FirstPart(block) + kParts);
    drop = !drop;
    if (drop) MakeLossy(block);
  }
}

void TidBitmap::Clear() {
  parts_.clear();
  lossy_.clear();
}

void TidBitmap::UniteWith(const TidBitmap& other) {
  for (BlockNumber block : other.lossy_) MakeLossy(block);
  for (const auto& [part, bits] : other.parts_) {
    if (lossy_.contains(BlockOf(part))) continue;
    Bits& own = parts_[part];
    for (size_t i = 0; i < kWords; ++i) own.words[i] |= bits.words[i];
    own.recheck |= bits.recheck;
  }
  if (parts_.size() > max_parts_) Shrink();
}

void TidBitmap::IntersectWith(const TidBitmap& other) {
  std::map<Part, Bits> kept;
  std::set<BlockNumber> kept_lossy;
  for (const auto& [part, bits] : parts_) {
    Bits both = bits;
    if (other.lossy_.contains(BlockOf(part))) {
      both.recheck = true;
    } else {
      auto found = other.parts_.find(part);
      if (found == other.parts_.end()) continue;
      uint64_t any = 0;
      for (size_t i = 0; i < kWords; ++i) any |= both.words[i] &= found->second.words[i];
      if (any == 0) continue;
      both.recheck |= found->second.recheck;
    }
    kept.emplace(part, both);
  }
  for (BlockNumber block : lossy_) {
    if (other.lossy_.contains(block)) kept_lossy.insert(block);
    for (auto at = other.parts_.lower_bound(FirstPart(block));
         at != other.parts_.end() && BlockOf(at->first) == block; ++at) {
      Bits both = at->second;
      both.recheck = true;
      kept.emplace(at->first, both);
    }
  }
  parts_ = std::move(kept);
  lossy_ = std::move(kept_lossy);
}

bool TidBitmap::NextPage(BlockNumber from, Page* page) const {
  auto exact = parts_.lower_bound(FirstPart(from));
  auto lossy = lossy_.lower_bound(from);
  if (exact == parts_.end() && lossy == lossy_.end()) return false;
  page->offsets.clear();
  if (exact == parts_.end() || (lossy != lossy_.end() && *lossy < BlockOf(exact->first))) {
    page->block = *lossy;
    page->lossy = page->recheck = true;
    return true;
  }
  page->block = BlockOf(exact->first);
  page->lossy = page->recheck = false;
  for (; exact != parts_.end() && BlockOf(exact->first) == page->block; ++exact) {
    page->recheck |= exact->second.recheck;
    size_t first = (exact->first - FirstPart(page->block)) * kPartOffsets;
    for (size_t i = 0; i < kWords; ++i) {
      for (uint64_t word = exact->second.words[i]; word != 0; word &= word - 1) {
        size_t offset = first + i * 64 + static_cast<size_t>(std::countr_zero(word));
        page->offsets.push_back(static_cast<uint16_t>(offset));
      }
    }
  }
  return true;
}

}  // namespace walden

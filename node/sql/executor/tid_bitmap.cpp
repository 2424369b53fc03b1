#include "node/sql/executor/tid_bitmap.h"

#include <bit>

namespace walden {

void TidBitmap::Add(TupleId tid) {
  if (lossy_.contains(tid.block)) return;
  Bits& bits = pages_[tid.block];
  size_t at = tid.offset;
  if (at >= kWords * 64) {
    pages_.erase(tid.block);
    lossy_.insert(tid.block);
    return;
  }
  bits.words[at / 64] |= uint64_t{1} << (at % 64);
  if (pages_.size() > max_pages_) Shrink();
}

// Half of the pages lose their bitmaps: shrinking a little would soon be needed again.
void TidBitmap::Shrink() {
  bool drop = false;
  for (auto at = pages_.begin(); at != pages_.end();) {
    drop = !drop;
    if (!drop) {
      ++at;
      continue;
    }
    lossy_.insert(at->first);
    at = pages_.erase(at);
  }
}

void TidBitmap::Clear() {
  pages_.clear();
  lossy_.clear();
}

void TidBitmap::UniteWith(const TidBitmap& other) {
  for (BlockNumber block : other.lossy_) {
    pages_.erase(block);
    lossy_.insert(block);
  }
  for (const auto& [block, bits] : other.pages_) {
    if (lossy_.contains(block)) continue;
    Bits& own = pages_[block];
    for (size_t i = 0; i < kWords; ++i) own.words[i] |= bits.words[i];
    own.recheck |= bits.recheck;
  }
  if (pages_.size() > max_pages_) Shrink();
}

void TidBitmap::IntersectWith(const TidBitmap& other) {
  std::map<BlockNumber, Bits> kept;
  std::set<BlockNumber> kept_lossy;
  for (const auto& [block, bits] : pages_) {
    Bits both = bits;
    if (other.lossy_.contains(block)) {
      both.recheck = true;
    } else {
      auto found = other.pages_.find(block);
      if (found == other.pages_.end()) continue;
      uint64_t any = 0;
      for (size_t i = 0; i < kWords; ++i) any |= both.words[i] &= found->second.words[i];
      if (any == 0) continue;
      both.recheck |= found->second.recheck;
    }
    kept.emplace(block, both);
  }
  for (BlockNumber block : lossy_) {
    if (other.lossy_.contains(block)) kept_lossy.insert(block);
    auto found = other.pages_.find(block);
    if (found == other.pages_.end()) continue;
    Bits both = found->second;
    both.recheck = true;
    kept.emplace(block, both);
  }
  pages_ = std::move(kept);
  lossy_ = std::move(kept_lossy);
}

bool TidBitmap::NextPage(BlockNumber from, Page* page) const {
  auto exact = pages_.lower_bound(from);
  auto lossy = lossy_.lower_bound(from);
  if (exact == pages_.end() && lossy == lossy_.end()) return false;
  page->offsets.clear();
  if (exact == pages_.end() || (lossy != lossy_.end() && *lossy < exact->first)) {
    page->block = *lossy;
    page->lossy = page->recheck = true;
    return true;
  }
  page->block = exact->first;
  page->lossy = false;
  page->recheck = exact->second.recheck;
  for (size_t i = 0; i < kWords; ++i) {
    for (uint64_t word = exact->second.words[i]; word != 0; word &= word - 1) {
      page->offsets.push_back(static_cast<uint16_t>(i * 64 + static_cast<size_t>(std::countr_zero(word))));
    }
  }
  return true;
}

}  // namespace walden

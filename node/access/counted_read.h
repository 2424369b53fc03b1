// Reading a page of a table or index on its account (pg_statio_*).
#pragma once

#include "node/buffer/buffer_pool.h"
#include "node/stats/counters.h"

namespace walden {

inline uint64_t PagesReadSoFar() { return buffer_statistics.shared_reads + buffer_statistics.local_reads; }

// `owner`: a TableRef or IndexDesc.
template <class Owner>
void CountPageAccess(const Owner& owner, uint64_t read_before) {
  uint64_t read = PagesReadSoFar() - read_before;
  if (__builtin_expect(read == 0, 1))
    owner.stats.Count(RelationCounter::kBlocksHit);
  else
    owner.stats.Count(RelationCounter::kBlocksRead, static_cast<int64_t>(read));
}

template <class Owner>
BufferPin ReadPageOf(const Owner& owner, BlockNumber block, ReadMode mode = ReadMode::kNormal,
                     BufferStrategy* strategy = nullptr) {
  uint64_t before = PagesReadSoFar();
  BufferPin pin = ReadPage(owner.Page(block), mode, strategy);
  CountPageAccess(owner, before);
  return pin;
}

}  // namespace walden

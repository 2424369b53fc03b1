// The store of dead row identities answers as a set does, whichever way it is asked.
#include <gtest/gtest.h>

#include <set>

#include "node/access/heap/dead_rows.h"
#include "node/base/random.h"

namespace walden {
namespace {

TupleId Tid(uint64_t block, uint64_t offset) {
  return {static_cast<BlockNumber>(block), static_cast<OffsetNumber>(offset)};
}

// Every `page_odds`-th page has dead rows, every `row_odds`-th row of it is dead.
void Check(Random& random, uint32_t blocks, uint64_t page_odds, uint64_t row_odds) {
  constexpr uint64_t kRows = 140;
  DeadRows store(int64_t{1} << 20);
  std::set<TupleId> model;
  for (uint32_t block = 0; block < blocks; ++block) {
    if (random.Below(page_odds) != 0) continue;
    for (uint64_t offset = 1; offset <= kRows; ++offset) {
      if (random.Below(row_odds) != 0) continue;
      store.Add(Tid(block, offset));
      model.insert(Tid(block, offset));
    }
  }
  ASSERT_EQ(store.size(), model.size());
  auto ask = [&](TupleId tid) {
    ASSERT_EQ(store.Contains(tid), model.count(tid) != 0) << tid.block << "," << tid.offset;
  };
  for (uint64_t stride : {1, 2, 7, 60}) {  // as the leaves of an index go through a table, forth and back
    for (uint64_t block = 0; block < blocks + 3; block += stride)
      ask(Tid(block, 1 + random.Below(kRows + 60)));
    for (uint64_t block = blocks + 3; block-- > 0; block -= std::min(block, stride - 1))
      ask(Tid(block, 1 + random.Below(kRows)));
  }
  for (int i = 0; i < 20000; ++i) ask(Tid(random.Below(blocks + 3), 1 + random.Below(kRows)));
  for (TupleId tid : model) ask(tid);
  store.Clear();
  EXPECT_FALSE(store.Contains(Tid(0, 1)));
}

TEST(DeadRowsTest, AnswersAsASet) {
  Random random(3);
  for (uint64_t page_odds : {1, 2, 50}) {
    for (uint64_t row_odds : {1, 5, 100}) Check(random, 600, page_odds, row_odds);
  }
  Check(random, 1, 1, 1);
  Check(random, 600, 600, 3);
}

}  // namespace
}  // namespace walden

// Bitmaps of row identities: pages with many line pointers, and what happens when memory runs out.
#include "node/sql/executor/tid_bitmap.h"

#include <gtest/gtest.h>

namespace walden {
namespace {

using Offsets = std::vector<uint16_t>;

TEST(TidBitmapTest, EveryLinePointerOfAPageIsExact) {
  TidBitmap bitmap(1 << 20);
  Offsets all;
  for (uint16_t offset = 1; offset <= kMaxItemsPerPage; ++offset) {
    all.push_back(offset);
    bitmap.Add({7, offset});
  }
  bitmap.Add({kInvalidBlock - 1, 700 % kMaxItemsPerPage});
  TidBitmap::Page page;
  ASSERT_TRUE(bitmap.NextPage(0, &page));
  EXPECT_EQ(page.block, 7u);
  EXPECT_FALSE(page.lossy || page.recheck);
  EXPECT_EQ(page.offsets, all);
  ASSERT_TRUE(bitmap.NextPage(8, &page));
  EXPECT_EQ(page.block, kInvalidBlock - 1);
  EXPECT_EQ(page.offsets.size(), 1u);
}

TEST(TidBitmapTest, SetsOfManyLinePointers) {
  TidBitmap odd(1 << 20), third(1 << 20);
  for (uint16_t offset = 1; offset <= 600; ++offset) {
    if (offset % 2 == 1) odd.Add({3, offset});
    if (offset % 3 == 0) third.Add({3, offset});
  }
  odd.Add({4, 500});
  TidBitmap both(1 << 20), any(1 << 20);
  both.UniteWith(odd);
  both.IntersectWith(third);
  any.UniteWith(odd);
  any.UniteWith(third);
  Offsets expected_both, expected_any;
  for (uint16_t offset = 1; offset <= 600; ++offset) {
    if (offset % 2 == 1 && offset % 3 == 0) expected_both.push_back(offset);
    if (offset % 2 == 1 || offset % 3 == 0) expected_any.push_back(offset);
  }
  TidBitmap::Page page;
  ASSERT_TRUE(both.NextPage(0, &page));
  EXPECT_EQ(page.offsets, expected_both);
  EXPECT_FALSE(both.NextPage(4, &page));
  ASSERT_TRUE(any.NextPage(0, &page));
  EXPECT_EQ(page.offsets, expected_any);
}

TEST(TidBitmapTest, PagesAreLossyOnlyAsAWhole) {
  TidBitmap bitmap(0);  // 16 bitmaps
  for (BlockNumber block = 0; block < 100; ++block) {
    for (uint16_t offset : {1, 330, 650}) bitmap.Add({block, offset});
  }
  TidBitmap::Page page;
  size_t exact = 0;
  for (BlockNumber block = 0; block < 100; ++block) {
    ASSERT_TRUE(bitmap.NextPage(block, &page));
    ASSERT_EQ(page.block, block);
    if (page.lossy) continue;
    ++exact;
    EXPECT_EQ(page.offsets, (Offsets{1, 330, 650}));
  }
  EXPECT_GT(exact, 0u);
  EXPECT_LT(exact, 16u);
  TidBitmap few(1 << 20);
  for (uint16_t offset : {1, 2, 650}) few.Add({0, offset});
  TidBitmap lossy(0);
  lossy.UniteWith(bitmap);
  lossy.IntersectWith(few);
  ASSERT_TRUE(lossy.NextPage(0, &page));
  EXPECT_EQ(page.offsets, page.recheck ? (Offsets{1, 2, 650}) : (Offsets{1, 650}));
  EXPECT_FALSE(lossy.NextPage(1, &page));
}

}  // namespace
}  // namespace walden

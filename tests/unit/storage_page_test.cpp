#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "node/storage/page.h"
#include "node/storage/relation_file.h"
#include "tests/unit/storage_golden.h"

namespace walden {
namespace {

struct alignas(8) PageBuffer {
  char bytes[kPageSize];
};

std::string ItemText(const char* page, OffsetNumber offset) {
  return {PageItem(page, offset), PageItemLength(page, offset)};
}

TEST(PageTest, ItemsAreAddedShiftedAndRemoved) {
  PageBuffer buffer;
  char* page = buffer.bytes;
  PageInit(page, 16);
  EXPECT_EQ(PageSpecialSize(page), 16u);
  EXPECT_EQ(PageAddItem(page, "bb", 2), 1);
  EXPECT_EQ(PageAddItem(page, "aaa", 3, 1, ItemPlacement::kInsertShift), 1);
  EXPECT_EQ(PageAddItem(page, "c", 1), 3);
  EXPECT_EQ(ItemText(page, 1) + ItemText(page, 2) + ItemText(page, 3), "aaabbc");
  size_t free = PageExactFreeSpace(page);
  OffsetNumber gone[] = {1, 3};
  PageRemoveItems(page, gone);
  EXPECT_EQ(PageMaxOffset(page), 1);
  EXPECT_EQ(ItemText(page, 1), "bb");
  EXPECT_EQ(PageExactFreeSpace(page), free + 2 * (8 + sizeof(ItemId)));
}

TEST(PageTest, CompactionKeepsNumbersAndReusesLines) {
  PageBuffer buffer;
  char* page = buffer.bytes;
  PageInit(page);
  for (int i = 0; i < 5; ++i) PageAddItem(page, std::string(100, static_cast<char>('a' + i)).data(), 100);
  PageItemId(page, 2)->SetUnused();
  PageItemId(page, 3)->SetRedirect(4);
  PageItemId(page, 5)->SetUnused();
  PageCompact(page);
  EXPECT_EQ(PageMaxOffset(page), 4);
  EXPECT_EQ(ItemText(page, 1), std::string(100, 'a'));
  EXPECT_EQ(ItemText(page, 4), std::string(100, 'd'));
  EXPECT_EQ(PageItemId(page, 3)->redirect(), 4);
  EXPECT_TRUE(PageHasFlag(page, kPageHasFreeLines));
  EXPECT_EQ(PageAddItem(page, "new", 3), 2);
  EXPECT_EQ(PageAddItem(page, "newer", 5), 5);
}

TEST(PageTest, FreeingStorageOneByOneLeavesWhatCompactionLeaves) {
  PageBuffer packed, stepwise;
  for (PageBuffer* buffer : {&packed, &stepwise}) {
    char* page = buffer->bytes;
    PageInit(page);
    for (int i = 0; i < 6; ++i) {
      std::string text(static_cast<size_t>(20 + 7 * i), static_cast<char>('a' + i));
      PageAddItem(page, text.data(), text.size());
    }
    // Numbers need not follow the order of storage.
    ASSERT_TRUE(PageReplaceItem(page, 1, std::string(90, 'A').data(), 90));
  }
  for (OffsetNumber gone : {2, 5, 6}) PageFreeStorage(stepwise.bytes, gone);
  for (PageBuffer* buffer : {&packed, &stepwise}) {
    PageItemId(buffer->bytes, 2)->SetRedirect(3);
    PageItemId(buffer->bytes, 5)->SetDead();
    PageItemId(buffer->bytes, 6)->SetUnused();
  }
  PageCompact(packed.bytes);
  PageTidyLines(stepwise.bytes);
  size_t upper = HeaderOf(packed.bytes)->upper;
  EXPECT_EQ(std::memcmp(packed.bytes, stepwise.bytes, HeaderOf(packed.bytes)->lower), 0);
  EXPECT_EQ(std::memcmp(packed.bytes + upper, stepwise.bytes + upper, kPageSize - upper), 0);
  EXPECT_EQ(ItemText(stepwise.bytes, 1) + ItemText(stepwise.bytes, 3),
            std::string(90, 'A') + std::string(34, 'c'));
  EXPECT_EQ(PageMaxOffset(stepwise.bytes), 5);
}

TEST(PageTest, ReplaceGrowsAndShrinks) {
  PageBuffer buffer;
  char* page = buffer.bytes;
  PageInit(page);
  for (const char* text : {"one", "two", "three"}) PageAddItem(page, text, strlen(text));
  std::string large(500, 'x');
  ASSERT_TRUE(PageReplaceItem(page, 2, large.data(), large.size()));
  EXPECT_EQ(ItemText(page, 1) + ItemText(page, 3), "onethree");
  EXPECT_EQ(ItemText(page, 2), large);
  ASSERT_TRUE(PageReplaceItem(page, 2, "2", 1));
  EXPECT_EQ(ItemText(page, 1) + ItemText(page, 2) + ItemText(page, 3), "one2three");
  std::string huge(kPageSize, 'y');
  EXPECT_FALSE(PageReplaceItem(page, 2, huge.data(), huge.size()));
}

TEST(PageTest, FullPageRefuses) {
  PageBuffer buffer;
  char* page = buffer.bytes;
  PageInit(page);
  std::string largest(kMaxItemSize, 'z');
  EXPECT_EQ(PageAddItem(page, largest.data(), largest.size()), 1);
  EXPECT_EQ(PageAddItem(page, "x", 1), kInvalidOffset);
  EXPECT_LT(PageFreeSpace(page), 8u);
}

TEST(PageTest, ChecksumFindsEveryFlippedBitAndTheWrongBlock) {
  PageBuffer buffer;
  char* page = buffer.bytes;
  PageInit(page);
  PageAddItem(page, "data", 4);
  HeaderOf(page)->checksum = PageChecksum(page, 7);
  EXPECT_TRUE(PageIsValid(page, 7, true));
  EXPECT_FALSE(PageIsValid(page, 8, true));
  for (size_t byte = 0; byte < kPageSize; byte += 61) {
    page[byte] ^= 4;
    EXPECT_FALSE(PageIsValid(page, 7, true)) << byte;
    page[byte] ^= 4;
  }
  std::memset(page, 0, kPageSize);
  EXPECT_TRUE(PageIsValid(page, 7, true)) << "a new page";
}

// The format on disk: if this fails, existing data directories cannot be read any more.
TEST(PageTest, GoldenFile) {
  PageBuffer buffer;
  char* page = buffer.bytes;
  PageInit(page, 16);
  SetPageLsn(page, Lsn{0x0102030405060708});
  SetPagePruneXid(page, Xid{0x1112131415161718});
  PageAddItem(page, "first item", 10);
  PageAddItem(page, "second", 6);
  PageAddItem(page, "third", 5);
  PageItemId(page, 1)->MarkDead();
  PageItemId(page, 2)->SetRedirect(3);
  SetPageFlag(page, kPageAllVisible);
  std::string_view("special space 16").copy(PageSpecial(page), 16);
  HeaderOf(page)->checksum = PageChecksum(page, 42);
  ExpectGolden("page_v1", {page, kPageSize});
}

TEST(RelationPathTest, NamesArePostgreSqls) {
  RelFileLocator rel{kDefaultTablespace, Oid{5}, 16384};
  EXPECT_EQ(RelationPath(rel, Fork::kMain), "base/5/16384");
  EXPECT_EQ(RelationPath(rel, Fork::kFsm, 2), "base/5/16384_fsm.2");
  EXPECT_EQ(RelationPath({kGlobalTablespace, Oid{0}, 1262}, Fork::kVm), "global/1262_vm");
  rel.owner = RelFileLocator::kFirstTemporary + 7;
  EXPECT_EQ(RelationPath(rel, Fork::kMain), "base/5/t7_16384");
  EXPECT_EQ(RelationPath({Oid{16500}, Oid{5}, 20000}, Fork::kInit),
            "pg_tblspc/16500/PG_15_202209061/5/20000_init");
}

}  // namespace
}  // namespace walden

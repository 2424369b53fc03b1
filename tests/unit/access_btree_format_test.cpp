// The bytes of btree entries: a format cannot change later.
#include <gtest/gtest.h>

#include <string>

#include "node/access/btree/page.h"

namespace walden::btree {
namespace {

int CompareNothing(const Datum&, const Datum&, const void*) { return 0; }

std::string Hex(const Entry& entry) {
  std::string text;
  for (uint32_t i = 0; i < entry.size; ++i)
    text += fmt::format("{:02x}", static_cast<uint8_t>(entry.data[i]));
  return text;
}

class BtreeFormat : public ::testing::Test {
 protected:
  BtreeFormat() : desc_({Column(PhysicalType::kInt32), Column(PhysicalType::kString)}) {
    index_.desc = &desc_;
    IndexKeyColumn number;
    number.order = KeyOrder::kInt32;
    number.compare = CompareNothing;
    IndexKeyColumn text = number;
    text.order = KeyOrder::kBytes;
    index_.keys = {number, text};
  }
  static AttributeDesc Column(PhysicalType type) {
    AttributeDesc attribute;
    attribute.physical = type;
    return attribute;
  }
  EntryBuffer Form(int32_t number, const char* text, TupleId tid) {
    Value values[2] = {{Datum{.i64 = number}, false},
                       text == nullptr ? Value{} : Value{StringDatum(text), false}};
    EntryBuffer entry;
    FormEntry(index_, values, tid, &entry);
    return entry;
  }
  TupleDesc desc_;
  IndexDesc index_;
};

TEST_F(BtreeFormat, LeafEntries) {
  EXPECT_EQ(Hex(Form(258, "ab", {7, 9}).entry()),
            "070000000900"
            "0200"
            "02010000"
            "076162");
  EXPECT_EQ(Hex(Form(258, nullptr, {7, 9}).entry()),
            "070000000900"
            "0280"
            "01"
            "02010000");
}

TEST_F(BtreeFormat, PostingLists) {
  EntryBuffer base = Form(1, "", {1, 1});
  TupleId tids[] = {{1, 1}, {1, 2}, {3, 4}};
  EntryBuffer posting;
  FormPosting(base.entry(), tids, 3, &posting);
  EXPECT_EQ(Hex(posting.entry()),
            "0d0000000300"
            "0220"
            "01000000"
            "03"
            "010000000100"
            "010000000200"
            "030000000400");
  EXPECT_EQ(posting.entry().last_tid(), (TupleId{3, 4}));
  EntryBuffer back;
  FormPosting(posting.entry(), tids, 1, &back);
  EXPECT_EQ(Hex(back.entry()), Hex(base.entry()));
}

TEST_F(BtreeFormat, SeparatorsKeepWhatTellsApart) {
  EntryBuffer separator;
  FormSeparator(index_, Form(1, "zzz", {1, 1}).entry(), Form(2, "aaa", {2, 2}).entry(), &separator);
  EXPECT_EQ(Hex(separator.entry()),
            "000000000000"
            "0140"
            "02000000");
  FormSeparator(index_, Form(1, "a", {1, 1}).entry(), Form(1, "b", {2, 2}).entry(), &separator);
  EXPECT_EQ(Hex(separator.entry()),
            "000000000000"
            "0240"
            "01000000"
            "0562");
  FormSeparator(index_, Form(1, "a", {1, 1}).entry(), Form(1, "a", {2, 2}).entry(), &separator);
  EXPECT_EQ(Hex(separator.entry()),
            "000000000000"
            "0250"
            "01000000"
            "0561"
            "010000000100");
}

}  // namespace
}  // namespace walden::btree

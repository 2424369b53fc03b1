#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <string>

#include "node/access/deform.h"
#include "node/base/random.h"

namespace walden {
namespace {

AttributeDesc Attribute(PhysicalType type, bool not_null = false) {
  AttributeDesc attribute;
  attribute.physical = type;
  attribute.not_null = not_null;
  return attribute;
}
Value Int(int64_t value) { return {Datum{.i64 = value}, false}; }
Value Text(std::string_view value) { return {StringDatum(value), false}; }
Value Small(int64_t scaled, int16_t scale) {
  Datum datum{.words = {0, 0}};
  datum.numeric.scaled = scaled;
  datum.numeric.scale = scale;
  datum.numeric.kind = NumericKind::kSmall;
  return {datum, false};
}

std::string Hex(std::string_view bytes) {
  std::string text;
  for (char c : bytes) text += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return text;
}

TEST(RowFormat, GoldenBytes) {
  TupleDesc desc({Attribute(PhysicalType::kBool, true), Attribute(PhysicalType::kInt32),
                  Attribute(PhysicalType::kString), Attribute(PhysicalType::kNumeric),
                  Attribute(PhysicalType::kInt16)});
  Value values[5] = {Int(1), Int(0x01020304), Text("abc"), Small(-1234, 2), Value{}};
  TupleBuffer row;
  FormTuple(desc, values, &row);
  row.header().xmin_value = 0x1122334455667788;
  row.header().xmax_value = 9;
  row.header().cid = 7;
  row.header().set_ctid({5, 6});
  EXPECT_EQ(Hex({row.data(), row.size()}),
            "8877665544332211"  // xmin
            "0900000000000000"  // xmax
            "07000000"          // cid
            "050000000600"      // ctid
            "0500"              // attributes
            "0300"              // null, variable width
            "20"
            "0f"  // hoff, bitmap
            "01"
            "04030201"    // bool, int4
            "09616263"    // short header: 4 bytes in all
            "09022efb");  // scale 2, -1234 in two bytes
}

TEST(RowFormat, NumericPayloads) {
  auto round_trip = [](int64_t scaled, int16_t scale, size_t size) {
    Value value = Small(scaled, scale);
    EXPECT_EQ(EncodedNumericSize(value.datum.numeric), size);
    char buffer[32] = {};
    char* end = EncodeNumeric(value.datum.numeric, buffer + 8);
    NumericRef back = DecodeNumeric({buffer + 8, static_cast<uint64_t>(end - buffer - 8)});
    EXPECT_EQ(back.scaled, scaled);
    EXPECT_EQ(back.scale, scale);
    EXPECT_EQ(back.kind, NumericKind::kSmall);
  };
  round_trip(0, 0, 1);
  round_trip(127, 2, 2);
  round_trip(128, 2, 3);
  round_trip(-128, 63, 2);
  round_trip(-129, 64, 5);
  round_trip(INT64_MAX, 0, 9);
  round_trip(INT64_MIN, 1000, 11);
  for (NumericKind kind :
       {NumericKind::kNaN, NumericKind::kPositiveInfinity, NumericKind::kNegativeInfinity}) {
    NumericRef value{};
    value.kind = kind;
    char buffer[16];
    EncodeNumeric(value, buffer);
    EXPECT_EQ(DecodeNumeric({buffer, 1}).kind, kind);
  }
  NumericRef big{};
  big.kind = NumericKind::kBig;
  big.digits = "digits";
  big.digits_size = 6;
  big.scale = 300;
  char buffer[16];
  NumericRef back = DecodeNumeric({buffer, static_cast<uint64_t>(EncodeNumeric(big, buffer) - buffer)});
  EXPECT_EQ(std::string_view(back.digits, back.digits_size), "digits");
  EXPECT_EQ(back.scale, 300);
}

// A random table: every type, nulls, dropped and missing attributes; batch, whole-row and single reads agree.
class RandomTable {
 public:
  explicit RandomTable(uint64_t seed) : random_(seed) {
    int count = static_cast<int>(1 + random_.Below(12));
    std::vector<AttributeDesc> attributes;
    for (int i = 0; i < count; ++i) {
      AttributeDesc attribute =
          Attribute(static_cast<PhysicalType>(random_.Below(10)), random_.Below(3) == 0);
      attributes.push_back(attribute);
    }
    full_ = attributes;
    desc_ = std::make_unique<TupleDesc>(attributes);
  }

  Value RandomValue(const AttributeDesc& attribute) {
    if (!attribute.not_null && random_.Below(4) == 0) return {};
    switch (attribute.physical) {
      case PhysicalType::kString: {
        strings_.push_back(std::string(random_.Below(4) == 0 ? random_.Below(400) : random_.Below(20), 'x'));
        return Text(strings_.back());
      }
      case PhysicalType::kNumeric: return Small(static_cast<int64_t>(random_.Next() >> random_.Below(64)), 3);
      case PhysicalType::kFixed16: return {Datum{.words = {random_.Next(), random_.Next()}}, false};
      default: {
        size_t width = PhysicalWidth(attribute.physical);
        uint64_t bits = random_.Next();
        if (width < 8) bits &= (uint64_t{1} << width * 8) - 1;
        return {Datum{.words = {bits, 0}}, false};
      }
    }
  }

  void Run() {
    constexpr int kRows = 40;
    // Half of the rows may be stored under an older, shorter description.
    int old_size = static_cast<int>(random_.Below(full_.size()) + 1);
    TupleDesc old_desc(std::vector<AttributeDesc>(full_.begin(), full_.begin() + old_size));
    for (size_t i = static_cast<size_t>(old_size); i < full_.size(); ++i) {
      full_[i].not_null = false;
      if (random_.Below(2) == 0) {
        AttributeDesc as_not_null = full_[i];
        as_not_null.not_null = true;
        full_[i].has_missing = true;
        full_[i].missing = RandomValue(as_not_null).datum;
      }
    }
    TupleDesc desc(full_);
    bool mix = random_.Below(2) == 0;
    std::vector<std::vector<Value>> expected;
    std::vector<TupleBuffer> buffers(kRows);
    std::vector<TupleView> rows;
    for (int i = 0; i < kRows; ++i) {
      bool old_row = mix && random_.Below(2) == 0;
      std::vector<Value> values;
      for (const AttributeDesc& attribute : full_) values.push_back(RandomValue(attribute));
      FormTuple(old_row ? old_desc : desc, values.data(), &buffers[i]);
      if (old_row) {
        for (size_t k = static_cast<size_t>(old_size); k < full_.size(); ++k) {
          values[k] = full_[k].has_missing ? Value{full_[k].missing, false} : Value{};
        }
      }
      rows.push_back(buffers[i].view());
      expected.push_back(values);
    }
    Check(desc, rows, expected);
    // SET NOT NULL since: old versions still have their nulls.
    std::vector<AttributeDesc> stricter = full_;
    for (AttributeDesc& attribute : stricter) attribute.not_null |= random_.Below(2) == 0;
    Check(TupleDesc(stricter), rows, expected);
  }

 private:
  static void ExpectSame(PhysicalType type, const Datum& a, const Datum& b) {
    if (type == PhysicalType::kString) {
      EXPECT_EQ(a.string.view(), b.string.view());
    } else if (type == PhysicalType::kNumeric) {
      EXPECT_EQ(a.numeric.scaled, b.numeric.scaled);
      EXPECT_EQ(a.numeric.scale, b.numeric.scale);
    } else {
      EXPECT_EQ(std::memcmp(&a, &b, PhysicalWidth(type)), 0);
    }
  }

  void Check(const TupleDesc& desc, const std::vector<TupleView>& rows,
             const std::vector<std::vector<Value>>& expected) {
    DeformContext context;
    std::vector<AttrNumber> wanted;
    for (AttrNumber attno = 1; attno <= static_cast<AttrNumber>(desc.size()); ++attno) {
      if (random_.Below(3) != 0) wanted.push_back(attno);
    }
    constexpr uint32_t kOffset = 5;
    std::vector<std::vector<char>> arrays(wanted.size());
    std::vector<std::vector<uint64_t>> bitmaps(wanted.size(), std::vector<uint64_t>(2, ~uint64_t{0}));
    std::vector<DeformTarget> targets;
    for (size_t k = 0; k < wanted.size(); ++k) {
      PhysicalType type = desc[wanted[k]].physical;
      arrays[k].resize(PhysicalWidth(type) * (rows.size() + kOffset));
      targets.push_back({wanted[k], type, arrays[k].data(), bitmaps[k].data(), false});
    }
    TupleDeformer(desc, wanted).DeformBatch(rows, targets, kOffset, context);
    std::vector<Value> whole(static_cast<size_t>(desc.size()));
    for (size_t i = 0; i < rows.size(); ++i) {
      DeformTuple(desc, rows[i], whole.data(), context);
      for (AttrNumber attno = 1; attno <= static_cast<AttrNumber>(desc.size()); ++attno) {
        const Value& want = expected[i][attno - 1];
        Value single = GetAttribute(desc, rows[i], attno, context);
        ASSERT_EQ(whole[attno - 1].is_null, want.is_null);
        ASSERT_EQ(single.is_null, want.is_null);
        if (want.is_null) continue;
        ExpectSame(desc[attno].physical, whole[attno - 1].datum, want.datum);
        ExpectSame(desc[attno].physical, single.datum, want.datum);
      }
      for (size_t k = 0; k < wanted.size(); ++k) {
        size_t row = i + kOffset;
        bool valid = (bitmaps[k][row / 64] >> (row % 64) & 1) != 0;
        const Value& want = expected[i][wanted[k] - 1];
        ASSERT_EQ(valid, !want.is_null);
        if (want.is_null) continue;
        Datum got{.words = {0, 0}};
        size_t width = PhysicalWidth(targets[k].physical);
        std::memcpy(&got, arrays[k].data() + row * width, width);
        ExpectSame(targets[k].physical, got, want.datum);
      }
    }
  }

  Random random_;
  std::vector<AttributeDesc> full_;
  std::unique_ptr<TupleDesc> desc_;
  std::list<std::string> strings_;
};

TEST(Deform, RandomRowsReadAlikeEveryWay) {
  for (uint64_t seed = 1; seed <= 300; ++seed) RandomTable(seed).Run();
}

TEST(Deform, DroppedAttributesReadAsNull) {
  std::vector<AttributeDesc> attributes = {Attribute(PhysicalType::kInt32), Attribute(PhysicalType::kString),
                                           Attribute(PhysicalType::kInt64)};
  TupleDesc before(attributes);
  Value values[3] = {Int(1), Text("gone"), Int(3)};
  TupleBuffer row;
  FormTuple(before, values, &row);
  attributes[1].dropped = true;
  TupleDesc after(attributes);
  Value read[3];
  DeformTuple(after, row.view(), read, {});
  EXPECT_EQ(read[0].datum.i32, 1);
  EXPECT_TRUE(read[1].is_null);
  EXPECT_EQ(read[2].datum.i64, 3);
}

TEST(FormUpdated, CopiesWhatIsNotReplaced) {
  TupleDesc desc(
      {Attribute(PhysicalType::kInt32), Attribute(PhysicalType::kString), Attribute(PhysicalType::kInt32)});
  Value values[3] = {Int(1), Text("kept"), Value{}};
  TupleBuffer row;
  FormTuple(desc, values, &row);
  AttrSet replaced;
  replaced.Add(3);
  Value changes[3] = {{}, {}, Int(30)};
  TupleBuffer updated;
  FormUpdatedTuple(desc, row.view(), changes, replaced, &updated);
  Value read[3];
  DeformTuple(desc, updated.view(), read, {});
  EXPECT_EQ(read[0].datum.i32, 1);
  EXPECT_EQ(read[1].datum.string.view(), "kept");
  EXPECT_EQ(read[2].datum.i32, 30);
}

}  // namespace
}  // namespace walden

// Text forms of the simple types: what goes in and how it prints, with PostgreSQL's messages for what does not.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "node/base/error.h"
#include "node/types/array.h"
#include "node/types/floating.h"
#include "node/types/hash.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

class TextForms : public testing::Test {
 protected:
  // Input and output again.
  std::string Round(Oid type, std::string_view text, int32_t typmod = -1) {
    TypeIo io{arena_, DefaultTextFormat(), nullptr, &TypeOf(type), typmod};
    Datum value = ParseText(TypeOf(type), text, io);
    return std::string(FormatText(TypeOf(type), value, io));
  }
  // Output, send, receive, output.
  std::string Binary(Oid type, std::string_view text) {
    TypeIo io{arena_, DefaultTextFormat(), nullptr, &TypeOf(type)};
    Datum value = ParseText(TypeOf(type), text, io);
    std::string wire;
    TypeOf(type).send(value, io, &wire);
    Datum back{.words = {0, 0}};
    TypeOf(type).receive(wire, io, &back);
    return std::string(FormatText(TypeOf(type), back, io));
  }
  std::string Error(Oid type, std::string_view text, int32_t typmod = -1) {
    try {
      Round(type, text, typmod);
    } catch (const SqlError& error) {
      return std::string(SqlState(error.code())) + " " + error.what();
    }
    return "no error";
  }
  Arena arena_;
};

using namespace type_oid;

TEST_F(TextForms, Integers) {
  EXPECT_EQ(Round(kInt4, " -42 "), "-42");
  EXPECT_EQ(Round(kInt4, "+7"), "7");
  EXPECT_EQ(Round(kInt8, "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(Error(kInt4, "abc"), "22P02 invalid input syntax for type integer: \"abc\"");
  EXPECT_EQ(Error(kInt4, "4e"), "22P02 invalid input syntax for type integer: \"4e\"");
  EXPECT_EQ(Error(kInt2, "40000"), "22003 value \"40000\" is out of range for type smallint");
  EXPECT_EQ(Error(kInt8, ""), "22P02 invalid input syntax for type bigint: \"\"");
  EXPECT_EQ(Binary(kInt2, "-3"), "-3");
  EXPECT_EQ(Round(kOid, "-1"), "4294967295");
}

TEST_F(TextForms, Booleans) {
  for (const char* text : {"t", "TRUE", "yes", "on", "1", " y "}) EXPECT_EQ(Round(kBool, text), "t") << text;
  for (const char* text : {"f", "False", "no", "off", "0", "of"}) EXPECT_EQ(Round(kBool, text), "f") << text;
  EXPECT_EQ(Error(kBool, "o"), "22P02 invalid input syntax for type boolean: \"o\"");
}

TEST_F(TextForms, Floats) {
  EXPECT_EQ(Round(kFloat8, "0.1"), "0.1");
  EXPECT_EQ(Round(kFloat8, "1e15"), "1e+15");
  EXPECT_EQ(Round(kFloat8, "123456789012345.5"), "123456789012345.5");
  EXPECT_EQ(Round(kFloat8, "0.00001"), "1e-05");
  EXPECT_EQ(Round(kFloat8, "0.0001"), "0.0001");
  EXPECT_EQ(Round(kFloat8, "-0"), "-0");
  EXPECT_EQ(Round(kFloat8, "nan"), "NaN");
  EXPECT_EQ(Round(kFloat8, "-inf"), "-Infinity");
  EXPECT_EQ(Round(kFloat4, "1000000"), "1e+06");
  EXPECT_EQ(Round(kFloat4, "3.4028235e38"), "3.4028235e+38");
  EXPECT_EQ(Error(kFloat8, "1e400"), "22003 \"1e400\" is out of range for type double precision");
  EXPECT_EQ(Error(kFloat8, "x"), "22P02 invalid input syntax for type double precision: \"x\"");
  EXPECT_EQ(Binary(kFloat8, "2.5"), "2.5");
  std::string text;
  AppendDouble(&text, 0.1 + 0.2, 0);
  EXPECT_EQ(text, "0.3");
}

TEST_F(TextForms, Strings) {
  EXPECT_EQ(Round(kVarchar, "abc  ", 4 + 3), "abc");
  EXPECT_EQ(Error(kVarchar, "abcd", 4 + 3), "22001 value too long for type character varying(3)");
  EXPECT_EQ(Round(kBpchar, "a", 4 + 3), "a  ");
  EXPECT_EQ(Round(kBpchar, "\xC3\xA4", 4 + 2), "\xC3\xA4 ");
  EXPECT_EQ(Round(kName, std::string(70, 'x')), std::string(63, 'x'));
  EXPECT_EQ(Round(kBytea, "\\xDEADbeef"), "\\xdeadbeef");
  EXPECT_EQ(Round(kBytea, "a\\\\\\001"), "\\x615c01");
  EXPECT_EQ(Error(kBytea, "\\xabc"), "22023 invalid hexadecimal data: odd number of digits");
  EXPECT_EQ(Round(kUuid, "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}"), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  EXPECT_EQ(Round(kPgLsn, "16/B374D848"), "16/B374D848");
  EXPECT_EQ(Round(kTid, "(4294967295,65535)"), "(4294967295,65535)");
  EXPECT_EQ(Round(kOidVector, " 1 2  3"), "1 2 3");
}

TEST_F(TextForms, Arrays) {
  EXPECT_EQ(Round(kInt4Array, "{1, 2,NULL}"), "{1,2,NULL}");
  EXPECT_EQ(Round(kInt4Array, "{}"), "{}");
  EXPECT_EQ(Round(kInt4Array, "{{1,2},{3,4}}"), "{{1,2},{3,4}}");
  EXPECT_EQ(Round(kInt4Array, "[0:1]={1,2}"), "[0:1]={1,2}");
  EXPECT_EQ(Round(kTextArray, "{a b ,\"c,d\",\"NULL\",\"\",\"q\\\"\"}"),
            "{\"a b\",\"c,d\",\"NULL\",\"\",\"q\\\"\"}");
  EXPECT_EQ(Error(kInt4Array, "1"), "22P02 malformed array literal: \"1\"");
  EXPECT_EQ(Error(kInt4Array, "{1,2"), "22P02 malformed array literal: \"{1,2\"");
  EXPECT_EQ(Error(kInt4Array, "{{1},{2,3}}"), "22P02 malformed array literal: \"{{1},{2,3}}\"");
  EXPECT_EQ(Binary(kTextArray, "{{a,NULL},{c,d}}"), "{{a,NULL},{c,d}}");
  TypeIo io{arena_, DefaultTextFormat()};
  Datum a = ParseText(TypeOf(kInt4Array), "{1,2}", io), b = ParseText(TypeOf(kInt4Array), "{1,3}", io);
  EXPECT_LT(TypeOf(kInt4Array).compare(a, b, nullptr), 0);
}

// Values from PostgreSQL's hashtext, hashint4 and hashtextextended.
TEST(Hash, MatchesPostgreSql) {
  EXPECT_EQ(static_cast<int32_t>(PgHashBytes("walden pond is deep")), 1026161623);
  EXPECT_EQ(static_cast<int32_t>(PgHashBytes("ab")), 1718550461);
  EXPECT_EQ(static_cast<int32_t>(PgHashUint32(42)), 1509752520);
  EXPECT_EQ(static_cast<int64_t>(PgHashBytesExtended("walden pond is deep", 7)), -8023921385623124740);
}

}  // namespace
}  // namespace walden

// Lines of COPY data: how they may end, what PostgreSQL says of those that end otherwise, and that it does not matter how
// the bytes arrive.
#include <gtest/gtest.h>

#include "node/base/error.h"
#include "node/session/copy_format.h"

namespace walden {
namespace {

// Rows as "a|b;c|d;", then "line N: message" if reading failed.
std::string Read(const CopyOptions& options, std::string_view bytes, size_t piece) {
  std::string shown;
  CopyReader reader(options);
  std::vector<CopyField> fields;
  try {
    for (size_t at = 0; at <= bytes.size() && !reader.ended(); at += piece) {
      reader.Feed(bytes.substr(at, piece), at + piece > bytes.size());
      while (reader.NextRow(&fields)) {
        for (size_t i = 0; i < fields.size(); ++i) {
          if (i > 0) shown += '|';
          shown += fields[i].is_null ? "null" : std::string(fields[i].text);
        }
        shown += ';';
      }
    }
  } catch (const SqlError& error) {
    shown += fmt::format("line {}: {}", reader.line_number(), error.fields().message);
    EXPECT_FALSE(reader.line().has_value());
  }
  return shown;
}

void Expect(const CopyOptions& options, std::string_view bytes, std::string_view rows) {
  for (size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{17}, bytes.size() + 1}) {
    EXPECT_EQ(Read(options, bytes, piece), rows) << "in pieces of " << piece;
  }
}

TEST(CopyReader, LinesEndAsTheFirstOneDoes) {
  CopyOptions text;
  Expect(text, "1\ta\n2\tb\n", "1|a;2|b;");
  Expect(text, "1\ta\r\n2\tb\r\n", "1|a;2|b;");
  Expect(text, "1\ta\r2\tb\r", "1|a;2|b;");
  Expect(text, "1\ta\n2\tb", "1|a;2|b;");
  Expect(text, "1\ta\r\n2\tb\n", "1|a;line 2: literal newline found in data");
  Expect(text, "1\ta\n2\tb\rc\n", "1|a;line 2: literal carriage return found in data");
  Expect(text, "1\ta\r\n2\tb\rc\r\n", "1|a;line 2: literal carriage return found in data");
  CopyOptions csv;
  csv.csv = true;
  csv.delimiter = ',';
  csv.null = "";
  Expect(csv, "1,a\n2,b\rc\n", "1|a;line 2: unquoted carriage return found in data");
  Expect(csv, "1,\"a\r\nb\"\n2,\n", "1|a\r\nb;2|null;");
}

TEST(CopyReader, EndMarkers) {
  CopyOptions text;
  Expect(text, "1\ta\n\\.\n3\tx\n", "1|a;");
  Expect(text, "1\ta\n2\tb\\.\n3\tx\n", "1|a;2|b;3|x;");
  Expect(text, "1\ta\n2\tb\\.z\n", "1|a;line 2: end-of-copy marker corrupt");
  Expect(text, "1\ta\n\\.", "1|a;line 2: end-of-copy marker corrupt");
  Expect(text, "1\ta\r\n\\.\n", "1|a;line 2: end-of-copy marker does not match previous newline style");
  Expect(text, "1\ta\r\n\\.\r\n", "1|a;");
  CopyOptions csv;
  csv.csv = true;
  csv.delimiter = ',';
  csv.null = "";
  Expect(csv, "1,b\\.\n\\.x,3\n\\.\n4,5\n", "1|b\\.;\\.x|3;");
}

TEST(CopyReader, EncodingIsCheckedLineByLine) {
  CopyOptions text;
  Expect(text, "\xc3\xa9\tb\n1\t\xff\n",
         "\xc3\xa9|b;line 2: invalid byte sequence for encoding \"UTF8\": 0xff");
}

}  // namespace
}  // namespace walden

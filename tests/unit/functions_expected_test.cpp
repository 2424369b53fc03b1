// Every line of functions_expected.tsv (made from a real PostgreSQL by functions_expected.py) must come out the same.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "node/base/error.h"
#include "node/sql/functions/registry.h"
#include "node/types/integer.h"

namespace walden {
namespace {

std::vector<std::string> Split(const std::string& line) {
  std::vector<std::string> fields(1);
  for (char c : line) {
    if (c == '\t')
      fields.emplace_back();
    else
      fields.back().push_back(c);
  }
  return fields;
}

std::string Unescape(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size())
      result.push_back(text[i]);
    else
      result.push_back(text[++i] == 'n' ? '\n' : text[i]);
  }
  return result;
}

std::string Evaluate(const std::vector<std::string>& fields) {
  Arena arena;
  CallSite site;
  CallContext context{arena, DefaultTextFormat(), nullptr, site};
  try {
    const ScalarFunction* function = FindScalar(fields[0]);
    if (function == nullptr) return "no such function";
    std::vector<Oid> types;
    std::vector<Value> args;
    for (size_t i = 3; i + 1 < fields.size(); i += 2) {
      types.push_back(Oid{ParseUint32(fields[i], "oid")});
      Value value;
      if (fields[i + 1] != "\\N") {
        value.datum = ParseText(TypeOf(types.back()), fields[i + 1], context.Io(types.back()));
        value.is_null = false;
      }
      args.push_back(value);
    }
    site.arg_types = types;
    site.result_type = Oid{ParseUint32(fields[1], "oid")};
    Value result = CallScalar(*function, context, args);
    if (result.is_null) return "\\N";
    if (site.result_type == type_oid::kBool) return result.datum.b ? "true" : "false";
    return std::string(FormatText(TypeOf(site.result_type), result.datum, context.Io(site.result_type)));
  } catch (const SqlError& error) {
    return "!" + std::string(SqlState(error.code())) + ": " + error.what();
  }
}

TEST(Functions, MatchPostgreSql) {
  // Tests run somewhere below the source tree.
  std::ifstream file;
  std::string path = "tests/unit/functions_expected.tsv";
  for (int levels = 0; levels < 8 && !file.is_open(); ++levels, path = "../" + path) file.open(path);
  ASSERT_TRUE(file.is_open());
  size_t lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    std::vector<std::string> fields = Split(line);
    std::string expected = fields[2] == "\\N" || fields[2][0] == '!' ? fields[2] : Unescape(fields[2]);
    if (fields[2].empty()) expected.clear();
    EXPECT_EQ(Evaluate(fields), expected) << line;
  }
  EXPECT_GT(lines, 100u);
}

}  // namespace
}  // namespace walden

// Parse: errors and warnings as PostgreSQL 15 reports them, statement boundaries, limits.
#include <gtest/gtest.h>

#include "node/sql/parser/ast.h"
#include "node/sql/parser/parser.h"

namespace walden {
namespace {

struct ErrorCase {
  std::string_view sql;
  ErrorCode code;
  std::string_view message;
  int position;
  std::string_view hint;
};

TEST(ParserParse, ErrorsAreThoseOfPostgres) {
  const ErrorCase cases[] = {
      {"select '\xc3\xa9' frm x y", ErrorCode::kSyntaxError, "syntax error at or near \"x\"", 16, ""},
      {"select U&'\\zzzz'", ErrorCode::kSyntaxError, "invalid Unicode escape", 11,
       "Unicode escapes must be \\XXXX or \\+XXXXXX."},
      {"select 'abc", ErrorCode::kSyntaxError, "unterminated quoted string at or near \"'abc\"", 8, ""},
      {"select E'\\xff'", ErrorCode::kCharacterNotInRepertoire,
       "invalid byte sequence for encoding \"UTF8\": 0xff", 0, ""},
      {"select ((((", ErrorCode::kSyntaxError, "syntax error at end of input", 12, ""},
      {"select \"\"", ErrorCode::kSyntaxError, "zero-length delimited identifier at or near \"\"\"\"", 8, ""},
      {"select 123abc", ErrorCode::kSyntaxError, "trailing junk after numeric literal at or near \"123abc\"",
       8, ""},
      {"/* abc", ErrorCode::kSyntaxError, "unterminated /* comment at or near \"/* abc\"", 1, ""},
      {"select 1; selec 2", ErrorCode::kSyntaxError, "syntax error at or near \"selec\"", 11, ""},
      {"select * from t order by a fetch first 1 rows with ties for update skip locked",
       ErrorCode::kSyntaxError, "SKIP LOCKED and WITH TIES options cannot be used together", 0, ""},
      {"select '\xff'", ErrorCode::kCharacterNotInRepertoire,
       "invalid byte sequence for encoding \"UTF8\": 0xff", 0, ""},
  };
  for (const ErrorCase& expected : cases) {
    try {
      Parse(expected.sql);
      ADD_FAILURE() << expected.sql;
    } catch (const SqlError& error) {
      EXPECT_EQ(SqlState(error.code()), SqlState(expected.code)) << expected.sql;
      EXPECT_EQ(error.fields().message, expected.message);
      EXPECT_EQ(error.fields().position, expected.position) << expected.sql;
      EXPECT_EQ(error.fields().hint, expected.hint) << expected.sql;
    }
  }
}

TEST(ParserParse, WarningsAreKept) {
  ParseResult parsed = Parse("create global temp table gt (a int)");
  ASSERT_EQ(parsed->warnings.size(), 1u);
  EXPECT_EQ(parsed->warnings[0].severity, Severity::kWarning);
  EXPECT_EQ(parsed->warnings[0].message, "GLOBAL is deprecated in temporary table creation");
  EXPECT_EQ(SqlState(parsed->warnings[0].code), "01000");
  EXPECT_EQ(parsed->warnings[0].position, 8);

  std::string name(70, 'a');
  parsed = Parse("select 1 as " + name);
  ASSERT_EQ(parsed->warnings.size(), 1u);
  EXPECT_EQ(parsed->warnings[0].severity, Severity::kNotice);
  EXPECT_EQ(SqlState(parsed->warnings[0].code), "42622");
  EXPECT_EQ(parsed->warnings[0].message,
            "identifier \"" + name + "\" will be truncated to \"" + name.substr(0, 63) + "\"");
}

TEST(ParserParse, StatementBoundaries) {
  std::string_view sql = "  select 1 ;; -- x\n select 2; ";
  ParseResult parsed = Parse(sql);
  ASSERT_EQ(parsed->statements.size(), 2u);
  EXPECT_EQ(StatementText(parsed->text, *parsed->statements[0]), "select 1");
  EXPECT_EQ(StatementText(parsed->text, *parsed->statements[1]), "-- x\n select 2");
  parsed = Parse("");
  EXPECT_TRUE(parsed->statements.empty());
  parsed = Parse(" ; ;");
  EXPECT_TRUE(parsed->statements.empty());
}

TEST(ParserParse, PositionsCountCharacters) {
  EXPECT_EQ(CharacterPosition("\xc3\xa9x", 2), 2);
  EXPECT_EQ(CharacterPosition("abc", 0), 1);
  EXPECT_EQ(CharacterPosition("abc", {}), 0);
}

TEST(ParserParse, DeepNestingIsRefused) {
  std::string sum = "select 1";
  for (int i = 0; i < 400000; ++i) sum += "+1";
  try {
    Parse(sum);
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(SqlState(error.code()), "54001");
    EXPECT_EQ(error.fields().message, "stack depth limit exceeded");
  }
  std::string parentheses = "select " + std::string(20000, '(');
  EXPECT_THROW(Parse(parentheses), SqlError);
  std::string conditions = "select a";
  for (int i = 0; i < 40000; ++i) conditions += " or a";
  ParseResult parsed = Parse(conditions);  // one flat OR
  const auto* select = ast::As<ast::SelectStmt>(parsed->statements[0]->stmt);
  EXPECT_EQ(ast::As<ast::BoolExpr>(ast::As<ast::ResTarget>(select->target_list[0])->val)->args.size(),
            40001u);
}

TEST(ParserParse, Modes) {
  ParseResult type = Parse("numeric(10,2)[]", {.mode = ParseMode::kTypeName});
  ASSERT_NE(type->type_name, nullptr);
  EXPECT_EQ(type->type_name->typmods.size(), 2u);
  ParseResult expression = Parse("a + 1", {.mode = ParseMode::kPlpgsqlExpr});
  EXPECT_TRUE(ast::Is<ast::SelectStmt>(expression->statements[0]->stmt));
  ParseResult assignment = Parse("a[1] := 2", {.mode = ParseMode::kPlpgsqlAssign1});
  EXPECT_TRUE(ast::Is<ast::PlAssignStmt>(assignment->statements[0]->stmt));
}

TEST(ParserParse, BackslashesFollowTheSetting) {
  ParseResult parsed = Parse("select 'a\\tb'", {.standard_conforming_strings = false});
  const auto* select = ast::As<ast::SelectStmt>(parsed->statements[0]->stmt);
  const auto* constant = ast::As<ast::AConst>(ast::As<ast::ResTarget>(select->target_list[0])->val);
  EXPECT_EQ(ast::StringOf(constant->val), "a\tb");
  ASSERT_EQ(parsed->warnings.size(), 1u);
  EXPECT_EQ(parsed->warnings[0].message, "nonstandard use of escape in a string literal");
}

TEST(ParserParse, CommandTags) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"select 1 for update", "SELECT FOR UPDATE"},
      {"select 1", "SELECT"},
      {"drop index i", "DROP INDEX"},
      {"alter index i rename to j", "ALTER INDEX"},
      {"alter view v rename column a to b", "ALTER VIEW"},
      {"create unique index on t (a)", "CREATE INDEX"},
      {"truncate t", "TRUNCATE TABLE"},
      {"analyze t", "ANALYZE"},
      {"create materialized view v as select 1", "CREATE MATERIALIZED VIEW"},
      {"select 1 into t", "SELECT"},
      {"close all", "CLOSE CURSOR ALL"},
      {"grant a to b", "GRANT ROLE"},
      {"create aggregate a (int) (sfunc = f, stype = int)", "CREATE AGGREGATE"},
      {"create user u", "CREATE ROLE"},
      {"reset all", "RESET"},
      {"lock t", "LOCK TABLE"},
  };
  for (const auto& [sql, tag] : cases) {
    ParseResult parsed = Parse(sql);
    EXPECT_EQ(CommandTagName(parsed->statements[0]->stmt), tag) << sql;
  }
}

}  // namespace
}  // namespace walden

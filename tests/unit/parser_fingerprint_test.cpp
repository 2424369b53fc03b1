// The literal-stripping scanner: what leaves the key, what stays, what it refuses.
#include <gtest/gtest.h>

#include <set>

#include "node/base/error.h"
#include "node/base/random.h"
#include "node/sql/parser/ast.h"
#include "node/sql/parser/fingerprint.h"
#include "node/sql/parser/parser.h"
#include "tests/unit/parser_corpus.h"

namespace walden {
namespace {

// The key with literal marks shown as <i>, <b>, <n>, <s>; "-" when there is no key.
std::string Key(std::string_view sql) {
  Fingerprint fingerprint;
  if (!ScanFingerprint(sql, &fingerprint)) return "-";
  std::string shown;
  for (size_t i = 0; i < fingerprint.key.size(); ++i) {
    if (fingerprint.key[i] != '\x01') {
      shown += fingerprint.key[i];
    } else {
      shown += std::string("<") + "ibns"[fingerprint.key[++i] - '0'] + ">";
    }
  }
  return shown;
}

TEST(ParserFingerprint, TakesLiteralsOut) {
  EXPECT_EQ(Key("SELECT abalance FROM pgbench_accounts WHERE aid = 4711;"),
            "SELECT abalance FROM pgbench_accounts WHERE aid = <i>");
  EXPECT_EQ(Key("select 'a''b', 1.5, 5000000000, .5e-3, 1e10 from t1"),
            "select <s>, <n>, <b>, <n>, <n> from t1");
  EXPECT_EQ(Key("insert into t values (1, -2, $1, null, true)"),
            "insert into t values (<i>, -<i>, $1, null, true)");
  EXPECT_EQ(Key("  /* c /* d */ */ select\n\t1 -- x\n ; "), "select <i>");
  EXPECT_EQ(Key("(select 1)"), "(select <i>)");
  EXPECT_EQ(Key("select a1, t.c2, \"q 5\" from x"), "select a1, t.c2, \"q 5\" from x");
  EXPECT_EQ(Key("select a[1], a in (1,2)"), "select a[<i>], a in (<i>,<i>)");
}

TEST(ParserFingerprint, KeepsWhatAnalysisLooksAt) {
  EXPECT_EQ(Key("select a from t where b = 1 order by 2, 3 limit 10 offset 5"),
            "select a from t where b = <i> order by 2, 3 limit 10 offset 5");
  EXPECT_EQ(Key("select a from t group by 1 having count(*) > 5 order by 1"),
            "select a from t group by 1 having count(*) > <i> order by 1");
  EXPECT_EQ(Key("select distinct on (1) a, 2 from t"), "select distinct on (1) a, <i> from t");
  EXPECT_EQ(Key("select 5::numeric(10,2), cast(7 as varchar(3)), '1'::int[3]"),
            "select <i>::numeric(10,2), cast(<i> as varchar(3)), <s>::int[3]");
  EXPECT_EQ(Key("select current_time(3), interval(2) '1', numeric(3,1) '1.5', time '01:00'"),
            "select current_time(3), interval(2) <s>, numeric(3,1) <s>, time <s>");
  EXPECT_EQ(Key("with w as (select 1), v as materialized (select 2) select 3"),
            "with w as (select <i>), v as materialized (select <i>) select <i>");
  EXPECT_EQ(Key("select E'\\'5', U&'x', b'01', x'1F', N'x', $$5$$, $a$'$a$"),
            "select E'\\'5', U&'x', b'01', x'1F', N'x', $$5$$, $a$'$a$");
  EXPECT_EQ(Key("select 'a'\n 'b', 2"), "select 'a'\n 'b', <i>");
  EXPECT_EQ(Key("select -2147483648, 9223372036854775808"), "select -2147483648, 9223372036854775808");
  EXPECT_EQ(Key("select (select a from t order by 1), 2"), "select (select a from t order by 1), <i>");
  EXPECT_EQ(Key("select a from t order by 1 union select 2"), "select a from t order by 1 union select <i>");
  EXPECT_EQ(Key("select a from t fetch first 3 rows only"), "select a from t fetch first 3 rows only");
}

TEST(ParserFingerprint, RefusesWhatItCannotJudge) {
  for (std::string_view sql : {"", "set a = 1", "create table t (a int)", "select 1; select 2", "select 'abc",
                               "select 12abc", "select 1..2", "select (1", "select 1)", "/* x", "begin",
                               "explain select 1", "copy t from stdin", "select \"a", "select $x$abc"}) {
    EXPECT_EQ(Key(sql), "-") << sql;
  }
}

TEST(ParserFingerprint, PositionsAndSigns) {
  Fingerprint fingerprint;
  std::string_view sql = "select -5, 'a''b', a - 3";
  ASSERT_TRUE(ScanFingerprint(sql, &fingerprint));
  ASSERT_EQ(fingerprint.literals.size(), 3u);
  EXPECT_EQ(fingerprint.literals[0].offset, 8);
  EXPECT_EQ(fingerprint.literals[0].sign_offset, 7);
  EXPECT_EQ(fingerprint.literals[1].offset, 11);
  EXPECT_EQ(fingerprint.literals[1].length, 6);
  EXPECT_EQ(fingerprint.literals[2].sign_offset, 21);
  std::string value;
  AppendUnquoted(sql.substr(11, 6), &value);
  EXPECT_EQ(value, "a'b");
}

// Constants of the AST by location.
void CollectConstants(const ast::Node* node, std::set<int32_t>* locations) {
  if (node == nullptr) return;
  if (const auto* constant = ast::TryAs<ast::AConst>(node)) locations->insert(constant->location);
  ast::VisitNode(node, [&](const auto& typed) {
    std::remove_cvref_t<decltype(typed)>::VisitFields(typed, [&](const char*, const auto& field) {
      using Field = std::remove_cvref_t<decltype(field)>;
      if constexpr (std::is_same_v<Field, ast::NodeList>) {
        for (const ast::Node* item : field) CollectConstants(item, locations);
      } else if constexpr (std::is_pointer_v<Field>) {
        CollectConstants(field, locations);
      }
    });
  });
}

// Every literal that the scanner lists is one constant of the grammar's, at one of the two places it may
// have.
TEST(ParserFingerprint, AgreesWithTheGrammar) {
  int checked = 0;
  for (std::string_view sql : kParserCorpus) {
    Fingerprint fingerprint;
    if (!ScanFingerprint(sql, &fingerprint)) continue;
    ParseResult parsed = Parse(sql);
    std::set<int32_t> constants;
    CollectConstants(parsed->statements[0], &constants);
    for (const StatementLiteral& literal : fingerprint.literals) {
      auto at = [&](int32_t location) { return constants.count(location); };
      EXPECT_EQ(at(literal.offset) + (literal.sign_offset >= 0 ? at(literal.sign_offset) : 0), 1)
          << sql << " at " << literal.offset;
      ++checked;
    }
  }
  EXPECT_GT(checked, 50);
}

// Takes the values out of a tree's constants.
void BlankConstants(ast::Node* node) {
  if (node == nullptr) return;
  if (auto* constant = ast::TryAs<ast::AConst>(node)) {
    if (ast::Is<ast::Integer>(constant->val) || ast::Is<ast::Float>(constant->val)) constant->isnull = true;
    constant->val = nullptr;
    return;
  }
  ast::VisitNode(node, [&](const auto& typed) {
    std::remove_cvref_t<decltype(typed)>::VisitFields(typed, [&](const char*, const auto& field) {
      using Field = std::remove_cvref_t<decltype(field)>;
      if constexpr (std::is_same_v<Field, ast::NodeList>) {
        for (ast::Node* item : field) BlankConstants(item);
      } else if constexpr (std::is_pointer_v<Field>) {
        BlankConstants(field);
      }
    });
  });
}

std::string_view OtherLiteral(LiteralKind kind) {
  switch (kind) {
    case LiteralKind::kInt4: return "31";
    case LiteralKind::kInt8: return "31000000000";
    case LiteralKind::kNumeric: return "3.25";
    case LiteralKind::kString: return "'o''ther'";
  }
  return "";
}

// The promise of the key: other literals of the same kinds make the same key and the same tree.
TEST(ParserFingerprint, EqualKeysMakeEqualTrees) {
  for (std::string_view sql : kParserCorpus) {
    Fingerprint fingerprint, other_fingerprint;
    if (!ScanFingerprint(sql, &fingerprint) || fingerprint.literals.empty()) continue;
    std::string other;
    size_t at = 0;
    for (const StatementLiteral& literal : fingerprint.literals) {
      auto offset = static_cast<size_t>(literal.offset);
      other.append(sql, at, offset - at).append(OtherLiteral(literal.kind));
      at = offset + static_cast<size_t>(literal.length);
    }
    other.append(sql.substr(at));
    ASSERT_TRUE(ScanFingerprint(other, &other_fingerprint)) << other;
    EXPECT_EQ(fingerprint.key, other_fingerprint.key);
    ParseResult a = Parse(sql), b = Parse(other);
    BlankConstants(a->statements[0]->stmt);
    BlankConstants(b->statements[0]->stmt);
    EXPECT_TRUE(ast::EqualNodes(a->statements[0]->stmt, b->statements[0]->stmt)) << sql << "\n" << other;
  }
}

// Neither the scanner nor the parser may be upset by any text.
TEST(ParserFingerprint, DamagedTextIsHandled) {
  Random random(7);
  int parsed = 0;
  for (std::string_view sql : kParserCorpus) {
    for (int round = 0; round < 20; ++round) {
      std::string damaged(sql);
      for (int i = 0; i < 3; ++i) {
        size_t position = random.Below(damaged.size());
        static constexpr std::string_view kBytes = "'\"$()[]-/*;:.eE\\01\n \xff@";
        if (random.Below(3) == 0) {
          damaged.erase(position, 1 + random.Below(4));
        } else {
          damaged[position] = kBytes[random.Below(kBytes.size())];
        }
        if (damaged.empty()) damaged = " ";
      }
      Fingerprint fingerprint;
      ScanFingerprint(damaged, &fingerprint);
      try {
        parsed += Parse(damaged)->statements.size() > 0;
      } catch (const SqlError& error) {
        EXPECT_NE(SqlState(error.code()), "XX000") << error.what() << " in " << damaged;
      }
    }
  }
  EXPECT_GT(parsed, 20);
}

}  // namespace
}  // namespace walden

// DDL through parser, binder and commands, shown again by the pg_get_*def family: as PostgreSQL 15 shows it.
#include <gtest/gtest.h>

#include "node/catalog/namespace.h"
#include "node/sql/binder/session_reader.h"
#include "node/sql/commands/commands.h"
#include "node/sql/query/catalog_deparse_names.h"
#include "node/sql/query/definition_functions.h"
#include "node/sql/query/object_definitions.h"
#include "tests/unit/catalog_node.h"

namespace walden {
namespace {

struct GoldenView {
  std::string_view tree, plain, pretty;
};
struct GoldenExpr {
  std::string_view tree;
  uint32_t relation;
  std::string_view plain, pretty;
};
struct GoldenType {
  uint32_t oid;
  int32_t typmod;
  std::string_view name;
};
struct GoldenFact {
  uint32_t oid;
  std::string_view text;
};
#include "tests/unit/query_deparse_golden.inc"

class CommandsDefinitions : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    node_ = new CatalogNode([](const BuiltinFunction&) { return true; });
    BeginTransaction();
  }
  static void TearDownTestSuite() {
    delete node_;
    node_ = nullptr;
  }

  static void Run(std::string_view sql) {
    ParseResult parsed = Parse(sql);
    for (const ast::RawStmt* statement : parsed->statements) {
      Arena arena;
      SessionReader::Instance().Refresh();
      CommandContext context{arena, SessionReader::Instance(), parsed->text, DefaultTextFormat()};
      RunCommand(*statement->stmt, context);
      CommandCounterIncrement();
    }
  }
  static Oid Relation(std::string_view name) { return FindRelation(ToCatalogName(ParseIdentifiers(name))); }

  CatalogDeparseNames names_{DefaultTextFormat(), nullptr};
  static CatalogNode* node_;
};
CatalogNode* CommandsDefinitions::node_ = nullptr;

TEST_F(CommandsDefinitions, Tables) {
  Run("create table tt (a int, b text collate \"C\", c text, \"D d\" int, primary key (a, \"D d\") include "
      "(b));"
      "create index i1 on tt ((case when a>1 then 1 else 2 end), lower(b), b text_pattern_ops desc, c "
      "collate \"C\" "
      "nulls first) include (\"D d\") with (fillfactor=70) where a>1 and b is not null;"
      "create unique index i2 on tt (a desc nulls last) nulls not distinct;");
  EXPECT_EQ(IndexDefinition(Relation("tt_pkey"), 0, names_, false),
            "CREATE UNIQUE INDEX tt_pkey ON public.tt USING btree (a, \"D d\") INCLUDE (b)");
  EXPECT_EQ(IndexDefinition(Relation("i2"), 0, names_, true),
            "CREATE UNIQUE INDEX i2 ON tt USING btree (a DESC NULLS LAST) NULLS NOT DISTINCT");
  EXPECT_EQ(IndexDefinition(Relation("i1"), 0, names_, false),
            "CREATE INDEX i1 ON public.tt USING btree ((\nCASE\n    WHEN (a > 1) THEN 1\n    ELSE 2\nEND), "
            "lower(b), b "
            "text_pattern_ops DESC, c COLLATE \"C\" NULLS FIRST) INCLUDE (\"D d\") WITH (fillfactor='70') "
            "WHERE ((a > 1) "
            "AND (b IS NOT NULL))");
  EXPECT_EQ(IndexDefinition(Relation("i1"), 2, names_, false), "lower(b)");
  EXPECT_EQ(IndexDefinition(Relation("i1"), 9, names_, false), "");
}

TEST_F(CommandsDefinitions, Constraints) {
  Run("create table par (x int primary key, y int unique);"
      "create table chi (a int check (a > 0) no inherit, b int references par on delete cascade, c int, d "
      "int, constraint "
      "named check (c < d or d is null), unique nulls not distinct (c, d) deferrable initially deferred, "
      "foreign key (c) "
      "references par (y) match full on update set null on delete set default);");
  auto shown = [&](std::string_view name, bool pretty) {
    return ConstraintDefinition(FindConstraint(Relation("chi"), name, false), names_, pretty);
  };
  EXPECT_EQ(shown("chi_a_check", false), "CHECK ((a > 0)) NO INHERIT");
  EXPECT_EQ(shown("chi_a_check", true), "CHECK (a > 0) NO INHERIT");
  EXPECT_EQ(shown("named", false), "CHECK (((c < d) OR (d IS NULL)))");
  EXPECT_EQ(shown("named", true), "CHECK (c < d OR d IS NULL)");
  EXPECT_EQ(shown("chi_b_fkey", false), "FOREIGN KEY (b) REFERENCES par(x) ON DELETE CASCADE");
  EXPECT_EQ(shown("chi_c_fkey", false),
            "FOREIGN KEY (c) REFERENCES par(y) MATCH FULL ON UPDATE SET NULL ON DELETE SET DEFAULT");
  EXPECT_EQ(shown("chi_c_d_key", false), "UNIQUE NULLS NOT DISTINCT (c, d) DEFERRABLE INITIALLY DEFERRED");
}

TEST_F(CommandsDefinitions, Defaults) {
  Run("create table def (a int default 5, b text default 'x' || 'y', c timestamptz default now(), d int, "
      "e int generated always as (a * 2) stored, f numeric default 1.50, g bool default true, h int[] "
      "default '{1,2}', "
      "i date default current_date)");
  RelationRef relation = OpenRelation(Relation("def"), LockMode::kAccessShare);
  const std::pair<AttrNumber, std::string_view> cases[] = {
      {1, "5"},    {2, "('x'::text || 'y'::text)"}, {3, "now()"},        {5, "(a * 2)"}, {6, "1.50"},
      {7, "true"}, {8, "'{1,2}'::integer[]"},       {9, "CURRENT_DATE"},
  };
  for (const auto& [attno, text] : cases) {
    EXPECT_EQ(StoredExpression(relation->DefaultOf(attno)->expression, relation->oid, names_, false), text);
  }
}

TEST_F(CommandsDefinitions, BuiltinFunctions) {
  EXPECT_EQ(FunctionArguments(Oid{1081}, names_, true), "oid, integer");
  EXPECT_EQ(FunctionArguments(Oid{2147}, names_, true), "\"any\"");
  EXPECT_EQ(FunctionArguments(Oid{3972}, names_, true), "double precision ORDER BY anyelement");
  EXPECT_EQ(FunctionArguments(Oid{3986}, names_, true), "VARIADIC \"any\" ORDER BY VARIADIC \"any\"");
  EXPECT_EQ(FunctionResult(Oid{1067}), "SETOF integer");
}

TEST_F(CommandsDefinitions, Views) {
  Run("create schema s; create table t (a int, b text, cc numeric(10,2), d date, e int[], f boolean, \"G h\" "
      "text collate "
      "\"C\"); create table u (a int, b text, z bigint, newer int); create table s.w (a int, \"select\" int);"
      "create table dropped (a int, b int);");
  int shown = 0, number = 0;
  for (const GoldenView& golden : kGoldenViews) {
    std::string name = "gv" + std::to_string(number++);
    try {
      Run("create view " + name + " as " + std::string(golden.plain));
    } catch (const SqlError& error) {
      // Objects that only the golden database has.
      std::string_view state = SqlState(error.code());
      EXPECT_TRUE(state == "42704" || state == "42883" || state == "42703" || state == "42P10" ||
                  state == "0A000")
          << state << " " << error.what() << " for " << golden.plain;
      continue;
    }
    try {
      EXPECT_EQ(ViewDefinition(Relation(name), names_, false), golden.plain);
      EXPECT_EQ(ViewDefinition(Relation(name), names_, true), golden.pretty);
      ++shown;
    } catch (const SqlError& error) {
      ADD_FAILURE() << error.what() << " for " << golden.plain;
    }
  }
  EXPECT_GE(shown, 60);
}

}  // namespace
}  // namespace walden

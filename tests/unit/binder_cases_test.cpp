// Statements with what a real PostgreSQL 15 said of them (binder_cases.txt): result columns and parameter types, or
// the error with its SQLSTATE, position, message, detail and hint.
#include <gtest/gtest.h>

#include <fstream>

#include "node/base/error.h"
#include "node/sql/binder/binder.h"
#include "node/sql/binder/rewriter.h"
#include "node/sql/binder/type_rules.h"
#include "node/sql/parser/parser.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/query_text.h"
#include "tests/unit/binder_test_catalog.h"

namespace walden {
namespace {

// Every name is object 1: enough to bind 'pg_class'::regclass.
class AnyNames : public ObjectNames {
 public:
  Oid Find(Oid, std::string_view) override { return Oid{1}; }
  Oid FindOrInvalid(Oid, std::string_view) override { return Oid{1}; }
  std::string_view Name(Oid, Oid, Arena&) override { return "name"; }
  Oid FindRole(std::string_view) override { return Oid{1}; }
  std::string_view RoleName(Oid, Arena&) override { return "role"; }
  Oid EnumValue(Oid, std::string_view) override { return Oid{1}; }
  std::string_view EnumLabel(Oid, Arena&) override { return "label"; }
  int CompareEnum(Oid, Oid) override { return 0; }
};

struct Case {
  std::string sql;
  std::string expected;  // the lines after the statement
};

std::vector<Case> ReadCases(const std::string& name) {
  std::ifstream file(std::string(WALDEN_SOURCE_DIR) + "/tests/unit/" + name);
  std::vector<Case> cases;
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("sql: ")) {
      cases.push_back({line.substr(5), ""});
    } else if (!line.empty()) {
      cases.back().expected += line + "\n";
    }
  }
  return cases;
}

// The tables that the statements refer to.
void AddTables(TestCatalog& catalog) {
  using namespace type_oid;
  constexpr int32_t kNumeric10_2 = ((10 << 16) | 2) + 4, kVarchar20 = 24;
  Oid t = catalog.AddRelation("t", 'r',
                              {{"a", kInt4, -1, true},
                               {"b", kText, -1, true},
                               {"c", kNumeric, kNumeric10_2},
                               {"d", kTimestamp},
                               {"e", kVarchar, kVarchar20}});
  catalog.AddUnique(t, "t_pkey", true, {1});
  catalog.AddRelation("u", 'r',
                      {{"a", kInt4}, {"b", kText}, {"x", kInt4Array}, {"f", kFloat8}, {"j", kJsonb}});
  Arena arena;
  std::string five = WriteNode(MakeInt4Const(arena, 5));
  catalog.AddRelation("gen", 'r',
                      {{"id", kInt4, -1, true, {}, 'a'},
                       {"n", kInt4, -1, false, five},
                       {"s", kText},
                       {"g", kInt4, -1, false, five, 0, 's'}});
  Oid posint = catalog.AddDomain("posint", kInt4);
  catalog.AddRelation("dt", 'r', {{"p", posint}, {"q", catalog.GetType(posint)->array}});
  Oid bd = catalog.AddRelation("bd", 'r', {{"id", kInt4, -1, true, {}, 'd'}, {"z", kBool}});
  catalog.AddUnique(bd, "bd_pkey", true, {1});
}

// A view over these tables, as CREATE VIEW would store it.
void AddView(TestCatalog& catalog, std::string_view name, const std::string& sql) {
  ParseResult tree = Parse(sql);
  Arena arena;
  Query* query = Bind(*tree->statements[0], {arena, catalog, tree->text});
  std::vector<TestCatalog::ColumnSpec> columns;
  for (const TargetEntry* target : query->target_list) {
    if (target->resjunk) continue;
    columns.push_back({std::string(target->resname), ExprType(target->expr), ExprTypmod(target->expr)});
  }
  Oid view = catalog.AddRelation(name, 'v', columns);
  catalog.SetViewQuery(view, "(" + WriteNode(query) + ")");
}

void AddViews(TestCatalog& catalog) {
  AddView(catalog, "v1", "SELECT a, b, c FROM t WHERE a > 0");
  AddView(catalog, "v2", "SELECT a AS k, upper(b) AS ub, b FROM v1 WHERE c > 1");
  AddView(catalog, "v3", "SELECT b, count(*) AS n FROM t GROUP BY b");
  AddView(catalog, "v4", "SELECT DISTINCT a FROM t");
}

std::string Describe(const Query& query, const TypeRules& types) {
  std::string text;
  const List<TargetEntry*>& targets =
      query.command_type == CmdType::kSelect ? query.target_list : query.returning_list;
  for (const TargetEntry* target : targets) {
    if (target->resjunk) continue;
    // Clients are told a domain's base type.
    int32_t typmod = ExprTypmod(target->expr);
    Oid type = types.BaseType(ExprType(target->expr), &typmod);
    text += fmt::format("column: {} | {}\n", target->resname, types.FormatWithTypmod(type, typmod));
  }
  return text;
}

std::string ErrorText(const SqlError& error) {
  const ErrorFields& fields = error.fields();
  std::string text = fmt::format("error: {} {} {}\n", SqlState(fields.code), fields.position, fields.message);
  if (!fields.detail.empty()) text += "detail: " + fields.detail + "\n";
  if (!fields.hint.empty()) text += "hint: " + fields.hint + "\n";
  return text;
}

std::string Answer(const std::string& sql, TestCatalog& catalog) {
  try {
    ParseResult tree = Parse(sql);
    Arena arena;
    ParameterTypes parameters;
    parameters.variable = true;
    BindOptions options{arena, catalog, tree->text};
    options.parameters = &parameters;
    AnyNames names;
    options.names = &names;
    Query* query = Bind(*tree->statements[0], options);
    CheckParameters(parameters);
    SourceText source(tree->text);
    TypeRules types(catalog, source);
    std::string text;
    for (Oid type : parameters.types) text += fmt::format("param: {}\n", types.Format(type));
    if (query->command_type != CmdType::kUtility) text += Describe(*query, types);
    Rewrite(query, options);
    return text;
  } catch (const SqlError& error) {
    return ErrorText(error);
  }
}

// Statements over types that are declared but not implemented yet cannot be judged.
bool IsImplemented(const std::string& sql) {
  struct Need {
    std::string_view word;
    Oid type;
  };
  constexpr Need kNeeds[] = {{"json", type_oid::kJson},
                             {"j[", type_oid::kJsonb},
                             {"j FROM", type_oid::kJsonb},
                             {"B'1", type_oid::kBit}};
  for (const Need& need : kNeeds) {
    if (sql.find(need.word) != std::string::npos && FindType(need.type) == nullptr) return false;
  }
  return true;
}

}  // namespace
std::string AnswerFor(const std::string& sql, TestCatalog& catalog) { return Answer(sql, catalog); }
namespace {
TEST(BinderCases, AnswersAsPostgres) {
  TestCatalog catalog;
  AddTables(catalog);
  AddViews(catalog);
  for (const Case& each : ReadCases("binder_cases.txt")) {
    if (!IsImplemented(each.sql)) continue;
    EXPECT_EQ(Answer(each.sql, catalog), each.expected) << each.sql;
  }
}

void BindAlterTable(const ast::AlterTableStmt& alter, TestCatalog& catalog, const BindOptions& options) {
  const RelationInfo& relation =
      *catalog.FindRelation({}, ast::As<ast::RangeVar>(alter.relation)->relname, RelationLockNeed::kNone);
  const auto& command = *ast::As<ast::AlterTableCmd>(alter.cmds[0]);
  AttrNumber number = 0;
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    if (relation.columns[i].name == command.name) number = static_cast<AttrNumber>(i + 1);
  }
  switch (command.subtype) {
    case AlterTableType::kColumnDefault: {
      const ColumnInfo& column = relation.columns[static_cast<size_t>(number - 1)];
      BindColumnDefault(*command.def, {column.name, column.type, column.typmod}, &relation, options);
      break;
    }
    case AlterTableType::kAddConstraint:
      BindCondition(*ast::As<ast::Constraint>(command.def)->raw_expr, relation, ConditionKind::kCheck,
                    options);
      break;
    case AlterTableType::kAddColumn: {
      const auto& column = *ast::As<ast::ColumnDef>(command.def);
      ResolvedType type = BindTypeName(*column.type_name, options);
      const ast::Node& expression = *ast::As<ast::Constraint>(column.constraints[0])->raw_expr;
      BindColumnDefault(expression, {column.colname, type.type, type.typmod, Oid{}, 's'}, &relation, options);
      break;
    }
    default: {
      const auto& column = *ast::As<ast::ColumnDef>(command.def);
      ResolvedType type = BindTypeName(*column.type_name, options);
      BindColumnTransform(column.raw_default, relation, number, {command.name, type.type, type.typmod},
                          options);
      break;
    }
  }
}

std::string AnswerDdl(const std::string& sql, TestCatalog& catalog) {
  try {
    ParseResult tree = Parse(sql);
    Arena arena;
    BindOptions options{arena, catalog, tree->text};
    const ast::Node* statement = tree->statements[0]->stmt;
    if (const auto* alter = ast::TryAs<ast::AlterTableStmt>(statement)) {
      // PostgreSQL gives no positions in ALTER TABLE but for ALTER COLUMN TYPE.
      bool positions =
          ast::As<ast::AlterTableCmd>(alter->cmds[0])->subtype == AlterTableType::kAlterColumnType;
      BindAlterTable(*alter, catalog, {arena, catalog, positions ? tree->text : std::string_view()});
    } else {
      const auto& index = *ast::As<ast::IndexStmt>(statement);
      const RelationInfo& relation =
          *catalog.FindRelation({}, index.relation->relname, RelationLockNeed::kNone);
      const auto& element = *ast::As<ast::IndexElem>(index.index_params[0]);
      if (element.expr != nullptr) BindKeyExpression(*element.expr, relation, KeyKind::kIndex, options);
      if (index.where_clause != nullptr) {
        BindCondition(*index.where_clause, relation, ConditionKind::kIndexPredicate, options);
      }
    }
    return "";
  } catch (const SqlError& error) {
    return ErrorText(error);
  }
}

TEST(BinderCases, AnswersDdlExpressions) {
  TestCatalog catalog;
  AddTables(catalog);
  for (const Case& each : ReadCases("binder_ddl_cases.txt")) {
    EXPECT_EQ(AnswerDdl(each.sql, catalog), each.expected) << each.sql;
  }
}

// What psql's backslash commands and pg_dump ask of the catalogs. System views are made elsewhere: statements over
// them are left out.
TEST(BinderCases, AnswersQueriesOfTools) {
  TestCatalog catalog;
  for (const Case& each : ReadCases("binder_catalog_cases.txt")) {
    std::string answer = Answer(each.sql, catalog);
    if (answer.find("relation \"") != std::string::npos && answer.find("does not exist") != std::string::npos)
      continue;
    EXPECT_EQ(answer, each.expected) << each.sql;
  }
}

}  // namespace
}  // namespace walden

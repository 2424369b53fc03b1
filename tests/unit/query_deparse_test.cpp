// The deparser against a real PostgreSQL: query_deparse_golden.inc has its stored trees and its output for
// them.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "node/base/error.h"
#include "node/sql/query/deparse.h"
#include "node/sql/query/query_text.h"
#include "node/types/quote.h"

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

struct TypeFacts {
  uint32_t collation = 0, element = 0, relation = 0, less = 0, greater = 0;
};

// Names captured with the trees. Functions and operators count as visible.
class GoldenNames : public DeparseNames {
 public:
  GoldenNames() {
    for (const GoldenType& type : kGoldenTypes) types_[{type.oid, type.typmod}] = type.name;
    for (const GoldenFact& column : kGoldenColumns) columns_[column.oid].emplace_back(column.text);
    for (const GoldenFact& fact : kGoldenTypeFacts) {
      std::istringstream text{std::string(fact.text)};
      TypeFacts& facts = type_facts_[fact.oid];
      text >> facts.collation >> facts.element >> facts.relation >> facts.less >> facts.greater;
    }
  }

  std::string TypeName(Oid type, int32_t typmod) const override {
    auto found = types_.find({OidNumber(type), typmod});
    return found == types_.end() ? "?type " + std::to_string(OidNumber(type)) + "?" : found->second;
  }
  std::string FunctionName(Oid function, const List<Oid>&, const List<std::string_view>&, bool,
                           bool) const override {
    return Find(kGoldenFunctions, function);
  }
  std::string OperatorName(Oid op, Oid, Oid) const override { return Find(kGoldenOperators, op); }
  std::string RelationName(Oid relation, bool qualify) const override {
    std::string name = Find(kGoldenRelations, relation);
    return qualify && name.find('.') == std::string::npos ? "public." + name : name;
  }
  std::string RelationBareName(Oid relation) const override {
    std::string name = Find(kGoldenRelations, relation);
    return name.substr(name.find('.') == std::string::npos ? 0 : name.find('.') + 1);
  }
  std::string CollationName(Oid collation) const override { return Find(kGoldenCollations, collation); }
  std::string OpclassName(Oid) const override { return "?"; }
  std::vector<std::string> ColumnNames(Oid relation) const override {
    return columns_.at(OidNumber(relation));
  }
  std::string FieldName(Oid type, AttrNumber field) const override {
    return columns_.at(Facts(type).relation).at(static_cast<size_t>(field - 1));
  }
  std::vector<std::string> FieldNames(Oid type) const override { return columns_.at(Facts(type).relation); }
  bool IsRowType(Oid type) const override { return type == Oid{2249} || Facts(type).relation != 0; }
  Oid ElementType(Oid type) const override { return Oid{Facts(type).element}; }
  Oid TypeCollation(Oid type) const override { return Oid{Facts(type).collation}; }
  Oid DefaultOpclass(Oid, Oid) const override { return {}; }
  Oid LessThanOperator(Oid type) const override { return Oid{Facts(type).less}; }
  Oid GreaterThanOperator(Oid type) const override { return Oid{Facts(type).greater}; }
  std::string ValueText(const Const& value) const override {
    if (value.value.physical == PhysicalType::kInt32) return std::to_string(value.value.datum.i32);
    return std::string(value.value.datum.string.view());
  }

 private:
  template <size_t kCount>
  static std::string Find(const GoldenFact (&facts)[kCount], Oid oid) {
    for (const GoldenFact& fact : facts) {
      if (fact.oid == OidNumber(oid)) return std::string(fact.text);
    }
    return "?" + std::to_string(OidNumber(oid)) + "?";
  }
  TypeFacts Facts(Oid type) const {
    auto found = type_facts_.find(OidNumber(type));
    return found == type_facts_.end() ? TypeFacts{} : found->second;
  }

  std::map<std::pair<uint32_t, int32_t>, std::string> types_;
  std::map<uint32_t, std::vector<std::string>> columns_;
  std::map<uint32_t, TypeFacts> type_facts_;
};

TEST(QueryDeparse, ViewsAsPostgresShowsThem) {
  GoldenNames names;
  for (const GoldenView& view : kGoldenViews) {
    Arena arena;
    const auto* query = As<Query>(ReadNode(view.tree, arena));
    std::vector<std::string> columns;  // of the view
    for (const TargetEntry* target : query->target_list) {
      if (!target->resjunk) columns.emplace_back(target->resname);
    }
    try {
      EXPECT_EQ(DeparseQuery(*query, names, ViewDeparseOptions(false), columns) + ";", view.plain);
      EXPECT_EQ(DeparseQuery(*query, names, ViewDeparseOptions(true), columns) + ";", view.pretty);
    } catch (const SqlError& error) {
      ADD_FAILURE() << error.what() << " in " << view.plain;
    }
  }
}

TEST(QueryDeparse, ExpressionsAsPostgresShowsThem) {
  GoldenNames names;
  for (const GoldenExpr& expr : kGoldenExprs) {
    Arena arena;
    const Node* node = ReadNode(expr.tree, arena);
    EXPECT_EQ(DeparseExpr(node, Oid{expr.relation}, names, ExprDeparseOptions(false)), expr.plain);
    EXPECT_EQ(DeparseExpr(node, Oid{expr.relation}, names, ExprDeparseOptions(true)), expr.pretty);
  }
}

TEST(QueryDeparse, StoredTextIsStable) {
  for (const GoldenView& view : kGoldenViews) {
    Arena arena, other;
    std::string text = WriteNode(ReadNode(view.tree, arena));
    EXPECT_EQ(WriteNode(ReadNode(text, other)), text);
  }
}

}  // namespace
}  // namespace walden

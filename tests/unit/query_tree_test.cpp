// Algorithms derived from the nodes' field declarations, and the text form of trees.
#include <gtest/gtest.h>

#include "node/base/error.h"
#include "node/base/stack_depth.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/query_text.h"
#include "node/sql/query/tree_walk.h"
#include "node/sql/query/visit_node.h"

namespace walden {
namespace {

constexpr Oid kInt4{23};
constexpr Oid kInt4Plus{551};

// Fills every field of a node with a value that is not its default.
class Filler {
 public:
  explicit Filler(Arena& arena) : arena_(arena) {}

  template <class T>
  T* Make() {
    T* node = arena_.New<T>();
    ++depth_;
    T::VisitFields(*node, [this](const char*, auto& field) { Fill(field); });
    --depth_;
    return node;
  }

 private:
  void Fill(bool& field) { field = !field; }
  void Fill(double& field) { field = 1.25 + ++counter_; }
  void Fill(Location& field) { field = ++counter_; }
  void Fill(std::string_view& field) { field = arena_.Copy("na\"me\\" + std::to_string(++counter_)); }
  void Fill(const ast::Node*&) {}
  void Fill(ConstValue& field) {
    field.is_null = false;
    field.physical = PhysicalType::kString;
    field.datum = StringDatum(arena_.Copy(std::string_view("a\0\xff\x01z", 5)));
  }
  template <class T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>)
  void Fill(T& field) {
    field = static_cast<T>(static_cast<int>(field) + 1);
  }
  template <NodePointerField T>
  void Fill(T& field) {
    using Target = std::remove_pointer_t<T>;
    if constexpr (std::is_same_v<Target, Node> || std::is_same_v<Target, Expr>) {
      field = MakeInt4Const(arena_, ++counter_);
    } else if (depth_ < 3) {
      field = Make<Target>();
    }
  }
  template <class T>
  void Fill(List<T>& field) {
    for (int i = 0; i < 2; ++i) {
      T item{};
      Fill(item);
      field.Append(arena_, item);
    }
  }

  Arena& arena_;
  int counter_ = 100;
  int depth_ = 0;
};

template <class Check>
void ForEachNodeType(Check&& check) {
#define X(name)                               \
  {                                           \
    SCOPED_TRACE(#name);                      \
    Arena arena;                              \
    check(Filler(arena).Make<name>(), arena); \
  }
#include "node/sql/query/query_tags.def"
#undef X
}

TEST(QueryTree, CopiesAreEqualAndTheirOwn) {
  ForEachNodeType([](auto* node, Arena&) {
    Arena other;
    auto* copy = Copy(node, other);
    EXPECT_TRUE(EqualNodes(node, copy));
    EXPECT_EQ(HashNode(node), HashNode(copy));
    EXPECT_EQ(WriteNode(node), WriteNode(copy));
    AnyChild(node, [&](const Node* child) {
      EXPECT_FALSE(AnyChild(copy, [&](const Node* copied) { return copied == child; }));
      return false;
    });
  });
}

TEST(QueryTree, TextFormRestoresEveryField) {
  ForEachNodeType([](auto* node, Arena&) {
    std::string text = WriteNode(node);
    Arena other;
    Node* read = ReadNode(text, other);
    EXPECT_TRUE(EqualNodes(node, read)) << text;
    EXPECT_EQ(text, WriteNode(read));
  });
}

TEST(QueryTree, EveryFieldButIncidentalOnesCounts) {
  Arena arena;
  auto* a = Filler(arena).Make<FuncExpr>();
  auto* b = Copy(a, arena);
  b->location = 7;
  b->funcformat = CoercionForm::kSqlSyntax;
  EXPECT_TRUE(EqualNodes(a, b));
  b->funcretset = !b->funcretset;
  EXPECT_FALSE(EqualNodes(a, b));
}

TEST(QueryTree, TextFormIsStable) {
  Arena arena;
  auto* op = MakeOpExpr(arena, kInt4Plus, Oid{177}, kInt4, {}, {},
                        ExprList(arena, {MakeVar(arena, 1, 2, kInt4, -1, {}), MakeInt4Const(arena, -5)}));
  EXPECT_EQ(WriteNode(op),
            "{OpExpr :opno 551 :opfuncid 177 :opresulttype 23 :args ({Var :varno 1 :varattno 2 :vartype 23 "
            ":varnosyn 1 :varattnosyn 2} {Const :consttype 23 :value [3 4294967291 0]})}");
  EXPECT_EQ(WriteNode(nullptr), "<>");
  EXPECT_EQ(ReadNode("<>", arena), nullptr);
  EXPECT_EQ(WriteNode(MakeTextConst(arena, "\xc3\xa9\n\"")),
            "{Const :consttype 25 :constcollid 100 :value [8 \"\\xc3\\xa9\\x0a\\\"\"]}");
}

TEST(QueryTree, ConstantsOfEveryPhysicalType) {
  Arena arena;
  auto round_trip = [&](PhysicalType physical, Datum datum) {
    Const* node = MakeConst(arena, Oid{1}, 4, Oid{2}, physical, Value{datum, false});
    EXPECT_TRUE(EqualNodes(node, ReadNode(WriteNode(node), arena))) << WriteNode(node);
    EXPECT_TRUE(EqualNodes(node, Copy(node, arena)));
  };
  round_trip(PhysicalType::kBool, Datum{.b = true});
  round_trip(PhysicalType::kInt16, Datum{.i16 = -3});
  round_trip(PhysicalType::kInt64, Datum{.i64 = INT64_MIN});
  round_trip(PhysicalType::kFloat64, Datum{.f64 = -0.1});
  round_trip(PhysicalType::kFixed16, Datum{.interval = {-1, 2, -3}});
  round_trip(PhysicalType::kNumeric, Datum{.numeric = {{.scaled = -12345}, 0, 2, NumericKind::kSmall, 0}});
  round_trip(PhysicalType::kNumeric,
             Datum{.numeric = {{.digits = "\0\1\xfe"}, 3, 200, NumericKind::kBig, 0}});
  round_trip(PhysicalType::kNumeric, Datum{.numeric = {{.scaled = 0}, 0, 0, NumericKind::kNaN, 0}});
  Const* null = MakeNullConst(arena, kInt4, -1, {}, PhysicalType::kInt32);
  EXPECT_TRUE(EqualNodes(null, ReadNode(WriteNode(null), arena)));
}

TEST(QueryTree, MalformedTextIsRefused) {
  Arena arena;
  for (std::string_view text : {"", "{", "{Nothing}", "{Var :varno x}", "{Var :nofield 1}", "{Var :varno 1",
                                "(", "{Var} x", "{Const :value [8 \"abc]}", "{BoolExpr :args ({Var)}"}) {
    EXPECT_THROW(ReadNode(text, arena), SqlError) << text;
  }
}

TEST(QueryTree, MutationSharesWhatDoesNotChange) {
  Arena arena;
  auto* left = MakeVar(arena, 1, 1, kInt4, -1, {});
  auto* right = MakeInt4Const(arena, 1);
  auto* op = MakeOpExpr(arena, kInt4Plus, {}, kInt4, {}, {}, ExprList(arena, {left, right}));
  EXPECT_EQ(MutateChildren(op, arena, [](Node* child) { return child; }), op);
  auto* changed = As<OpExpr>(MutateChildren(
      op, arena, [&](Node* child) -> Node* { return Is<Const>(child) ? MakeInt4Const(arena, 2) : child; }));
  EXPECT_NE(changed, op);
  EXPECT_EQ(changed->args[0], left);
  EXPECT_EQ(As<Const>(changed->args[1])->value.datum.i32, 2);
  EXPECT_EQ(op->args[1], right);
}

TEST(QueryTree, LevelsAreCountedAcrossQueries) {
  Arena arena;
  auto* inner = arena.New<Query>();
  inner->target_list.Append(arena,
                            MakeTargetEntry(arena, MakeVar(arena, 1, 1, kInt4, -1, {}, 1), 1, "x", false));
  auto* link = arena.New<SubLink>();
  link->sub_link_type = SubLinkType::kExpr;
  link->subselect = inner;
  EXPECT_TRUE(ContainsVarOfLevel(link, 0));
  EXPECT_FALSE(ContainsVarOfLevel(link, 1));
  EXPECT_TRUE(ContainsVarOfLevel(inner, 1));
  EXPECT_TRUE(ContainsSubLink(link));
  EXPECT_FALSE(ContainsAggregate(link));
  IncrementVarLevels(link, 1, 0);
  EXPECT_TRUE(ContainsVarOfLevel(link, 1));
  EXPECT_EQ(As<Var>(inner->target_list[0]->expr)->varlevelsup, 2u);
  OffsetVarNumbers(link, 3, 1);
  EXPECT_EQ(As<Var>(inner->target_list[0]->expr)->varno, 4);
  EXPECT_EQ(ExprType(link), kInt4);
}

TEST(QueryTree, DeepTreesAreRefusedNotCrashed) {
  Arena arena;
  Expr* tree = MakeInt4Const(arena, 1);
  for (int i = 0; i < 100000; ++i) tree = MakeNot(arena, tree);
  EXPECT_THROW(CopyNode(tree, arena), SqlError);
  EXPECT_THROW(WriteNode(tree), SqlError);
  EXPECT_THROW(HashNode(tree), SqlError);
  std::string text(200000, '(');
  EXPECT_THROW(ReadNode(text, arena), SqlError);
}

TEST(QueryTree, ConjunctsAreFlattened) {
  Arena arena;
  Expr* a = MakeBoolConst(arena, true);
  Expr* b = MakeBoolConst(arena, false);
  Expr* both = AndConditions(arena, a, AndConditions(arena, b, a));
  EXPECT_EQ(Conjuncts(arena, both).size(), 3u);
  EXPECT_EQ(AndConditions(arena, nullptr, a), a);
  EXPECT_TRUE(Conjuncts(arena, nullptr).empty());
}

}  // namespace
}  // namespace walden

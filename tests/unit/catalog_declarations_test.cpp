// Every reference between declared built-ins resolves (PostgreSQL's opr_sanity, for our tables).
#include <gtest/gtest.h>

#include <set>

#include "node/catalog/acl.h"
#include "node/catalog/bootstrap.h"
#include "node/catalog/builtin.h"
#include "node/catalog/catalog_info.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/dependency.h"
#include "node/catalog/identity.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/namespace.h"
#include "node/catalog/relation.h"
#include "node/catalog/syscache.h"

namespace walden {
namespace {

TEST(CatalogDeclarations, CatalogsAreSortedAndTheirIndexesExist) {
  Oid last = Oid::kInvalid;
  std::set<Oid> oids;
  for (const CatalogInfo& catalog : Catalogs()) {
    EXPECT_LT(last, catalog.oid);
    last = catalog.oid;
    EXPECT_TRUE(oids.insert(catalog.oid).second);
    EXPECT_EQ(FindCatalog(catalog.oid), &catalog);
    for (const CatalogIndex& index : catalog.indexes) {
      EXPECT_TRUE(oids.insert(index.oid).second) << index.name;
      EXPECT_EQ(FindCatalogIndex(index.oid), &index);
      for (int k = 0; k < index.key_count; ++k) {
        ASSERT_GT(index.keys[k], 0);
        EXPECT_LE(static_cast<size_t>(index.keys[k]), catalog.columns.size());
      }
    }
  }
  EXPECT_EQ(Catalogs().size(), 64u);
  EXPECT_TRUE(IsSharedRelation(Oid{1262}));
  EXPECT_TRUE(IsSharedRelation(Oid{2671}));
  EXPECT_FALSE(IsSharedRelation(Oid{1259}));
}

class AllBuiltins : public testing::Test {
 protected:
  void SetUp() override {
    InstallBuiltins([](const BuiltinFunction&) { return true; });
  }
};

TEST_F(AllBuiltins, OperatorsAgreeWithTheirFunctions) {
  for (const BuiltinOperator& op : BuiltinOperators()) {
    if (!IsPresent(op)) continue;
    const BuiltinFunction* function = FindBuiltinFunction(op.function);
    ASSERT_NE(function, nullptr) << OidNumber(op.oid);
    EXPECT_EQ(function->arg_count, op.kind == 'b' ? 2 : 1) << OidNumber(op.oid);
    EXPECT_TRUE(IsValid(op.result));
    if (IsValid(op.commutator)) {
      const BuiltinOperator* other = FindBuiltinOperator(op.commutator);
      ASSERT_NE(other, nullptr);
      EXPECT_EQ(other->left, op.right);
      EXPECT_EQ(other->right, op.left);
    }
    if (IsValid(op.negator)) {
      EXPECT_EQ(FindBuiltinOperator(op.negator)->negator, op.oid);
    }
  }
}

TEST_F(AllBuiltins, LookUpsFindTheirRows) {
  EXPECT_EQ(FindBuiltinType(Oid{23})->name, "int4");
  EXPECT_EQ(FindBuiltinType("text")->oid, Oid{25});
  int found = 0;
  ForEachBuiltinOperator(
      "+", [&](const BuiltinOperator& op) { found += op.left == Oid{23} && op.right == Oid{23}; });
  EXPECT_EQ(found, 1);
  ForEachBuiltinFunction("int4pl", [&](const BuiltinFunction& f) {
    EXPECT_EQ(f.oid, Oid{177});
    ++found;
  });
  EXPECT_EQ(found, 2);
  EXPECT_EQ(FindBuiltinCast(Oid{23}, Oid{20})->context, 'i');
  const BuiltinAmop* equal = FindBuiltinAmop(Oid{1976}, Oid{23}, Oid{23}, 3);
  ASSERT_NE(equal, nullptr);
  EXPECT_EQ(equal->operator_oid, Oid{96});
  EXPECT_EQ(FindBuiltinAmproc(Oid{1976}, Oid{23}, Oid{23}, 1)->function, Oid{351});
  for (const BuiltinFunction& f : BuiltinFunctions()) {
    EXPECT_EQ(FindBuiltinFunction(f.oid), IsPresent(f) ? &f : nullptr);
  }
}

TEST_F(AllBuiltins, AggregatesNameAggregates) {
  for (const BuiltinAggregate& aggregate : BuiltinAggregateRows()) {
    const BuiltinFunction* function = FindBuiltinFunction(aggregate.function);
    if (function == nullptr) continue;
    EXPECT_EQ(function->kind, 'a') << function->name;
  }
}

TEST(CatalogBuiltins, AbsentFunctionsHideWhatNeedsThem) {
  InstallBuiltins([](const BuiltinFunction& f) { return f.name == "int4pl"; });
  EXPECT_NE(FindBuiltinOperator(Oid{551}), nullptr);  // int4 + int4
  EXPECT_EQ(FindBuiltinOperator(Oid{554}), nullptr);  // int4 - int4
  EXPECT_NE(FindBuiltinFunction(Oid{42}), nullptr);   // int4in comes with its type
}

}  // namespace
}  // namespace walden

// A bootstrapped node: rows are found through caches, DDL changes them, references between them resolve.
#include "tests/unit/catalog_node.h"

#include <map>
#include <set>
#include <thread>

#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/dependency.h"
#include "node/catalog/namespace.h"
#include "node/catalog/relation_ddl.h"
#include "node/catalog/rows/pg_amop.h"
#include "node/catalog/rows/pg_depend.h"
#include "node/catalog/type_name.h"

namespace walden {
namespace {

class CatalogBootstrap : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    node_ = new CatalogNode([](const BuiltinFunction&) { return true; });
  }
  static void TearDownTestSuite() {
    delete node_;
    node_ = nullptr;
  }
  void SetUp() override { BeginTransaction(); }
  void TearDown() override {
    if (InTransaction()) AbortTransaction();
  }

  static PgAttributeRow Column(const std::string& name, Oid type) {
    PgAttributeRow row;
    row.attname = name;
    row.atttypid = type;
    row.atttypmod = -1;
    return row;
  }
  static Oid MakeTable(const std::string& name, Oid schema = kPublicNamespace) {
    NewRelation table;
    table.name = name;
    table.schema = schema;
    table.owner = kBootstrapSuperuser;
    table.columns = {Column("a", Oid{23}), Column("b", Oid{25})};
    Oid oid = CreateRelation(table);
    CommandCounterIncrement();
    CreateToastTableIfNeeded(oid);
    return oid;
  }
  static Oid MakeIndex(Oid table, const std::string& name) {
    NewIndex index;
    index.name = name;
    index.table = table;
    index.schema = kPublicNamespace;
    index.columns = {Column("a", Oid{23})};
    index.row.indnkeyatts = 1;
    index.row.indisunique = index.row.indimmediate = index.row.indisvalid = index.row.indisready =
        index.row.indislive = true;
    index.row.indkey = {1};
    index.row.indclass = {Oid{1978}};
    index.row.indoption = {0};
    Oid oid = CreateIndexRelation(index);
    BuildIndex(OpenRelation(table, LockMode::kShare), OpenRelation(oid, LockMode::kNone));
    return oid;
  }

  static CatalogNode* node_;
};
CatalogNode* CatalogBootstrap::node_ = nullptr;

TEST_F(CatalogBootstrap, FindsRowsByKey) {
  RowRef<PgClassRow> row = ClassRow(Oid{1259});
  ASSERT_TRUE(row);
  EXPECT_EQ(row->relname, "pg_class");
  EXPECT_EQ(ClassRow("pg_type", kPgCatalogNamespace)->oid, Oid{1247});
  EXPECT_FALSE(ClassRow("nothing", kPgCatalogNamespace));
  EXPECT_EQ(TypeRow(Oid{23})->typname, "int4");
  EXPECT_EQ(FunctionRow(Oid{177})->proname, "int4pl");
  EXPECT_EQ(RoleRow("postgres")->oid, kBootstrapSuperuser);
  EXPECT_TRUE(IsSuperuser());
  EXPECT_EQ(DatabaseRow("template1")->oid, kTemplate1Database);
  EXPECT_EQ(FindRelation({"", "", "pg_class"}), Oid{1259});
  EXPECT_EQ(FormatType(Oid{1007}), "integer[]");
}

TEST_F(CatalogBootstrap, ReferencesResolve) {
  std::set<Oid> functions, types, families, operators;
  for (const auto& f : CatalogTable<PgProcRow>(LockMode::kAccessShare).Scan()) functions.insert(f.row.oid);
  for (const auto& t : CatalogTable<PgTypeRow>(LockMode::kAccessShare).Scan()) types.insert(t.row.oid);
  for (const auto& o : CatalogTable<PgOperatorRow>(LockMode::kAccessShare).Scan())
    operators.insert(o.row.oid);
  for (const auto& f : CatalogTable<PgProcRow>(LockMode::kAccessShare).Scan()) {
    EXPECT_TRUE(types.count(f.row.prorettype)) << f.row.proname;
    for (Oid type : f.row.proargtypes)
      EXPECT_TRUE(types.count(type)) << f.row.proname << " " << OidNumber(type);
  }
  for (const auto& t : CatalogTable<PgTypeRow>(LockMode::kAccessShare).Scan()) {
    EXPECT_TRUE(functions.count(t.row.typinput)) << t.row.typname;
    EXPECT_TRUE(functions.count(t.row.typoutput)) << t.row.typname;
    EXPECT_TRUE(!IsValid(t.row.typelem) || types.count(t.row.typelem)) << t.row.typname;
    EXPECT_TRUE(!IsValid(t.row.typarray) || types.count(t.row.typarray)) << t.row.typname;
  }
  for (const auto& a : CatalogTable<PgAmopRow>(LockMode::kAccessShare).Scan()) {
    EXPECT_TRUE(operators.count(a.row.amopopr));
    EXPECT_TRUE(types.count(a.row.amoplefttype));
  }
  // pg_attribute describes every column of every relation.
  std::map<Oid, int> columns;
  for (const auto& a : CatalogTable<PgAttributeRow>(LockMode::kAccessShare).Scan())
    columns[a.row.attrelid] += a.row.attnum > 0;
  for (const auto& c : CatalogTable<PgClassRow>(LockMode::kAccessShare).Scan())
    EXPECT_EQ(columns[c.row.oid], c.row.relnatts);
}

TEST_F(CatalogBootstrap, MakesAndDropsATable) {
  Oid table = MakeTable("t1");
  Oid index = MakeIndex(table, "t1_a_idx");
  CommitTransaction();
  BeginTransaction();
  RelationRef relation = OpenRelation(table, LockMode::kAccessShare);
  EXPECT_EQ(relation->column_count(), 2);
  EXPECT_EQ(relation->FindColumn("b"), 2);
  EXPECT_EQ(relation->FindColumn("ctid"), kSelfItemPointerAttr);
  ASSERT_EQ(relation->indexes.size(), 1u);
  EXPECT_EQ(relation->indexes[0]->oid, index);
  EXPECT_TRUE(relation->toast_relation);
  EXPECT_TRUE(TypeRow("t1", kPublicNamespace));
  DropObject({catalog_oid::kPgClass, table, 0}, {});
  CommitTransaction();
  BeginTransaction();
  EXPECT_FALSE(ClassRow(table));
  EXPECT_FALSE(ClassRow(index));
  EXPECT_FALSE(TypeRow("t1", kPublicNamespace));
  EXPECT_FALSE(TryOpenRelation(table, LockMode::kAccessShare));
  EXPECT_TRUE(CatalogTable<PgDependRow>()
                  .Scan(catalog_index::kPgDependDependerIndex, {catalog_oid::kPgClass, index})
                  .empty());
}

TEST_F(CatalogBootstrap, AbortUndoesCachesToo) {
  Oid table = MakeTable("t2");
  EXPECT_EQ(FindRelation({"", "", "t2"}), table);
  AbortTransaction();
  BeginTransaction();
  EXPECT_EQ(FindRelation({"", "", "t2"}, true), Oid::kInvalid);
  EXPECT_FALSE(TryOpenRelation(table, LockMode::kAccessShare));
}

TEST_F(CatalogBootstrap, SubtransactionAbortUndoesOnlyItself) {
  Oid kept = MakeTable("t3");
  BeginSubtransaction();
  Oid lost = MakeTable("t4");
  EXPECT_TRUE(ClassRow(lost));
  AbortSubtransaction();
  EXPECT_TRUE(ClassRow(kept));
  EXPECT_FALSE(ClassRow(lost));
}

TEST_F(CatalogBootstrap, DuplicateNamesAreRefused) {
  MakeTable("t5");
  try {
    MakeTable("t5");
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kDuplicateTable);
    EXPECT_STREQ(error.what(), "relation \"t5\" already exists");
  }
}

TEST_F(CatalogBootstrap, CannotDropPinned) {
  EXPECT_THROW(DropObject({catalog_oid::kPgNamespace, kPgCatalogNamespace, 0}, {}), SqlError);
}

TEST_F(CatalogBootstrap, RestrictNamesDependents) {
  CatalogTable<PgNamespaceRow> schemas;
  Oid schema = schemas.NewOid();
  schemas.Insert({schema, "s1", kBootstrapSuperuser, std::nullopt});
  CommandCounterIncrement();
  MakeTable("inner", schema);
  CommandCounterIncrement();
  try {
    DropObject({catalog_oid::kPgNamespace, schema, 0}, {});
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_STREQ(error.what(), "cannot drop schema s1 because other objects depend on it");
    EXPECT_EQ(error.fields().detail, "table s1.\"inner\" depends on schema s1");
  }
  DropObject({catalog_oid::kPgNamespace, schema, 0}, {.cascade = true});
  EXPECT_FALSE(SchemaRow("s1"));
  EXPECT_FALSE(ClassRow("inner", schema));
}

TEST_F(CatalogBootstrap, MembershipAndPrivileges) {
  CatalogTable<PgAuthidRow> roles;
  PgAuthidRow alice;
  alice.oid = roles.NewOid();
  alice.rolname = "alice";
  alice.rolinherit = true;
  alice.rolconnlimit = -1;
  roles.Insert(alice);
  CommandCounterIncrement();
  Oid table = MakeTable("t6");
  EXPECT_EQ(CheckRelation(table, alice.oid, acl::kSelect), AclResult::kNoPrivilege);
  UpdateClassRow(table, [&](PgClassRow* row) {
    Oid grantee = alice.oid;
    row->relacl = AclGrant(DefaultAcl(ObjectKind::kTable, row->relowner), std::span(&grantee, 1),
                           acl::kSelect, false, row->relowner, row->relowner);
  });
  EXPECT_EQ(CheckRelation(table, alice.oid, acl::kSelect), AclResult::kOk);
  EXPECT_EQ(CheckRelation(table, alice.oid, acl::kInsert), AclResult::kNoPrivilege);
  EXPECT_FALSE(IsOwner(catalog_oid::kPgClass, table, alice.oid));
}

TEST_F(CatalogBootstrap, OthersHearOfChanges) {
  Oid table = MakeTable("shared_news");
  CommitTransaction();
  RelationRef here;
  BeginTransaction();
  EXPECT_EQ(OpenRelation(table, LockMode::kAccessShare)->row.relname, "shared_news");
  CommitTransaction();
  std::thread other([&] {
    ThreadIdentity identity(1);
    session_identity().database = kTemplate1Database;
    session_identity().database_tablespace = kDefaultTablespace;
    session_identity().current_role = kBootstrapSuperuser;
    InstallCatalogHooks();
    JoinInvalidations();
    BeginTransaction();
    UpdateClassRow(table, [](PgClassRow* row) { row->relname = "other_news"; });
    CommitTransaction();
  });
  other.join();
  BeginTransaction();
  EXPECT_EQ(OpenRelation(table, LockMode::kAccessShare)->row.relname, "other_news");
  EXPECT_EQ(FindRelation({"", "", "shared_news"}, true), Oid::kInvalid);
}

TEST_F(CatalogBootstrap, CopiesDatabases) {
  AbortTransaction();
  FinishBootstrap();
  session_identity().allow_system_table_mods = false;
  BeginTransaction();
  EXPECT_TRUE(DatabaseRow("postgres"));
  AbortTransaction();
  DropAllCaches();
  session_identity().database = kPostgresDatabase;
  BeginTransaction();
  EXPECT_EQ(ClassRow(Oid{1259})->relname, "pg_class");
  Oid table = MakeTable("only_here");
  CommitTransaction();
  EXPECT_TRUE(OidNumber(table) >= OidNumber(kFirstNormalOid));
  session_identity().database = kTemplate1Database;
  DropAllCaches();
  BeginTransaction();
  EXPECT_FALSE(ClassRow(table));
}

}  // namespace
}  // namespace walden

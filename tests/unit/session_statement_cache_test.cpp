// The statement cache: what is in a key, what is bounded, and which literals may become parameters.
#include <gtest/gtest.h>

#include "node/base/arena.h"
#include "node/catalog/builtin.h"
#include "node/catalog/identity.h"
#include "node/config/settings.h"
#include "node/session/literal_parameters.h"
#include "node/session/statement_cache.h"
#include "node/sql/binder/binder.h"
#include "node/sql/binder/builtin_reader.h"

namespace walden {
namespace {

CachedStatementRef EntryFor(const std::string& text) {
  auto entry = std::make_shared<CachedStatement>();
  ParseResult tree = Parse(text);
  entry->statement = std::make_shared<PreparedStatement>(tree, tree->statements[0]);
  return entry;
}

StatementKey TextKey(std::string_view text) { return {StatementKeyKind::kText, text, {}}; }

void Set(const char* name, const char* value) {
  SetRequest request;
  request.is_superuser = true;
  SetSetting(name, value ? std::optional<std::string_view>(value) : std::nullopt, request);
}

TEST(StatementCache, FindsWhatWasAdded) {
  StatementCache cache;
  EXPECT_EQ(cache.Find(TextKey("SELECT 1")), nullptr);
  CachedStatementRef entry = EntryFor("SELECT 1");
  cache.Add(TextKey("SELECT 1"), entry);
  EXPECT_EQ(cache.Find(TextKey("SELECT 1")), entry);
  EXPECT_EQ(cache.Find(TextKey("SELECT 1 ")), nullptr);
  EXPECT_EQ(cache.Find({StatementKeyKind::kParse, "SELECT 1", {}}), nullptr);
  EXPECT_EQ(cache.Find({StatementKeyKind::kStripped, "SELECT 1", {}}), nullptr);
  CachedStatementRef other = EntryFor("SELECT 1");
  cache.Add(TextKey("SELECT 1"), other);
  EXPECT_EQ(cache.Find(TextKey("SELECT 1")), other);
  EXPECT_EQ(cache.size(), 1u);
  cache.Remove(TextKey("SELECT 1"));
  EXPECT_EQ(cache.Find(TextKey("SELECT 1")), nullptr);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(StatementCache, TextsThatTakeTurnsAreFoundToRepeat) {
  for (int group = 0; group < 100; ++group) {
    StatementCache cache;
    std::vector<std::string> texts;
    for (int i = 0; i < 8; ++i) texts.push_back("SELECT " + std::to_string(group * 8 + i));
    for (const std::string& text : texts) cache.IsRepeated(TextKey(text));
    for (const std::string& text : texts) EXPECT_TRUE(cache.IsRepeated(TextKey(text))) << text;
  }
}

TEST(StatementCache, DeclaredTypesArePartOfTheKey) {
  StatementCache cache;
  Oid int4[] = {type_oid::kInt4}, text[] = {type_oid::kText};
  cache.Add({StatementKeyKind::kParse, "SELECT $1", int4}, EntryFor("SELECT $1"));
  EXPECT_NE(cache.Find({StatementKeyKind::kParse, "SELECT $1", int4}), nullptr);
  EXPECT_EQ(cache.Find({StatementKeyKind::kParse, "SELECT $1", text}), nullptr);
  EXPECT_EQ(cache.Find({StatementKeyKind::kParse, "SELECT $1", {}}), nullptr);
}

TEST(StatementCache, SettingsAndRoleArePartOfTheKey) {
  StatementCache cache;
  cache.Add(TextKey("SELECT 1"), EntryFor("SELECT 1"));
  for (auto [name, value] : {std::pair{"TimeZone", "Europe/Berlin"},
                             {"DateStyle", "ISO, DMY"},
                             {"enable_seqscan", "off"},
                             {"work_mem", "8MB"},
                             {"search_path", "other"}}) {
    Set(name, value);
    EXPECT_EQ(cache.Find(TextKey("SELECT 1")), nullptr) << name;
    Set(name, nullptr);
    EXPECT_NE(cache.Find(TextKey("SELECT 1")), nullptr) << name;
  }
  Set("application_name", "other");
  Set("statement_timeout", "5s");
  EXPECT_NE(cache.Find(TextKey("SELECT 1")), nullptr);
  Set("application_name", nullptr);
  Set("statement_timeout", nullptr);
  Oid role = session_identity().current_role;
  session_identity().current_role = Oid{4711};
  EXPECT_EQ(cache.Find(TextKey("SELECT 1")), nullptr);
  session_identity().current_role = role;
  EXPECT_NE(cache.Find(TextKey("SELECT 1")), nullptr);
}

TEST(StatementCache, MemoryIsBoundedAndTheLongestUnusedGoesFirst) {
  Set("statement_cache_size", "64kB");
  StatementCache cache;
  cache.Add(TextKey("SELECT 'kept'"), EntryFor("SELECT 'kept'"));
  for (int i = 0; i < 200; ++i) {
    std::string text = fmt::format("SELECT {}", i);
    cache.Add(TextKey(text), EntryFor(text));
    EXPECT_LE(cache.bytes(), 64u * 1024);
    ASSERT_NE(cache.Find(TextKey("SELECT 'kept'")), nullptr) << i;
    ASSERT_NE(cache.Find(TextKey(text)), nullptr) << i;
  }
  EXPECT_EQ(cache.Find(TextKey("SELECT 0")), nullptr);
  std::string huge = "SELECT '" + std::string(100000, 'x') + "'";
  cache.Add(TextKey(huge), EntryFor(huge));
  EXPECT_EQ(cache.Find(TextKey(huge)), nullptr);
  cache.Clear();
  EXPECT_EQ(cache.bytes(), 0u);
  Set("statement_cache_size", "0");
  EXPECT_FALSE(StatementCache::IsEnabled());
  Set("statement_cache_size", nullptr);
}

TEST(StatementCache, SecondSightIsARepetition) {
  StatementCache cache;
  EXPECT_FALSE(cache.IsRepeated(TextKey("SELECT 1")));
  EXPECT_TRUE(cache.IsRepeated(TextKey("SELECT 1")));
  EXPECT_FALSE(cache.IsRepeated({StatementKeyKind::kParse, "SELECT 1", {}}));
}

// ---- literals

// Built-in types, functions and operators; no tables.
class NoTables : public BuiltinReader {
 public:
  Oid FindSchema(std::string_view name) override { return name == "pg_catalog" ? path_[0] : Oid{}; }
  std::string SchemaName(Oid) override { return "pg_catalog"; }
  std::span<const Oid> SearchPath() override { return path_; }
  Oid TemporarySchema() override { return Oid{}; }
  std::string DatabaseName() const override { return "postgres"; }
  const RelationInfo* FindRelation(std::string_view, std::string_view, RelationLockNeed) override {
    return nullptr;
  }
  const RelationInfo* GetRelation(Oid, RelationLockNeed) override { return nullptr; }
  std::span<const UniqueInfo> UniqueIndexes(Oid) override { return {}; }
  std::string ColumnDefault(Oid, AttrNumber) override { return {}; }
  Oid IdentitySequence(Oid, AttrNumber) override { return Oid{}; }
  char CheckOption(Oid) override { return 0; }
  std::string ViewQuery(Oid) override { return {}; }
  bool InheritsFrom(Oid, Oid) override { return false; }
  bool IsSecurityBarrier(Oid) override { return false; }
  bool IsSecurityInvoker(Oid) override { return false; }
  Oid CurrentRole() override { return Oid{10}; }

 private:
  std::vector<Oid> path_{Oid{11}};
};

class Literals : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    InstallBuiltins([](const BuiltinFunction&) { return true; });
  }
  std::optional<LiteralParameters> Extract(const std::string& text) {
    EXPECT_TRUE(ScanFingerprint(text, &fingerprint_)) << text;
    trees_.push_back(Parse(text));
    BindOptions options{.arena = arena_, .catalog = reader_, .source = trees_.back()->text};
    query_ = Bind(*trees_.back()->statements[0], options);
    return LiteralParameters::Extract(query_, fingerprint_.literals, arena_);
  }
  // The values of `second` under the parameters of `first`, each as "type:text".
  std::string Values(const std::string& first, const std::string& second) {
    std::optional<LiteralParameters> parameters = Extract(first);
    if (!parameters) return "unfit";
    std::string key = fingerprint_.key;
    EXPECT_TRUE(ScanFingerprint(second, &fingerprint_));
    if (fingerprint_.key != key) return "another key";
    std::vector<Value> values;
    parameters->Read(second, fingerprint_.literals, DefaultTextFormat(), nullptr, arena_, &values);
    std::string all;
    std::vector<Oid> types = parameters->Types();
    EXPECT_EQ(types.size(), values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const TypeDescriptor& type = TypeOf(types[i]);
      std::string text;
      TypeIo io{arena_, DefaultTextFormat(), nullptr, &type, -1};
      if (values[i].is_null)
        text = "null";
      else
        type.output(values[i].datum, io, &text);
      all += fmt::format("{}{}:{}", all.empty() ? "" : " ", type.name, text);
    }
    return all;
  }

  Arena arena_;
  NoTables reader_;
  std::vector<ParseResult> trees_;
  Fingerprint fingerprint_;
  Query* query_ = nullptr;
};

TEST_F(Literals, AreReadByTheirTypes) {
  EXPECT_EQ(Values("SELECT 1", "SELECT 20"), "int4:20");
  EXPECT_EQ(Values("SELECT 1", "SELECT 3000000000"), "another key");
  EXPECT_EQ(Values("SELECT 3000000000", "SELECT 9223372036854775807"), "int8:9223372036854775807");
  EXPECT_EQ(Values("SELECT 3000000000", "SELECT 99999999999999999999"), "another key");
  EXPECT_EQ(Values("SELECT 1.5", "SELECT 2.25"), "numeric:2.25");
  EXPECT_EQ(Values("SELECT 1.5", "SELECT 1e3"), "numeric:1000");
  EXPECT_EQ(Values("SELECT 'a'", "SELECT 'it''s'"), "text:it's");
  EXPECT_EQ(Values("SELECT 'a'", "SELECT ''"), "text:");
  EXPECT_EQ(Values("SELECT 'a'", "SELECT E'a'"), "another key");
  EXPECT_EQ(Values("SELECT date '2024-01-01'", "SELECT date '2025-02-03'"), "date:2025-02-03");
  EXPECT_EQ(Values("SELECT interval '1' day", "SELECT interval '7' day"), "interval:7 days");
  EXPECT_EQ(Values("SELECT interval '1' day", "SELECT interval '7' month"), "another key");
}

TEST_F(Literals, TakeTheirSign) {
  EXPECT_EQ(Values("SELECT -1", "SELECT -20"), "int4:-20");
  EXPECT_EQ(Values("SELECT - 1.5", "SELECT - 20.25"), "numeric:-20.25");
  EXPECT_EQ(Values("SELECT -1", "SELECT 20"), "another key");
  EXPECT_EQ(Values("SELECT -2147483647", "SELECT -2147483648"), "another key");
}

TEST_F(Literals, AreComputedWithWhatIsConstant) {
  EXPECT_EQ(Values("SELECT 1 + 2", "SELECT 30 + 4"), "int4:34");
  EXPECT_EQ(Values("SELECT 1.26::numeric(4,1)", "SELECT 2.31::numeric(4,1)"), "numeric:2.3");
  EXPECT_EQ(Values("SELECT 'abc'::varchar(2)", "SELECT 'xyz'::varchar(2)"), "varchar:xy");
  EXPECT_EQ(Values("SELECT 'abc'::varchar(2)", "SELECT 'xyz'::varchar(3)"), "another key");
  EXPECT_THROW(Values("SELECT 4 / 2", "SELECT 4 / 0"), SqlError);
  EXPECT_THROW(Values("SELECT int4 '1'", "SELECT int4 'one'"), SqlError);
}

TEST_F(Literals, WhoseValuesAnalysisUsesAreNotShared) {
  EXPECT_FALSE(Extract("SELECT 1 + x FROM (VALUES (1)) v(x) GROUP BY 1 + x"));
  EXPECT_FALSE(Extract("SELECT DISTINCT x % 2 FROM (VALUES (1)) v(x)"));
  EXPECT_FALSE(Extract("SELECT x || 'a' FROM (VALUES ('b')) v(x) ORDER BY x || 'a'"));
  EXPECT_TRUE(Extract("SELECT x FROM (VALUES ('b')) v(x) WHERE x = 'c' ORDER BY 1"));
  EXPECT_TRUE(Extract("SELECT count(*) FROM (VALUES (1)) v(x) WHERE x = 2 GROUP BY x"));
}

TEST_F(Literals, ThatPassAreKnown) {
  auto passes = [&](const std::string& text) {
    trees_.push_back(Parse(text));
    BindOptions options{.arena = arena_, .catalog = reader_, .source = trees_.back()->text};
    return HasPassingLiteral(*Bind(*trees_.back()->statements[0], options), trees_.back()->text);
  };
  EXPECT_TRUE(passes("SELECT 'now'::timestamptz"));
  EXPECT_TRUE(passes("SELECT date 'today'"));
  EXPECT_TRUE(passes("SELECT '{now}'::timestamptz[]"));
  EXPECT_FALSE(passes("SELECT date '2024-01-01', 'now', 5, interval '1 day', '1 hour'::interval"));
}

}  // namespace
}  // namespace walden

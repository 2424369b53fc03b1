// A CatalogReader for tests: all built-in declarations and a few tables, without a database.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "node/sql/binder/builtin_reader.h"

namespace walden {

struct CatalogInfo;

class TestCatalog : public BuiltinReader {
 public:
  TestCatalog();

  struct ColumnSpec {
    std::string name;
    Oid type;
    int32_t typmod = -1;
    bool not_null = false;
    std::string default_expression = {};  // serialised
    char identity = 0;
    char generated = 0;
  };
  // Adds a relation to schema public and returns its OID.
  Oid AddRelation(std::string_view name, char kind, const std::vector<ColumnSpec>& columns,
                  Oid owner = Oid{10});
  void AddUnique(Oid relation, std::string_view constraint_name, bool primary, std::vector<AttrNumber> keys);
  void SetViewQuery(Oid view, std::string serialised) { view_queries_[view] = std::move(serialised); }
  // With its array type. Returns the domain.
  Oid AddDomain(std::string_view name, Oid base);

  Oid FindSchema(std::string_view name) override;
  std::string SchemaName(Oid schema) override { return schema == Oid{11} ? "pg_catalog" : "public"; }
  std::span<const Oid> SearchPath() override { return search_path_; }
  Oid TemporarySchema() override { return Oid{}; }
  std::string DatabaseName() const override { return "postgres"; }
  const RelationInfo* FindRelation(std::string_view schema, std::string_view name,
                                   RelationLockNeed lock) override;
  const RelationInfo* GetRelation(Oid relation, RelationLockNeed lock) override;
  std::span<const UniqueInfo> UniqueIndexes(Oid relation) override { return uniques_[relation]; }
  std::string ColumnDefault(Oid relation, AttrNumber column) override {
    return defaults_[{relation, column}];
  }
  Oid IdentitySequence(Oid, AttrNumber) override { return Oid{999}; }
  char CheckOption(Oid) override { return 0; }
  std::string ViewQuery(Oid view) override { return view_queries_[view]; }
  bool InheritsFrom(Oid child, Oid parent) override { return child == parent; }
  bool IsSecurityBarrier(Oid) override { return false; }
  bool IsSecurityInvoker(Oid) override { return false; }
  Oid CurrentRole() override { return Oid{10}; }

 protected:
  std::unique_ptr<TypeInfo> LoadType(Oid type) override;
  std::unique_ptr<TypeInfo> LoadType(Oid schema, std::string_view name) override;

 private:
  RelationInfo* DescribeCatalog(const CatalogInfo& catalog);

  std::vector<Oid> search_path_{Oid{11}, Oid{2200}};
  uint32_t next_oid_ = 16384;
  std::map<Oid, TypeInfo> user_types_;
  std::map<Oid, RelationInfo> relations_;
  std::map<Oid, std::vector<UniqueInfo>> uniques_;
  std::map<std::pair<Oid, AttrNumber>, std::string> defaults_;
  std::map<Oid, std::string> view_queries_;
};

}  // namespace walden

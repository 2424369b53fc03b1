// CatalogReader over the real catalogs, as the session of this process sees them: its search path, its temporary
// schema, its role, its transaction's own changes. One per process; the main thread's.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "node/catalog/relation.h"
#include "node/sql/binder/builtin_reader.h"

namespace walden {

class SessionReader : public BuiltinReader {
 public:
  // The process's reader.
  static SessionReader& Instance();

  // Drops what is out of date. Call at the start of each statement, before binding; pointers from earlier
  // statements become invalid.
  void Refresh() override;

  Oid FindSchema(std::string_view name) override;
  std::string SchemaName(Oid schema) override;
  std::span<const Oid> SearchPath() override;
  Oid TemporarySchema() override;
  std::string DatabaseName() const override;
  const RelationInfo* FindRelation(std::string_view schema, std::string_view name,
                                   RelationLockNeed lock) override;
  const RelationInfo* GetRelation(Oid relation, RelationLockNeed lock) override;
  std::span<const UniqueInfo> UniqueIndexes(Oid relation) override;
  std::string ColumnDefault(Oid relation, AttrNumber column) override;
  Oid IdentitySequence(Oid relation, AttrNumber column) override;
  char CheckOption(Oid view) override;
  std::string ViewQuery(Oid view) override;
  bool InheritsFrom(Oid child, Oid parent) override;
  bool IsSecurityBarrier(Oid view) override;
  bool IsSecurityInvoker(Oid view) override;
  Oid CurrentRole() override;

 protected:
  std::unique_ptr<TypeInfo> LoadType(Oid type) override;
  std::unique_ptr<TypeInfo> LoadType(Oid schema, std::string_view name) override;
  std::unique_ptr<FunctionInfo> LoadFunction(Oid function) override;
  std::vector<Oid> UserFunctions(std::string_view name) override;
  std::unique_ptr<OperatorInfo> LoadOperator(Oid oper) override;
  std::vector<Oid> UserOperators(std::string_view name) override;
  std::unique_ptr<CastInfo> LoadCast(Oid source, Oid target) override;

 private:
  struct Described {
    RelationRef relation;  // what `info` was made from
    std::unique_ptr<RelationInfo> info;
    std::unique_ptr<std::vector<UniqueInfo>> uniques;  // made when first asked for
  };
  Described& Describe(Oid relation, RelationLockNeed lock);
  // Value of an option in pg_class.reloptions; empty when it is not set.
  std::string Reloption(Oid relation, std::string_view name);

  uint64_t generation_ = 0;
  std::unordered_map<Oid, Described> relations_;
  std::vector<Described> replaced_;  // kept alive until Refresh
};

}  // namespace walden

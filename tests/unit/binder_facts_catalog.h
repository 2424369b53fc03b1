// A CatalogReader over PostgreSQL's facts (node/catalog/data/*.tsv) and a few tables made by the test: lets
// the binder's rules be tested without a database. Loaded once per process.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "node/sql/binder/catalog_reader.h"

namespace walden {

class FactsCatalog : public CatalogReader {
 public:
  FactsCatalog();

  struct ColumnSpec {
    std::string name;
    std::string type;  // as format_type prints it, without a modifier
    int32_t typmod = -1;
    bool not_null = false;
    std::string default_expression = {};  // serialised
    char identity = 0;
    char generated = 0;
  };
  // Adds a relation to schema public and returns its OID.
  Oid AddRelation(std::string_view name, char kind, const std::vector<ColumnSpec>& columns, Oid owner = Oid{10});
  void AddUnique(Oid relation, std::string_view constraint_name, bool primary, std::vector<AttrNumber> keys);
  void SetViewQuery(Oid view, std::string serialised) { view_queries_[view] = std::move(serialised); }
  const FunctionInfo* AddFunction(FunctionInfo function);
  const TypeInfo* AddDomain(std::string_view name, std::string_view base, int32_t typmod);
  Oid TypeOid(std::string_view format_name) const;

  Oid FindSchema(std::string_view name) override;
  std::string SchemaName(Oid schema) override;
  std::span<const Oid> SearchPath() override { return search_path_; }
  Oid TemporarySchema() override { return Oid{}; }
  std::string DatabaseName() const override { return "postgres"; }
  const RelationInfo* FindRelation(std::string_view schema, std::string_view name, RelationLockNeed lock) override;
  const RelationInfo* GetRelation(Oid relation, RelationLockNeed lock) override;
  std::span<const UniqueInfo> UniqueIndexes(Oid relation) override;
  std::string ColumnDefault(Oid relation, AttrNumber column) override;
  std::string ViewQuery(Oid view) override { return view_queries_[view]; }
  bool InheritsFrom(Oid child, Oid parent) override { return child == parent; }
  bool IsSecurityBarrier(Oid) override { return false; }
  bool IsSecurityInvoker(Oid) override { return false; }
  const TypeInfo* GetType(Oid type) override;
  const TypeInfo* FindType(Oid schema, std::string_view name) override;
  std::span<const FunctionInfo* const> FindFunctions(std::string_view name) override;
  const FunctionInfo* GetFunction(Oid function) override;
  const AggregateInfo* GetAggregate(Oid function) override;
  std::span<const OperatorInfo* const> FindOperators(std::string_view name) override;
  const OperatorInfo* GetOperator(Oid oper) override;
  TypeOperators DefaultOperators(Oid type) override;
  std::vector<BtreeInterpretation> BtreeInterpretations(Oid oper) override;
  Oid BtreeMember(Oid family, Oid left, Oid right, int strategy) override;
  Oid BtreeSupport(Oid family, Oid left, Oid right, int number) override;
  bool DefaultBtreeFamily(Oid type, Oid* family, Oid* input_type) override;
  const CastInfo* FindCast(Oid source, Oid target) override;
  Oid FindCollation(Oid schema, std::string_view name) override;
  std::string CollationName(Oid collation) override;
  Oid DefaultOpclassFor(Oid type, std::string_view access_method) override;
  Oid FindOpclass(Oid schema, std::string_view name, std::string_view access_method) override;
  Oid CurrentRole() override { return Oid{10}; }

 private:
  struct Opclass {
    Oid oid{}, method{}, family{}, input_type{};
    std::string name;
    bool is_default = false;
  };
  struct FamilyMember {
    Oid family{}, left{}, right{}, oper{}, method{};
    int strategy = 0;
  };
  void LoadTypes();
  void LoadFunctions();
  void LoadAggregates();
  void LoadOperators();
  void LoadCasts();
  void LoadOpclasses();
  Oid SignatureOid(std::string_view text, bool oper) const;  // "int4(bigint)" or "=(integer,bigint)"
  std::vector<Oid> TypeList(std::string_view text) const;
  const Opclass* DefaultOpclass(Oid type, Oid method);
  bool BinaryCoercible(Oid source, Oid target);

  std::vector<Oid> search_path_{Oid{11}, Oid{2200}};
  uint32_t next_oid_ = 16384;
  std::unordered_map<Oid, std::unique_ptr<TypeInfo>> types_;
  std::unordered_map<std::string, Oid> types_by_format_;
  std::unordered_map<Oid, std::unique_ptr<FunctionInfo>> functions_;
  std::unordered_map<std::string, std::vector<const FunctionInfo*>> functions_by_name_;
  std::unordered_map<Oid, AggregateInfo> aggregates_;
  std::unordered_map<Oid, std::unique_ptr<OperatorInfo>> operators_;
  std::unordered_map<std::string, std::vector<const OperatorInfo*>> operators_by_name_;
  std::map<std::pair<Oid, Oid>, CastInfo> casts_;
  std::vector<Opclass> opclasses_;
  std::vector<FamilyMember> members_;
  std::vector<FamilyMember> supports_;  // strategy is the support number
  std::unordered_map<Oid, std::unique_ptr<RelationInfo>> relations_;
  std::map<Oid, std::vector<UniqueInfo>> uniques_;
  std::map<std::pair<Oid, AttrNumber>, std::string> defaults_;
  std::map<Oid, std::string> view_queries_;
};

}  // namespace walden

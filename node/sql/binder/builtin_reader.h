// The part of CatalogReader that the compiled-in declarations (catalog/builtin.h) answer: built-in types,
// functions, operators, casts, operator classes. Reads no catalog row. The session's reader adds what users made.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "node/sql/binder/catalog_reader.h"

namespace walden {

class BuiltinReader : public CatalogReader {
 public:
  BuiltinReader() = default;

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
  std::vector<InRangeSupport> InRangeSupports(Oid family, Oid left) override;
  bool DefaultBtreeFamily(Oid type, Oid* family, Oid* input_type) override;
  const CastInfo* FindCast(Oid source, Oid target) override;
  Oid FindCollation(Oid schema, std::string_view name) override;
  std::string CollationName(Oid collation) override;
  Oid DefaultOpclassFor(Oid type, std::string_view access_method) override;
  Oid FindOpclass(Oid schema, std::string_view name, std::string_view access_method) override;

 protected:
  // What users made; null or empty when there is none. The results are cached until ForgetCached().
  virtual std::unique_ptr<TypeInfo> LoadType(Oid) { return nullptr; }
  virtual std::unique_ptr<TypeInfo> LoadType(Oid, std::string_view) { return nullptr; }
  virtual std::unique_ptr<FunctionInfo> LoadFunction(Oid) { return nullptr; }
  virtual std::vector<Oid> UserFunctions(std::string_view) { return {}; }
  virtual std::unique_ptr<OperatorInfo> LoadOperator(Oid) { return nullptr; }
  virtual std::vector<Oid> UserOperators(std::string_view) { return {}; }
  virtual std::unique_ptr<AggregateInfo> LoadAggregate(Oid) { return nullptr; }
  virtual std::unique_ptr<CastInfo> LoadCast(Oid, Oid) { return nullptr; }
  void ForgetCached();

 private:
  struct PairHash {
    size_t operator()(uint64_t key) const { return key * 0x9E3779B97F4A7C15ull; }
  };
  // Default operator class of a type for an access method; null row when there is none.
  struct Opclass {
    Oid oid{}, family{}, input_type{};
  };
  Opclass DefaultOpclass(Oid type, Oid method);
  Oid HashEqual(Oid type);
  bool IsBinaryCoercible(Oid source, Oid target);

  std::unordered_map<Oid, std::unique_ptr<TypeInfo>> types_;
  std::unordered_map<std::string, Oid> types_by_name_;  // "<schema>.<name>"
  std::unordered_map<Oid, std::unique_ptr<FunctionInfo>> functions_;
  std::unordered_map<std::string, std::vector<const FunctionInfo*>> functions_by_name_;
  std::unordered_map<Oid, std::unique_ptr<AggregateInfo>> aggregates_;
  std::unordered_map<Oid, std::unique_ptr<OperatorInfo>> operators_;
  std::unordered_map<std::string, std::vector<const OperatorInfo*>> operators_by_name_;
  std::unordered_map<uint64_t, std::unique_ptr<CastInfo>, PairHash> casts_;
  std::unordered_map<Oid, TypeOperators> default_operators_;
};

}  // namespace walden

// Which function or operator a call means: PostgreSQL's candidate collection and its rules for choosing
// among overloads. Types only; the callers build expressions and word the errors.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/sql/binder/type_rules.h"

namespace walden {

// A possibly qualified name; schema empty when none was written.
struct WrittenName {
  std::string_view schema;
  std::string_view name;
  // As NameListToString: "s.f".
  std::string ToString() const;
};

struct CallCandidate {
  const FunctionInfo* function = nullptr;  // null: several functions match equally
  std::vector<Oid> arguments;              // one per actual argument, then one per default used
  int variadic_count = 0;                  // arguments that the VARIADIC parameter collects
  int default_count = 0;                   // trailing parameters filled from defaults
  std::vector<int> argument_positions;  // named notation: parameter of each entry of `arguments`; else empty
  int path_position = 0;
};

struct CandidateQuery {
  WrittenName name;
  size_t argument_count = 0;
  std::span<const std::string_view> argument_names;  // of the last arguments
  bool expand_variadic = true;
  bool expand_defaults = true;
};

enum class OverloadResult : uint8_t { kFound, kNotFound, kAmbiguous };

class Overloads {
 public:
  explicit Overloads(const TypeRules& types) : types_(types), catalog_(types.catalog()) {}

  // Throws 3F000 when a schema is named that does not exist.
  std::vector<CallCandidate> FunctionCandidates(const CandidateQuery& query) const;
  // Removes candidates that the actual types cannot be implicitly coerced to.
  void KeepCoercible(std::span<const Oid> actual, std::vector<CallCandidate>* candidates) const;
  // The best of several coercible candidates, or null when none stands out. May remove from `candidates`.
  const CallCandidate* Choose(std::span<const Oid> actual, std::vector<CallCandidate>* candidates) const;

  // `left` invalid: prefix operator. Unknown literals take part.
  OverloadResult FindOperator(const WrittenName& name, Oid left, Oid right, const OperatorInfo** found) const;
  // Exactly these operand types (no coercion), or null.
  const OperatorInfo* ExactOperator(const WrittenName& name, Oid left, Oid right) const;

 private:
  int PathPosition(const WrittenName& name, Oid named_schema, Oid schema) const;
  bool MatchNamed(const FunctionInfo& function, const CandidateQuery& query,
                  std::vector<int>* positions) const;
  void AddCandidate(CallCandidate candidate, std::vector<CallCandidate>* to) const;
  std::vector<CallCandidate> OperatorCandidates(const WrittenName& name, bool prefix,
                                                std::vector<const OperatorInfo*>* operators) const;

  const TypeRules& types_;
  CatalogReader& catalog_;
};

}  // namespace walden

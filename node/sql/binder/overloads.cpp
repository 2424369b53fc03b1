#include "node/sql/binder/overloads.h"

#include <algorithm>

#include "node/base/error.h"

namespace walden {
namespace {

using type_oid::kUnknown;
constexpr char kNoCategory = 0;

Oid SchemaNamed(CatalogReader& catalog, std::string_view name) {
  if (name.empty()) return Oid{};
  Oid schema = catalog.FindSchema(name);
  if (!IsValid(schema)) throw SqlError(ErrorCode::kUndefinedSchema, "schema \"{}\" does not exist", name);
  return schema;
}

// Keeps the candidates for which `score` is highest.
template <class Score>
void KeepBest(std::vector<CallCandidate>* candidates, Score score) {
  std::vector<int> scores;
  for (const CallCandidate& candidate : *candidates) scores.push_back(score(candidate));
  int best = *std::ranges::max_element(scores);
  size_t kept = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] != best) continue;
    if (kept != i) (*candidates)[kept] = std::move((*candidates)[i]);
    ++kept;
  }
  candidates->resize(kept);
}

}  // namespace

std::string WrittenName::ToString() const {
  return schema.empty() ? std::string(name) : std::string(schema) + "." + std::string(name);
}

// Position of `schema` in the search path, 0 when the schema was named and is this one; -1: not to be seen.
int Overloads::PathPosition(const WrittenName& name, Oid named_schema, Oid schema) const {
  if (!name.schema.empty()) return schema == named_schema ? 0 : -1;
  std::span<const Oid> path = catalog_.SearchPath();
  Oid temporary = catalog_.TemporarySchema();
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] == schema && (!IsValid(temporary) || schema != temporary)) return static_cast<int>(i);
  }
  return -1;
}

// Maps the call's arguments (positional first, then named) to parameters; `positions` ends with the parameters
// left to their defaults.
bool Overloads::MatchNamed(const FunctionInfo& function, const CandidateQuery& query,
                           std::vector<int>* positions) const {
  size_t parameters = function.arguments.size();
  size_t positional = query.argument_count - query.argument_names.size();
  if (function.argument_names.empty() || query.argument_count > parameters) return false;
  std::vector<bool> given(parameters, false);
  positions->clear();
  for (size_t i = 0; i < positional; ++i) {
    positions->push_back(static_cast<int>(i));
    given[i] = true;
  }
  for (std::string_view wanted : query.argument_names) {
    int parameter = 0;
    bool found = false;
    for (size_t i = 0; i < function.argument_names.size() && !found; ++i) {
      char mode = function.modes.empty() ? 'i' : function.modes[i];
      if (mode == 'o' || mode == 't') continue;
      found = function.argument_names[i] == wanted;
      if (!found) ++parameter;
    }
    if (!found || given[static_cast<size_t>(parameter)]) return false;
    given[static_cast<size_t>(parameter)] = true;
    positions->push_back(parameter);
  }
  size_t first_with_default = parameters - static_cast<size_t>(function.default_count);
  for (size_t i = positional; i < parameters; ++i) {
    if (given[i]) continue;
    if (i < first_with_default) return false;
    positions->push_back(static_cast<int>(i));
  }
  return true;
}

// Two candidates that take the same actual arguments: the earlier schema wins, then the one without VARIADIC;
// otherwise neither can be chosen.
void Overloads::AddCandidate(CallCandidate candidate, std::vector<CallCandidate>* to) const {
  size_t compared = candidate.arguments.size() - static_cast<size_t>(candidate.default_count);
  for (CallCandidate& other : *to) {
    if (other.arguments.size() - static_cast<size_t>(other.default_count) != compared) continue;
    if (!std::equal(candidate.arguments.begin(),
                    candidate.arguments.begin() + static_cast<ptrdiff_t>(compared),
                    other.arguments.begin())) {
      continue;
    }
    int preference = candidate.path_position - other.path_position;
    if (preference == 0)
      preference = (candidate.variadic_count > 0 ? 1 : 0) - (other.variadic_count > 0 ? 1 : 0);
    if (preference > 0) return;
    if (preference < 0) {
      other = std::move(candidate);
    } else {
      other.function = nullptr;
    }
    return;
  }
  to->push_back(std::move(candidate));
}

std::vector<CallCandidate> Overloads::FunctionCandidates(const CandidateQuery& query) const {
  std::vector<CallCandidate> candidates;
  Oid named_schema = SchemaNamed(catalog_, query.name.schema);
  for (const FunctionInfo* function : catalog_.FindFunctions(query.name.name)) {
    CallCandidate candidate;
    candidate.function = function;
    candidate.path_position = PathPosition(query.name, named_schema, function->schema);
    if (candidate.path_position < 0) continue;
    size_t parameters = function->arguments.size();
    bool variadic = query.expand_variadic && IsValid(function->variadic);
    if (!query.argument_names.empty()) {
      if (variadic) continue;
      if (parameters > query.argument_count && !query.expand_defaults) continue;
      if (!MatchNamed(*function, query, &candidate.argument_positions)) continue;
      for (int position : candidate.argument_positions) {
        candidate.arguments.push_back(function->arguments[static_cast<size_t>(position)]);
      }
      candidate.default_count = static_cast<int>(parameters - query.argument_count);
    } else {
      variadic = variadic && parameters <= query.argument_count;
      bool defaults = parameters > query.argument_count && query.expand_defaults &&
                      query.argument_count + static_cast<size_t>(function->default_count) >= parameters;
      if (parameters != query.argument_count && !variadic && !defaults) continue;
      candidate.arguments = function->arguments;
      if (variadic) {
        candidate.variadic_count = static_cast<int>(query.argument_count - parameters + 1);
        candidate.arguments.resize(parameters - 1);
        candidate.arguments.resize(query.argument_count, function->variadic);
      }
      if (defaults) candidate.default_count = static_cast<int>(parameters - query.argument_count);
    }
    AddCandidate(std::move(candidate), &candidates);
  }
  return candidates;
}

void Overloads::KeepCoercible(std::span<const Oid> actual, std::vector<CallCandidate>* candidates) const {
  std::erase_if(*candidates, [&](const CallCandidate& candidate) {
    return !types_.CanCoerce(actual, std::span(candidate.arguments).first(actual.size()),
                             CoercionContext::kImplicit);
  });
}

const CallCandidate* Overloads::Choose(std::span<const Oid> actual,
                                       std::vector<CallCandidate>* candidates) const {
  size_t count = actual.size();
  std::vector<Oid> base(actual.begin(), actual.end());
  size_t unknowns = 0;
  for (Oid& type : base) {
    if (type == kUnknown) {
      ++unknowns;
    } else {
      type = types_.BaseType(type);
    }
  }
  auto only = [&]() -> const CallCandidate* {
    return candidates->size() == 1 ? &candidates->front() : nullptr;
  };

  // Most exact matches.
  KeepBest(candidates, [&](const CallCandidate& candidate) {
    int matches = 0;
    for (size_t i = 0; i < count; ++i) matches += base[i] != kUnknown && candidate.arguments[i] == base[i];
    return matches;
  });
  if (only()) return only();

  // Most exact matches or preferred types of the argument's category.
  std::vector<char> category(count, kNoCategory);
  for (size_t i = 0; i < count; ++i) category[i] = types_.Category(base[i]);
  KeepBest(candidates, [&](const CallCandidate& candidate) {
    int matches = 0;
    for (size_t i = 0; i < count; ++i) {
      if (base[i] == kUnknown) continue;
      matches += candidate.arguments[i] == base[i] || types_.IsPreferred(category[i], candidate.arguments[i]);
    }
    return matches;
  });
  if (only()) return only();
  if (unknowns == 0) return nullptr;

  // Give each literal a category that the candidates agree on, or strings if any of them takes a string.
  bool resolved = true;
  std::vector<bool> has_preferred(count, false);
  for (size_t i = 0; i < count && resolved; ++i) {
    if (base[i] != kUnknown) continue;
    bool conflict = false;
    category[i] = kNoCategory;
    for (const CallCandidate& candidate : *candidates) {
      const TypeInfo& type = types_.Get(candidate.arguments[i]);
      if (category[i] == kNoCategory || (category[i] != type.category && type.category == 'S')) {
        category[i] = type.category;
        has_preferred[i] = type.preferred;
      } else if (category[i] == type.category) {
        has_preferred[i] = has_preferred[i] || type.preferred;
      } else {
        conflict = true;
      }
    }
    if (conflict && category[i] != 'S') resolved = false;
  }
  if (resolved) {
    auto fits = [&](const CallCandidate& candidate) {
      for (size_t i = 0; i < count; ++i) {
        if (base[i] != kUnknown) continue;
        const TypeInfo& type = types_.Get(candidate.arguments[i]);
        if (type.category != category[i] || (has_preferred[i] && !type.preferred)) return false;
      }
      return true;
    };
    if (std::ranges::any_of(*candidates, fits)) {
      std::erase_if(*candidates, [&](const CallCandidate& candidate) { return !fits(candidate); });
    }
    if (only()) return only();
  }

  // All arguments that have a type have the same one: suppose the literals have it too.
  Oid known = kUnknown;
  for (Oid type : base) {
    if (type == kUnknown) continue;
    if (known != kUnknown && known != type) return nullptr;
    known = type;
  }
  if (known == kUnknown) return nullptr;
  std::ranges::fill(base, known);
  const CallCandidate* found = nullptr;
  for (const CallCandidate& candidate : *candidates) {
    if (!types_.CanCoerce(base, std::span(candidate.arguments).first(count), CoercionContext::kImplicit))
      continue;
    if (found != nullptr) return nullptr;
    found = &candidate;
  }
  return found;
}

const OperatorInfo* Overloads::ExactOperator(const WrittenName& name, Oid left, Oid right) const {
  Oid named_schema = SchemaNamed(catalog_, name.schema);
  const OperatorInfo* best = nullptr;
  int best_position = 0;
  for (const OperatorInfo* op : catalog_.FindOperators(name.name)) {
    if (op->left != left || op->right != right) continue;
    int position = PathPosition(name, named_schema, op->schema);
    if (position < 0 || (best != nullptr && position >= best_position)) continue;
    best = op;
    best_position = position;
  }
  return best;
}

std::vector<CallCandidate> Overloads::OperatorCandidates(const WrittenName& name, bool prefix,
                                                         std::vector<const OperatorInfo*>* operators) const {
  std::vector<CallCandidate> candidates;
  Oid named_schema = SchemaNamed(catalog_, name.schema);
  for (const OperatorInfo* op : catalog_.FindOperators(name.name)) {
    if (IsValid(op->left) == prefix) continue;
    int position = PathPosition(name, named_schema, op->schema);
    if (position < 0) continue;
    CallCandidate candidate;
    if (!prefix) candidate.arguments.push_back(op->left);
    candidate.arguments.push_back(op->right);
    candidate.path_position = position;
    auto same = std::ranges::find(candidates, candidate.arguments, &CallCandidate::arguments);
    // default_count serves as the index of the operator.
    candidate.default_count = static_cast<int>(operators->size());
    operators->push_back(op);
    if (same == candidates.end()) {
      candidates.push_back(std::move(candidate));
    } else if (position < same->path_position) {
      *same = std::move(candidate);
    }
  }
  return candidates;
}

OverloadResult Overloads::FindOperator(const WrittenName& name, Oid left, Oid right,
                                       const OperatorInfo** found) const {
  bool prefix = !IsValid(left);
  Oid exact_left = left, exact_right = right;
  bool had_unknown = false;
  if (!prefix && left == kUnknown && right != kUnknown) exact_left = right, had_unknown = true;
  if (!prefix && right == kUnknown && left != kUnknown) exact_right = left, had_unknown = true;
  *found = ExactOperator(name, exact_left, exact_right);
  if (*found == nullptr && had_unknown) {
    if (Oid base = types_.BaseType(exact_left); base != exact_left) *found = ExactOperator(name, base, base);
  }
  if (*found != nullptr) return OverloadResult::kFound;

  std::vector<const OperatorInfo*> operators;
  std::vector<CallCandidate> candidates = OperatorCandidates(name, prefix, &operators);
  std::vector<Oid> actual;
  if (!prefix) actual.push_back(left);
  actual.push_back(right);
  KeepCoercible(actual, &candidates);
  if (candidates.empty()) return OverloadResult::kNotFound;
  const CallCandidate* best = candidates.size() == 1 ? &candidates.front() : Choose(actual, &candidates);
  if (best == nullptr) return OverloadResult::kAmbiguous;
  *found = operators[static_cast<size_t>(best->default_count)];
  return OverloadResult::kFound;
}

}  // namespace walden

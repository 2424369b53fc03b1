#include "node/sql/binder/builtin_reader.h"

#include "node/catalog/builtin.h"
#include "node/sql/binder/type_rules.h"

namespace walden {
namespace {

constexpr Oid kPgCatalog{11};
constexpr Oid kBtree{403}, kHash{405};
constexpr Oid kArraySubscriptHandler{6179}, kRawArraySubscriptHandler{6180}, kJsonbSubscriptHandler{6098};

std::unique_ptr<TypeInfo> FromBuiltin(const BuiltinType& row) {
  auto type = std::make_unique<TypeInfo>();
  type->oid = row.oid;
  type->schema = kPgCatalog;
  type->name = row.name;
  type->length = row.length;
  type->by_value = row.by_value;
  type->preferred = row.preferred;
  type->kind = row.kind;
  type->category = row.category;
  type->delimiter = row.delimiter;
  type->relation = row.relation;
  type->element = row.element;
  type->array = row.array;
  type->collation = row.collation;
  type->is_true_array = row.subscript == kArraySubscriptHandler;
  type->is_raw_subscriptable = row.subscript == kRawArraySubscriptHandler;
  type->is_jsonb_subscriptable = row.subscript == kJsonbSubscriptHandler;
  type->typmod_in = row.typmod_in;
  type->typmod_out = row.typmod_out;
  return type;
}

std::unique_ptr<FunctionInfo> FromBuiltin(const BuiltinFunction& row) {
  auto function = std::make_unique<FunctionInfo>();
  function->oid = row.oid;
  function->schema = kPgCatalog;
  function->name = row.name;
  function->kind = row.kind;
  function->strict = row.strict;
  function->returns_set = row.returns_set;
  function->volatility = row.volatility;
  function->variadic = row.variadic;
  function->result = row.return_type;
  function->arguments.assign(row.arg_types().begin(), row.arg_types().end());
  function->all_arguments.assign(row.all_arg_types().begin(), row.all_arg_types().end());
  function->modes = row.arg_modes;
  for (std::string_view name : row.arg_names()) function->argument_names.emplace_back(name);
  function->default_count = row.default_count;
  function->defaults = row.defaults;
  function->defaults_are_sql = true;
  return function;
}

std::unique_ptr<OperatorInfo> FromBuiltin(const BuiltinOperator& row) {
  auto op = std::make_unique<OperatorInfo>();
  op->oid = row.oid;
  op->schema = kPgCatalog;
  op->name = row.name;
  op->left = row.left;
  op->right = row.right;
  op->result = row.result;
  op->function = row.function;
  op->commutator = row.commutator;
  op->negator = row.negator;
  op->can_hash = row.can_hash;
  op->can_merge = row.can_merge;
  return op;
}

Oid MethodNamed(std::string_view name) {
  for (const BuiltinAccessMethod& method : BuiltinAccessMethods()) {
    if (method.name == name) return method.oid;
  }
  return Oid{};
}

// What the cache has under the key, else what `load` gives. Nothing is remembered until it is whole: reading a catalog may be
// cancelled at any moment, and may find that everything cached is to be forgotten.
template <class Cache, class Key, class Load>
auto* FindOrLoad(Cache& cache, const Key& key, bool remember_misses, Load&& load) {
  if (auto known = cache.find(key); known != cache.end()) return known->second.get();
  auto loaded = load();
  auto* nothing = loaded.get();
  if (loaded == nullptr && !remember_misses) return nothing;
  return cache.try_emplace(key, std::move(loaded)).first->second.get();
}

// The same for lists of overloads; an empty one is not remembered.
template <class Cache, class Load>
auto FindOrLoadList(Cache& cache, std::string_view name, Load&& load)
    -> std::span<const typename Cache::mapped_type::value_type> {
  std::string key(name);
  if (auto known = cache.find(key); known != cache.end()) return known->second;
  auto loaded = load();
  if (loaded.empty()) return {};
  return cache[key] = std::move(loaded);
}

}  // namespace

void BuiltinReader::ForgetCached() {
  types_.clear();
  types_by_name_.clear();
  functions_.clear();
  functions_by_name_.clear();
  aggregates_.clear();
  operators_.clear();
  operators_by_name_.clear();
  casts_.clear();
  default_operators_.clear();
}

const TypeInfo* BuiltinReader::GetType(Oid type) {
  return FindOrLoad(types_, type, false, [&] {
    const BuiltinType* row = FindBuiltinType(type);
    return row != nullptr ? FromBuiltin(*row) : LoadType(type);
  });
}

const TypeInfo* BuiltinReader::FindType(Oid schema, std::string_view name) {
  if (schema == kPgCatalog) {
    if (const BuiltinType* row = FindBuiltinType(name)) return GetType(row->oid);
  }
  std::string key = std::to_string(OidNumber(schema)) + "." + std::string(name);
  if (auto known = types_by_name_.find(key); known != types_by_name_.end()) return GetType(known->second);
  // A type of that name may be made later in this statement's schema: remember only hits.
  std::unique_ptr<TypeInfo> loaded = LoadType(schema, name);
  if (loaded == nullptr) return nullptr;
  types_by_name_[key] = loaded->oid;
  Oid oid = loaded->oid;
  return types_.try_emplace(oid, std::move(loaded)).first->second.get();
}

const FunctionInfo* BuiltinReader::GetFunction(Oid function) {
  return FindOrLoad(functions_, function, false, [&] {
    const BuiltinFunction* row = FindBuiltinFunction(function);
    return row != nullptr ? FromBuiltin(*row) : LoadFunction(function);
  });
}

std::span<const FunctionInfo* const> BuiltinReader::FindFunctions(std::string_view name) {
  return FindOrLoadList(functions_by_name_, name, [&] {
    std::vector<const FunctionInfo*> found;
    ForEachBuiltinFunction(name, [&](const BuiltinFunction& row) { found.push_back(GetFunction(row.oid)); });
    for (Oid oid : UserFunctions(name)) {
      if (const FunctionInfo* function = GetFunction(oid)) found.push_back(function);
    }
    return found;
  });
}

const AggregateInfo* BuiltinReader::GetAggregate(Oid function) {
  return FindOrLoad(aggregates_, function, true, [&] {
    const BuiltinAggregate* row = FindBuiltinAggregate(function);
    if (row == nullptr) return LoadAggregate(function);
    auto aggregate = std::make_unique<AggregateInfo>();
    aggregate->kind = row->kind;
    aggregate->direct_arguments = row->direct_args;
    aggregate->transition_type = row->transition_type;
    aggregate->sort_operator = row->sort_operator;
    return aggregate;
  });
}

const OperatorInfo* BuiltinReader::GetOperator(Oid oper) {
  if (!IsValid(oper)) return nullptr;
  return FindOrLoad(operators_, oper, false, [&] {
    const BuiltinOperator* row = FindBuiltinOperator(oper);
    return row != nullptr ? FromBuiltin(*row) : LoadOperator(oper);
  });
}

std::span<const OperatorInfo* const> BuiltinReader::FindOperators(std::string_view name) {
  return FindOrLoadList(operators_by_name_, name, [&] {
    std::vector<const OperatorInfo*> found;
    ForEachBuiltinOperator(name, [&](const BuiltinOperator& row) { found.push_back(GetOperator(row.oid)); });
    for (Oid oid : UserOperators(name)) {
      if (const OperatorInfo* op = GetOperator(oid)) found.push_back(op);
    }
    return found;
  });
}

const CastInfo* BuiltinReader::FindCast(Oid source, Oid target) {
  uint64_t key = (uint64_t{OidNumber(source)} << 32) | OidNumber(target);
  return FindOrLoad(casts_, key, true, [&] {
    const BuiltinCast* row = FindBuiltinCast(source, target);
    if (row == nullptr) return LoadCast(source, target);
    auto cast = std::make_unique<CastInfo>();
    cast->function = row->function;
    cast->context = row->context;
    cast->method = row->method;
    return cast;
  });
}

bool BuiltinReader::IsBinaryCoercible(Oid source, Oid target) {
  using namespace type_oid;
  if (source == target) return true;
  const TypeInfo* type = GetType(source);
  if (type == nullptr) return false;
  if (target == kAnyArray && type->is_true_array) return true;
  if (target == kAnyEnum && type->kind == 'e') return true;
  if (target == kAnyRange && type->kind == 'r') return true;
  if (target == kAnyMultirange && type->kind == 'm') return true;
  if (target == kRecord && type->kind == 'c') return true;
  const CastInfo* cast = FindCast(source, target);
  return cast != nullptr && cast->method == 'b' && cast->context == 'i';
}

BuiltinReader::Opclass BuiltinReader::DefaultOpclass(Oid type, Oid method) {
  const TypeInfo* info = GetType(type);
  while (info != nullptr && info->kind == 'd') {
    type = info->base_type;
    info = GetType(type);
  }
  Opclass compatible, preferred;
  for (const BuiltinOpclass& row : BuiltinOpclasses()) {
    if (row.method != method || !row.is_default || !IsPresent(row)) continue;
    Opclass found{row.oid, row.family, row.input_type};
    if (row.input_type == type) return found;
    if (!IsBinaryCoercible(type, row.input_type)) continue;
    const TypeInfo* input = GetType(row.input_type);
    if (input != nullptr && input->preferred && !IsValid(preferred.oid)) preferred = found;
    if (!IsValid(compatible.oid)) compatible = found;
  }
  return IsValid(preferred.oid) ? preferred : compatible;
}

// Types without an order (xid, aclitem ...) have their equality from a hash operator class.
Oid BuiltinReader::HashEqual(Oid type) {
  for (const BuiltinOpclass& opclass : BuiltinOpclasses()) {
    if (opclass.method != kHash || !opclass.is_default || opclass.input_type != type) continue;
    for (const BuiltinAmop& amop : BuiltinAmops()) {
      if (amop.family == opclass.family && amop.left == type && amop.right == type && amop.strategy == 1) {
        return GetOperator(amop.operator_oid) != nullptr ? amop.operator_oid : Oid{};
      }
    }
  }
  return Oid{};
}

TypeOperators BuiltinReader::DefaultOperators(Oid type) {
  if (auto known = default_operators_.find(type); known != default_operators_.end()) return known->second;
  TypeOperators operators;
  // An array or row sorts and hashes only if its parts do.
  const TypeInfo* info = GetType(type);
  TypeOperators element;
  bool is_array = info != nullptr && info->is_true_array;
  if (is_array) element = DefaultOperators(info->element);
  Opclass btree = DefaultOpclass(type, kBtree);
  if (IsValid(btree.oid) && (!is_array || IsValid(element.less))) {
    operators.less = BtreeMember(btree.family, btree.input_type, btree.input_type, 1);
    operators.equal = BtreeMember(btree.family, btree.input_type, btree.input_type, 3);
    operators.greater = BtreeMember(btree.family, btree.input_type, btree.input_type, 5);
  }
  if (!IsValid(operators.equal)) operators.equal = HashEqual(type);
  // Hashing needs no operator class of its own: the equality operator says whether its types can be hashed.
  const OperatorInfo* equal = GetOperator(operators.equal);
  operators.hashable = equal != nullptr && equal->can_hash && (!is_array || element.hashable);
  return default_operators_[type] = operators;
}

std::vector<BtreeInterpretation> BuiltinReader::BtreeInterpretations(Oid oper) {
  std::vector<BtreeInterpretation> found;
  for (const BuiltinAmop* row : BuiltinAmopsOf(oper)) {
    if (row->method == kBtree) found.push_back({row->family, row->strategy, row->left, row->right});
  }
  if (!found.empty()) return found;
  const OperatorInfo* op = GetOperator(oper);
  if (op == nullptr || !IsValid(op->negator)) return found;
  for (const BuiltinAmop* row : BuiltinAmopsOf(op->negator)) {
    if (row->method == kBtree && row->strategy == 3) found.push_back({row->family, 6, row->left, row->right});
  }
  return found;
}

Oid BuiltinReader::BtreeMember(Oid family, Oid left, Oid right, int strategy) {
  const BuiltinAmop* row = FindBuiltinAmop(family, left, right, strategy);
  return row == nullptr ? Oid{} : row->operator_oid;
}

std::vector<InRangeSupport> BuiltinReader::InRangeSupports(Oid family, Oid left) {
  std::vector<InRangeSupport> found;
  for (const BuiltinAmproc& row : BuiltinAmprocs()) {
    if (row.family == family && row.left == left && row.number == 3 && IsPresent(row)) {
      found.push_back({row.right, row.function});
    }
  }
  return found;
}

bool BuiltinReader::DefaultBtreeFamily(Oid type, Oid* family, Oid* input_type) {
  Opclass opclass = DefaultOpclass(type, kBtree);
  *family = opclass.family;
  *input_type = opclass.input_type;
  return IsValid(opclass.oid);
}

Oid BuiltinReader::FindCollation(Oid schema, std::string_view name) {
  if (IsValid(schema) && schema != kPgCatalog) return Oid{};
  for (const BuiltinCollation& row : BuiltinCollations()) {
    if (row.name == name) return row.oid;
  }
  return Oid{};
}

std::string BuiltinReader::CollationName(Oid collation) {
  const BuiltinCollation* row = FindBuiltinCollation(collation);
  return row == nullptr ? std::to_string(OidNumber(collation)) : std::string(row->name);
}

Oid BuiltinReader::DefaultOpclassFor(Oid type, std::string_view access_method) {
  return DefaultOpclass(type, MethodNamed(access_method)).oid;
}

Oid BuiltinReader::FindOpclass(Oid schema, std::string_view name, std::string_view access_method) {
  if (IsValid(schema) && schema != kPgCatalog) return Oid{};
  Oid method = MethodNamed(access_method);
  for (const BuiltinOpclass& row : BuiltinOpclasses()) {
    if (row.method == method && row.name == name && IsPresent(row)) return row.oid;
  }
  return Oid{};
}

}  // namespace walden

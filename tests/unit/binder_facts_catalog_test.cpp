#include <fstream>
#include <stdexcept>

#include "tests/unit/binder_facts_catalog.h"

namespace walden {
namespace {

// One field list per line; a field in double quotes has its quotes doubled, as psql's csv output.
std::vector<std::string> SplitLine(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && !quoted && fields.back().empty()) {
      quoted = true;
    } else if (line[i] == '"' && quoted) {
      if (i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (line[i] == '\t' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

class FactsTable {
 public:
  explicit FactsTable(const std::string& name) {
    std::ifstream file(std::string(WALDEN_SOURCE_DIR) + "/node/catalog/data/" + name + ".tsv");
    if (!file) throw std::runtime_error("no facts file " + name);
    std::string line;
    std::getline(file, line);
    std::vector<std::string> names = SplitLine(line);
    for (size_t i = 0; i < names.size(); ++i) columns_[names[i]] = i;
    while (std::getline(file, line)) {
      rows_.push_back(SplitLine(line));
      rows_.back().resize(names.size());
    }
  }
  size_t size() const { return rows_.size(); }
  const std::string& Get(size_t row, const std::string& column) const { return rows_[row].at(columns_.at(column)); }
  Oid GetOid(size_t row, const std::string& column) const {
    const std::string& text = Get(row, column);
    return text.empty() || text == "-" ? Oid{} : Oid{static_cast<uint32_t>(std::stoul(text))};
  }
  bool GetBool(size_t row, const std::string& column) const { return Get(row, column) == "t"; }

 private:
  std::unordered_map<std::string, size_t> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "{a,\"b c\"}" -> elements.
std::vector<std::string> ArrayElements(const std::string& text) {
  std::vector<std::string> elements;
  if (text.size() < 3) return elements;
  elements.emplace_back();
  bool quoted = false;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\') {
      elements.back() += text[++i];
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      elements.emplace_back();
    } else {
      elements.back() += text[i];
    }
  }
  return elements;
}

const std::map<std::string, std::string>& FormatNames() {
  static const std::map<std::string, std::string> names = {
      {"int8", "bigint"}, {"int4", "integer"}, {"int2", "smallint"}, {"bool", "boolean"}, {"float4", "real"},
      {"float8", "double precision"}, {"bpchar", "character"}, {"varchar", "character varying"},
      {"timestamp", "timestamp without time zone"}, {"timestamptz", "timestamp with time zone"},
      {"time", "time without time zone"}, {"timetz", "time with time zone"}, {"varbit", "bit varying"},
      {"char", "\"char\""}, {"any", "\"any\""}};
  return names;
}

std::string FormatName(const std::string& name) {
  auto found = FormatNames().find(name);
  return found == FormatNames().end() ? name : found->second;
}

}  // namespace

FactsCatalog::FactsCatalog() {
  LoadTypes();
  LoadFunctions();
  LoadAggregates();
  LoadOperators();
  LoadCasts();
  LoadOpclasses();
}

void FactsCatalog::LoadTypes() {
  FactsTable table("pg_type");
  for (size_t row = 0; row < table.size(); ++row) {
    auto type = std::make_unique<TypeInfo>();
    type->oid = table.GetOid(row, "oid");
    type->schema = Oid{11};
    type->name = table.Get(row, "typname");
    type->length = static_cast<int16_t>(std::stoi(table.Get(row, "typlen")));
    type->by_value = table.GetBool(row, "typbyval");
    type->preferred = table.GetBool(row, "typispreferred");
    type->kind = table.Get(row, "typtype")[0];
    type->category = table.Get(row, "typcategory")[0];
    type->relation = table.GetOid(row, "typrelid");
    type->element = table.GetOid(row, "typelem");
    type->array = table.GetOid(row, "typarray");
    type->collation = table.GetOid(row, "typcollation");
    bool has_array_input = table.Get(row, "typinput") == "array_in";
    type->is_true_array = has_array_input && IsValid(type->element);
    type->is_raw_subscriptable = !has_array_input && IsValid(type->element);
    type->is_jsonb_subscriptable = type->name == "jsonb";
    type->typmod_in = table.Get(row, "typmodin") == "-" ? Oid{} : Oid{1};
    type->typmod_out = table.Get(row, "typmodout") == "-" ? Oid{} : Oid{1};
    types_by_format_[FormatName(type->name)] = type->oid;
    types_[type->oid] = std::move(type);
  }
  for (auto& [oid, type] : types_) {
    if (!type->is_true_array) continue;
    types_by_format_[FormatName(types_[type->element]->name) + "[]"] = oid;
  }
  FactsTable ranges("pg_range");
  for (size_t row = 0; row < ranges.size(); ++row) {
    TypeInfo& range = *types_[TypeOid(ranges.Get(row, "rngtypid"))];
    TypeInfo& multirange = *types_[TypeOid(ranges.Get(row, "rngmultitypid"))];
    range.range_subtype = TypeOid(ranges.Get(row, "rngsubtype"));
    range.multirange = multirange.oid;
    multirange.range_of = range.oid;
  }
}

Oid FactsCatalog::TypeOid(std::string_view format_name) const {
  auto found = types_by_format_.find(std::string(format_name));
  if (found == types_by_format_.end()) throw std::runtime_error("no type " + std::string(format_name));
  return found->second;
}

std::vector<Oid> FactsCatalog::TypeList(std::string_view text) const {
  std::vector<Oid> types;
  while (!text.empty()) {
    size_t comma = text.find(',');
    types.push_back(TypeOid(text.substr(0, comma)));
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
  }
  return types;
}

void FactsCatalog::LoadFunctions() {
  FactsTable table("pg_proc");
  for (size_t row = 0; row < table.size(); ++row) {
    FunctionInfo function;
    function.oid = table.GetOid(row, "oid");
    function.schema = Oid{11};
    function.name = table.Get(row, "proname");
    function.kind = table.Get(row, "prokind")[0];
    function.strict = table.GetBool(row, "proisstrict");
    function.returns_set = table.GetBool(row, "proretset");
    function.volatility = table.Get(row, "provolatile")[0];
    const std::string& variadic = table.Get(row, "provariadic");
    if (variadic != "-") function.variadic = TypeOid(variadic);
    function.result = TypeOid(table.Get(row, "prorettype"));
    function.arguments = TypeList(table.Get(row, "argtypes"));
    for (const std::string& name : ArrayElements(table.Get(row, "proallargtypes"))) {
      function.all_arguments.push_back(TypeOid(name));
    }
    for (const std::string& mode : ArrayElements(table.Get(row, "proargmodes"))) function.modes += mode;
    function.argument_names = ArrayElements(table.Get(row, "proargnames"));
    function.default_count = std::stoi(table.Get(row, "pronargdefaults"));
    AddFunction(std::move(function));
  }
}

const FunctionInfo* FactsCatalog::AddFunction(FunctionInfo function) {
  auto owned = std::make_unique<FunctionInfo>(std::move(function));
  const FunctionInfo* added = owned.get();
  functions_by_name_[owned->name].push_back(added);
  functions_[owned->oid] = std::move(owned);
  return added;
}

Oid FactsCatalog::SignatureOid(std::string_view text, bool oper) const {
  size_t open = text.rfind('(');
  if (open == std::string_view::npos) return Oid{};
  std::string name(text.substr(0, open));
  std::string_view list = text.substr(open + 1, text.size() - open - 2);
  if (!oper) {
    std::vector<Oid> arguments = TypeList(list);
    auto found = functions_by_name_.find(name);
    if (found == functions_by_name_.end()) return Oid{};
    for (const FunctionInfo* function : found->second) {
      if (function->arguments == arguments) return function->oid;
    }
    return Oid{};
  }
  size_t comma = list.find(',');
  Oid left = list.substr(0, comma) == "NONE" ? Oid{} : TypeOid(list.substr(0, comma));
  Oid right = TypeOid(list.substr(comma + 1));
  auto found = operators_by_name_.find(name);
  if (found == operators_by_name_.end()) return Oid{};
  for (const OperatorInfo* op : found->second) {
    if (op->left == left && op->right == right) return op->oid;
  }
  return Oid{};
}

void FactsCatalog::LoadAggregates() {
  FactsTable table("pg_aggregate");
  for (size_t row = 0; row < table.size(); ++row) {
    std::string signature = table.Get(row, "aggfnoid");
    Oid oid;
    try {
      oid = SignatureOid(signature, false);
    } catch (const std::runtime_error&) {
      continue;
    }
    AggregateInfo info;
    info.kind = table.Get(row, "aggkind")[0];
    info.direct_arguments = std::stoi(table.Get(row, "aggnumdirectargs"));
    info.transition_type = TypeOid(table.Get(row, "aggtranstype"));
    aggregates_[oid] = info;
  }
}

void FactsCatalog::LoadOperators() {
  FactsTable table("pg_operator");
  auto type_or_none = [this](const std::string& text) {
    return text.empty() || text == "-" || text == "0" ? Oid{} : TypeOid(text);
  };
  for (size_t row = 0; row < table.size(); ++row) {
    auto op = std::make_unique<OperatorInfo>();
    op->oid = table.GetOid(row, "oid");
    op->schema = Oid{11};
    op->name = table.Get(row, "oprname");
    op->left = type_or_none(table.Get(row, "oprleft"));
    op->right = type_or_none(table.Get(row, "oprright"));
    op->result = type_or_none(table.Get(row, "oprresult"));
    op->can_hash = table.GetBool(row, "oprcanhash");
    op->can_merge = table.GetBool(row, "oprcanmerge");
    std::string code = table.Get(row, "oprcode");
    auto found = functions_by_name_.find(code);
    if (found != functions_by_name_.end()) {
      for (const FunctionInfo* function : found->second) {
        std::vector<Oid> wanted;
        if (IsValid(op->left)) wanted.push_back(op->left);
        wanted.push_back(op->right);
        if (found->second.size() == 1 || function->arguments == wanted) op->function = function->oid;
      }
    }
    operators_by_name_[op->name].push_back(op.get());
    operators_[op->oid] = std::move(op);
  }
  for (size_t row = 0; row < table.size(); ++row) {
    OperatorInfo& op = *operators_[table.GetOid(row, "oid")];
    op.commutator = SignatureOid(table.Get(row, "oprcom"), true);
    op.negator = SignatureOid(table.Get(row, "oprnegate"), true);
  }
}

void FactsCatalog::LoadCasts() {
  FactsTable table("pg_cast");
  for (size_t row = 0; row < table.size(); ++row) {
    CastInfo cast;
    cast.context = table.Get(row, "castcontext")[0];
    cast.method = table.Get(row, "castmethod")[0];
    if (cast.method == 'f') {
      std::string text = table.Get(row, "castfunc");
      if (text.starts_with("pg_catalog.")) text = text.substr(11);
      if (text.starts_with('"')) text.erase(text.rfind('"', text.find('(')), 1).erase(0, 1);
      cast.function = SignatureOid(text, false);
    }
    casts_[{TypeOid(table.Get(row, "castsource")), TypeOid(table.Get(row, "casttarget"))}] = cast;
  }
}

void FactsCatalog::LoadOpclasses() {
  FactsTable classes("pg_opclass");
  for (size_t row = 0; row < classes.size(); ++row) {
    Opclass opclass;
    opclass.oid = classes.GetOid(row, "oid");
    opclass.method = classes.GetOid(row, "opcmethod");
    opclass.family = classes.GetOid(row, "opcfamily");
    opclass.name = classes.Get(row, "opcname");
    opclass.input_type = TypeOid(classes.Get(row, "opcintype"));
    opclass.is_default = classes.GetBool(row, "opcdefault");
    opclasses_.push_back(opclass);
  }
  FactsTable amop("pg_amop");
  for (size_t row = 0; row < amop.size(); ++row) {
    if (amop.Get(row, "amopmethod") != "403" && amop.Get(row, "amopmethod") != "405") continue;
    FamilyMember member;
    member.family = amop.GetOid(row, "amopfamily");
    member.method = amop.GetOid(row, "amopmethod");
    member.left = TypeOid(amop.Get(row, "amoplefttype"));
    member.right = TypeOid(amop.Get(row, "amoprighttype"));
    member.strategy = std::stoi(amop.Get(row, "amopstrategy"));
    member.oper = SignatureOid(amop.Get(row, "amopopr"), true);
    members_.push_back(member);
  }
  FactsTable amproc("pg_amproc");
  for (size_t row = 0; row < amproc.size(); ++row) {
    if (amproc.Get(row, "amprocnum") != "3") continue;
    FamilyMember support;
    support.family = amproc.GetOid(row, "amprocfamily");
    support.left = TypeOid(amproc.Get(row, "amproclefttype"));
    support.right = TypeOid(amproc.Get(row, "amprocrighttype"));
    support.strategy = 3;
    auto found = functions_by_name_.find("in_range");
    if (found == functions_by_name_.end()) continue;
    for (const FunctionInfo* function : found->second) {
      if (function->arguments[0] == support.left && function->arguments[2] == support.right) {
        support.oper = function->oid;
      }
    }
    if (IsValid(support.oper)) supports_.push_back(support);
  }
}

Oid FactsCatalog::AddRelation(std::string_view name, char kind, const std::vector<ColumnSpec>& columns, Oid owner) {
  auto relation = std::make_unique<RelationInfo>();
  relation->oid = Oid{next_oid_++};
  relation->schema = Oid{2200};
  relation->name = name;
  relation->kind = kind;
  relation->owner = owner;
  for (const ColumnSpec& spec : columns) {
    ColumnInfo column;
    column.name = spec.name;
    column.type = TypeOid(spec.type);
    column.typmod = spec.typmod;
    column.collation = types_[column.type]->collation;
    column.not_null = spec.not_null;
    column.has_default = !spec.default_expression.empty();
    column.identity = spec.identity;
    column.generated = spec.generated;
    relation->columns.push_back(column);
    if (column.has_default) {
      defaults_[{relation->oid, static_cast<AttrNumber>(relation->columns.size())}] = spec.default_expression;
    }
  }
  auto row_type = std::make_unique<TypeInfo>();
  row_type->oid = Oid{next_oid_++};
  row_type->schema = Oid{2200};
  row_type->name = name;
  row_type->kind = row_type->category = 'c';
  row_type->category = 'C';
  row_type->relation = relation->oid;
  relation->row_type = row_type->oid;
  types_by_format_[row_type->name] = row_type->oid;
  types_[row_type->oid] = std::move(row_type);
  Oid oid = relation->oid;
  relations_[oid] = std::move(relation);
  return oid;
}

void FactsCatalog::AddUnique(Oid relation, std::string_view constraint_name, bool primary,
                             std::vector<AttrNumber> keys) {
  UniqueInfo unique;
  unique.index = Oid{next_oid_++};
  unique.constraint = constraint_name.empty() ? Oid{} : Oid{next_oid_++};
  unique.constraint_name = constraint_name;
  unique.primary = primary;
  for (AttrNumber key : keys) {
    const ColumnInfo& column = relations_[relation]->columns[static_cast<size_t>(key - 1)];
    unique.opclasses.push_back(DefaultOpclass(column.type, Oid{403})->oid);
    unique.collations.push_back(column.collation);
  }
  unique.keys = std::move(keys);
  uniques_[relation].push_back(std::move(unique));
}

const TypeInfo* FactsCatalog::AddDomain(std::string_view name, std::string_view base, int32_t typmod) {
  auto domain = std::make_unique<TypeInfo>(*types_[TypeOid(base)]);
  domain->base_type = domain->oid;
  domain->base_typmod = typmod;
  domain->oid = Oid{next_oid_++};
  domain->schema = Oid{2200};
  domain->name = name;
  domain->kind = 'd';
  domain->array = Oid{};
  domain->preferred = false;
  const TypeInfo* added = domain.get();
  types_by_format_[domain->name] = domain->oid;
  types_[domain->oid] = std::move(domain);
  return added;
}

Oid FactsCatalog::FindSchema(std::string_view name) {
  return name == "pg_catalog" ? Oid{11} : name == "public" ? Oid{2200} : Oid{};
}
std::string FactsCatalog::SchemaName(Oid schema) { return schema == Oid{11} ? "pg_catalog" : "public"; }

const RelationInfo* FactsCatalog::FindRelation(std::string_view schema, std::string_view name, RelationLockNeed) {
  for (auto& [oid, relation] : relations_) {
    if (relation->name == name && (schema.empty() || FindSchema(schema) == relation->schema)) return relation.get();
  }
  return nullptr;
}
const RelationInfo* FactsCatalog::GetRelation(Oid relation, RelationLockNeed) {
  auto found = relations_.find(relation);
  return found == relations_.end() ? nullptr : found->second.get();
}
std::span<const UniqueInfo> FactsCatalog::UniqueIndexes(Oid relation) { return uniques_[relation]; }
std::string FactsCatalog::ColumnDefault(Oid relation, AttrNumber column) { return defaults_[{relation, column}]; }

const TypeInfo* FactsCatalog::GetType(Oid type) {
  auto found = types_.find(type);
  return found == types_.end() ? nullptr : found->second.get();
}
const TypeInfo* FactsCatalog::FindType(Oid schema, std::string_view name) {
  for (auto& [oid, type] : types_) {
    if (type->name == name && type->schema == schema) return type.get();
  }
  return nullptr;
}

std::span<const FunctionInfo* const> FactsCatalog::FindFunctions(std::string_view name) {
  auto found = functions_by_name_.find(std::string(name));
  if (found == functions_by_name_.end()) return {};
  return found->second;
}
const FunctionInfo* FactsCatalog::GetFunction(Oid function) {
  auto found = functions_.find(function);
  return found == functions_.end() ? nullptr : found->second.get();
}
const AggregateInfo* FactsCatalog::GetAggregate(Oid function) {
  auto found = aggregates_.find(function);
  return found == aggregates_.end() ? nullptr : &found->second;
}

std::span<const OperatorInfo* const> FactsCatalog::FindOperators(std::string_view name) {
  auto found = operators_by_name_.find(std::string(name));
  if (found == operators_by_name_.end()) return {};
  return found->second;
}
const OperatorInfo* FactsCatalog::GetOperator(Oid oper) {
  auto found = operators_.find(oper);
  return found == operators_.end() ? nullptr : found->second.get();
}

bool FactsCatalog::BinaryCoercible(Oid source, Oid target) {
  if (source == target) return true;
  const TypeInfo* type = GetType(source);
  if (target == Oid{2277} && type->is_true_array) return true;
  if (target == Oid{3500} && type->kind == 'e') return true;
  if (target == Oid{3831} && type->kind == 'r') return true;
  if (target == Oid{4537} && type->kind == 'm') return true;
  if (target == Oid{2249} && type->kind == 'c') return true;
  const CastInfo* cast = FindCast(source, target);
  return cast != nullptr && cast->method == 'b' && cast->context == 'i';
}

const FactsCatalog::Opclass* FactsCatalog::DefaultOpclass(Oid type, Oid method) {
  while (GetType(type)->kind == 'd') type = GetType(type)->base_type;
  const Opclass* compatible = nullptr;
  const Opclass* preferred = nullptr;
  for (const Opclass& opclass : opclasses_) {
    if (opclass.method != method || !opclass.is_default) continue;
    if (opclass.input_type == type) return &opclass;
    if (!BinaryCoercible(type, opclass.input_type)) continue;
    if (GetType(opclass.input_type)->preferred) preferred = &opclass;
    compatible = &opclass;
  }
  return preferred != nullptr ? preferred : compatible;
}

TypeOperators FactsCatalog::DefaultOperators(Oid type) {
  TypeOperators operators;
  if (const Opclass* btree = DefaultOpclass(type, Oid{403})) {
    operators.less = BtreeMember(btree->family, btree->input_type, btree->input_type, 1);
    operators.equal = BtreeMember(btree->family, btree->input_type, btree->input_type, 3);
    operators.greater = BtreeMember(btree->family, btree->input_type, btree->input_type, 5);
  }
  if (const Opclass* hash = DefaultOpclass(type, Oid{405})) {
    for (const FamilyMember& member : members_) {
      if (member.family != hash->family || member.left != hash->input_type || member.right != hash->input_type) continue;
      if (!IsValid(operators.equal)) operators.equal = member.oper;
      operators.hashable = member.oper == operators.equal;
    }
  }
  return operators;
}

std::vector<BtreeInterpretation> FactsCatalog::BtreeInterpretations(Oid oper) {
  std::vector<BtreeInterpretation> found;
  for (const FamilyMember& member : members_) {
    if (member.oper == oper && member.method == Oid{403}) {
      found.push_back({member.family, member.strategy, member.left, member.right});
    }
  }
  if (!found.empty()) return found;
  Oid negator = GetOperator(oper)->negator;
  for (const FamilyMember& member : members_) {
    if (IsValid(negator) && member.oper == negator && member.method == Oid{403} && member.strategy == 3) {
      found.push_back({member.family, 6, member.left, member.right});
    }
  }
  return found;
}

Oid FactsCatalog::BtreeMember(Oid family, Oid left, Oid right, int strategy) {
  for (const FamilyMember& member : members_) {
    if (member.family == family && member.left == left && member.right == right && member.strategy == strategy) {
      return member.oper;
    }
  }
  return Oid{};
}
Oid FactsCatalog::BtreeSupport(Oid family, Oid left, Oid right, int number) {
  for (const FamilyMember& support : supports_) {
    if (support.family == family && support.left == left && support.right == right && support.strategy == number) {
      return support.oper;
    }
  }
  return Oid{};
}
bool FactsCatalog::DefaultBtreeFamily(Oid type, Oid* family, Oid* input_type) {
  const Opclass* opclass = DefaultOpclass(type, Oid{403});
  if (opclass == nullptr) return false;
  *family = opclass->family;
  *input_type = opclass->input_type;
  return true;
}

const CastInfo* FactsCatalog::FindCast(Oid source, Oid target) {
  auto found = casts_.find({source, target});
  return found == casts_.end() ? nullptr : &found->second;
}

Oid FactsCatalog::FindCollation(Oid, std::string_view name) {
  return name == "default" ? Oid{100} : name == "C" ? Oid{950} : name == "POSIX" ? Oid{951} : Oid{};
}
std::string FactsCatalog::CollationName(Oid collation) {
  return collation == Oid{100} ? "default" : collation == Oid{950} ? "C" : "POSIX";
}
Oid FactsCatalog::DefaultOpclassFor(Oid type, std::string_view access_method) {
  const Opclass* opclass = DefaultOpclass(type, access_method == "hash" ? Oid{405} : Oid{403});
  return opclass == nullptr ? Oid{} : opclass->oid;
}
Oid FactsCatalog::FindOpclass(Oid, std::string_view name, std::string_view access_method) {
  Oid method = access_method == "hash" ? Oid{405} : Oid{403};
  for (const Opclass& opclass : opclasses_) {
    if (opclass.name == name && opclass.method == method) return opclass.oid;
  }
  return Oid{};
}

}  // namespace walden

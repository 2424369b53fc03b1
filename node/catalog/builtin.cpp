#include "node/catalog/builtin.h"

#include <algorithm>

#include "node/base/check.h"
#include "node/catalog/builtin_tables.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

using namespace builtin;

constexpr Oid kSqlLanguage{14}, kBtreeMethod{403}, kHeapMethod{2};

// Presence of each declaration, decided by InstallBuiltins; parallel to the tables.
struct Presence {
  std::vector<bool> functions, types, operators, casts, aggregates, families, classes, amops, amprocs;
};
Presence& presence() {
  static Presence present;
  return present;
}

template <class Row>
const Row* FindByOid(std::span<const Row> rows, Oid oid) {
  auto at =
      std::lower_bound(rows.begin(), rows.end(), oid, [](const Row& row, Oid o) { return row.oid < o; });
  return at != rows.end() && at->oid == oid ? &*at : nullptr;
}
// Tables without OID order.
template <class Row>
const Row* SearchByOid(std::span<const Row> rows, Oid oid) {
  for (const Row& row : rows) {
    if (row.oid == oid) return &row;
  }
  return nullptr;
}

template <class Row>
size_t PositionOf(std::span<const Row> rows, const Row& row) {
  return static_cast<size_t>(&row - rows.data());
}

bool FunctionPresent(Oid oid) {
  const BuiltinFunction* row = FindByOid(BuiltinFunctions(), oid);
  return row != nullptr && IsPresent(*row);
}
bool TypePresent(Oid oid) {
  const BuiltinType* row = FindByOid(BuiltinTypeRows(), oid);
  return row != nullptr && IsPresent(*row);
}

// A base type is present when the type table has it; a row type with its catalog; an array with its element.
bool DecideType(const BuiltinType& row) {
  if (row.kind == 'c' || row.name == "record") return true;
  if (FindType(row.oid) != nullptr) return true;
  if (row.category != 'A' || !IsValid(row.element)) return false;
  const BuiltinType* element = FindByOid(BuiltinTypeRows(), row.element);
  return element != nullptr && element->kind == 'c';
}

void DecideTypes() {
  std::vector<bool>& present = presence().types;
  present.clear();
  for (const BuiltinType& row : BuiltinTypeRows()) present.push_back(DecideType(row));
}

bool SignaturePresent(const BuiltinFunction& row) {
  if (!TypePresent(row.return_type)) return false;
  return std::all_of(row.arg_types().begin(), row.arg_types().end(), TypePresent) &&
         std::all_of(row.all_arg_types().begin(), row.all_arg_types().end(), TypePresent);
}

void DecideFunctions(HasImplementation has_implementation) {
  std::vector<bool>& present = presence().functions;
  present.clear();
  for (const BuiltinFunction& row : BuiltinFunctions()) {
    present.push_back(SignaturePresent(row) && has_implementation(row));
  }
  // The text and binary forms of a type come with the type.
  auto mark = [&](Oid function) {
    const BuiltinFunction* row = FindByOid(BuiltinFunctions(), function);
    if (row != nullptr) present[PositionOf(BuiltinFunctions(), *row)] = true;
  };
  for (const BuiltinType& type : BuiltinTypeRows()) {
    if (!IsPresent(type)) continue;
    for (Oid function : {type.input, type.output, type.receive, type.send, type.typmod_in, type.typmod_out})
      mark(function);
  }
  for (const BuiltinAccessMethod& method : BuiltinAccessMethods()) {
    if (IsPresent(method)) mark(method.handler);
  }
}

void DecideAccess() {
  Presence& p = presence();
  p.classes.clear();
  for (const BuiltinOpclass& row : BuiltinOpclasses()) {
    const TypeDescriptor* type = FindType(row.input_type);
    bool polymorphic = type != nullptr && type->kind == 'p';
    p.classes.push_back(row.method == kBtreeMethod && type != nullptr && TypePresent(row.input_type) &&
                        (polymorphic || type->compare != nullptr));
  }
  p.families.clear();
  for (const BuiltinOpfamily& row : BuiltinOpfamilies()) {
    bool used = false;
    for (const BuiltinOpclass& opclass : BuiltinOpclasses())
      used |= opclass.family == row.oid && IsPresent(opclass);
    p.families.push_back(used);
  }
  auto family_present = [](Oid family) {
    const BuiltinOpfamily* row = SearchByOid(BuiltinOpfamilies(), family);
    return row != nullptr && IsPresent(*row);
  };
  p.amops.clear();
  for (const BuiltinAmop& row : BuiltinAmops()) {
    const BuiltinOperator* op = FindByOid(BuiltinOperators(), row.operator_oid);
    p.amops.push_back(family_present(row.family) && op != nullptr && IsPresent(*op));
  }
  p.amprocs.clear();
  for (const BuiltinAmproc& row : BuiltinAmprocs()) {
    p.amprocs.push_back(family_present(row.family) && FunctionPresent(row.function));
  }
}

}  // namespace

std::span<const Oid> BuiltinFunction::arg_types() const { return {kOidPool + args_at, arg_count}; }
std::span<const Oid> BuiltinFunction::all_arg_types() const {
  return {kOidPool + all_args_at, all_arg_count};
}
std::span<const std::string_view> BuiltinFunction::arg_names() const {
  return {kNamePool + arg_names_at, arg_name_count};
}

void InstallBuiltins(HasImplementation has_implementation) {
  Presence& p = presence();
  DecideTypes();
  DecideFunctions(has_implementation);
  p.operators.clear();
  for (const BuiltinOperator& row : BuiltinOperators()) p.operators.push_back(FunctionPresent(row.function));
  p.casts.clear();
  for (const BuiltinCast& row : BuiltinCasts()) {
    p.casts.push_back(TypePresent(row.source) && TypePresent(row.target) &&
                      (!IsValid(row.function) || FunctionPresent(row.function)));
  }
  p.aggregates.clear();
  for (const BuiltinAggregate& row : BuiltinAggregateRows())
    p.aggregates.push_back(FunctionPresent(row.function));
  DecideAccess();
}

std::span<const BuiltinFunction> BuiltinFunctions() { return {kFunctions, kFunctionsCount}; }
std::span<const BuiltinType> BuiltinTypeRows() { return {kTypes, kTypesCount}; }
std::span<const BuiltinOperator> BuiltinOperators() { return {kOperators, kOperatorsCount}; }
std::span<const BuiltinCast> BuiltinCasts() { return {kCasts, kCastsCount}; }
std::span<const BuiltinAggregate> BuiltinAggregateRows() { return {kAggregates, kAggregatesCount}; }
std::span<const BuiltinAccessMethod> BuiltinAccessMethods() { return {kAccessMethods, kAccessMethodsCount}; }
std::span<const BuiltinOpfamily> BuiltinOpfamilies() { return {kOpfamilies, kOpfamiliesCount}; }
std::span<const BuiltinOpclass> BuiltinOpclasses() { return {kOpclasses, kOpclassesCount}; }
std::span<const BuiltinAmop> BuiltinAmops() { return {kAmops, kAmopsCount}; }
std::span<const BuiltinAmproc> BuiltinAmprocs() { return {kAmprocs, kAmprocsCount}; }
std::span<const BuiltinCollation> BuiltinCollations() { return {kCollations, kCollationsCount}; }
std::span<const BuiltinLanguage> BuiltinLanguages() { return {kLanguages, kLanguagesCount}; }
std::span<const BuiltinRole> BuiltinRoles() { return {kRoles, kRolesCount}; }

bool IsPresent(const BuiltinFunction& row) {
  return presence().functions[PositionOf(BuiltinFunctions(), row)];
}
bool IsPresent(const BuiltinType& row) { return presence().types[PositionOf(BuiltinTypeRows(), row)]; }
bool IsPresent(const BuiltinOperator& row) {
  return presence().operators[PositionOf(BuiltinOperators(), row)];
}
bool IsPresent(const BuiltinCast& row) { return presence().casts[PositionOf(BuiltinCasts(), row)]; }
bool IsPresent(const BuiltinAggregate& row) {
  return presence().aggregates[PositionOf(BuiltinAggregateRows(), row)];
}
bool IsPresent(const BuiltinAccessMethod& row) { return row.oid == kBtreeMethod || row.oid == kHeapMethod; }
bool IsPresent(const BuiltinOpfamily& row) {
  return presence().families[PositionOf(BuiltinOpfamilies(), row)];
}
bool IsPresent(const BuiltinOpclass& row) { return presence().classes[PositionOf(BuiltinOpclasses(), row)]; }
bool IsPresent(const BuiltinAmop& row) { return presence().amops[PositionOf(BuiltinAmops(), row)]; }
bool IsPresent(const BuiltinAmproc& row) { return presence().amprocs[PositionOf(BuiltinAmprocs(), row)]; }
bool IsPresent(const BuiltinLanguage& row) { return row.oid <= kSqlLanguage; }

namespace {
template <class Row>
const Row* Present(const Row* row) {
  return row != nullptr && IsPresent(*row) ? row : nullptr;
}
}  // namespace

const BuiltinFunction* FindBuiltinFunction(Oid oid) { return Present(FindByOid(BuiltinFunctions(), oid)); }
const BuiltinType* FindBuiltinType(Oid oid) { return Present(FindByOid(BuiltinTypeRows(), oid)); }
const BuiltinOperator* FindBuiltinOperator(Oid oid) { return Present(FindByOid(BuiltinOperators(), oid)); }
const BuiltinOpclass* FindBuiltinOpclass(Oid oid) { return Present(SearchByOid(BuiltinOpclasses(), oid)); }
const BuiltinOpfamily* FindBuiltinOpfamily(Oid oid) { return Present(SearchByOid(BuiltinOpfamilies(), oid)); }
const BuiltinAccessMethod* FindBuiltinAccessMethod(Oid oid) {
  return Present(SearchByOid(BuiltinAccessMethods(), oid));
}
const BuiltinCollation* FindBuiltinCollation(Oid oid) { return SearchByOid(BuiltinCollations(), oid); }

const BuiltinType* FindBuiltinType(std::string_view name) {
  std::span<const uint16_t> order{kTypesByName, kTypesCount};
  auto at = std::lower_bound(order.begin(), order.end(), name,
                             [](uint16_t i, std::string_view n) { return kTypes[i].name < n; });
  return at != order.end() && kTypes[*at].name == name ? Present(&kTypes[*at]) : nullptr;
}

const BuiltinCast* FindBuiltinCast(Oid source, Oid target) {
  auto key = std::pair(source, target);
  std::span<const BuiltinCast> all = BuiltinCasts();
  auto at = std::lower_bound(all.begin(), all.end(), key, [](const BuiltinCast& c, const auto& k) {
    return std::pair(c.source, c.target) < k;
  });
  return at != all.end() && std::pair(at->source, at->target) == key ? Present(&*at) : nullptr;
}

const BuiltinAggregate* FindBuiltinAggregate(Oid function) {
  std::span<const BuiltinAggregate> all = BuiltinAggregateRows();
  auto at = std::lower_bound(all.begin(), all.end(), function,
                             [](const BuiltinAggregate& a, Oid f) { return a.function < f; });
  return at != all.end() && at->function == function ? Present(&*at) : nullptr;
}

const BuiltinAmop* FindBuiltinAmop(Oid family, Oid left, Oid right, int strategy) {
  auto key = std::tuple(family, left, right, static_cast<int16_t>(strategy));
  auto key_of = [](const BuiltinAmop& a) { return std::tuple(a.family, a.left, a.right, a.strategy); };
  std::span<const BuiltinAmop> all = BuiltinAmops();
  auto at = std::lower_bound(all.begin(), all.end(), key,
                             [&](const BuiltinAmop& a, const auto& k) { return key_of(a) < k; });
  return at != all.end() && key_of(*at) == key ? Present(&*at) : nullptr;
}

const BuiltinAmproc* FindBuiltinAmproc(Oid family, Oid left, Oid right, int number) {
  auto key = std::tuple(family, left, right, static_cast<int16_t>(number));
  auto key_of = [](const BuiltinAmproc& a) { return std::tuple(a.family, a.left, a.right, a.number); };
  std::span<const BuiltinAmproc> all = BuiltinAmprocs();
  auto at = std::lower_bound(all.begin(), all.end(), key,
                             [&](const BuiltinAmproc& a, const auto& k) { return key_of(a) < k; });
  return at != all.end() && key_of(*at) == key ? Present(&*at) : nullptr;
}

std::vector<const BuiltinAmop*> BuiltinAmopsOf(Oid operator_oid) {
  std::vector<const BuiltinAmop*> found;
  std::span<const uint16_t> order{kAmopsByOperator, kAmopsCount};
  auto at = std::lower_bound(order.begin(), order.end(), operator_oid,
                             [](uint16_t i, Oid o) { return kAmops[i].operator_oid < o; });
  for (; at != order.end() && kAmops[*at].operator_oid == operator_oid; ++at) {
    if (IsPresent(kAmops[*at]) && kAmops[*at].purpose == 's') found.push_back(&kAmops[*at]);
  }
  return found;
}

namespace builtin {
namespace {
// The run of `order` whose rows are named `name`.
template <class Row>
std::span<const uint16_t> Named(const Row* rows, std::span<const uint16_t> order, std::string_view name) {
  auto first = std::lower_bound(order.begin(), order.end(), name,
                                [&](uint16_t i, std::string_view n) { return rows[i].name < n; });
  auto last = first;
  while (last != order.end() && rows[*last].name == name) ++last;
  return {first, last};
}
}  // namespace

std::span<const uint16_t> FunctionPositions(std::string_view name) {
  return Named(kFunctions, {kFunctionsByName, kFunctionsCount}, name);
}
std::span<const uint16_t> OperatorPositions(std::string_view name) {
  return Named(kOperators, {kOperatorsByName, kOperatorsCount}, name);
}
}  // namespace builtin

}  // namespace walden

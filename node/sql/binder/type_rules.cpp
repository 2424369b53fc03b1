#include "node/sql/binder/type_rules.h"

#include <algorithm>

#include "node/base/error.h"

namespace walden {
namespace {

struct SpecialName {
  Oid type;
  std::string_view before;  // what stands before a modifier
  std::string_view after;
};

// Types whose printed name is SQL's and not pg_type.typname.
constexpr SpecialName kSpecialNames[] = {
    {type_oid::kBool, "boolean", ""},
    {type_oid::kInt2, "smallint", ""},
    {type_oid::kInt4, "integer", ""},
    {type_oid::kInt8, "bigint", ""},
    {type_oid::kFloat4, "real", ""},
    {type_oid::kFloat8, "double precision", ""},
    {type_oid::kBpchar, "character", ""},
    {type_oid::kVarchar, "character varying", ""},
    {type_oid::kTime, "time", " without time zone"},
    {type_oid::kTimeTz, "time", " with time zone"},
    {type_oid::kTimestamp, "timestamp", " without time zone"},
    {type_oid::kTimestampTz, "timestamp", " with time zone"},
    {type_oid::kVarbit, "bit varying", ""},
    {type_oid::kChar, "\"char\"", ""},
    {type_oid::kAny, "\"any\"", ""},
};

bool IsPlainIdentifier(std::string_view name) {
  if (name.empty() || !((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_')) return false;
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

std::string Quoted(std::string_view name) {
  if (IsPlainIdentifier(name)) return std::string(name);
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

const TypeInfo& TypeRules::Get(Oid type) const {
  const TypeInfo* info = catalog_.GetType(type);
  if (info == nullptr)
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for type {}", OidNumber(type));
  return *info;
}

bool TypeRules::IsVisible(const TypeInfo& type) const {
  for (Oid schema : catalog_.SearchPath()) {
    if (schema == type.schema) return true;
    if (catalog_.FindType(schema, type.name) != nullptr) return false;
  }
  return false;
}

std::string TypeRules::FormatWithTypmod(Oid type, int32_t typmod) const {
  if (!IsValid(type)) return "-";
  const TypeInfo* info = catalog_.GetType(type);
  if (info == nullptr) return "???";
  bool is_vector = type == type_oid::kInt2Vector || type == type_oid::kOidVector;
  if (info->is_true_array && !is_vector) return FormatWithTypmod(info->element, typmod) + "[]";
  std::string modifier;
  if (typmod >= 0 && IsValid(info->typmod_out)) {
    const TypeDescriptor* descriptor = FindType(type);
    if (descriptor != nullptr && descriptor->typmod_out != nullptr) descriptor->typmod_out(typmod, &modifier);
  }
  for (const SpecialName& special : kSpecialNames) {
    if (special.type != type) continue;
    std::string name(special.before);
    // The modifier functions of the time types print the zone themselves.
    if (!modifier.empty())
      return name + modifier + (modifier.ends_with("zone") ? "" : std::string(special.after));
    return name + std::string(special.after);
  }
  std::string name = Quoted(info->name);
  if (!IsVisible(*info)) name = Quoted(catalog_.SchemaName(info->schema)) + "." + name;
  return name + modifier;
}

Oid TypeRules::BaseType(Oid type, int32_t* typmod) const {
  for (;;) {
    const TypeInfo& info = Get(type);
    if (info.kind != 'd') return type;
    type = info.base_type;
    if (typmod != nullptr) *typmod = info.base_typmod;
  }
}

Oid TypeRules::ArrayElement(Oid type) const {
  const TypeInfo& info = Get(type);
  return info.is_true_array ? info.element : Oid{};
}

Oid TypeRules::RowRelation(Oid type) const {
  const TypeInfo& info = Get(BaseType(type));
  return info.kind == 'c' ? info.relation : Oid{};
}

char TypeRules::Category(Oid type) const { return Get(type).category; }

bool TypeRules::IsPreferred(char category, Oid type) const {
  const TypeInfo& info = Get(type);
  return category == info.category && info.preferred;
}

bool TypeRules::IsPolymorphic1(Oid type) {
  using namespace type_oid;
  return type == kAnyElement || type == kAnyArray || type == kAnyNonArray || type == kAnyEnum ||
         type == kAnyRange || type == kAnyMultirange;
}
bool TypeRules::IsPolymorphic2(Oid type) {
  using namespace type_oid;
  return type == kAnyCompatible || type == kAnyCompatibleArray || type == kAnyCompatibleNonArray ||
         type == kAnyCompatibleRange || type == kAnyCompatibleMultirange;
}

bool TypeRules::IsComplexArray(Oid type) const {
  Oid element = ArrayElement(type);
  return IsValid(element) && IsValid(RowRelation(element));
}

bool TypeRules::IsBinaryCoercible(Oid source, Oid target) const {
  using namespace type_oid;
  if (source == target || target == kAny || target == kAnyElement || target == kAnyCompatible) return true;
  source = BaseType(source);
  if (source == target) return true;
  const TypeInfo& info = Get(source);
  if ((target == kAnyArray || target == kAnyCompatibleArray) && info.is_true_array) return true;
  if ((target == kAnyNonArray || target == kAnyCompatibleNonArray) && !info.is_true_array) return true;
  if (target == kAnyEnum && info.kind == 'e') return true;
  if ((target == kAnyRange || target == kAnyCompatibleRange) && info.kind == 'r') return true;
  if ((target == kAnyMultirange || target == kAnyCompatibleMultirange) && info.kind == 'm') return true;
  if (target == kRecord && info.kind == 'c') return true;
  if (target == kRecordArray && IsComplexArray(source)) return true;
  const CastInfo* cast = catalog_.FindCast(source, target);
  return cast != nullptr && cast->method == 'b' && cast->context == 'i';
}

CoercionPath TypeRules::FindPath(Oid target, Oid source, CoercionContext context, Oid* function) const {
  *function = Oid{};
  source = BaseType(source);
  target = BaseType(target);
  if (source == target) return CoercionPath::kRelabel;
  if (const CastInfo* cast = catalog_.FindCast(source, target)) {
    CoercionContext needed = cast->context == 'i'   ? CoercionContext::kImplicit
                             : cast->context == 'a' ? CoercionContext::kAssignment
                                                    : CoercionContext::kExplicit;
    if (context < needed) {
      return context == CoercionContext::kPlpgsql ? CoercionPath::kViaIo : CoercionPath::kNone;
    }
    *function = cast->function;
    return cast->method == 'f'   ? CoercionPath::kFunction
           : cast->method == 'i' ? CoercionPath::kViaIo
                                 : CoercionPath::kRelabel;
  }
  if (target != type_oid::kOidVector && target != type_oid::kInt2Vector) {
    Oid target_element = ArrayElement(target);
    Oid source_element = ArrayElement(source);
    Oid element_function;
    if (IsValid(target_element) && IsValid(source_element) &&
        FindPath(target_element, source_element, context, &element_function) != CoercionPath::kNone) {
      return CoercionPath::kArray;
    }
  }
  // Without a cast, text forms serve: to strings by assignment, from strings explicitly.
  if (context >= CoercionContext::kAssignment && Category(target) == 'S') return CoercionPath::kViaIo;
  if (context >= CoercionContext::kExplicit && Category(source) == 'S') return CoercionPath::kViaIo;
  return context == CoercionContext::kPlpgsql ? CoercionPath::kViaIo : CoercionPath::kNone;
}

CoercionPath TypeRules::FindTypmodCoercion(Oid type, Oid* function) const {
  CoercionPath path = CoercionPath::kFunction;
  if (Oid element = ArrayElement(type); IsValid(element)) {
    type = element;
    path = CoercionPath::kArray;
  }
  const CastInfo* cast = catalog_.FindCast(type, type);
  *function = cast == nullptr ? Oid{} : cast->function;
  return IsValid(*function) ? path : CoercionPath::kNone;
}

bool TypeRules::CanCoerce(std::span<const Oid> sources, std::span<const Oid> targets,
                          CoercionContext context) const {
  bool polymorphic = false;
  for (size_t i = 0; i < sources.size(); ++i) {
    Oid source = sources[i], target = targets[i];
    if (source == target || target == type_oid::kAny) continue;
    if (IsPolymorphic(target)) {
      polymorphic = true;
      continue;
    }
    if (source == type_oid::kUnknown) continue;
    Oid function;
    if (FindPath(target, source, context, &function) != CoercionPath::kNone) continue;
    if (source == type_oid::kRecord && IsValid(RowRelation(target))) continue;
    if (target == type_oid::kRecord && IsValid(RowRelation(source))) continue;
    if (target == type_oid::kRecordArray && IsComplexArray(source)) continue;
    Oid source_row = RowRelation(source), target_row = RowRelation(target);
    if (IsValid(source_row) && IsValid(target_row) && catalog_.InheritsFrom(source_row, target_row)) continue;
    return false;
  }
  return !polymorphic || PolymorphicMatches(sources, targets);
}

Oid TypeRules::CommonType(std::span<const TypedAt> arguments, const char* construct, size_t* chosen) const {
  size_t best = 0;
  auto decide = [&](Oid type) {
    if (chosen != nullptr) *chosen = best;
    return type;
  };
  Oid type = arguments[0].type;
  if (type != type_oid::kUnknown &&
      std::ranges::all_of(arguments, [type](const TypedAt& argument) { return argument.type == type; })) {
    return decide(type);
  }
  type = BaseType(type);
  for (size_t i = 1; i < arguments.size(); ++i) {
    Oid next = BaseType(arguments[i].type);
    if (next == type_oid::kUnknown || next == type) continue;
    const TypeInfo& current = Get(type);
    if (type == type_oid::kUnknown) {
      type = next;
      best = i;
    } else if (Get(next).category != current.category) {
      if (construct == nullptr) return Oid{};
      throw SqlError(ErrorCode::kDatatypeMismatch, "{} types {} and {} cannot be matched", construct,
                     Format(type), Format(next))
          .WithPosition(source_.Position(arguments[i].location));
    } else if (!current.preferred && CanCoerce({{type}}, {{next}}, CoercionContext::kImplicit) &&
               !CanCoerce({{next}}, {{type}}, CoercionContext::kImplicit)) {
      type = next;
      best = i;
    }
  }
  return decide(type == type_oid::kUnknown ? type_oid::kText : type);
}

bool TypeRules::AllCoercible(Oid common, std::span<const TypedAt> arguments) const {
  return std::ranges::all_of(arguments, [&](const TypedAt& argument) {
    return CanCoerce({{argument.type}}, {{common}}, CoercionContext::kImplicit);
  });
}

}  // namespace walden

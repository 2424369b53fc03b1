// Polymorphic signatures: the anyelement family, whose types must agree exactly, and the anycompatible
// family, whose types are brought to a common one.
#include <algorithm>

#include "node/base/error.h"
#include "node/sql/binder/type_rules.h"

namespace walden {

using namespace type_oid;

// What one call's arguments say about the two families.
struct TypeRules::Poly {
  int family1_count = 0, family2_count = 0;
  bool family1_unknown = false, family2_unknown = false;
  bool non_array = false, is_enum = false, compatible_non_array = false;
  Oid element{}, array{}, range{}, multirange{};
  Oid compatible{}, compatible_array{}, compatible_range{}, compatible_multirange{};
  Oid compatible_range_element{};
  std::vector<Oid> compatible_types;
};

namespace {

SqlError Mismatch(std::string message) { return SqlError(ErrorCode::kDatatypeMismatch, std::move(message)); }

}  // namespace

Oid TypeRules::CommonCompatibleType(std::span<const Oid> types) const {
  std::vector<TypedAt> arguments;
  for (Oid type : types) arguments.push_back({type, -1});
  Oid common = CommonType(arguments, nullptr);
  return IsValid(common) && AllCoercible(common, arguments) ? common : Oid{};
}

bool TypeRules::PolymorphicMatches(std::span<const Oid> actual, std::span<const Oid> declared) const {
  Oid element{}, array{}, range{}, multirange{}, compatible_range{}, compatible_multirange{};
  Oid compatible_range_element{};
  bool non_array = false, is_enum = false, compatible_non_array = false;
  std::vector<Oid> compatible;
  auto agree = [](Oid& slot, Oid type) {
    if (IsValid(slot) && slot != type) return false;
    slot = type;
    return true;
  };
  for (size_t i = 0; i < declared.size(); ++i) {
    Oid want = declared[i], have = actual[i];
    if (!IsPolymorphic(want)) continue;
    if (want == kAnyNonArray) non_array = true;
    if (want == kAnyEnum) is_enum = true;
    if (want == kAnyCompatibleNonArray) compatible_non_array = true;
    if (have == kUnknown) continue;
    if (want == kAnyElement || want == kAnyNonArray || want == kAnyEnum) {
      if (!agree(element, have)) return false;
      continue;
    }
    if (want == kAnyCompatible || want == kAnyCompatibleNonArray) {
      compatible.push_back(have);
      continue;
    }
    have = BaseType(have);
    if (want == kAnyArray && !agree(array, have)) return false;
    if (want == kAnyRange && !agree(range, have)) return false;
    if (want == kAnyMultirange && !agree(multirange, have)) return false;
    if (want == kAnyCompatibleArray) {
      Oid array_element = ArrayElement(have);
      if (!IsValid(array_element)) return false;
      compatible.push_back(array_element);
    }
    if (want == kAnyCompatibleRange) {
      if (!agree(compatible_range, have) || Get(have).kind != 'r') return false;
      compatible_range_element = Get(have).range_subtype;
      compatible.push_back(compatible_range_element);
    }
    if (want == kAnyCompatibleMultirange) {
      if (!agree(compatible_multirange, have) || Get(have).kind != 'm') return false;
      if (!agree(compatible_range, Get(have).range_of)) return false;
      compatible_range_element = Get(compatible_range).range_subtype;
      compatible.push_back(compatible_range_element);
    }
  }
  if (IsValid(array)) {
    // pg_statistic's anyarray columns may only go where nothing needs to know the element.
    if (array == kAnyArray) {
      if (IsValid(element)) return false;
    } else if (Oid of = ArrayElement(array); !IsValid(of) || !agree(element, of)) {
      return false;
    }
  }
  if (IsValid(multirange) && (Get(multirange).kind != 'm' || !agree(range, Get(multirange).range_of)))
    return false;
  if (IsValid(range) && (Get(range).kind != 'r' || !agree(element, Get(range).range_subtype))) return false;
  if (non_array && IsValid(element) && IsValid(ArrayElement(BaseType(element)))) return false;
  if (is_enum && IsValid(element) && Get(element).kind != 'e') return false;
  if (compatible.empty()) return true;
  Oid common = CommonCompatibleType(compatible);
  if (!IsValid(common)) return false;
  if (compatible_non_array && IsValid(ArrayElement(BaseType(common)))) return false;
  return !IsValid(compatible_range_element) || compatible_range_element == common;
}

void TypeRules::CollectPoly(std::span<const Oid> actual, std::span<Oid> declared, bool allow_poly,
                            Poly* poly) const {
  auto agree = [&](Oid& slot, Oid type, const char* name) {
    if (IsValid(slot) && slot != type) {
      throw Mismatch(fmt::format("arguments declared \"{}\" are not all alike", name))
          .WithDetail(Format(slot) + " versus " + Format(type));
    }
    slot = type;
  };
  for (size_t i = 0; i < declared.size(); ++i) {
    Oid want = declared[i], have = actual[i];
    if (!IsPolymorphic(want)) continue;
    bool family1 = IsPolymorphic1(want);
    ++(family1 ? poly->family1_count : poly->family2_count);
    if (want == kAnyNonArray) poly->non_array = true;
    if (want == kAnyEnum) poly->is_enum = true;
    if (want == kAnyCompatibleNonArray) poly->compatible_non_array = true;
    if (have == kUnknown) {
      (family1 ? poly->family1_unknown : poly->family2_unknown) = true;
      continue;
    }
    if (allow_poly && have == want) continue;  // nothing is learned from it
    if (want == kAnyElement || want == kAnyNonArray || want == kAnyEnum) {
      agree(poly->element, have, "anyelement");
    } else if (want == kAnyArray) {
      agree(poly->array, BaseType(have), "anyarray");
    } else if (want == kAnyRange) {
      agree(poly->range, BaseType(have), "anyrange");
    } else if (want == kAnyMultirange) {
      agree(poly->multirange, BaseType(have), "anymultirange");
    } else if (want == kAnyCompatible || want == kAnyCompatibleNonArray) {
      poly->compatible_types.push_back(have);
    } else if (want == kAnyCompatibleArray) {
      have = BaseType(have);
      if (!IsValid(ArrayElement(have))) {
        throw Mismatch(
            fmt::format("argument declared anycompatiblearray is not an array but type {}", Format(have)));
      }
      poly->compatible_types.push_back(ArrayElement(have));
    } else if (want == kAnyCompatibleRange) {
      agree(poly->compatible_range, BaseType(have), "anycompatiblerange");
    } else {
      agree(poly->compatible_multirange, BaseType(have), "anycompatiblemultirange");
    }
  }
}

void TypeRules::ResolveFamily1(Poly* poly, bool allow_poly) const {
  auto inconsistent = [&](const char* name, Oid type, const char* other) {
    return Mismatch(
               fmt::format("argument declared {} is not consistent with argument declared {}", name, other))
        .WithDetail(Format(type) + " versus " + Format(poly->element));
  };
  if (IsValid(poly->array)) {
    Oid element = poly->array == kAnyArray ? kAnyElement : ArrayElement(poly->array);
    if (!IsValid(element)) {
      throw Mismatch(
          fmt::format("argument declared {} is not an array but type {}", "anyarray", Format(poly->array)));
    }
    if (!IsValid(poly->element)) {
      poly->element = element;
    } else if (poly->element != element) {
      throw inconsistent("anyarray", poly->array, "anyelement");
    }
  }
  if (IsValid(poly->multirange)) {
    const TypeInfo& info = Get(poly->multirange);
    if (info.kind != 'm') {
      throw Mismatch(fmt::format("argument declared {} is not a multirange type but type {}", "anymultirange",
                                 Format(poly->multirange)));
    }
    if (!IsValid(poly->range)) {
      poly->range = info.range_of;
    } else if (poly->range != info.range_of) {
      throw Mismatch("argument declared anymultirange is not consistent with argument declared anyrange")
          .WithDetail(Format(poly->multirange) + " versus " + Format(poly->range));
    }
  }
  if (IsValid(poly->range)) {
    const TypeInfo& info = Get(poly->range);
    if (info.kind != 'r') {
      throw Mismatch(fmt::format("argument declared {} is not a range type but type {}", "anyrange",
                                 Format(poly->range)));
    }
    if (!IsValid(poly->element)) {
      poly->element = info.range_subtype;
    } else if (poly->element != info.range_subtype) {
      throw inconsistent("anyrange", poly->range, "anyelement");
    }
    if (!IsValid(poly->multirange)) poly->multirange = info.multirange;
  }
  if (!IsValid(poly->element)) {
    if (allow_poly) {
      poly->element = kAnyElement;
      poly->array = kAnyArray;
      poly->range = kAnyRange;
      poly->multirange = kAnyMultirange;
      return;
    }
    throw Mismatch("could not determine polymorphic type because input has type unknown");
  }
  if (poly->non_array && poly->element != kAnyElement && IsValid(ArrayElement(BaseType(poly->element)))) {
    throw Mismatch(fmt::format("type matched to anynonarray is an array type: {}", Format(poly->element)));
  }
  if (poly->is_enum && poly->element != kAnyElement && Get(poly->element).kind != 'e') {
    throw Mismatch(fmt::format("type matched to anyenum is not an enum type: {}", Format(poly->element)));
  }
}

void TypeRules::ResolveFamily2(Poly* poly, bool allow_poly) const {
  if (IsValid(poly->compatible_multirange)) {
    const TypeInfo& info = Get(poly->compatible_multirange);
    if (info.kind != 'm') {
      throw Mismatch(fmt::format("argument declared {} is not a multirange type but type {}",
                                 "anycompatiblemultirange", Format(poly->compatible_multirange)));
    }
    if (!IsValid(poly->compatible_range)) poly->compatible_range = info.range_of;
    if (poly->compatible_range != info.range_of) {
      throw Mismatch(
          "argument declared anycompatiblemultirange is not consistent with argument declared "
          "anycompatiblerange")
          .WithDetail(Format(poly->compatible_multirange) + " versus " + Format(poly->compatible_range));
    }
  }
  if (IsValid(poly->compatible_range)) {
    const TypeInfo& info = Get(poly->compatible_range);
    if (info.kind != 'r') {
      throw Mismatch(fmt::format("argument declared {} is not a range type but type {}", "anycompatiblerange",
                                 Format(poly->compatible_range)));
    }
    poly->compatible_range_element = info.range_subtype;
    poly->compatible_types.push_back(info.range_subtype);
    poly->compatible_multirange = info.multirange;
  }
  if (poly->compatible_types.empty()) {
    // Only unknown literals: they become text, as in UNION.
    poly->compatible = allow_poly ? kAnyCompatible : kText;
  } else {
    poly->compatible = CommonCompatibleType(poly->compatible_types);
    if (!IsValid(poly->compatible)) {
      throw Mismatch("arguments of anycompatible family cannot be cast to a common type");
    }
  }
  if (IsValid(poly->compatible_range_element) && poly->compatible_range_element != poly->compatible) {
    throw Mismatch(fmt::format("anycompatiblerange type {} does not match anycompatible type {}",
                               Format(poly->compatible_range), Format(poly->compatible)));
  }
  if (poly->compatible == kAnyCompatible) {
    poly->compatible_array = kAnyCompatibleArray;
    poly->compatible_range = kAnyCompatibleRange;
    poly->compatible_multirange = kAnyCompatibleMultirange;
    return;
  }
  if (poly->compatible_non_array && IsValid(ArrayElement(BaseType(poly->compatible)))) {
    throw Mismatch(
        fmt::format("type matched to anycompatiblenonarray is an array type: {}", Format(poly->compatible)));
  }
  poly->compatible_array = ArrayOf(poly->compatible);
}

Oid TypeRules::ResolvePolymorphic(std::span<const Oid> actual, std::span<Oid> declared, Oid result,
                                  bool allow_poly) const {
  Poly poly;
  CollectPoly(actual, declared, allow_poly, &poly);
  if (poly.family1_count == 0 && poly.family2_count == 0) return result;
  // anyarray handed on as anyarray: nothing to know unless the result or a literal depends on the element.
  bool opaque_array = poly.array == kAnyArray && !IsValid(poly.element);
  if (poly.family1_count > 0 && !(opaque_array && result != kAnyElement)) ResolveFamily1(&poly, allow_poly);
  if (poly.family2_count > 0) ResolveFamily2(&poly, allow_poly);
  if (poly.array == kAnyArray && IsValid(poly.element) && poly.element == kAnyElement && !allow_poly &&
      result == kAnyElement) {
    throw Mismatch("cannot determine element type of \"anyarray\" argument");
  }
  auto array_of_element = [&] {
    if (IsValid(poly.array)) return poly.array;
    Oid array = ArrayOf(poly.element);
    if (!IsValid(array)) {
      throw SqlError(ErrorCode::kUndefinedObject, "could not find array type for data type {}",
                     Format(poly.element));
    }
    return array;
  };
  auto resolve = [&](Oid type, bool is_result) -> Oid {
    if (type == kAnyElement || type == kAnyNonArray || type == kAnyEnum) return poly.element;
    if (type == kAnyArray) return array_of_element();
    if (type == kAnyRange || type == kAnyMultirange) {
      Oid found = type == kAnyRange ? poly.range : poly.multirange;
      if (IsValid(found)) return found;
      throw Mismatch(fmt::format("could not determine polymorphic type {} because input has type {}",
                                 Format(type), "unknown"));
    }
    if (type == kAnyCompatible || type == kAnyCompatibleNonArray) return poly.compatible;
    if (type == kAnyCompatibleArray) {
      if (IsValid(poly.compatible_array)) return poly.compatible_array;
      throw SqlError(ErrorCode::kUndefinedObject, "could not find array type for data type {}",
                     Format(poly.compatible));
    }
    if (type == kAnyCompatibleRange || type == kAnyCompatibleMultirange) {
      Oid found = type == kAnyCompatibleRange ? poly.compatible_range : poly.compatible_multirange;
      if (IsValid(found)) return found;
      throw Mismatch(fmt::format("could not determine polymorphic type {} because input has type {}",
                                 Format(type), "unknown"));
    }
    (void)is_result;
    return type;
  };
  for (size_t i = 0; i < declared.size(); ++i) {
    if (!IsPolymorphic(declared[i])) continue;
    // Arguments keep their own type where they have one; only literals (and the common type) are decided here.
    bool family2 = IsPolymorphic2(declared[i]);
    if (!family2 && actual[i] != kUnknown) {
      declared[i] = declared[i] == kAnyElement || declared[i] == kAnyNonArray || declared[i] == kAnyEnum
                        ? actual[i]
                        : BaseType(actual[i]);
    } else {
      declared[i] = resolve(declared[i], false);
    }
  }
  return resolve(result, true);
}

}  // namespace walden

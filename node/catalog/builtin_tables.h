// The generated arrays behind builtin.h. Private to this folder.
#pragma once

#include <cstddef>

#include "node/catalog/builtin.h"

namespace walden::builtin {

extern const Oid kOidPool[];
extern const std::string_view kNamePool[];

#define WALDEN_BUILTIN_TABLE(Row, name) \
  extern const Row name[];              \
  extern const size_t name##Count;
WALDEN_BUILTIN_TABLE(BuiltinFunction, kFunctions)
WALDEN_BUILTIN_TABLE(BuiltinType, kTypes)
WALDEN_BUILTIN_TABLE(BuiltinOperator, kOperators)
WALDEN_BUILTIN_TABLE(BuiltinCast, kCasts)
WALDEN_BUILTIN_TABLE(BuiltinAggregate, kAggregates)
WALDEN_BUILTIN_TABLE(BuiltinAccessMethod, kAccessMethods)
WALDEN_BUILTIN_TABLE(BuiltinOpfamily, kOpfamilies)
WALDEN_BUILTIN_TABLE(BuiltinOpclass, kOpclasses)
WALDEN_BUILTIN_TABLE(BuiltinAmop, kAmops)
WALDEN_BUILTIN_TABLE(BuiltinAmproc, kAmprocs)
WALDEN_BUILTIN_TABLE(BuiltinCollation, kCollations)
WALDEN_BUILTIN_TABLE(BuiltinLanguage, kLanguages)
WALDEN_BUILTIN_TABLE(BuiltinRole, kRoles)
#undef WALDEN_BUILTIN_TABLE

extern const uint16_t kFunctionsByName[];
extern const uint16_t kTypesByName[];
extern const uint16_t kOperatorsByName[];
extern const uint16_t kAmopsByOperator[];

}  // namespace walden::builtin

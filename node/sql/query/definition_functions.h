// The SQL functions of the pg_get_*def family.
#pragma once

#include <span>

#include "node/sql/functions/registry.h"

namespace walden {

// For AddScalarFunctions; static storage.
std::span<const ScalarFunction> DefinitionFunctions();

}  // namespace walden

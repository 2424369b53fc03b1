// The families' tables. Private to this folder.
#pragma once

#include <span>

#include "node/sql/functions/registry.h"

namespace walden {

std::span<const std::span<const ScalarFunction>> BuiltinScalarTables();
std::span<const std::span<const SetFunction>> BuiltinSetTables();
std::span<const std::span<const AggregateFunction>> BuiltinAggregateTables();

}  // namespace walden

#include "node/sql/functions/function_table.h"

#include <vector>

namespace walden {

std::span<const ScalarFunction> BoolFunctions();

std::span<const std::span<const ScalarFunction>> BuiltinScalarTables() {
  static const std::vector<std::span<const ScalarFunction>> tables = {
      BoolFunctions(),
  };
  return tables;
}

std::span<const std::span<const SetFunction>> BuiltinSetTables() { return {}; }

std::span<const std::span<const AggregateFunction>> BuiltinAggregateTables() { return {}; }

}  // namespace walden

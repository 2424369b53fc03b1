#include "node/sql/functions/function_table.h"

#include <vector>

namespace walden {

std::span<const ScalarFunction> BoolFunctions();
std::span<const ScalarFunction> IntegerCompareFunctions();
std::span<const ScalarFunction> IntegerArithmeticFunctions();
std::span<const ScalarFunction> FloatFunctions();
std::span<const ScalarFunction> IoFunctions();
std::span<const ScalarFunction> NumericFunctions();
std::span<const ScalarFunction> TextCompareFunctions();
std::span<const ScalarFunction> TextFunctions();
std::span<const ScalarFunction> ByteaFunctions();
std::span<const ScalarFunction> PatternFunctions();
std::span<const ScalarFunction> FormatFunctions();
std::span<const ScalarFunction> ArrayFunctions();
std::span<const ScalarFunction> DateTimeFunctions();
std::span<const ScalarFunction> DateTimeFieldFunctions();
std::span<const ScalarFunction> SessionFunctions();
std::span<const ScalarFunction> JsonBuildFunctions();
std::span<const ScalarFunction> JsonFunctions();
std::span<const ScalarFunction> JsonbFunctions();
std::span<const ScalarFunction> StandardFunctions();
std::span<const ScalarFunction> CatalogFunctions();
std::span<const ScalarFunction> PlaceFunctions();
std::span<const ScalarFunction> PrivilegeFunctions();
std::span<const ScalarFunction> SystemFunctions();
std::span<const ScalarFunction> TransactionFunctions();
std::span<const ScalarFunction> WalFunctions();
std::span<const ScalarFunction> ReplicationFunctions();
std::span<const ScalarFunction> ControlFunctions();
std::span<const ScalarFunction> SnapshotFunctions();
std::span<const ScalarFunction> NetworkFunctions();
std::span<const ScalarFunction> StatisticsFunctions();
std::span<const ScalarFunction> ActivityFunctions();
std::span<const ScalarFunction> DateTimeToCharFunctions();
std::span<const ScalarFunction> NumberToCharFunctions();
std::span<const ScalarFunction> ObjectFunctions();
std::span<const ScalarFunction> NodeFunctions();
std::span<const ScalarFunction> FileFunctions();

std::span<const std::span<const ScalarFunction>> BuiltinScalarTables() {
  static const std::vector<std::span<const ScalarFunction>> tables = {
      BoolFunctions(),
      IntegerCompareFunctions(),
      IntegerArithmeticFunctions(),
      FloatFunctions(),
      IoFunctions(),
      NumericFunctions(),
      FormatFunctions(),
      PatternFunctions(),
      ByteaFunctions(),
      TextFunctions(),
      TextCompareFunctions(),
      ArrayFunctions(),
      DateTimeFunctions(),
      DateTimeFieldFunctions(),
      SessionFunctions(),
      JsonBuildFunctions(),
      JsonFunctions(),
      JsonbFunctions(),
      StandardFunctions(),
      CatalogFunctions(),
      PlaceFunctions(),
      PrivilegeFunctions(),
      SystemFunctions(),
      TransactionFunctions(),
      WalFunctions(),
      ReplicationFunctions(),
      ControlFunctions(),
      SnapshotFunctions(),
      NetworkFunctions(),
      StatisticsFunctions(),
      ActivityFunctions(),
      DateTimeToCharFunctions(),
      NumberToCharFunctions(),
      ObjectFunctions(),
      NodeFunctions(),
      FileFunctions(),
  };
  return tables;
}

std::span<const SetFunction> PatternSetFunctions();
std::span<const SetFunction> ArraySetFunctions();
std::span<const SetFunction> SeriesFunctions();
std::span<const SetFunction> JsonSetFunctions();
std::span<const SetFunction> JsonbSetFunctions();
std::span<const SetFunction> CatalogSetFunctions();
std::span<const SetFunction> PlaceSetFunctions();
std::span<const SetFunction> PrivilegeSetFunctions();
std::span<const SetFunction> SystemSetFunctions();
std::span<const SetFunction> TransactionSetFunctions();
std::span<const SetFunction> ReplicationSetFunctions();
std::span<const SetFunction> SnapshotSetFunctions();
std::span<const SetFunction> ActivitySetFunctions();
std::span<const SetFunction> StatisticsSetFunctions();
std::span<const SetFunction> ObjectSetFunctions();
std::span<const SetFunction> NodeSetFunctions();
std::span<const SetFunction> FileSetFunctions();

std::span<const std::span<const SetFunction>> BuiltinSetTables() {
  static const std::vector<std::span<const SetFunction>> tables = {
      PatternSetFunctions(),  ArraySetFunctions(),       SeriesFunctions(),         JsonSetFunctions(),
      JsonbSetFunctions(),    CatalogSetFunctions(),     PlaceSetFunctions(),       PrivilegeSetFunctions(),
      SystemSetFunctions(),   TransactionSetFunctions(), ReplicationSetFunctions(), SnapshotSetFunctions(),
      ActivitySetFunctions(), StatisticsSetFunctions(),  ObjectSetFunctions(),      NodeSetFunctions(),
      FileSetFunctions(),
  };
  return tables;
}

std::span<const AggregateFunction> NumberAggregates();
std::span<const AggregateFunction> RegressionAggregates();
std::span<const AggregateFunction> ValueAggregates();
std::span<const AggregateFunction> DateTimeAggregates();
std::span<const AggregateFunction> JsonAggregates();

std::span<const std::span<const AggregateFunction>> BuiltinAggregateTables() {
  static const std::vector<std::span<const AggregateFunction>> tables = {
      NumberAggregates(), RegressionAggregates(), ValueAggregates(), DateTimeAggregates(), JsonAggregates(),
  };
  return tables;
}

}  // namespace walden

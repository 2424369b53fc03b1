#include "node/sql/optimizer/selectivity.h"

#include <algorithm>
#include <cmath>

#include "node/catalog/builtin.h"
#include "node/catalog/syscache.h"
#include "node/sql/query/expr_facts.h"
#include "node/types/array.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

constexpr double kDefaultEqual = 0.005;
constexpr double kDefaultInequality = 1.0 / 3;
constexpr double kDefaultRange = 0.005;
constexpr double kDefaultMatch = 0.005;
constexpr double kDefaultDistinct = 200;
constexpr int16_t kKindMcv = 1;
constexpr int16_t kKindHistogram = 2;
constexpr int16_t kKindCorrelation = 3;

// The statistics of one column, or nothing.
struct ColumnStatistics {
  RowRef<PgStatisticRow> row;
  const Relation* relation = nullptr;
  double tuples = 0;
  AttrNumber attno = 0;
  bool is_unique = false;
  const TypeDescriptor* type = nullptr;

  double null_fraction() const { return row ? row->stanullfrac : 0; }
  double distinct() const {
    if (is_unique) return std::max(1.0, tuples);
    if (!row)
      return type != nullptr && type->oid == type_oid::kBool
                 ? 2
                 : std::min(std::max(1.0, tuples), kDefaultDistinct);
    if (row->stadistinct > 0) return row->stadistinct;
    if (row->stadistinct < 0) return std::max(1.0, -row->stadistinct * tuples);
    return std::min(std::max(1.0, tuples), kDefaultDistinct);
  }
};

struct Slot {
  std::vector<Value> values;
  std::vector<float> numbers;
};

template <class Numbers, class Values>
Slot ReadSlot(const Numbers& numbers, const Values& values, PhysicalType type) {
  Slot slot;
  if (numbers) slot.numbers.assign(numbers->begin(), numbers->end());
  if (values) {
    ArrayView view(*values);
    ArrayReader reader(view, type);
    for (Value value; reader.Next(&value);) slot.values.push_back(value);
  }
  return slot;
}

Slot FindSlot(const ColumnStatistics& column, int16_t kind) {
  const PgStatisticRow& row = *column.row;
  PhysicalType type = column.type->physical;
  if (row.stakind1 == kind) return ReadSlot(row.stanumbers1, row.stavalues1, type);
  if (row.stakind2 == kind) return ReadSlot(row.stanumbers2, row.stavalues2, type);
  if (row.stakind3 == kind) return ReadSlot(row.stanumbers3, row.stavalues3, type);
  if (row.stakind4 == kind) return ReadSlot(row.stanumbers4, row.stavalues4, type);
  if (row.stakind5 == kind) return ReadSlot(row.stanumbers5, row.stavalues5, type);
  return {};
}

bool IsUniqueColumn(const Relation& relation, AttrNumber attno) {
  for (const RelationRef& index : relation.indexes) {
    const PgIndexRow& row = *index->index;
    if (row.indisunique && row.indnkeyatts == 1 && row.indkey[0] == attno && !row.indpred) return true;
  }
  return false;
}

ColumnStatistics StatisticsOf(const StatisticsSource& source, const Expr* expr) {
  while (const RelabelType* relabel = TryAs<RelabelType>(expr)) expr = relabel->arg;
  ColumnStatistics column;
  column.type = FindType(ExprType(expr));
  const Var* var = TryAs<Var>(expr);
  if (var == nullptr || var->varlevelsup != 0 || var->varno <= 0) return column;
  column.relation = source.RelationOf(var->varno);
  if (column.relation == nullptr || var->varattno <= 0) return column;
  column.attno = var->varattno;
  column.tuples = source.TuplesOf(var->varno);
  column.is_unique = IsUniqueColumn(*column.relation, var->varattno);
  column.row = StatisticRow(column.relation->oid, var->varattno);
  return column;
}

double Clamp(double selectivity) { return std::clamp(selectivity, 0.0, 1.0); }

// column = constant (or an unknown value).
double EqualSelectivity(const ColumnStatistics& column, const Const* constant) {
  if (constant != nullptr && constant->IsNull()) return 0;
  if (column.relation == nullptr)
    return column.type != nullptr && column.type->oid == type_oid::kBool ? 0.5 : kDefaultEqual;
  if (column.is_unique) return Clamp(1.0 / std::max(1.0, column.tuples));
  if (!column.row) return Clamp(1.0 / column.distinct());
  Slot mcv = FindSlot(column, kKindMcv);
  double mcv_total = 0;
  for (float frequency : mcv.numbers) mcv_total += frequency;
  if (constant != nullptr && column.type->compare != nullptr &&
      TypeOf(constant->consttype).physical == column.type->physical) {
    for (size_t i = 0; i < mcv.values.size() && i < mcv.numbers.size(); ++i) {
      if (column.type->compare(mcv.values[i].datum, constant->value.datum, nullptr) == 0)
        return Clamp(mcv.numbers[i]);
    }
  }
  double others = std::max(1.0, column.distinct() - static_cast<double>(mcv.numbers.size()));
  double rest = std::max(0.0, 1 - mcv_total - column.null_fraction());
  if (constant == nullptr) return Clamp((1 - column.null_fraction()) / column.distinct());
  return Clamp(rest / others);
}

// Position of a value between two bounds, 0..1.
double Interpolate(const TypeDescriptor& type, const Datum& low, const Datum& high, const Datum& value) {
  auto number = [&](const Datum& datum) -> double {
    switch (type.physical) {
      case PhysicalType::kInt16: return datum.i16;
      case PhysicalType::kInt32: return datum.i32;
      case PhysicalType::kInt64: return static_cast<double>(datum.i64);
      case PhysicalType::kFloat32: return datum.f32;
      case PhysicalType::kFloat64: return datum.f64;
      case PhysicalType::kNumeric:
        return datum.numeric.kind == NumericKind::kSmall
                   ? static_cast<double>(datum.numeric.scaled) * std::pow(10.0, -datum.numeric.scale)
                   : 0;
      default: return 0;
    }
  };
  double a = number(low), b = number(high), v = number(value);
  if (!(b > a)) return 0.5;
  return std::clamp((v - a) / (b - a), 0.0, 1.0);
}

// Fraction of the column's non-null values below (or equal to) the constant.
double InequalitySelectivity(const ColumnStatistics& column, const Const& constant, bool less) {
  if (constant.IsNull()) return 0;
  if (column.relation == nullptr || !column.row || column.type->compare == nullptr ||
      TypeOf(constant.consttype).physical != column.type->physical) {
    return kDefaultInequality;
  }
  Slot mcv = FindSlot(column, kKindMcv);
  Slot histogram = FindSlot(column, kKindHistogram);
  double below = 0, mcv_total = 0;
  for (size_t i = 0; i < mcv.values.size() && i < mcv.numbers.size(); ++i) {
    mcv_total += mcv.numbers[i];
    if (column.type->compare(mcv.values[i].datum, constant.value.datum, nullptr) < 0) below += mcv.numbers[i];
  }
  double rest = std::max(0.0, 1 - mcv_total - column.null_fraction());
  if (histogram.values.size() >= 2) {
    size_t low = 0, high = histogram.values.size();
    while (low < high) {
      size_t middle = (low + high) / 2;
      if (column.type->compare(histogram.values[middle].datum, constant.value.datum, nullptr) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    double buckets = static_cast<double>(histogram.values.size() - 1);
    double fraction = low == 0 ? 0
                      : low >= histogram.values.size()
                          ? 1
                          : (static_cast<double>(low - 1) +
                             Interpolate(*column.type, histogram.values[low - 1].datum,
                                         histogram.values[low].datum, constant.value.datum)) /
                                buckets;
    below += rest * fraction;
  } else if (mcv.values.empty()) {
    return kDefaultInequality;
  }
  double selectivity = less ? below : 1 - column.null_fraction() - below;
  return Clamp(std::max(selectivity, 0.0001));
}

enum class Estimator { kEqual, kNotEqual, kLess, kGreater, kMatch, kOther };

Estimator EstimatorOf(Oid op) {
  const BuiltinOperator* row = FindBuiltinOperator(op);
  if (row == nullptr) return Estimator::kOther;
  if (row->name == "=") return Estimator::kEqual;
  if (row->name == "<>") return Estimator::kNotEqual;
  if (row->name == "<" || row->name == "<=") return Estimator::kLess;
  if (row->name == ">" || row->name == ">=") return Estimator::kGreater;
  if (row->name == "~~" || row->name == "~~*" || row->name == "~" || row->name == "~*")
    return Estimator::kMatch;
  return Estimator::kOther;
}

double OperatorSelectivity(const StatisticsSource& source, Oid opno, const Expr* left, const Expr* right) {
  Estimator estimator = EstimatorOf(opno);
  const Const* constant = TryAs<Const>(right);
  const Expr* variable = left;
  if (Is<Const>(left)) {
    constant = As<Const>(left);
    variable = right;
    if (estimator == Estimator::kLess) {
      estimator = Estimator::kGreater;
    } else if (estimator == Estimator::kGreater) {
      estimator = Estimator::kLess;
    }
  }
  ColumnStatistics column = StatisticsOf(source, variable);
  bool is_join = ContainsVar(left) && ContainsVar(right);
  switch (estimator) {
    case Estimator::kEqual:
      if (is_join) {
        ColumnStatistics other = StatisticsOf(source, right);
        double distinct = std::max(column.distinct(), other.distinct());
        return Clamp((1 - column.null_fraction()) * (1 - other.null_fraction()) / std::max(1.0, distinct));
      }
      if (!ContainsVar(right) || constant != nullptr) return EqualSelectivity(column, constant);
      return EqualSelectivity(StatisticsOf(source, right), nullptr);
    case Estimator::kNotEqual:
      return is_join ? 1 - kDefaultEqual
                     : Clamp(1 - EqualSelectivity(column, constant) - column.null_fraction());
    case Estimator::kLess:
      return constant != nullptr ? InequalitySelectivity(column, *constant, true) : kDefaultInequality;
    case Estimator::kGreater:
      return constant != nullptr ? InequalitySelectivity(column, *constant, false) : kDefaultInequality;
    case Estimator::kMatch: return kDefaultMatch;
    case Estimator::kOther: return kDefaultInequality;
  }
  return kDefaultRange;
}

double BoolSelectivity(const StatisticsSource& source, const BoolExpr* expr) {
  if (expr->boolop == BoolExprType::kNot) return Clamp(1 - Selectivity(source, expr->args[0]));
  double result = expr->boolop == BoolExprType::kAnd ? 1 : 0;
  for (const Expr* arg : expr->args) {
    double s = Selectivity(source, arg);
    result = expr->boolop == BoolExprType::kAnd ? result * s : result + s - result * s;
  }
  return Clamp(result);
}

double ArraySelectivity(const StatisticsSource& source, const ScalarArrayOpExpr* expr) {
  double one = OperatorSelectivity(source, expr->opno, expr->args[0],
                                   nullptr == expr->args[1] ? nullptr : expr->args[1]);
  double elements = 10;
  if (const Const* array = TryAs<Const>(static_cast<const Node*>(expr->args[1]))) {
    if (array->IsNull()) return 0;
    elements = ArrayView(array->value.datum.string.view()).count();
    one = EstimatorOf(expr->opno) == Estimator::kEqual
              ? EqualSelectivity(StatisticsOf(source, expr->args[0]), nullptr)
              : one;
  } else if (const ArrayExpr* array = TryAs<ArrayExpr>(static_cast<const Node*>(expr->args[1]))) {
    elements = array->elements.size();
  }
  return expr->use_or ? Clamp(one * elements) : Clamp(std::pow(one, elements));
}

}  // namespace

double Selectivity(const StatisticsSource& source, const Expr* condition) {
  if (const Const* constant = TryAs<Const>(condition))
    return !constant->IsNull() && constant->value.datum.b ? 1 : 0;
  if (const BoolExpr* expr = TryAs<BoolExpr>(condition)) return BoolSelectivity(source, expr);
  if (const OpExpr* op = TryAs<OpExpr>(condition)) {
    if (op->args.size() != 2) return 0.5;
    return OperatorSelectivity(source, op->opno, op->args[0], op->args[1]);
  }
  if (const ScalarArrayOpExpr* op = TryAs<ScalarArrayOpExpr>(condition)) return ArraySelectivity(source, op);
  if (const NullTest* test = TryAs<NullTest>(condition)) {
    ColumnStatistics column = StatisticsOf(source, test->arg);
    double nulls = column.row ? column.null_fraction() : 0.005;
    return test->nulltesttype == NullTestType::kIsNull ? nulls : 1 - nulls;
  }
  if (Is<Var>(condition)) {
    Const truth;
    truth.consttype = type_oid::kBool;
    truth.value.physical = PhysicalType::kBool;
    truth.value.is_null = false;
    truth.value.datum.b = true;
    return EqualSelectivity(StatisticsOf(source, condition), &truth);
  }
  return 0.5;
}

double DistinctValues(const StatisticsSource& source, const Expr* expr, double rows) {
  if (!ContainsVar(expr)) return 1;
  ColumnStatistics column = StatisticsOf(source, expr);
  if (column.relation == nullptr) return std::max(1.0, std::min(rows, kDefaultDistinct));
  return std::max(1.0, std::min(rows, column.distinct()));
}

double ColumnCorrelation(const StatisticsSource& source, const Expr* expr) {
  ColumnStatistics column = StatisticsOf(source, expr);
  if (column.relation == nullptr || !column.row) return 0;
  Slot slot = FindSlot(column, kKindCorrelation);
  return slot.numbers.empty() ? 0 : slot.numbers[0];
}

int32_t TypeWidth(Oid type, int32_t typmod) {
  const TypeDescriptor* descriptor = FindType(type);
  if (descriptor == nullptr) return 32;
  if (descriptor->length > 0) return descriptor->length;
  if (typmod > 4 && (type == type_oid::kVarchar || type == type_oid::kBpchar))
    return std::min(typmod - 4, 32);
  return 32;
}

int32_t ColumnWidth(const Relation& relation, AttrNumber attno) {
  if (attno <= 0) return 6;
  if (RowRef<PgStatisticRow> row = StatisticRow(relation.oid, attno); row && row->stawidth > 0)
    return row->stawidth;
  const PgAttributeRow& column = relation.columns[attno - 1];
  return TypeWidth(column.atttypid, column.atttypmod);
}

}  // namespace walden

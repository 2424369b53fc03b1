// Estimates from pg_statistic: how many rows a condition keeps, how many distinct values a column has.
#pragma once

#include "node/catalog/relation.h"
#include "node/sql/query/query.h"

namespace walden {

// What estimation needs to know of the base relations of a query; implemented by the planner.
class StatisticsSource {
 public:
  virtual ~StatisticsSource() = default;
  // Null when the range table entry is not a table.
  virtual const Relation* RelationOf(int32_t rtindex) const = 0;
  virtual double TuplesOf(int32_t rtindex) const = 0;
};

// 0..1. Conditions over one relation or joins.
double Selectivity(const StatisticsSource& source, const Expr* condition);
// Distinct values of an expression among `rows` rows.
double DistinctValues(const StatisticsSource& source, const Expr* expr, double rows);
// How closely a column's order follows the rows' place in the table, -1 .. 1; 0 when unknown.
double ColumnCorrelation(const StatisticsSource& source, const Expr* expr);
// Average bytes of a column's values.
int32_t ColumnWidth(const Relation& relation, AttrNumber attno);
int32_t TypeWidth(Oid type, int32_t typmod);

}  // namespace walden

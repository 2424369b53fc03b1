// Inside of the optimizer: what an index can check of a table's conditions.
#pragma once

#include <memory>
#include <vector>

#include "node/catalog/builtin.h"
#include "node/sql/optimizer/query_planner.h"

namespace walden {

// Is the expression this column of this relation (of the level that is planned), whatever binary-compatible type it is given?
bool IsColumn(const Expr* expr, int32_t rtindex, AttrNumber attno);

// Makes the columns of an expression that a catalog row keeps for one table those of this range table entry.
void SetRelation(Node* node, int32_t rtindex);

// Matches conditions with the key columns (and expressions) of one index, and its predicate with what is known of the rows.
class IndexMatcher {
 public:
  IndexMatcher(const BaseRel& base, const Relation& index, Arena& arena);

  // The condition that `qual` puts on key column `column` (from 0), or null.
  IndexCondition* Match(const Qual& qual, int column);
  // Do the conditions imply the predicate of a partial index?
  bool PredicateHolds(const std::vector<Qual>& quals);
  // Is it a conjunct of the predicate itself? The index holds no rows for which it is not true.
  bool IsPredicate(const Expr* expr) const;
  bool IsKey(const Expr* expr, int column) const;
  Expr* key(int column) const { return keys_[column]; }  // over the query's Vars

 private:
  bool RefersToTable(const Expr* expr) const;
  IndexCondition* New(int column);
  IndexCondition* BooleanCondition(int column, bool truth);
  IndexCondition* MatchOperator(const OpExpr& op, int column);
  IndexCondition* MatchArray(const ScalarArrayOpExpr& op, int column);
  const BuiltinAmop* FindStrategy(Oid opno, int column) const;

  const BaseRel& base_;
  const Relation& index_;
  Arena& arena_;
  std::vector<Expr*> keys_;
  ExprList predicate_;
};

// An index column compared with a value that does not depend on the table.
struct IndexMatch {
  const Qual* qual;
  IndexCondition* condition;
  int column;  // from 0
};

// What one index does for a set of conditions.
struct IndexUse {
  RelationRef index;
  std::shared_ptr<IndexMatcher> matcher;
  std::vector<IndexMatch> matches;
  std::vector<bool> used;  // parallel to the conditions
  double selectivity = 1;
  bool unique_match = false;
};

struct IndexCost {
  double startup = 0, total = 0;
  double tuples = 1;  // index entries read
};
// Of reading the index alone. `loops`: how often the scan is repeated with other values.
IndexCost CostOfIndex(const Relation& index, double table_tuples, double selectivity, size_t conditions,
                      double loops);
double IndexPagesFetched(double tuples, double pages);

// The columns that a table scan reads: what is needed above, then what its own conditions need.
ExprList ScanColumnsOf(const BaseRel& base, const std::vector<Qual>& filters, bool all_conditions,
                       Arena& arena, List<int32_t>* attnos);

}  // namespace walden

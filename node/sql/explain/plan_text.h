// Expressions of a plan as SQL text. In a plan a column is a position in a node's input row (plan.h); here it is followed
// down through the plan to the table's column or the expression that it holds.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "node/sql/plan/plan.h"
#include "node/sql/query/deparse.h"

namespace walden {

class PlanText {
 public:
  PlanText(const PlannedStatement& statement, const DeparseNames& names);

  // An expression over `plan`'s input row (as its target and conditions are), or, with OfChild, over the rows that its
  // outer child gives it (group keys, sort keys).
  std::string Expr(const Plan& plan, const Node* expr, bool prefix) {
    return Show(expr, {&plan, Row::kInput}, prefix);
  }
  std::string OfChild(const Plan& child, const Node* expr, bool prefix) {
    return Show(expr, {&child, Row::kOutput}, prefix);
  }
  // Conditions joined by AND.
  std::string Conditions(const Plan& plan, const ExprList& quals, bool prefix);
  // The expression behind output column `column` (from 1) of `plan`.
  std::string OutputColumn(const Plan& plan, int32_t column, bool prefix);

  // The loop's parameters stand for columns of its outer side from now on.
  void EnterNestLoop(const NestLoopPlan& loop);
  // A subplan's parameters stand for its arguments, which belong to `plan`.
  void EnterSubPlan(const Plan& plan, const SubPlan& sub);

  const std::string& RefName(int32_t rtindex) const { return names_->RefName(NameIndex(rtindex)); }
  const RangeTblEntry& Entry(int32_t rtindex) const { return *statement_.rtable[rtindex - 1]; }
  // More than one range table entry: columns are shown with their relation.
  bool has_many_relations() const { return statement_.rtable.size() > 1; }

 private:
  enum class Row : uint8_t { kInput, kOutput };
  struct Context {
    const Plan* plan;
    Row row;
    bool operator<(const Context& other) const {
      return plan != other.plan ? plan < other.plan : row < other.row;
    }
  };
  struct Located {
    const Node* expr;
    Context context;
  };
  static constexpr int32_t kFirstContext = -1000;

  std::string Show(const Node* expr, Context context, bool prefix);
  // A copy whose columns carry the context they belong to, in their varno.
  const Node* Place(const Node* expr, Context context);
  Located InputColumn(const Plan& plan, int32_t column);
  Located Column(Context context, int32_t column);
  Node* TableColumn(int32_t rtindex, int32_t attno, Oid type);
  Node* FlatColumn(int32_t rtindex, int32_t attno, Oid type);
  const Node* Resolve(const Var& var);
  const Node* ResolveParameter(const Param& param);
  int32_t ContextNumber(Context context);

  const PlannedStatement& statement_;
  Arena arena_;
  int32_t NameIndex(int32_t rtindex) const;

  // Only entries that some node reads have names, those of the outer levels first.
  List<RangeTblEntry*> rtable_;
  std::map<int32_t, int32_t> name_index_;
  std::unique_ptr<RangeTableNames> names_;
  std::vector<Context> contexts_;
  std::map<Context, int32_t> context_numbers_;
  std::map<int32_t, Located> parameters_;
};

}  // namespace walden

// Inside of the optimizer: the planner of one query level, and what the levels of a statement share.
//
// A *Path* is a plan under construction together with what its output columns stand for in the query: `columns[i]` is
// the expression (over the query's Vars, Aggrefs ...) that output column i holds. Expressions above are made
// executor-ready by replacing every subtree equal to an input column by a position (BindToInput).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "node/catalog/relation.h"
#include "node/sql/optimizer/planner.h"
#include "node/sql/optimizer/relset.h"
#include "node/sql/optimizer/selectivity.h"

namespace walden {

// Sorted by `expr`, then the next element's ...
struct OrderElement {
  const Expr* expr;
  bool descending;
  bool nulls_first;
};

// Does an order begin with the order wanted?
bool OrderSatisfies(const std::vector<OrderElement>& have, const std::vector<OrderElement>& want);

struct Path {
  Plan* plan = nullptr;
  ExprList columns;
  ExprList join_input;  // joins: what the columns of the join's input row stand for
  RelSet rels;
  RelSet required;  // relations whose columns it takes as parameters
  double rows = 1;
  double startup_cost = 0;
  double total_cost = 0;
  std::vector<OrderElement> order;
};

// A condition with the relations it mentions.
struct Qual {
  Expr* expr;
  RelSet rels;
  bool is_equality = false;  // of the form "left = right" with disjoint sides, usable for hashing
  Expr* left = nullptr;
  Expr* right = nullptr;
  RelSet left_rels, right_rels;
  double selectivity = -1;
};

struct BaseRel {
  int32_t rtindex = 0;
  RangeTblEntry* rte = nullptr;
  RelationRef relation;  // tables only
  double pages = 0;
  double tuples = 1;
  double all_visible_fraction = 0;
  RelSet lateral;               // relations whose columns it refers to
  std::vector<int32_t> output;  // attributes needed above the scan
  std::vector<Qual> quals;
  double rows = 1;
};

struct OutputType {
  Oid type;
  int32_t typmod;
  Oid collation;
};

// A join tree after analysis: a base relation, a region of inner-joined items, or an outer/semi/anti join of two.
struct JoinNode {
  enum class Kind { kBase, kRegion, kJoin } kind = Kind::kBase;
  int32_t rtindex = 0;                           // kBase
  std::vector<std::unique_ptr<JoinNode>> items;  // kRegion
  std::vector<Qual> quals;                       // kRegion: conditions; kJoin: ON conditions
  JoinType join_type = JoinType::kInner;         // kJoin
  std::unique_ptr<JoinNode> left, right;         // kJoin
  RelSet rels;
};

// Shared by all query levels of one statement.
struct PlannerGlobal {
  PlannerGlobal(const PlannerOptions& planner_options, PlannedStatement* planned)
      : options(planner_options), statement(planned) {}
  const PlannerOptions& options;
  PlannedStatement* statement;
  int32_t next_work_table = 1;
  Arena& arena() { return statement->arena; }
  Param* NewParam(Oid type, int32_t typmod, Oid collation);
  int32_t AddSubplan(Subplan* subplan);
};

struct IndexUse;

class QueryPlanner : public StatisticsSource {
 public:
  QueryPlanner(PlannerGlobal& global, QueryPlanner* parent, Query* query)
      : global_(global), parent_(parent), query_(query) {}

  // The path whose output columns are the query's target list, junk entries last.
  Path PlanSelect(double tuple_fraction) {
    Path path = PlanQueryLevel(tuple_fraction);
    AttachInitPlans(path.plan);
    return path;
  }
  // INSERT, UPDATE, DELETE.
  Path PlanModification();

  const Relation* RelationOf(int32_t rtindex) const override;
  double TuplesOf(int32_t rtindex) const override;

 private:
  friend class SubLinkPlanner;
  friend class BaseScanPlanner;
  friend class JoinPlanner;

  Arena& arena() { return global_.arena(); }

  Path PlanQueryLevel(double tuple_fraction);
  // What this level evaluates at most once hangs on its top node, where EXPLAIN shows it.
  void AttachInitPlans(Plan* top);

  // prepare.cpp
  void Prepare();
  void AppendRangeTable();
  void FlattenJoinAliases();
  void ExpandWholeRows();
  void PullUpSubqueries();
  Node* PullUpInTree(Node* node, bool nullable);
  bool IsSimpleSubquery(const RangeTblEntry& rte) const;
  void ReplaceSubqueryVars(int32_t rtindex, const List<TargetEntry*>& targets);
  void InlineCtes();
  void MoveHavingToWhere();
  void PlanCtes();
  // sublinks.cpp
  void PullUpSubLinks();
  Expr* PlanSubLinks(Expr* expr);
  Node* ReplaceSubLinks(Node* node);
  Node* PlanSubLink(SubLink* link);
  bool TryPullUpExists(SubLink* link, bool negated);
  bool SimplifyExists(Query* sub);
  bool TryPullUpAny(SubLink* link);
  bool CanHashSubPlan(const SubPlan& plan, const Path& path);
  struct SemiJoin {
    JoinType type;
    std::unique_ptr<JoinNode> right;
    std::vector<Qual> quals;
  };

  // join_tree.cpp
  std::unique_ptr<JoinNode> BuildJoinTree(Node* node, std::vector<Qual>* region_quals);
  std::unique_ptr<JoinNode> BuildRegion(FromExpr* from);
  std::unique_ptr<JoinNode> BuildPart(Node* node);
  void ReduceOuterJoins(JoinNode* node, const RelSet& nonnullable);
  Qual MakeQual(Expr* expr);
  std::vector<Qual> MakeQuals(Expr* condition);
  void CollectNeeded();
  void NoteNeeded(const Node* node, int32_t own_rel);
  void AddBaseRel(int32_t rtindex);

  // base_scan.cpp
  Path PlanBase(BaseRel& base);
  // `loops`: how often a scan with parameters of `outer` runs.
  std::vector<Path> BasePaths(BaseRel& base, const std::vector<Qual>& extra, const RelSet& outer,
                              double loops);
  Path FinishScan(BaseRel& base, ScanPlan* plan, const std::vector<Qual>& filters, double rows);
  Path PlanTable(BaseRel& base, const std::vector<Qual>& quals);
  bool AddTids(const BaseRel& base, const Expr* condition, TidScanPlan* plan);
  bool TidPath(BaseRel& base, const std::vector<Qual>& quals, Path* path);
  Path PlanExcluded(BaseRel& base);
  // What the rows of it that will be read cost: all, unless it stands for the whole FROM of a level of which few are read.
  double CostOfWanted(const Path& path) const;
  // index_paths.cpp
  bool TryIndex(BaseRel& base, const RelationRef& index, const std::vector<Qual>& quals, const RelSet& outer,
                double loops, Path* path);
  bool MatchIndex(BaseRel& base, const RelationRef& index, const std::vector<Qual>& quals,
                  const RelSet& outer, IndexUse* use);
  List<IndexCondition*> BindIndexConditions(const IndexUse& use, const RelSet& outer,
                                            const ExprList* scan_columns);
  // bitmap_paths.cpp
  struct BitmapChoice;
  BitmapNode* NewBitmapNode(BitmapNode::Kind kind, double cost, double rows);
  bool BitmapOfIndex(BaseRel& base, const RelationRef& index, const std::vector<Qual>& quals,
                     const RelSet& outer, double loops, BitmapChoice* choice);
  BitmapChoice BitmapOfConditions(BaseRel& base, const std::vector<Qual>& quals, const RelSet& outer,
                                  double loops);
  bool BitmapOfOr(BaseRel& base, const Qual& qual, const RelSet& outer, double loops, BitmapChoice* choice);
  void CostBitmapScan(const BaseRel& base, const BitmapChoice& choice, size_t filters, double loops,
                      Path* path);
  Path MakeBitmapPath(BaseRel& base, const BitmapChoice& choice, const std::vector<Qual>& quals,
                      const RelSet& outer, double loops);
  void NumberBitmapNodes(BitmapNode* node, int32_t* next);
  bool BitmapPath(BaseRel& base, const std::vector<Qual>& quals, const RelSet& outer, double loops,
                  Path* path);
  // base_scan.cpp
  Path PlanSubqueryScan(BaseRel& base);
  Path PlanFunction(BaseRel& base);
  Path PlanValues(BaseRel& base);
  Path PlanCte(BaseRel& base);
  Path PlanResultRel(BaseRel& base);

  // join_search.cpp
  struct Item {
    Path path;                // without parameters from other items of the region
    BaseRel* base = nullptr;  // a single table: may be scanned with parameters
    RelSet rels;
    RelSet required;
    std::vector<Path> ordered;  // alternatives with a useful order
  };
  Item PlanJoinNode(JoinNode& node);
  Item PlanRegion(JoinNode& node);
  Item PlanOuterJoin(JoinNode& node);
  Item SearchJoinOrder(std::vector<Item> items, std::vector<Qual> quals);
  bool InnerIsUnique(const Item& left, const Item& right, const std::vector<Qual>& quals) const;
  Item JoinItems(const Item& left, const Item& right, JoinType type, const std::vector<Qual>& join_quals);
  Path HashJoinPath(const Item& left, const Item& right, JoinType type, const std::vector<Qual>& quals,
                    double rows);
  Path MergeJoinPath(const Item& left, const Item& right, JoinType type, const std::vector<Qual>& quals,
                     double rows);
  Path SortedBy(const Item& item, const std::vector<OrderElement>& order);
  Path NestLoopPath(const Item& left, const Path& inner, JoinType type, const std::vector<Qual>& quals,
                    double rows);
  bool ParameterizedInner(const Item& left, const Item& right, const std::vector<Qual>& quals, Path* inner,
                          std::vector<Qual>* rest);
  void BindJoin(JoinPlan* plan, const Path& left, const Path& right, const std::vector<Qual>& quals);
  void PruneJoinOutput(Path* path);
  Path Materialize(const Path& path);
  void CollectNestParams(NestLoopPlan* plan, const Path& left, const Path& inner);

  // upper.cpp
  Path PlanFromAndWhere();
  Path PlanGrouping(Path input);
  Path PlanSortedGroupingSets(Path input, const ExprList& columns, const ExprList& aggregates,
                              const ExprList& groupings, const std::vector<std::vector<int32_t>>& sets);
  void TellGroupingColumnsApart();
  std::vector<std::vector<int32_t>> ExpandGroupingSets();
  Expr* GroupingValue(const GroupingFunc& grouping, const std::vector<std::vector<int32_t>>& sets,
                      int32_t set_column);
  Path PlanWindows(Path input);
  Path PlanWindow(Path input, const WindowClause& window, const std::vector<WindowFunc*>& functions);
  Path PlanTargets(Path input);
  Path PlanDistinct(Path input);
  Path PlanOrderBy(Path input);
  Path PlanLimit(Path input);
  Path PlanRowMarks(Path input);
  void AddRowMarkTargets();
  void AddRowIdentities();
  bool IsRowMarked(int32_t rtindex) const;
  Path PlanSetOperations();
  Path PlanSetOperation(const SetOperationStmt& operation);
  Path PlanSetOperationTree(Node* node, const SetOperationStmt& top);
  void ConvertArm(Path* path, const List<TargetEntry*>& columns, const SetOperationStmt& operation);
  Path PlanRecursiveUnion(const SetOperationStmt& operation, int32_t work_table_id);
  Path SortPath(Path input, const List<OrderKey>& keys, double bound = -1);
  Path AddFilterResult(Path input, const std::vector<Qual>& one_time);
  OrderKey KeyFor(const SortGroupClause& clause, int32_t column);
  std::vector<OrderElement> OrderOf(const List<SortGroupClause*>& clauses) const;
  Path ProjectTo(Path input, const List<TargetEntry*>& targets);

  void InferArbiters(const RelationRef& relation, int32_t target, const OnConflictExpr& conflict,
                     ModifyTablePlan* plan);

  // bind_input.cpp
  Expr* BindToInput(const Expr* expr, const ExprList& input);
  ExprList BindList(const std::vector<Qual>& quals, const ExprList& input);
  List<TargetEntry*> TargetsFor(const ExprList& columns);
  // With this level's columns numbered by the statement's flat range table, as EXPLAIN shows them.
  Expr* FlatCopy(const Expr* expr);
  int32_t flat(int32_t rtindex) const { return rtindex + rt_offset_; }
  int32_t WidthOf(const ExprList& columns);

  PlannerGlobal& global_;
  QueryPlanner* parent_;
  Query* query_;
  int32_t rt_offset_ = 0;
  std::vector<std::unique_ptr<BaseRel>> bases_;  // by rtindex - 1; null for entries that are not scanned
  std::vector<SemiJoin> semi_joins_;
  // Parameters that stand for columns of this level in nest loops: the same column always has the same one.
  struct NestParam {
    Expr* value;
    Param* param;
  };
  std::vector<NestParam> nest_params_;
  Param* NestParamFor(Expr* value);
  Node* ReplaceByNestParams(Node* node, const RelSet& outer);
  std::vector<Expr*> upper_needed_;  // Vars needed above the joins
  std::vector<const Qual*> all_quals_;
  // CTEs of this level: plan ids.
  struct PlannedCte {
    std::string_view name;
    int32_t subplan_id = 0;
    int32_t work_table_id = 0;  // while its recursive term is being planned
    double rows = 1;
    ExprList columns;
    const List<Oid>* types = nullptr;
  };
  std::vector<PlannedCte> ctes_;
  std::vector<int32_t> init_plans_;  // ids of this level's init plans and CTEs
  PlannedCte* FindCte(const RangeTblEntry& rte);
  std::vector<OrderElement> wanted_order_;
  double limit_rows_ = -1;
  double fetched_part_ = 1;  // of the result, when no LIMIT says how many rows are read
  RelSet all_rels_;          // of FROM
  bool reads_in_order_ =
      false;  // rows of FROM are delivered as they come: no sort, grouping or DISTINCT stands above
  bool locks_rows_ = false;  // statement changes or locks rows: scans keep the columns of index conditions
};

// Relations (of this level) that an expression refers to.
RelSet RelsOf(const Node* node);

}  // namespace walden

// Query: one SELECT, INSERT, UPDATE, DELETE or MERGE after analysis, or a utility statement with its AST.
// Fields mean what PostgreSQL 15's mean; see query_node.h for ownership.
#pragma once

#include <memory>

#include "node/sql/query/expr.h"

namespace walden {

struct ParseTree;
namespace ast {
struct Node;
}

// AS aliasname (colnames).
struct Alias : NodeOf<NodeTag::kAlias> {
  std::string_view aliasname;
  List<std::string_view> colnames;
  FIELDS(aliasname, colnames)
};

// ---- the join tree
// -------------------------------------------------------------------------------------------

// A leaf: range table entry number, from 1.
struct RangeTblRef : NodeOf<NodeTag::kRangeTblRef> {
  int32_t rtindex = 0;
  FIELDS(rtindex)
};

struct JoinExpr : NodeOf<NodeTag::kJoinExpr> {
  JoinType jointype = JoinType::kInner;
  bool is_natural = false;
  Node* larg = nullptr;
  Node* rarg = nullptr;
  List<std::string_view> using_clause;
  Alias* join_using_alias = nullptr;
  Expr* quals = nullptr;
  Alias* alias = nullptr;
  int32_t rtindex = 0;  // of its own RteKind::kJoin entry; 0 for planner-made joins
  FIELDS(jointype, is_natural, larg, rarg, using_clause, join_using_alias, quals, alias, rtindex)
};

// fromlist joined without conditions, filtered by quals (WHERE).
struct FromExpr : NodeOf<NodeTag::kFromExpr> {
  List<Node*> fromlist;  // RangeTblRef, JoinExpr, FromExpr
  Expr* quals = nullptr;
  FIELDS(fromlist, quals)
};

// ---- the range table
// -----------------------------------------------------------------------------------------

struct TableSampleClause : NodeOf<NodeTag::kTableSampleClause> {
  Oid tsmhandler = Oid::kInvalid;
  ExprList args;
  Expr* repeatable = nullptr;
  FIELDS(tsmhandler, args, repeatable)
};

// Function in FROM. The funccol lists are set when a column definition list was given.
struct RangeTblFunction : NodeOf<NodeTag::kRangeTblFunction> {
  Expr* funcexpr = nullptr;
  int32_t funccolcount = 0;
  List<std::string_view> funccolnames;
  List<Oid> funccoltypes;
  List<int32_t> funccoltypmods;
  List<Oid> funccolcollations;
  FIELDS(funcexpr, funccolcount, funccolnames, funccoltypes, funccoltypmods, funccolcollations)
};

// XMLTABLE.
struct TableFunc : NodeOf<NodeTag::kTableFunc> {
  ExprList ns_uris;
  List<std::string_view> ns_names;
  Expr* docexpr = nullptr;
  Expr* rowexpr = nullptr;
  List<std::string_view> colnames;
  List<Oid> coltypes;
  List<int32_t> coltypmods;
  List<Oid> colcollations;
  ExprList colexprs;
  ExprList coldefexprs;
  List<int32_t> notnulls;
  int32_t ordinalitycol = -1;
  Location location;
  FIELDS(ns_uris, ns_names, docexpr, rowexpr, colnames, coltypes, coltypmods, colcollations, colexprs,
         coldefexprs, notnulls, ordinalitycol, location)
};

// Privilege bits of RangeTblEntry::required_perms and of aclitem.
namespace acl_mode {
inline constexpr uint32_t kInsert = 1 << 0;
inline constexpr uint32_t kSelect = 1 << 1;
inline constexpr uint32_t kUpdate = 1 << 2;
inline constexpr uint32_t kDelete = 1 << 3;
inline constexpr uint32_t kSelectForUpdate = kUpdate;
}  // namespace acl_mode

struct RangeTblEntry : NodeOf<NodeTag::kRangeTblEntry> {
  RteKind rtekind = RteKind::kRelation;

  // kRelation (kept by the rewriter for an expanded view)
  Oid relid = Oid::kInvalid;
  char relkind = 0;
  int32_t rellockmode = 0;  // 1 ACCESS SHARE ... 8 ACCESS EXCLUSIVE
  TableSampleClause* tablesample = nullptr;

  // kSubquery
  Query* subquery = nullptr;
  bool security_barrier = false;

  // kJoin: for each output column of the join its source (Var or CoalesceExpr for merged columns); the column
  // lists give, for each, the column number on either side (0: none).
  JoinType jointype = JoinType::kInner;
  int32_t joinmergedcols = 0;
  ExprList joinaliasvars;
  List<int32_t> joinleftcols;
  List<int32_t> joinrightcols;
  Alias* join_using_alias = nullptr;

  // kFunction
  List<RangeTblFunction*> functions;
  bool funcordinality = false;

  // kTableFunc
  TableFunc* tablefunc = nullptr;

  // kValues: rows of equal length
  List<RowExpr*> values_lists;

  // kCte: by name, in the query ctelevelsup out
  std::string_view ctename;
  uint32_t ctelevelsup = 0;
  bool self_reference = false;

  // kCte, kValues, kTableFunc, kNamedTupleStore: the columns' types
  List<Oid> coltypes;
  List<int32_t> coltypmods;
  List<Oid> colcollations;

  // kNamedTupleStore: a trigger's transition table
  std::string_view enrname;
  double enrtuples = 0;

  // all kinds
  Alias* alias = nullptr;  // as the user wrote it, or null
  // The names in effect: aliasname and every column's (an empty string for dropped columns).
  Alias* eref = nullptr;
  bool lateral = false;
  bool inh = false;  // include inheritance children
  bool in_from_cl = false;
  uint32_t required_perms = 0;  // acl_mode bits
  Oid check_as_user = Oid::kInvalid;
  List<int32_t> selected_cols;  // attribute numbers (system columns negative, 0 the whole row)
  List<int32_t> inserted_cols;
  List<int32_t> updated_cols;
  ExprList security_quals;
  FIELDS(rtekind, relid, relkind, rellockmode, tablesample, subquery, security_barrier, jointype,
         joinmergedcols, joinaliasvars, joinleftcols, joinrightcols, join_using_alias, functions,
         funcordinality, tablefunc, values_lists, ctename, ctelevelsup, self_reference, coltypes, coltypmods,
         colcollations, enrname, enrtuples, alias, eref, lateral, inh, in_from_cl, required_perms,
         check_as_user, selected_cols, inserted_cols, updated_cols, security_quals)
};

// ---- clauses
// -------------------------------------------------------------------------------------------------

// ORDER BY, GROUP BY, DISTINCT, window and aggregate ordering: refers to the TargetEntry whose
// ressortgroupref is tle_sort_group_ref. sortop is invalid when the type can only be hashed.
struct SortGroupClause : NodeOf<NodeTag::kSortGroupClause> {
  uint32_t tle_sort_group_ref = 0;
  Oid eqop = Oid::kInvalid;
  Oid sortop = Oid::kInvalid;
  bool nulls_first = false;
  bool hashable = false;
  FIELDS(tle_sort_group_ref, eqop, sortop, nulls_first, hashable)
};

// kSimple: refs are sort group references; other kinds: sets are nested grouping sets.
struct GroupingSet : NodeOf<NodeTag::kGroupingSet> {
  GroupingSetKind kind = GroupingSetKind::kEmpty;
  List<int32_t> refs;
  List<GroupingSet*> sets;
  Location location;
  FIELDS(kind, refs, sets, location)
};

struct WindowClause : NodeOf<NodeTag::kWindowClause> {
  std::string_view name;     // absent for OVER (...)
  std::string_view refname;  // the window it copies
  List<SortGroupClause*> partition_clause;
  List<SortGroupClause*> order_clause;
  int32_t frame_options = frame_option::kDefaults;
  Expr* start_offset = nullptr;
  Expr* end_offset = nullptr;
  Oid start_in_range_func = Oid::kInvalid;
  Oid end_in_range_func = Oid::kInvalid;
  Oid in_range_coll = Oid::kInvalid;
  bool in_range_asc = false;
  bool in_range_nulls_first = false;
  uint32_t winref = 0;
  bool copied_order = false;
  FIELDS(name, refname, partition_clause, order_clause, frame_options, start_offset, end_offset,
         start_in_range_func, end_in_range_func, in_range_coll, in_range_asc, in_range_nulls_first, winref,
         copied_order)
};

struct RowMarkClause : NodeOf<NodeTag::kRowMarkClause> {
  uint32_t rti = 0;
  LockClauseStrength strength = LockClauseStrength::kNone;
  LockWaitPolicy wait_policy = LockWaitPolicy::kBlock;
  bool pushed_down = false;  // came from FOR UPDATE of a view or subquery
  FIELDS(rti, strength, wait_policy, pushed_down)
};

struct CteSearchClause : NodeOf<NodeTag::kCteSearchClause> {
  List<std::string_view> search_col_list;
  bool search_breadth_first = false;
  std::string_view search_seq_column;
  Location location;
  FIELDS(search_col_list, search_breadth_first, search_seq_column, location)
};

struct CteCycleClause : NodeOf<NodeTag::kCteCycleClause> {
  List<std::string_view> cycle_col_list;
  std::string_view cycle_mark_column;
  Expr* cycle_mark_value = nullptr;
  Expr* cycle_mark_default = nullptr;
  std::string_view cycle_path_column;
  Location location;
  Oid cycle_mark_type = Oid::kInvalid;
  int32_t cycle_mark_typmod = -1;
  Oid cycle_mark_collation = Oid::kInvalid;
  Oid cycle_mark_neop = Oid::kInvalid;
  FIELDS(cycle_col_list, cycle_mark_column, cycle_mark_value, cycle_mark_default, cycle_path_column, location,
         cycle_mark_type, cycle_mark_typmod, cycle_mark_collation, cycle_mark_neop)
};

struct CommonTableExpr : NodeOf<NodeTag::kCommonTableExpr> {
  std::string_view ctename;
  List<std::string_view> aliascolnames;
  CteMaterialize ctematerialized = CteMaterialize::kDefault;
  Query* ctequery = nullptr;
  CteSearchClause* search_clause = nullptr;
  CteCycleClause* cycle_clause = nullptr;
  Location location;
  bool cterecursive = false;
  int32_t cterefcount = 0;
  List<std::string_view> ctecolnames;
  List<Oid> ctecoltypes;
  List<int32_t> ctecoltypmods;
  List<Oid> ctecolcollations;
  FIELDS(ctename, aliascolnames, ctematerialized, ctequery, search_clause, cycle_clause, location,
         cterecursive, cterefcount, ctecolnames, ctecoltypes, ctecoltypmods, ctecolcollations)
};

// Tree of UNION, INTERSECT, EXCEPT over subqueries; leaves are RangeTblRef to kSubquery entries.
struct SetOperationStmt : NodeOf<NodeTag::kSetOperationStmt> {
  SetOperation op = SetOperation::kNone;
  bool all = false;
  Node* larg = nullptr;
  Node* rarg = nullptr;
  List<Oid> col_types;
  List<int32_t> col_typmods;
  List<Oid> col_collations;
  List<SortGroupClause*> group_clauses;  // empty when all; references are unset, by position
  FIELDS(op, all, larg, rarg, col_types, col_typmods, col_collations, group_clauses)
};

struct OnConflictExpr : NodeOf<NodeTag::kOnConflictExpr> {
  OnConflictAction action = OnConflictAction::kNone;
  List<InferenceElem*> arbiter_elems;
  Expr* arbiter_where = nullptr;
  Oid constraint = Oid::kInvalid;
  List<TargetEntry*> on_conflict_set;
  Expr* on_conflict_where = nullptr;
  int32_t excl_rel_index = 0;  // range table index of EXCLUDED
  List<TargetEntry*> excl_rel_tlist;
  FIELDS(action, arbiter_elems, arbiter_where, constraint, on_conflict_set, on_conflict_where, excl_rel_index,
         excl_rel_tlist)
};

struct WithCheckOption : NodeOf<NodeTag::kWithCheckOption> {
  WcoKind kind = WcoKind::kViewCheck;
  std::string_view relname;
  std::string_view polname;
  Expr* qual = nullptr;
  bool cascaded = false;
  FIELDS(kind, relname, polname, qual, cascaded)
};

struct MergeAction : NodeOf<NodeTag::kMergeAction> {
  bool matched = false;
  CmdType command_type = CmdType::kUnknown;
  OverridingKind override = OverridingKind::kNotSet;
  Expr* qual = nullptr;
  List<TargetEntry*> target_list;
  List<int32_t> update_colnos;
  FIELDS(matched, command_type, override, qual, target_list, update_colnos)
};

// ---- the query
// -----------------------------------------------------------------------------------------------

struct Query : NodeOf<NodeTag::kQuery> {
  CmdType command_type = CmdType::kUnknown;
  QuerySource query_source = QuerySource::kOriginal;
  uint64_t query_id = 0;    // not compared
  bool can_set_tag = true;  // it decides the command tag

  // kUtility: the statement's AST; whoever holds the Query keeps the ParseTree alive. utility_query is the
  // analysed query inside EXPLAIN, DECLARE CURSOR, CREATE TABLE AS and COPY (query).
  const ast::Node* utility_stmt = nullptr;
  Query* utility_query = nullptr;

  int32_t result_relation = 0;  // range table index of the target of INSERT, UPDATE, DELETE, MERGE
  bool has_aggs = false;
  bool has_window_funcs = false;
  bool has_target_srfs = false;
  bool has_sub_links = false;
  bool has_distinct_on = false;
  bool has_recursive = false;
  bool has_modifying_cte = false;
  bool has_for_update = false;
  bool has_row_security = false;
  bool is_return = false;
  List<CommonTableExpr*> cte_list;
  List<RangeTblEntry*> rtable;  // entry n is rtable[n - 1]
  FromExpr* jointree = nullptr;
  List<MergeAction*> merge_action_list;
  bool merge_use_outer_join = false;
  List<TargetEntry*> target_list;
  OverridingKind override = OverridingKind::kNotSet;
  OnConflictExpr* on_conflict = nullptr;
  List<TargetEntry*> returning_list;
  List<SortGroupClause*> group_clause;
  bool group_distinct = false;
  List<GroupingSet*> grouping_sets;
  Expr* having_qual = nullptr;
  List<WindowClause*> window_clause;
  List<SortGroupClause*> distinct_clause;
  List<SortGroupClause*> sort_clause;
  Expr* limit_offset = nullptr;
  Expr* limit_count = nullptr;
  LimitOption limit_option = LimitOption::kDefault;
  List<RowMarkClause*> row_marks;
  Node* set_operations = nullptr;  // SetOperationStmt
  List<Oid> constraint_deps;       // constraints that functional dependency of GROUP BY rests on
  List<WithCheckOption*> with_check_options;
  Location stmt_location;
  int32_t stmt_len = 0;
  FIELDS(command_type, query_source, query_id, can_set_tag, utility_stmt, utility_query, result_relation,
         has_aggs, has_window_funcs, has_target_srfs, has_sub_links, has_distinct_on, has_recursive,
         has_modifying_cte, has_for_update, has_row_security, is_return, cte_list, rtable, jointree,
         merge_action_list, merge_use_outer_join, target_list, override, on_conflict, returning_list,
         group_clause, group_distinct, grouping_sets, having_qual, window_clause, distinct_clause,
         sort_clause, limit_offset, limit_count, limit_option, row_marks, set_operations, constraint_deps,
         with_check_options, stmt_location, stmt_len)
};

inline RangeTblEntry* RteAt(const Query& query, int32_t rtindex) { return query.rtable[rtindex - 1]; }

}  // namespace walden

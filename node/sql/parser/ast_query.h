// SELECT, INSERT, UPDATE, DELETE, MERGE and the clauses they are made of. Field names follow PostgreSQL's raw
// parse nodes. Everything lives in the arena of its ParseTree; see ast_node.h for ownership.
#pragma once

#include "node/sql/parser/ast_node.h"

namespace walden::ast {

struct CteCycleClause;
struct CteSearchClause;
struct InferClause;
struct IntoClause;
struct OnConflictClause;
struct TypeName;
struct WithClause;

// One statement of the source text: stmt_location is its first byte, stmt_len 0 means the rest of the text.
struct RawStmt : NodeOf<Tag::kRawStmt> {
  Node* stmt = nullptr;
  Location stmt_location;
  int32_t stmt_len = 0;
  FIELDS(stmt, stmt_location, stmt_len)
};

// AS aliasname (colnames).
struct Alias : NodeOf<Tag::kAlias> {
  std::string_view aliasname;
  NodeList colnames;  // String
  FIELDS(aliasname, colnames)
};

// A table by name. inh is false for ONLY; relpersistence 'p', 'u' or 't'.
struct RangeVar : NodeOf<Tag::kRangeVar> {
  std::string_view catalogname;
  std::string_view schemaname;
  std::string_view relname;
  bool inh = false;
  char relpersistence = 0;
  Alias* alias = nullptr;
  Location location;
  FIELDS(catalogname, schemaname, relname, inh, relpersistence, alias, location)
};

// Item of a target list. SELECT: name is the AS label; INSERT: name and indirection the column; UPDATE: both,
// with val.
struct ResTarget : NodeOf<Tag::kResTarget> {
  std::string_view name;
  NodeList indirection;  // String, AStar, AIndices
  Node* val = nullptr;
  Location location;
  FIELDS(name, indirection, val, location)
};

// A plain SELECT or VALUES when op is kNone, else a set operation over larg and rarg.
struct SelectStmt : NodeOf<Tag::kSelectStmt> {
  NodeList distinct_clause;  // empty: none; one null element: DISTINCT; else the ON expressions
  IntoClause* into_clause = nullptr;
  NodeList target_list;  // ResTarget
  NodeList from_clause;
  Node* where_clause = nullptr;
  NodeList group_clause;  // expressions, GroupingSet
  bool group_distinct = false;
  Node* having_clause = nullptr;
  NodeList window_clause;  // WindowDef
  NodeList values_lists;   // ListNode of expressions
  NodeList sort_clause;    // SortBy
  Node* limit_offset = nullptr;
  Node* limit_count = nullptr;
  LimitOption limit_option = LimitOption::kDefault;
  NodeList locking_clause;  // LockingClause
  WithClause* with_clause = nullptr;
  SetOperation op = SetOperation::kNone;
  bool all = false;
  SelectStmt* larg = nullptr;
  SelectStmt* rarg = nullptr;
  FIELDS(distinct_clause, into_clause, target_list, from_clause, where_clause, group_clause, group_distinct,
         having_clause, window_clause, values_lists, sort_clause, limit_offset, limit_count, limit_option,
         locking_clause, with_clause, op, all, larg, rarg)
};

// use_op: the operator of ORDER BY ... USING.
struct SortBy : NodeOf<Tag::kSortBy> {
  Node* node = nullptr;
  SortByDir sortby_dir = SortByDir::kDefault;
  SortByNulls sortby_nulls = SortByNulls::kDefault;
  NodeList use_op;  // String
  Location location;
  FIELDS(node, sortby_dir, sortby_nulls, use_op, location)
};

struct GroupingSet : NodeOf<Tag::kGroupingSet> {
  GroupingSetKind kind = GroupingSetKind::kEmpty;
  NodeList content;
  Location location;
  FIELDS(kind, content, location)
};

// OVER (...) or a WINDOW item; frame_options are FrameOption bits.
struct WindowDef : NodeOf<Tag::kWindowDef> {
  std::string_view name;
  std::string_view refname;
  NodeList partition_clause;
  NodeList order_clause;  // SortBy
  int32_t frame_options = 0;
  Node* start_offset = nullptr;
  Node* end_offset = nullptr;
  Location location;
  FIELDS(name, refname, partition_clause, order_clause, frame_options, start_offset, end_offset, location)
};

// FOR UPDATE and kin; no locked_rels means all.
struct LockingClause : NodeOf<Tag::kLockingClause> {
  NodeList locked_rels;  // RangeVar
  LockClauseStrength strength = LockClauseStrength::kNone;
  LockWaitPolicy wait_policy = LockWaitPolicy::kBlock;
  FIELDS(locked_rels, strength, wait_policy)
};

struct WithClause : NodeOf<Tag::kWithClause> {
  NodeList ctes;  // CommonTableExpr
  bool recursive = false;
  Location location;
  FIELDS(ctes, recursive, location)
};

struct CommonTableExpr : NodeOf<Tag::kCommonTableExpr> {
  std::string_view ctename;
  NodeList aliascolnames;  // String
  CteMaterialize ctematerialized = CteMaterialize::kDefault;
  Node* ctequery = nullptr;
  CteSearchClause* search_clause = nullptr;
  CteCycleClause* cycle_clause = nullptr;
  Location location;
  FIELDS(ctename, aliascolnames, ctematerialized, ctequery, search_clause, cycle_clause, location)
};

struct CteSearchClause : NodeOf<Tag::kCteSearchClause> {
  NodeList search_col_list;  // String
  bool search_breadth_first = false;
  std::string_view search_seq_column;
  Location location;
  FIELDS(search_col_list, search_breadth_first, search_seq_column, location)
};

struct CteCycleClause : NodeOf<Tag::kCteCycleClause> {
  NodeList cycle_col_list;  // String
  std::string_view cycle_mark_column;
  Node* cycle_mark_value = nullptr;
  Node* cycle_mark_default = nullptr;
  std::string_view cycle_path_column;
  Location location;
  FIELDS(cycle_col_list, cycle_mark_column, cycle_mark_value, cycle_mark_default, cycle_path_column, location)
};

struct JoinExpr : NodeOf<Tag::kJoinExpr> {
  JoinType jointype = JoinType::kInner;
  bool is_natural = false;
  Node* larg = nullptr;
  Node* rarg = nullptr;
  NodeList using_clause;  // String
  Alias* join_using_alias = nullptr;
  Node* quals = nullptr;
  Alias* alias = nullptr;
  FIELDS(jointype, is_natural, larg, rarg, using_clause, join_using_alias, quals, alias)
};

struct RangeSubselect : NodeOf<Tag::kRangeSubselect> {
  bool lateral = false;
  Node* subquery = nullptr;
  Alias* alias = nullptr;
  FIELDS(lateral, subquery, alias)
};

// Function in FROM.
struct RangeFunction : NodeOf<Tag::kRangeFunction> {
  bool lateral = false;
  bool ordinality = false;
  bool is_rowsfrom = false;
  NodeList functions;  // ListNode of two: the call, and a ListNode of ColumnDef
  Alias* alias = nullptr;
  NodeList coldeflist;  // ColumnDef
  FIELDS(lateral, ordinality, is_rowsfrom, functions, alias, coldeflist)
};

// XMLTABLE.
struct RangeTableFunc : NodeOf<Tag::kRangeTableFunc> {
  bool lateral = false;
  Node* docexpr = nullptr;
  Node* rowexpr = nullptr;
  NodeList namespaces;  // ResTarget
  NodeList columns;     // RangeTableFuncCol
  Alias* alias = nullptr;
  Location location;
  FIELDS(lateral, docexpr, rowexpr, namespaces, columns, alias, location)
};

struct RangeTableFuncCol : NodeOf<Tag::kRangeTableFuncCol> {
  std::string_view colname;
  TypeName* type_name = nullptr;
  bool for_ordinality = false;
  bool is_not_null = false;
  Node* colexpr = nullptr;
  Node* coldefexpr = nullptr;
  Location location;
  FIELDS(colname, type_name, for_ordinality, is_not_null, colexpr, coldefexpr, location)
};

// relation TABLESAMPLE method(args) REPEATABLE (repeatable).
struct RangeTableSample : NodeOf<Tag::kRangeTableSample> {
  Node* relation = nullptr;
  NodeList method;  // String
  NodeList args;
  Node* repeatable = nullptr;
  Location location;
  FIELDS(relation, method, args, repeatable, location)
};

// select_stmt is null for DEFAULT VALUES.
struct InsertStmt : NodeOf<Tag::kInsertStmt> {
  RangeVar* relation = nullptr;
  NodeList cols;  // ResTarget
  Node* select_stmt = nullptr;
  OnConflictClause* on_conflict_clause = nullptr;
  NodeList returning_list;  // ResTarget
  WithClause* with_clause = nullptr;
  OverridingKind override = OverridingKind::kNotSet;
  FIELDS(relation, cols, select_stmt, on_conflict_clause, returning_list, with_clause, override)
};

struct OnConflictClause : NodeOf<Tag::kOnConflictClause> {
  OnConflictAction action = OnConflictAction::kNone;
  InferClause* infer = nullptr;
  NodeList target_list;  // ResTarget
  Node* where_clause = nullptr;
  Location location;
  FIELDS(action, infer, target_list, where_clause, location)
};

struct InferClause : NodeOf<Tag::kInferClause> {
  NodeList index_elems;  // IndexElem
  Node* where_clause = nullptr;
  std::string_view conname;
  Location location;
  FIELDS(index_elems, where_clause, conname, location)
};

struct DeleteStmt : NodeOf<Tag::kDeleteStmt> {
  RangeVar* relation = nullptr;
  NodeList using_clause;
  Node* where_clause = nullptr;
  NodeList returning_list;  // ResTarget
  WithClause* with_clause = nullptr;
  FIELDS(relation, using_clause, where_clause, returning_list, with_clause)
};

struct UpdateStmt : NodeOf<Tag::kUpdateStmt> {
  RangeVar* relation = nullptr;
  NodeList target_list;  // ResTarget
  Node* where_clause = nullptr;
  NodeList from_clause;
  NodeList returning_list;  // ResTarget
  WithClause* with_clause = nullptr;
  FIELDS(relation, target_list, where_clause, from_clause, returning_list, with_clause)
};

struct MergeStmt : NodeOf<Tag::kMergeStmt> {
  RangeVar* relation = nullptr;
  Node* source_relation = nullptr;
  Node* join_condition = nullptr;
  NodeList merge_when_clauses;  // MergeWhenClause
  WithClause* with_clause = nullptr;
  FIELDS(relation, source_relation, join_condition, merge_when_clauses, with_clause)
};

struct MergeWhenClause : NodeOf<Tag::kMergeWhenClause> {
  bool matched = false;
  CmdType command_type = CmdType::kUnknown;
  OverridingKind override = OverridingKind::kNotSet;
  Node* condition = nullptr;
  NodeList target_list;  // ResTarget
  NodeList values;       // expressions
  FIELDS(matched, command_type, override, condition, target_list, values)
};

// Target of SELECT INTO and CREATE TABLE AS.
struct IntoClause : NodeOf<Tag::kIntoClause> {
  RangeVar* rel = nullptr;
  NodeList col_names;  // String
  std::string_view access_method;
  NodeList options;  // DefElem
  OnCommitAction on_commit = OnCommitAction::kNoop;
  std::string_view table_space_name;
  bool skip_data = false;
  FIELDS(rel, col_names, access_method, options, on_commit, table_space_name, skip_data)
};

// RETURN of an SQL-standard function body.
struct ReturnStmt : NodeOf<Tag::kReturnStmt> {
  Node* returnval = nullptr;
  FIELDS(returnval)
};

// PL/pgSQL assignment.
struct PlAssignStmt : NodeOf<Tag::kPlAssignStmt> {
  std::string_view name;
  NodeList indirection;
  int32_t nnames = 0;
  SelectStmt* val = nullptr;
  Location location;
  FIELDS(name, indirection, nnames, val, location)
};

}  // namespace walden::ast

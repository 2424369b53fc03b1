// Tables and what hangs on them: columns, constraints, indexes, partitions, views, sequences, rules,
// triggers. Field names follow PostgreSQL's raw parse nodes. Everything lives in the arena of its ParseTree;
// see ast_node.h for ownership.
#pragma once

#include "node/sql/parser/ast_node.h"

namespace walden::ast {

struct CollateClause;
struct IntoClause;
struct PartitionBoundSpec;
struct PartitionSpec;
struct RangeVar;
struct RoleSpec;
struct TypeName;

// CREATE TABLE.
struct CreateStmt : NodeOf<Tag::kCreateStmt> {
  RangeVar* relation = nullptr;
  NodeList table_elts;     // ColumnDef, TableLikeClause, Constraint
  NodeList inh_relations;  // RangeVar
  PartitionBoundSpec* partbound = nullptr;
  PartitionSpec* partspec = nullptr;
  TypeName* of_typename = nullptr;
  NodeList constraints;  // Constraint
  NodeList options;      // DefElem
  OnCommitAction oncommit = OnCommitAction::kNoop;
  std::string_view tablespacename;
  std::string_view access_method;
  bool if_not_exists = false;
  FIELDS(relation, table_elts, inh_relations, partbound, partspec, of_typename, constraints, options,
         oncommit, tablespacename, access_method, if_not_exists)
};

struct CreateForeignTableStmt : NodeOf<Tag::kCreateForeignTableStmt> {
  CreateStmt* base = nullptr;
  std::string_view servername;
  NodeList options;
  FIELDS(base, servername, options)
};

struct ColumnDef : NodeOf<Tag::kColumnDef> {
  std::string_view colname;
  TypeName* type_name = nullptr;
  std::string_view compression;
  bool is_local = false;
  bool is_not_null = false;
  char storage = 0;
  Node* raw_default = nullptr;
  char identity = 0;
  RangeVar* identity_sequence = nullptr;
  char generated = 0;
  CollateClause* coll_clause = nullptr;
  NodeList constraints;  // Constraint
  NodeList fdwoptions;   // DefElem
  Location location;
  FIELDS(colname, type_name, compression, is_local, is_not_null, storage, raw_default, identity,
         identity_sequence, generated, coll_clause, constraints, fdwoptions, location)
};

// LIKE relation; options are TableLikeOption bits.
struct TableLikeClause : NodeOf<Tag::kTableLikeClause> {
  RangeVar* relation = nullptr;
  uint32_t options = 0;
  FIELDS(relation, options)
};

// Column or table constraint; which fields are set depends on contype.
struct Constraint : NodeOf<Tag::kConstraint> {
  ConstrType contype = ConstrType::kNull;
  std::string_view conname;
  bool deferrable = false;
  bool initdeferred = false;
  Location location;
  bool is_no_inherit = false;
  Node* raw_expr = nullptr;
  char generated_when = 0;
  bool nulls_not_distinct = false;
  NodeList keys;        // String
  NodeList including;   // String
  NodeList exclusions;  // ListNode of IndexElem and ListNode (operator name)
  NodeList options;     // DefElem
  std::string_view indexname;
  std::string_view indexspace;
  std::string_view access_method;
  Node* where_clause = nullptr;
  RangeVar* pktable = nullptr;
  NodeList fk_attrs;  // String
  NodeList pk_attrs;  // String
  char fk_matchtype = 0;
  char fk_upd_action = 0;
  char fk_del_action = 0;
  NodeList fk_del_set_cols;  // String
  bool skip_validation = false;
  bool initially_valid = false;
  FIELDS(contype, conname, deferrable, initdeferred, location, is_no_inherit, raw_expr, generated_when,
         nulls_not_distinct, keys, including, exclusions, options, indexname, indexspace, access_method,
         where_clause, pktable, fk_attrs, pk_attrs, fk_matchtype, fk_upd_action, fk_del_action,
         fk_del_set_cols, skip_validation, initially_valid)
};

// name = value of an option list; arg may be null.
struct DefElem : NodeOf<Tag::kDefElem> {
  std::string_view defnamespace;
  std::string_view defname;
  Node* arg = nullptr;
  DefElemAction defaction = DefElemAction::kUnspec;
  Location location;
  FIELDS(defnamespace, defname, arg, defaction, location)
};

// PARTITION BY strategy ("hash", "list", "range").
struct PartitionSpec : NodeOf<Tag::kPartitionSpec> {
  std::string_view strategy;
  NodeList part_params;  // PartitionElem
  Location location;
  FIELDS(strategy, part_params, location)
};

struct PartitionElem : NodeOf<Tag::kPartitionElem> {
  std::string_view name;
  Node* expr = nullptr;
  NodeList collation;  // String
  NodeList opclass;    // String
  Location location;
  FIELDS(name, expr, collation, opclass, location)
};

// strategy 'h', 'l', 'r'.
struct PartitionBoundSpec : NodeOf<Tag::kPartitionBoundSpec> {
  char strategy = 0;
  bool is_default = false;
  int32_t modulus = 0;
  int32_t remainder = 0;
  NodeList listdatums;
  NodeList lowerdatums;
  NodeList upperdatums;
  Location location;
  FIELDS(strategy, is_default, modulus, remainder, listdatums, lowerdatums, upperdatums, location)
};

struct PartitionRangeDatum : NodeOf<Tag::kPartitionRangeDatum> {
  PartitionRangeDatumKind kind = PartitionRangeDatumKind::kMinvalue;
  Node* value = nullptr;
  Location location;
  FIELDS(kind, value, location)
};

// ATTACH or DETACH PARTITION.
struct PartitionCmd : NodeOf<Tag::kPartitionCmd> {
  RangeVar* name = nullptr;
  PartitionBoundSpec* bound = nullptr;
  bool concurrent = false;
  FIELDS(name, bound, concurrent)
};

struct AlterTableStmt : NodeOf<Tag::kAlterTableStmt> {
  RangeVar* relation = nullptr;
  NodeList cmds;  // AlterTableCmd
  ObjectType objtype = ObjectType::kAccessMethod;
  bool missing_ok = false;
  FIELDS(relation, cmds, objtype, missing_ok)
};

// One action; def is what subtype needs (ColumnDef, Constraint, expression, ListNode of DefElem ...).
struct AlterTableCmd : NodeOf<Tag::kAlterTableCmd> {
  AlterTableType subtype = AlterTableType::kAddColumn;
  std::string_view name;
  int16_t num = 0;
  RoleSpec* newowner = nullptr;
  Node* def = nullptr;
  DropBehavior behavior = DropBehavior::kRestrict;
  bool missing_ok = false;
  FIELDS(subtype, name, num, newowner, def, behavior, missing_ok)
};

struct ReplicaIdentityStmt : NodeOf<Tag::kReplicaIdentityStmt> {
  char identity_type = 0;
  std::string_view name;
  FIELDS(identity_type, name)
};

// ALTER TABLE ALL IN TABLESPACE.
struct AlterTableMoveAllStmt : NodeOf<Tag::kAlterTableMoveAllStmt> {
  std::string_view orig_tablespacename;
  ObjectType objtype = ObjectType::kAccessMethod;
  NodeList roles;  // RoleSpec
  std::string_view new_tablespacename;
  bool nowait = false;
  FIELDS(orig_tablespacename, objtype, roles, new_tablespacename, nowait)
};

struct IndexElem : NodeOf<Tag::kIndexElem> {
  std::string_view name;
  Node* expr = nullptr;
  std::string_view indexcolname;
  NodeList collation;    // String
  NodeList opclass;      // String
  NodeList opclassopts;  // DefElem
  SortByDir ordering = SortByDir::kDefault;
  SortByNulls nulls_ordering = SortByNulls::kDefault;
  FIELDS(name, expr, indexcolname, collation, opclass, opclassopts, ordering, nulls_ordering)
};

struct IndexStmt : NodeOf<Tag::kIndexStmt> {
  std::string_view idxname;
  RangeVar* relation = nullptr;
  std::string_view access_method;
  std::string_view table_space;
  NodeList index_params;            // IndexElem
  NodeList index_including_params;  // IndexElem
  NodeList options;                 // DefElem
  Node* where_clause = nullptr;
  NodeList exclude_op_names;  // ListNode of String
  bool unique = false;
  bool nulls_not_distinct = false;
  bool primary = false;
  bool isconstraint = false;
  bool deferrable = false;
  bool initdeferred = false;
  bool concurrent = false;
  bool if_not_exists = false;
  FIELDS(idxname, relation, access_method, table_space, index_params, index_including_params, options,
         where_clause, exclude_op_names, unique, nulls_not_distinct, primary, isconstraint, deferrable,
         initdeferred, concurrent, if_not_exists)
};

struct CreateStatsStmt : NodeOf<Tag::kCreateStatsStmt> {
  NodeList defnames;    // String
  NodeList stat_types;  // String
  NodeList exprs;       // StatsElem
  NodeList relations;   // RangeVar
  bool if_not_exists = false;
  FIELDS(defnames, stat_types, exprs, relations, if_not_exists)
};

struct StatsElem : NodeOf<Tag::kStatsElem> {
  std::string_view name;
  Node* expr = nullptr;
  FIELDS(name, expr)
};

struct AlterStatsStmt : NodeOf<Tag::kAlterStatsStmt> {
  NodeList defnames;  // String
  int32_t stxstattarget = 0;
  bool missing_ok = false;
  FIELDS(defnames, stxstattarget, missing_ok)
};

struct CreateSeqStmt : NodeOf<Tag::kCreateSeqStmt> {
  RangeVar* sequence = nullptr;
  NodeList options;  // DefElem
  bool for_identity = false;
  bool if_not_exists = false;
  FIELDS(sequence, options, for_identity, if_not_exists)
};

struct AlterSeqStmt : NodeOf<Tag::kAlterSeqStmt> {
  RangeVar* sequence = nullptr;
  NodeList options;  // DefElem
  bool for_identity = false;
  bool missing_ok = false;
  FIELDS(sequence, options, for_identity, missing_ok)
};

struct ViewStmt : NodeOf<Tag::kViewStmt> {
  RangeVar* view = nullptr;
  NodeList aliases;  // String
  Node* query = nullptr;
  bool replace = false;
  NodeList options;  // DefElem
  ViewCheckOption with_check_option = ViewCheckOption::kNone;
  FIELDS(view, aliases, query, replace, options, with_check_option)
};

// CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW (objtype kMatView). query is a SelectStmt or
// ExecuteStmt.
struct CreateTableAsStmt : NodeOf<Tag::kCreateTableAsStmt> {
  Node* query = nullptr;
  IntoClause* into = nullptr;
  ObjectType objtype = ObjectType::kAccessMethod;
  bool is_select_into = false;
  bool if_not_exists = false;
  FIELDS(query, into, objtype, is_select_into, if_not_exists)
};

struct RefreshMatViewStmt : NodeOf<Tag::kRefreshMatViewStmt> {
  bool concurrent = false;
  bool skip_data = false;
  RangeVar* relation = nullptr;
  FIELDS(concurrent, skip_data, relation)
};

struct RuleStmt : NodeOf<Tag::kRuleStmt> {
  RangeVar* relation = nullptr;
  std::string_view rulename;
  Node* where_clause = nullptr;
  CmdType event = CmdType::kUnknown;
  bool instead = false;
  NodeList actions;  // statements
  bool replace = false;
  FIELDS(relation, rulename, where_clause, event, instead, actions, replace)
};

// timing and events are TriggerType bits.
struct CreateTrigStmt : NodeOf<Tag::kCreateTrigStmt> {
  bool replace = false;
  bool isconstraint = false;
  std::string_view trigname;
  RangeVar* relation = nullptr;
  NodeList funcname;  // String
  NodeList args;      // String
  bool row = false;
  int16_t timing = 0;
  int16_t events = 0;
  NodeList columns;  // String
  Node* when_clause = nullptr;
  NodeList transition_rels;  // TriggerTransition
  bool deferrable = false;
  bool initdeferred = false;
  RangeVar* constrrel = nullptr;
  FIELDS(replace, isconstraint, trigname, relation, funcname, args, row, timing, events, columns, when_clause,
         transition_rels, deferrable, initdeferred, constrrel)
};

struct TriggerTransition : NodeOf<Tag::kTriggerTransition> {
  std::string_view name;
  bool is_new = false;
  bool is_table = false;
  FIELDS(name, is_new, is_table)
};

struct TruncateStmt : NodeOf<Tag::kTruncateStmt> {
  NodeList relations;  // RangeVar
  bool restart_seqs = false;
  DropBehavior behavior = DropBehavior::kRestrict;
  FIELDS(relations, restart_seqs, behavior)
};

// mode: 1 ACCESS SHARE ... 8 ACCESS EXCLUSIVE.
struct LockStmt : NodeOf<Tag::kLockStmt> {
  NodeList relations;  // RangeVar
  int32_t mode = 0;
  bool nowait = false;
  FIELDS(relations, mode, nowait)
};

}  // namespace walden::ast

// Transactions, cursors, settings, maintenance and the other utility statements. Field names follow
// PostgreSQL's raw parse nodes. Everything lives in the arena of its ParseTree; see ast_node.h for ownership.
#pragma once

#include "node/sql/parser/ast_node.h"

namespace walden::ast {

struct RangeVar;

struct TransactionStmt : NodeOf<Tag::kTransactionStmt> {
  TransactionStmtKind kind = TransactionStmtKind::kBegin;
  NodeList options;  // DefElem: transaction_isolation, transaction_read_only, transaction_deferrable
  std::string_view savepoint_name;
  std::string_view gid;
  bool chain = false;
  FIELDS(kind, options, savepoint_name, gid, chain)
};

struct ConstraintsSetStmt : NodeOf<Tag::kConstraintsSetStmt> {
  NodeList constraints;  // RangeVar; empty means ALL
  bool deferred = false;
  FIELDS(constraints, deferred)
};

// SET, RESET.
struct VariableSetStmt : NodeOf<Tag::kVariableSetStmt> {
  VariableSetKind kind = VariableSetKind::kSetValue;
  std::string_view name;
  NodeList args;  // AConst, TypeCast, DefElem
  bool is_local = false;
  FIELDS(kind, name, args, is_local)
};

struct VariableShowStmt : NodeOf<Tag::kVariableShowStmt> {
  std::string_view name;
  FIELDS(name)
};

struct AlterSystemStmt : NodeOf<Tag::kAlterSystemStmt> {
  VariableSetStmt* setstmt = nullptr;
  FIELDS(setstmt)
};

struct DiscardStmt : NodeOf<Tag::kDiscardStmt> {
  DiscardMode target = DiscardMode::kAll;
  FIELDS(target)
};

struct PrepareStmt : NodeOf<Tag::kPrepareStmt> {
  std::string_view name;
  NodeList argtypes;  // TypeName
  Node* query = nullptr;
  FIELDS(name, argtypes, query)
};

struct ExecuteStmt : NodeOf<Tag::kExecuteStmt> {
  std::string_view name;
  NodeList params;  // expressions
  FIELDS(name, params)
};

// name is null for ALL.
struct DeallocateStmt : NodeOf<Tag::kDeallocateStmt> {
  std::string_view name;
  FIELDS(name)
};

// options are CursorOption bits.
struct DeclareCursorStmt : NodeOf<Tag::kDeclareCursorStmt> {
  std::string_view portalname;
  int32_t options = 0;
  Node* query = nullptr;
  FIELDS(portalname, options, query)
};

// portalname is null for ALL.
struct ClosePortalStmt : NodeOf<Tag::kClosePortalStmt> {
  std::string_view portalname;
  FIELDS(portalname)
};

// how_many is kFetchAll for ALL.
struct FetchStmt : NodeOf<Tag::kFetchStmt> {
  FetchDirection direction = FetchDirection::kForward;
  int64_t how_many = 0;
  std::string_view portalname;
  bool ismove = false;
  FIELDS(direction, how_many, portalname, ismove)
};

struct CopyStmt : NodeOf<Tag::kCopyStmt> {
  RangeVar* relation = nullptr;
  Node* query = nullptr;
  NodeList attlist;  // String
  bool is_from = false;
  bool is_program = false;
  std::string_view filename;
  NodeList options;  // DefElem
  Node* where_clause = nullptr;
  FIELDS(relation, query, attlist, is_from, is_program, filename, options, where_clause)
};

struct ExplainStmt : NodeOf<Tag::kExplainStmt> {
  Node* query = nullptr;
  NodeList options;  // DefElem
  FIELDS(query, options)
};

// VACUUM, or ANALYZE when is_vacuumcmd is false.
struct VacuumStmt : NodeOf<Tag::kVacuumStmt> {
  NodeList options;  // DefElem
  NodeList rels;     // VacuumRelation
  bool is_vacuumcmd = false;
  FIELDS(options, rels, is_vacuumcmd)
};

struct VacuumRelation : NodeOf<Tag::kVacuumRelation> {
  RangeVar* relation = nullptr;
  NodeList va_cols;  // String
  FIELDS(relation, va_cols)
};

struct ClusterStmt : NodeOf<Tag::kClusterStmt> {
  RangeVar* relation = nullptr;
  std::string_view indexname;
  NodeList params;  // DefElem
  FIELDS(relation, indexname, params)
};

struct ReindexStmt : NodeOf<Tag::kReindexStmt> {
  ReindexObjectType kind = ReindexObjectType::kIndex;
  RangeVar* relation = nullptr;
  std::string_view name;
  NodeList params;  // DefElem
  FIELDS(kind, relation, name, params)
};

struct CheckPointStmt : NodeOf<Tag::kCheckPointStmt> {
  NO_FIELDS()
};

struct NotifyStmt : NodeOf<Tag::kNotifyStmt> {
  std::string_view conditionname;
  std::string_view payload;
  FIELDS(conditionname, payload)
};

struct ListenStmt : NodeOf<Tag::kListenStmt> {
  std::string_view conditionname;
  FIELDS(conditionname)
};

// conditionname is null for "*".
struct UnlistenStmt : NodeOf<Tag::kUnlistenStmt> {
  std::string_view conditionname;
  FIELDS(conditionname)
};

struct LoadStmt : NodeOf<Tag::kLoadStmt> {
  std::string_view filename;
  FIELDS(filename)
};

}  // namespace walden::ast

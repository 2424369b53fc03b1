// Entry point of the utility statements.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "node/catalog/relation.h"
#include "node/sql/binder/binder.h"
#include "node/sql/commands/vacuum_cost.h"
#include "node/sql/functions/registry.h"
#include "node/sql/parser/ast.h"
#include "node/sql/parser/parser.h"
#include "node/sql/query/query.h"

namespace walden {

// What commands need of the layer that can plan and run queries (the session).
class QueryRunner {
 public:
  virtual ~QueryRunner() = default;
  // Rewrites, plans and runs a bound query; `row` gets each result row (valid during the call). Returns their number.
  virtual uint64_t RunQuery(Query* query, const std::function<void(std::span<const Value> row)>& row) = 0;
  // The same for SQL text, as the current role; every statement. Rows are dropped when `row` is empty.
  virtual uint64_t RunSql(std::string_view sql,
                          const std::function<void(std::span<const Value> row)>& row = {}) = 0;
};

struct CommandContext {
  Arena& arena;  // lives as long as the command
  CatalogReader& catalog;
  std::string_view source;  // the statement's text
  const TextFormat& format;
  SessionHooks* session = nullptr;  // names for reg* values, notices
  QueryRunner* queries = nullptr;
  bool is_top_level = true;           // came from the client, not from a function
  bool in_transaction_block = false;  // BEGIN was said, or other statements share the transaction

  BindOptions Bind() const {
    return {.arena = arena, .catalog = catalog, .source = source, .format = format, .names = session};
  }
  int Position(Location location) const { return CharacterPosition(source, location); }
  // Makes what was done visible to what follows.
  void Advance();
};

// Runs a statement; returns its command tag. Throws 0A000 for statements that are not supported.
// Not here: transactions, SET/SHOW, PREPARE, cursors, COPY, EXPLAIN, LISTEN, which belong to the session.
std::string RunCommand(const ast::Node& statement, CommandContext& context);
// Whether RunCommand knows statements of this kind.
bool IsCommand(ast::Tag tag);
// Whether a statement of this kind may run in a read-only transaction or on a standby.
bool IsReadOnlyCommand(const ast::Node& statement);

// ON COMMIT DROP and DELETE ROWS of temporary tables: registers with txn once per process.
void InstallCommandHooks();

// DISCARD SEQUENCES: this session forgets what it fetched ahead, currval and lastval.
void ForgetAllSequences();

// Turns a role's password into what pg_authid stores; bound by the composition root.
void SetPasswordEncoder(std::string (*encode)(std::string_view role, std::string_view password));

// Functions that need catalogs or sequences: registered by the composition root (AddScalarFunctions).
std::span<const ScalarFunction> SequenceFunctions();

// VACUUM and ANALYZE of one table for autovacuum, in the caller's hands: each starts and ends its own transactions.
struct VacuumRequest {
  bool vacuum = true;
  bool analyze = false;
  bool full = false;
  bool verbose = false;
  bool freeze = false;
  bool truncate = true;
  bool index_cleanup = true;
  bool disable_page_skipping = false;
  bool is_autovacuum = false;
  bool skip_locked = false;
  bool process_toast = true;
  int64_t memory_kb = 0;             // 0: maintenance_work_mem
  int64_t log_min_duration_ms = -1;  // autovacuum: logs what takes as long; -1: nothing
  VacuumCost (*cost)() = nullptr;    // null: the session's settings
};
// How far rows name only settled transactions, after a run with `freeze`.
struct VacuumOutcome {
  bool settled = false;
  Xid oldest_xid;
  MultiXactId oldest_multi;
};
// False: locked by somebody, or gone. On error its transaction is rolled back.
bool VacuumRelationNow(Oid relation, const VacuumRequest& request, VacuumOutcome* outcome = nullptr);

}  // namespace walden

// A bound, rewritten and planned query with its executor kept ready, and the rules by which it may be used again.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "node/session/result_sink.h"
#include "node/sql/binder/binder.h"
#include "node/sql/executor/executor.h"
#include "node/sql/plan/plan.h"

namespace walden {

struct PlannedQuery {
  PlannedQuery() : statement(std::make_unique<PlannedStatement>()) {}

  std::unique_ptr<PlannedStatement> statement;  // its arena owns the query tree too
  std::vector<ResultColumn> columns;            // empty: no rows
  std::unique_ptr<Executor> idle;               // ready to start; taken while an execution uses it
  // What it was made under (IsCurrent).
  uint64_t cache_generation = 0;
  uint64_t search_path_generation = 0;
  int64_t query_id = 0;
  Oid role = Oid::kInvalid;
  // CheckPermissions found everything allowed at this generation of the caches (and by this role); 0: not yet.
  uint64_t permitted_generation = 0;
  // Blocks of its tables, all together, when it was made; uses since they were last looked at.
  uint64_t blocks = 0;
  uint32_t uses = 0;

  bool answers_with_count = false;

  bool returns_rows() const { return !columns.empty() || statement->command == CmdType::kSelect; }
};
using PlannedQueryRef = std::shared_ptr<PlannedQuery>;

// Plans a bound query (one that Bind gave) in `planned`, whose statement's arena holds it. `tuple_fraction`: how much of its result
// will be fetched, 0 for all.
void RewriteAndPlan(Query* query, const BindOptions& options, SessionHooks* session,
                    std::span<const Value> parameters, PlannedQuery* planned, double tuple_fraction = 0);

// How much of a cursor's rows cursor_tuple_fraction says will be fetched; 0 for all.
double CursorTupleFraction();

// Locks the relations of a plan as the statement needs; afterwards IsCurrent tells whether it may be executed.
void LockRelations(const PlannedStatement& statement);
bool IsCurrent(const PlannedQuery& planned);
// Privileges of every range table entry. Throws 42501. What was found allowed stays so until some catalog row changes.
void CheckPermissions(PlannedQuery* planned);
// Have its tables grown or shrunk so much since that another plan may be better? Looks now and then only. Its relations are locked.
bool HasOutgrownTables(PlannedQuery* planned);
// 25006 where the transaction is read-only.
void CheckReadOnly(const PlannedStatement& statement);

// "SELECT 5", "INSERT 0 1", ...
std::string CompletionTag(const PlannedStatement& statement, uint64_t rows);

}  // namespace walden

// SET CONSTRAINTS.
#include "node/catalog/catalog_table.h"
#include "node/catalog/namespace.h"
#include "node/catalog/syscache.h"
#include "node/sql/commands/command_names.h"
#include "node/sql/commands/command_parts.h"
#include "node/sql/executor/deferred_checks.h"

namespace walden {
namespace {

// Constraints of this name in the first schema of the search path that has any (or the one named).
std::vector<Oid> ConstraintsNamed(const ast::RangeVar& name) {
  std::vector<Oid> schemas;
  if (!IsAbsent(name.schemaname)) {
    schemas.push_back(FindNamespace(name.schemaname));
  } else {
    schemas = SearchPath();
  }
  for (Oid schema : schemas) {
    std::vector<Oid> found;
    for (const PgConstraintRow& row : ReadRows<PgConstraintRow>(catalog_index::kPgConstraintConnameNspIndex,
                                                                {std::string(name.relname), schema})) {
      if (!row.condeferrable) {
        throw SqlError(ErrorCode::kWrongObjectType, "constraint \"{}\" is not deferrable", name.relname);
      }
      found.push_back(row.oid);
    }
    if (!found.empty()) return found;
  }
  throw SqlError(ErrorCode::kUndefinedObject, "constraint \"{}\" does not exist", name.relname);
}

}  // namespace

void RunSetConstraints(const ast::ConstraintsSetStmt& statement, CommandContext& context) {
  if (!context.in_transaction_block) {
    Warning(ErrorCode::kNoActiveSqlTransaction, "SET CONSTRAINTS can only be used in transaction blocks");
  }
  std::vector<Oid> constraints;
  for (const ast::Node* node : statement.constraints) {
    std::vector<Oid> found = ConstraintsNamed(*ast::As<ast::RangeVar>(node));
    constraints.insert(constraints.end(), found.begin(), found.end());
  }
  SetConstraintTiming(constraints, statement.deferred);
}

}  // namespace walden

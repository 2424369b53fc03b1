#include "node/session/planned_query.h"

#include <charconv>

#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/namespace.h"
#include "node/catalog/relation.h"
#include "node/catalog/syscache.h"
#include "node/session/count_answer.h"
#include "node/sql/binder/rewriter.h"
#include "node/sql/optimizer/planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/storage/relation_file.h"
#include "node/txn/lock_manager.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

std::vector<ResultColumn> ResultColumnsOf(const PlannedStatement& statement) {
  std::vector<ResultColumn> columns;
  for (const TargetEntry* entry : statement.result) {
    columns.push_back({IsAbsent(entry->resname) ? std::string_view("?column?") : entry->resname,
                       entry->resorigtbl, entry->resorigcol, ExprType(entry->expr), ExprTypmod(entry->expr)});
  }
  return columns;
}

bool HasColumnRights(const RangeTblEntry& rte, Oid role, const List<int32_t>& columns, AclMode mode,
                     AttrNumber* denied) {
  for (int32_t attno : columns) {
    AclResult result = attno == 0 ? CheckAllColumns(rte.relid, role, mode)
                                  : CheckColumn(rte.relid, static_cast<AttrNumber>(attno), role, mode);
    if (result == AclResult::kOk) continue;
    *denied = static_cast<AttrNumber>(attno);
    return false;
  }
  return true;
}

// Rights that the relation's own list lacks may be given column by column.
void CheckEntry(const RangeTblEntry& rte) {
  if (rte.required_perms == 0 || !IsValid(rte.relid)) return;
  Oid role = IsValid(rte.check_as_user) ? rte.check_as_user : session_identity().current_role;
  if (CheckRelation(rte.relid, role, rte.required_perms, /*all_needed=*/true) == AclResult::kOk) return;
  AclMode missing = 0;
  for (AclMode bit : {acl::kSelect, acl::kInsert, acl::kUpdate, acl::kDelete}) {
    if ((rte.required_perms & bit) && CheckRelation(rte.relid, role, bit) != AclResult::kOk) missing |= bit;
  }
  AttrNumber denied = 0;
  bool allowed = (missing & acl::kDelete) == 0;
  if (allowed && (missing & acl::kSelect)) {
    allowed = rte.selected_cols.empty()
                  ? CheckAnyColumn(rte.relid, role, acl::kSelect) == AclResult::kOk
                  : HasColumnRights(rte, role, rte.selected_cols, acl::kSelect, &denied);
  }
  if (allowed && (missing & acl::kInsert)) {
    allowed =
        !rte.inserted_cols.empty() && HasColumnRights(rte, role, rte.inserted_cols, acl::kInsert, &denied);
  }
  if (allowed && (missing & acl::kUpdate)) {
    allowed =
        !rte.updated_cols.empty() && HasColumnRights(rte, role, rte.updated_cols, acl::kUpdate, &denied);
  }
  if (allowed) return;
  ThrowUnlessOk(AclResult::kNoPrivilege, RelationObjectKind(rte.relkind), RelationName(rte.relid));
}

constexpr uint32_t kUsesBetweenLooks = 16;
constexpr uint64_t kSmallTableBlocks = 16;

uint64_t BlocksOf(const PlannedStatement& statement) {
  uint64_t blocks = 0;
  for (Oid oid : statement.relations) {
    RelationRef relation = TryOpenRelation(oid, LockMode::kNone);
    if (relation != nullptr && relation->has_storage())
      blocks += RelationBlocks(LocatorOf(relation->row), Fork::kMain, true);
  }
  return blocks;
}

}  // namespace

void RewriteAndPlan(Query* query, const BindOptions& options, SessionHooks* session,
                    std::span<const Value> parameters, PlannedQuery* planned, double tuple_fraction) {
  planned->query_id = static_cast<int64_t>(query->query_id);
  List<Query*> rewritten = Rewrite(query, options);
  if (rewritten.size() != 1) throw NotSupported("rule that makes several queries of one");
  PlannerOptions planner_options;
  planner_options.session = session;
  planner_options.binding = &options;
  planner_options.parameters = parameters;
  planner_options.tuple_fraction = tuple_fraction;
  PlanQuery(rewritten[0], planner_options, planned->statement.get());
  planned->columns = ResultColumnsOf(*planned->statement);
  planned->cache_generation = CacheGeneration();
  planned->search_path_generation = SearchPathGeneration();
  planned->role = session_identity().current_role;
  planned->blocks = BlocksOf(*planned->statement);
  planned->answers_with_count = AnswersWithCount(*planned->statement);
}

void LockRelations(const PlannedStatement& statement) {
  for (uint32_t i = 0; i < statement.relations.size(); ++i) {
    AcquireLock(RelationLockTag(statement.relations[i]), static_cast<LockMode>(statement.relation_locks[i]));
  }
  AcceptInvalidations();
}

bool IsCurrent(const PlannedQuery& planned) {
  return planned.cache_generation == CacheGeneration() &&
         planned.search_path_generation == SearchPathGeneration() &&
         planned.role == session_identity().current_role;
}

void CheckPermissions(PlannedQuery* planned) {
  // Generations begin at 0, before anything is cached. A plan is used by the role that it was made for only.
  uint64_t generation = CacheGeneration() + 1;
  if (planned->permitted_generation == generation) return;
  for (const RangeTblEntry* rte : planned->statement->rtable) CheckEntry(*rte);
  // Looking up rights may have brought news.
  if (generation == CacheGeneration() + 1) planned->permitted_generation = generation;
}

bool HasOutgrownTables(PlannedQuery* planned) {
  if (++planned->uses < kUsesBetweenLooks) return false;
  planned->uses = 0;
  uint64_t blocks = BlocksOf(*planned->statement);
  return blocks > 2 * planned->blocks + kSmallTableBlocks || planned->blocks > 2 * blocks + kSmallTableBlocks;
}

void CheckReadOnly(const PlannedStatement& statement) {
  if (!TransactionReadOnly()) return;
  if (!statement.is_read_only) {
    std::string_view name = statement.command == CmdType::kInsert   ? "INSERT"
                            : statement.command == CmdType::kUpdate ? "UPDATE"
                            : statement.command == CmdType::kDelete ? "DELETE"
                                                                    : "SELECT";
    const Plan* plan = statement.plan;
    if (plan->kind == PlanKind::kModifyTable) {
      RelationRef relation = OpenRelation(As<ModifyTablePlan>(plan)->relation, LockMode::kNone);
      if (relation->is_temporary()) return;
    }
    throw SqlError(ErrorCode::kReadOnlySqlTransaction, "cannot execute {} in a read-only transaction", name);
  }
  if (statement.has_row_marks) {
    throw SqlError(ErrorCode::kReadOnlySqlTransaction,
                   "cannot execute SELECT FOR UPDATE in a read-only transaction");
  }
}

std::string CompletionTag(const PlannedStatement& statement, uint64_t rows) {
  std::string_view name = statement.command == CmdType::kInsert   ? "INSERT 0 "
                          : statement.command == CmdType::kUpdate ? "UPDATE "
                          : statement.command == CmdType::kDelete ? "DELETE "
                                                                  : "SELECT ";
  char digits[20];
  char* end = std::to_chars(digits, digits + sizeof digits, rows).ptr;
  std::string tag(name);
  return tag.append(digits, static_cast<size_t>(end - digits));
}

}  // namespace walden

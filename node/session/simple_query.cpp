// The simple query protocol: whole texts, and the ways past parsing, analysis and planning for those that come again.
//
//   the same text               runs with the plan that the cache kept under it
//   a text seen before but      for its literals runs with a plan that takes them as parameters, where that plan does not depend on
//                               their values or is the better choice (PlanHistory)
//   any other text              is parsed; when it comes a second time it is remembered
#include "node/config/settings.h"
#include "node/session/session_state.h"
#include "node/session/statement_timeout.h"
#include "node/shm/interrupts.h"
#include "node/shm/log_context.h"

namespace walden {
namespace {

// Commands that only read their tree and mean the same each time.
bool IsRepeatableCommand(const ast::Node& statement) {
  switch (statement.tag) {
    case ast::Tag::kTransactionStmt:
    case ast::Tag::kVariableSetStmt:
    case ast::Tag::kVariableShowStmt:
    case ast::Tag::kFetchStmt:
    case ast::Tag::kExecuteStmt: return true;
    default: return false;
  }
}

}  // namespace

bool MayRemember(const PreparedStatement& statement) {
  if (statement.raw() == nullptr || statement.has_warnings()) return false;
  return statement.is_query() ? !statement.has_passing_literal : IsRepeatableCommand(*statement.statement());
}

// All statements of a text form one implicit transaction, unless they say otherwise.
Session::Result Session::SimpleQuery(std::string_view text) {
  StatementTimeout timeout;
  SessionState& state = *state_;
  state.unnamed_statement.reset();
  Result error = CatchStatementError([&] {
    state.log.Begin(!InTransaction());
    state.transaction.StartStatement();
    if (state.RunCached(text)) {
      state.transaction.FinishStatement(/*ends_implicit=*/true);
    } else {
      state.RunText(text);
    }
    state.log.Ends("statement", text);
  });
  state.is_one_of_several = false;
  if (error) state.transaction.AbortStatement();
  return error;
}

void SessionState::RunText(std::string_view text) {
  ParseResult tree = ParseText(text);
  if (tree->statements.empty()) {
    session.sink_.EmptyQuery();
    transaction.FinishStatement(/*ends_implicit=*/true);
    return;
  }
  for (const ast::RawStmt* statement : tree->statements) log.Runs(statement->stmt, "statement", text);
  bool single = tree->statements.size() == 1 && tree->warnings.empty();
  is_one_of_several = tree->statements.size() > 1;
  for (uint32_t i = 0; i < tree->statements.size(); ++i) {
    CheckInterrupts();
    transaction.StartStatement();
    auto statement = std::make_shared<PreparedStatement>(tree, tree->statements[i]);
    statement->takes_parameters = false;
    if (single && StatementCache::IsEnabled()) {
      RunAndRemember(text, statement);
    } else {
      RunStatement(statement);
    }
    transaction.FinishStatement(/*ends_implicit=*/i + 1 == tree->statements.size());
  }
}

bool SessionState::RunCached(std::string_view text) {
  is_stripped = false;
  if (transaction.failed() || !StatementCache::IsEnabled()) return false;
  StatementKey exact{StatementKeyKind::kText, text, {}};
  if (CachedStatementRef entry = statements.Find(exact)) return RunKept(exact, entry, text);
  if (!GetBool(Setting::kStandardConformingStrings) || !ScanFingerprint(text, &fingerprint)) return false;
  is_stripped = !fingerprint.literals.empty();
  if (!is_stripped) return false;
  StatementKey stripped{StatementKeyKind::kStripped, fingerprint.key, {}};
  CachedStatementRef entry = statements.Find(stripped);
  if (entry == nullptr || entry->statement == nullptr || !entry->statement->history.PrefersGeneric())
    return false;
  return RunKept(stripped, entry, text);
}

bool SessionState::RunKept(const StatementKey& key, const CachedStatementRef& entry, std::string_view text) {
  PreparedStatement& statement = *entry->statement;
  CheckInterrupts();
  Portal portal(entry->statement);
  if (statement.is_query()) {
    portal.plan = KeptPlan(&statement, {});
    if (portal.plan == nullptr ||
        (!statement.history.value_independent && HasOutgrownTables(portal.plan.get()))) {
      statements.Remove(key);
      return false;
    }
    session.format_.transaction_start_us = walden::TransactionStartTime();
    try {
      entry->literals.Read(text, fingerprint.literals, session.format_, &functions, portal.arena,
                           &portal.parameters);
    } catch (const SqlError&) {
      return false;  // analysis raises it again, and says where
    }
    if (!portal.parameters.empty()) ++statement.history.generic_plans;
  }
  log_context().command_tag = CommandTagName(statement.statement());
  log.Runs(statement.statement(), "statement", text);
  if (statement.is_query()) StartExecution(&portal);
  RunPortal(&portal, 0, /*describe=*/true);
  return true;
}

// Analyses the statement again and plans it with its literals as parameters; without a statement in it when that cannot be.
CachedStatementRef SessionState::ShareAmongLiterals(const PreparedStatementRef& statement) {
  auto entry = std::make_shared<CachedStatement>();
  SnapshotHold snapshot = TransactionSnapshot();
  ActiveSnapshotScope active(*snapshot);
  auto planned = std::make_shared<PlannedQuery>();
  BindOptions options = MakeBindOptions(planned->statement->arena, statement->source(), nullptr);
  Query* query = BindPrepared(statement.get(), options);
  auto literals = LiteralParameters::Extract(query, fingerprint.literals, planned->statement->arena);
  if (!literals) return entry;
  auto shared = std::make_shared<PreparedStatement>(*statement);
  shared->parameter_types = literals->Types();
  RewriteAndPlan(query, options, &functions, {}, planned.get());
  shared->plan = planned;
  shared->history.NoteGeneric(*planned->statement);
  entry->literals = std::move(*literals);
  entry->statement = std::move(shared);
  return entry;
}

void SessionState::RunAndRemember(std::string_view text, const PreparedStatementRef& statement) {
  CachedStatementRef shared;
  if (is_stripped && statement->is_query() && !transaction.failed()) {
    StatementKey stripped{StatementKeyKind::kStripped, fingerprint.key, {}};
    shared = statements.Find(stripped);
    if (shared == nullptr && statements.IsRepeated(stripped)) {
      shared = ShareAmongLiterals(statement);
      statements.Add(stripped, shared);
    }
    if (shared != nullptr && shared->statement == nullptr) shared = nullptr;
    bool generic = shared != nullptr && shared->statement->history.PrefersGeneric();
    if (generic && RunKept(stripped, shared, text)) return;
  }
  RunStatement(statement);
  if (shared != nullptr && statement->plan != nullptr)
    shared->statement->history.NoteCustom(*statement->plan->statement);
  StatementKey exact{StatementKeyKind::kText, text, {}};
  if (!MayRemember(*statement) || !statements.IsRepeated(exact)) return;
  auto entry = std::make_shared<CachedStatement>();
  entry->statement = statement;
  if (statement->plan != nullptr) statement->history.NoteGeneric(*statement->plan->statement);
  statements.Add(exact, std::move(entry));
}

}  // namespace walden

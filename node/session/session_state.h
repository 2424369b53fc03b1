// Private to session/: the inside of a Session, shared by its parts (one .cpp each).
#pragma once

#include <functional>
#include <map>

#include "node/config/settings.h"
#include "node/session/portal.h"
#include "node/session/session.h"
#include "node/session/session_functions.h"
#include "node/session/statement_cache.h"
#include "node/session/statement_log.h"
#include "node/sql/binder/session_reader.h"
#include "node/sql/query/tree_walk.h"
#include "node/txn/transaction.h"

namespace walden {

// Transaction control of the session: what BEGIN, COMMIT, SAVEPOINT and errors do.
struct SessionState;

class TransactionBlock {
 public:
  explicit TransactionBlock(SessionState& session) : session_(session) {}
  TransactionStatus status() const;
  bool in_block() const { return in_block_; }
  bool failed() const { return failed_; }

  // Before a statement: a transaction is in progress afterwards (unless the block has failed). `takes_time`: what follows it in the same
  // message, or comes after it without having been waited for, begins later.
  void StartStatement(bool takes_time = true);
  void ClientSent(TimestampUs at) { sent_at_ = at; }
  // After one that succeeded. `ends_implicit`: an implicit transaction commits now.
  void FinishStatement(bool ends_implicit);
  // After one that failed.
  void AbortStatement();
  // BEGIN ... ROLLBACK TO. Returns the command tag.
  std::string Run(const ast::TransactionStmt& statement);
  // Modes of BEGIN and SET TRANSACTION; those of SET SESSION CHARACTERISTICS.
  void ApplyOptions(const ast::NodeList& options);
  void SetDefaults(const ast::NodeList& options, const SetRequest& request);
  // The connection ends.
  void AbortAll();
  bool HasSavepoint() const { return !savepoints_.empty(); }
  size_t savepoint_depth() const { return savepoints_.size(); }

 private:
  struct Savepoint {
    std::string name;
    int level;
  };
  void Begin(const ast::TransactionStmt& statement);
  std::string Commit(const ast::TransactionStmt& statement);
  std::string Rollback(const ast::TransactionStmt& statement);
  void Define(std::string_view name);
  void Release(std::string_view name);
  void ReleaseFrom(size_t at);  // savepoint `at` and those inside it
  void RollbackTo(std::string_view name);
  size_t FindSavepoint(std::string_view name, std::string_view what) const;
  void EndTransaction(bool commit);
  void Warn(ErrorCode code, std::string message);
  void StartChained(bool chain);

  SessionState& session_;
  bool in_block_ = false;
  bool failed_ = false;
  std::vector<Savepoint> savepoints_;
  int setting_level_ = 0;  // of the transaction, 0: none open
  TimestampUs sent_at_ =
      0;  // when the client's message came, while nothing that takes time has run since; else 0
  struct Characteristics {
    IsolationLevel isolation = IsolationLevel::kReadCommitted;
    bool read_only = false;
    bool deferrable = false;
  };
  void UseCharacteristics(const Characteristics& wanted);
  Characteristics last_;  // of the transaction that ended last: AND CHAIN goes on with them
};

struct SessionState {
  explicit SessionState(Session& owner) : session(owner), functions(owner), transaction(*this) {}

  Session& session;
  SessionFunctions functions;
  TransactionBlock transaction;
  std::map<std::string, PreparedStatementRef, std::less<>> prepared;
  using Portals = std::map<std::string, std::unique_ptr<Portal>, std::less<>>;
  Portals portals;
  Portals::node_type spare_portal;  // cleared: the next Bind's
  PreparedStatementRef unnamed_statement;
  StatementCache statements;
  bool started = false;
  std::string database_name;
  StatementLog log;
  std::vector<Vector*> spare_columns;  // of the batch that was delivered last: keeps its memory

  // ---- statement.cpp
  // Runs one parsed statement to the end, its rows to the sink.
  void RunStatement(const PreparedStatementRef& statement);
  // Binds parameters' types and result columns without running.
  void Analyze(PreparedStatement* statement);
  // A plan that may be executed now, custom or generic as the statement's history says. Its relations are locked.
  PlannedQueryRef PlanFor(PreparedStatement* statement, std::span<const Value> parameters);
  // The plan kept from before if it may be executed now (its relations are locked then), else null.
  PlannedQueryRef KeptPlan(PreparedStatement* statement, std::span<const Value> parameters);
  // The generic plan: the one kept if it still holds.
  PlannedQueryRef GenericPlan(PreparedStatement* statement);
  PlannedQueryRef CustomPlan(PreparedStatement* statement, std::span<const Value> parameters);
  Query* BindPrepared(PreparedStatement* statement, const BindOptions& options);
  void StartPortal(Portal* portal);
  // Runs portal->plan, which has just been locked and found current.
  void StartExecution(Portal* portal);
  // Delivers up to `max_rows` (0: all) rows to the sink; sets portal->done at the end.
  void RunPortal(Portal* portal, uint64_t max_rows, bool describe);
  // The rows of a started query; returns its command tag, empty when it was suspended.
  std::string DeliverRows(Portal* portal, uint64_t max_rows, bool describe);
  void DeliverTextRows(Portal* portal, uint64_t max_rows, bool describe);
  BindOptions MakeBindOptions(Arena& arena, std::string_view source, ParameterTypes* parameters);
  // Under the session's settings; its warnings go to the client.
  ParseResult ParseText(std::string_view text);
  void ForwardWarnings(const ParseTree& tree);

  // ---- simple_query.cpp
  void RunText(std::string_view text);
  // Runs a text that the cache knows how to run; false: nothing was done.
  bool RunCached(std::string_view text);
  bool RunKept(const StatementKey& key, const CachedStatementRef& entry, std::string_view text);
  // One statement that was parsed just now: its text is the whole query.
  void RunAndRemember(std::string_view text, const PreparedStatementRef& statement);
  CachedStatementRef ShareAmongLiterals(const PreparedStatementRef& statement);
  Fingerprint fingerprint;   // of the text being run
  bool is_stripped = false;  // `fingerprint` is valid and has literals
  bool is_one_of_several =
      false;  // the statement that runs shares its text, and so its transaction, with others

  // ---- extended.cpp
  PreparedStatementRef FindParsed(const StatementKey& key);
  void DescribeUtility(const PreparedStatement& statement, Session::Description* description);
  TextRows described_names;  // owns the column names of the last described utility statement
  void RememberParsed(const StatementKey& key, const PreparedStatementRef& statement);

  // ---- utility.cpp
  // True when the statement is one of the session's own: then it has run, rows (if any) are in the portal.
  void RunUtility(Portal* portal);
  bool UtilityReturnsRows(const ast::Node& statement);
  // Columns of a utility statement before it runs; empty: no rows.
  std::vector<ResultColumn> UtilityColumns(const ast::Node& statement, TextRows* owner);
  CommandContext MakeCommandContext(Arena& arena, std::string_view source);

  // ---- variables.cpp
  std::string RunSet(const ast::VariableSetStmt& statement);
  std::string SetOne(const ast::VariableSetStmt& statement, const SetRequest& request);
  void WarnOutsideBlock(std::string_view command);
  void DiscardPlans();
  std::string RunShow(const ast::VariableShowStmt& statement, Portal* portal);
  std::string RunDiscard(const ast::DiscardStmt& statement);

  // ---- cursors.cpp
  std::string RunDeclare(const ast::DeclareCursorStmt& statement, const PreparedStatementRef& whole);
  std::string RunFetch(const ast::FetchStmt& statement, Portal* output);
  std::string RunCloseCursor(const ast::ClosePortalStmt& statement);
  std::string RunPrepare(const ast::PrepareStmt& statement, const PreparedStatementRef& whole);
  std::string RunExecute(const ast::ExecuteStmt& statement, Portal* output);
  std::string RunDeallocate(const ast::DeallocateStmt& statement);
  // For Bind: cleared memory where there is some; insert it into `portals` when it is ready.
  Portals::node_type NewPortal(std::string_view name, const PreparedStatementRef& statement);
  // Returns the one behind it.
  Portals::iterator DropPortal(Portals::iterator at);
  void DropPortals(bool commit);
  // Those made under a savepoint that is rolled back, or released into the one above.
  void DropPortalsOfSavepoint(size_t depth);
  void KeepPortalsOfSavepoint(size_t depth);
  Portal* FindPortal(std::string_view name);

  // ---- explain.cpp, copy.cpp
  std::string RunExplain(const ast::ExplainStmt& statement, Portal* portal);
  std::string RunCopy(const ast::CopyStmt& statement, Portal* portal);
};

void InstallTransactionSettingHooks();

// May this statement, which has run or was analysed, serve an equal text later?
bool MayRemember(const PreparedStatement& statement);

// A statement entry's errors: turns an exception into what the client is told.
Session::Result CatchStatementError(CallableRef<void()> body);

}  // namespace walden

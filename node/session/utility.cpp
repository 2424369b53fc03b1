// Statements that the session runs itself, and the way to those of sql/commands.
#include "node/config/settings.h"
#include "node/recovery/checkpoint.h"
#include "node/session/notifications.h"
#include "node/session/query_id.h"
#include "node/session/session_state.h"
#include "node/txn/txn_state.h"
#include "node/txn/untold.h"

namespace walden {
namespace {

bool IsAllowedOnReadOnly(const ast::Node& statement) {
  switch (statement.tag) {
    case ast::Tag::kTransactionStmt:
    case ast::Tag::kVariableSetStmt:
    case ast::Tag::kVariableShowStmt:
    case ast::Tag::kDiscardStmt:
    case ast::Tag::kPrepareStmt:
    case ast::Tag::kExecuteStmt:
    case ast::Tag::kDeallocateStmt:
    case ast::Tag::kDeclareCursorStmt:
    case ast::Tag::kFetchStmt:
    case ast::Tag::kClosePortalStmt:
    case ast::Tag::kExplainStmt:
    case ast::Tag::kCopyStmt:
    case ast::Tag::kCheckPointStmt:
    case ast::Tag::kListenStmt:
    case ast::Tag::kUnlistenStmt:
    case ast::Tag::kNotifyStmt:
    case ast::Tag::kVacuumStmt:
    case ast::Tag::kReindexStmt:
    case ast::Tag::kClusterStmt:
    case ast::Tag::kLockStmt: return true;
    default: return false;
  }
}

// Changes no row that anybody could see, and yet writes.
bool IsRefusedInRecovery(const ast::Node& statement) {
  switch (statement.tag) {
    case ast::Tag::kListenStmt:
    case ast::Tag::kNotifyStmt:
    case ast::Tag::kVacuumStmt:
    case ast::Tag::kReindexStmt:
    case ast::Tag::kClusterStmt: return true;
    case ast::Tag::kLockStmt: return !IsReadOnlyCommand(statement);
    default: return false;
  }
}

}  // namespace

bool SessionState::UtilityReturnsRows(const ast::Node& statement) {
  switch (statement.tag) {
    case ast::Tag::kVariableShowStmt:
    case ast::Tag::kExplainStmt: return true;
    case ast::Tag::kFetchStmt: return !static_cast<const ast::FetchStmt&>(statement).ismove;
    case ast::Tag::kExecuteStmt: {
      auto found = prepared.find(static_cast<const ast::ExecuteStmt&>(statement).name);
      return found != prepared.end() && found->second->is_query();
    }
    default: return false;
  }
}

void SessionState::RunUtility(Portal* portal) {
  PreparedStatement& whole = portal->statement();
  Arena arena;
  const ast::Node& statement = ast::Is<ast::SelectStmt>(whole.statement())
                                   ? *CreateTableOf(*ast::As<ast::SelectStmt>(whole.statement()), arena)
                                   : *whole.statement();
  if (InTransaction() && TransactionReadOnly() && !IsAllowedOnReadOnly(statement)) {
    throw SqlError(ErrorCode::kReadOnlySqlTransaction, "cannot execute {} in a read-only transaction",
                   CommandTagName(&statement));
  }
  if (InRecovery() && IsRefusedInRecovery(statement)) {
    throw SqlError(ErrorCode::kReadOnlySqlTransaction, "cannot execute {} during recovery",
                   CommandTagName(&statement));
  }
  if (statement.tag != ast::Tag::kTransactionStmt) TellContents();
  SessionReader::Instance().Refresh();
  // EXECUTE's is that of the statement it runs.
  bool has_own_id = statement.tag != ast::Tag::kPrepareStmt && statement.tag != ast::Tag::kExecuteStmt &&
                    statement.tag != ast::Tag::kDeallocateStmt;
  ReportQueryId(has_own_id ? UtilityQueryId(whole.source()) : 0);
  switch (statement.tag) {
    case ast::Tag::kTransactionStmt:
      portal->tag = transaction.Run(static_cast<const ast::TransactionStmt&>(statement));
      return;
    case ast::Tag::kVariableSetStmt:
      portal->tag = RunSet(static_cast<const ast::VariableSetStmt&>(statement));
      return;
    case ast::Tag::kVariableShowStmt:
      portal->tag = RunShow(static_cast<const ast::VariableShowStmt&>(statement), portal);
      return;
    case ast::Tag::kDiscardStmt:
      portal->tag = RunDiscard(static_cast<const ast::DiscardStmt&>(statement));
      return;
    case ast::Tag::kPrepareStmt:
      portal->tag = RunPrepare(static_cast<const ast::PrepareStmt&>(statement), portal->statement_ref());
      return;
    case ast::Tag::kExecuteStmt:
      portal->tag = RunExecute(static_cast<const ast::ExecuteStmt&>(statement), portal);
      return;
    case ast::Tag::kDeallocateStmt:
      portal->tag = RunDeallocate(static_cast<const ast::DeallocateStmt&>(statement));
      return;
    case ast::Tag::kDeclareCursorStmt:
      portal->tag =
          RunDeclare(static_cast<const ast::DeclareCursorStmt&>(statement), portal->statement_ref());
      return;
    case ast::Tag::kFetchStmt:
      portal->tag = RunFetch(static_cast<const ast::FetchStmt&>(statement), portal);
      return;
    case ast::Tag::kClosePortalStmt:
      portal->tag = RunCloseCursor(static_cast<const ast::ClosePortalStmt&>(statement));
      return;
    case ast::Tag::kExplainStmt:
      portal->tag = RunExplain(static_cast<const ast::ExplainStmt&>(statement), portal);
      return;
    case ast::Tag::kCopyStmt:
      portal->tag = RunCopy(static_cast<const ast::CopyStmt&>(statement), portal);
      return;
    case ast::Tag::kListenStmt:
      Listen(static_cast<const ast::ListenStmt&>(statement).conditionname);
      portal->tag = "LISTEN";
      return;
    case ast::Tag::kUnlistenStmt: {
      std::string_view channel = static_cast<const ast::UnlistenStmt&>(statement).conditionname;
      channel.data() == nullptr ? UnlistenAll() : Unlisten(channel);
      portal->tag = "UNLISTEN";
      return;
    }
    case ast::Tag::kNotifyStmt: {
      const auto& notify = static_cast<const ast::NotifyStmt&>(statement);
      Notify(notify.conditionname, notify.payload);
      portal->tag = "NOTIFY";
      return;
    }
    case ast::Tag::kCheckPointStmt:
      RequestCheckpoint(kCheckpointImmediate | kCheckpointForce | kCheckpointWait);
      portal->tag = "CHECKPOINT";
      return;
    default: break;
  }
  CommandContext context = MakeCommandContext(arena, whole.source());
  portal->tag = RunCommand(statement, context);
}

}  // namespace walden

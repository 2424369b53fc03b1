// SET, SHOW, RESET, DISCARD.
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/catalog/namespace.h"
#include "node/config/settings.h"
#include "node/session/explain.h"
#include "node/session/notifications.h"
#include "node/session/session_state.h"
#include "node/sql/commands/setting_commands.h"
#include "node/txn/lock_manager.h"
#include "node/txn/snapshot_export.h"

namespace walden {

std::string SessionState::RunSet(const ast::VariableSetStmt& statement) {
  SetRequest request;
  request.context = SettingContext::kUser;
  request.action = statement.is_local ? SetAction::kLocal : SetAction::kSet;
  request.is_superuser = IsSuperuser(session_identity().current_role);
  bool is_plain = statement.kind != VariableSetKind::kSetMulti;
  if (statement.is_local && is_plain && !transaction.in_block()) WarnOutsideBlock("SET LOCAL");
  // Another session user starts without a role taken.
  if (statement.name == SettingName(Setting::kSessionAuthorization)) {
    std::string tag = SetOne(statement, request);
    SetSetting(SettingName(Setting::kRole), "none", request);
    return tag;
  }
  return SetOne(statement, request);
}

void SessionState::WarnOutsideBlock(std::string_view command) {
  ErrorFields warning;
  warning.severity = Severity::kWarning;
  warning.code = ErrorCode::kNoActiveSqlTransaction;
  warning.message = fmt::format("{} can only be used in transaction blocks", command);
  functions.Report(warning);
}

std::string SessionState::SetOne(const ast::VariableSetStmt& statement, const SetRequest& request) {
  switch (statement.kind) {
    case VariableSetKind::kResetAll: ResetAllSettings(request); return "RESET";
    case VariableSetKind::kReset: SetSetting(statement.name, std::nullopt, request); return "RESET";
    case VariableSetKind::kSetDefault: SetSetting(statement.name, std::nullopt, request); return "SET";
    case VariableSetKind::kSetCurrent:
      SetSetting(statement.name, ShowSetting(statement.name), request);
      return "SET";
    case VariableSetKind::kSetMulti: {
      if (statement.name == "SESSION CHARACTERISTICS") {
        transaction.SetDefaults(statement.args, request);
        return "SET";
      }
      if (!transaction.in_block()) WarnOutsideBlock("SET TRANSACTION");
      if (statement.name == "TRANSACTION SNAPSHOT") {
        ImportSnapshot(ast::As<ast::String>(ast::As<ast::AConst>(statement.args[0])->val)->sval);
        return "SET";
      }
      transaction.ApplyOptions(statement.args);
      return "SET";
    }
    case VariableSetKind::kSetValue: break;
  }
  SetSetting(statement.name, *SettingArgument(statement), request);
  return "SET";
}

std::string SessionState::RunShow(const ast::VariableShowStmt& statement, Portal* portal) {
  portal->text_rows = std::make_unique<TextRows>();
  TextRows& rows = *portal->text_rows;
  rows.columns = UtilityColumns(statement, &rows);
  bool sees_all = HasRightsOf(session_identity().current_role, Oid{3374});  // pg_read_all_settings
  if (statement.name != "all") {
    rows.rows.push_back({ShowSetting(statement.name, sees_all)});
    return "SHOW";
  }
  for (const SettingInfo& info : ListSettings()) {
    rows.rows.push_back({info.name, ShowSetting(info.name, true), info.short_desc});
  }
  return "SHOW";
}

std::vector<ResultColumn> SessionState::UtilityColumns(const ast::Node& statement, TextRows* owner) {
  auto add = [&](std::string name) { owner->names.push_back(std::move(name)); };
  if (const ast::VariableShowStmt* show = ast::TryAs<ast::VariableShowStmt>(&statement)) {
    if (show->name == "all") {
      add("name");
      add("setting");
      add("description");
    } else {
      std::optional<Setting> known = FindSetting(show->name);
      add(known ? SettingName(*known) : std::string(show->name));
    }
  } else if (ast::Is<ast::ExplainStmt>(&statement)) {
    add("QUERY PLAN");
  } else if (const ast::ExecuteStmt* execute = ast::TryAs<ast::ExecuteStmt>(&statement)) {
    auto found = prepared.find(execute->name);
    if (found != prepared.end() && found->second->is_query()) {
      Analyze(found->second.get());
      return found->second->plan->columns;
    }
  } else if (const ast::FetchStmt* fetch = ast::TryAs<ast::FetchStmt>(&statement)) {
    Portal* cursor = FindPortal(fetch->portalname);
    if (cursor != nullptr && cursor->plan != nullptr) return cursor->plan->columns;
  }
  std::vector<ResultColumn> columns;
  Oid type = ast::Is<ast::ExplainStmt>(&statement) ? ExplainResultType(*ast::As<ast::ExplainStmt>(&statement))
                                                   : type_oid::kText;
  for (const std::string& name : owner->names) columns.push_back({name, Oid::kInvalid, 0, type, -1});
  return columns;
}

std::string SessionState::RunDiscard(const ast::DiscardStmt& statement) {
  switch (statement.target) {
    case DiscardMode::kPlans: DiscardPlans(); return "DISCARD PLANS";
    case DiscardMode::kSequences: ForgetAllSequences(); return "DISCARD SEQUENCES";
    case DiscardMode::kTemp: DropTemporaryObjects(); return "DISCARD TEMP";
    case DiscardMode::kAll: break;
  }
  if (transaction.in_block()) {
    throw SqlError(ErrorCode::kActiveSqlTransaction, "DISCARD ALL cannot run inside a transaction block");
  }
  portals.clear();
  SetRequest request;
  request.is_superuser = IsSuperuser(session_identity().current_role);
  SetSetting(SettingName(Setting::kSessionAuthorization), std::nullopt, request);
  SetSetting(SettingName(Setting::kRole), "none", request);
  ResetAllSettings(request);
  prepared.clear();
  statements.Clear();
  UnlistenAll();
  ReleaseSessionLocks(LockKind::kAdvisory);
  ForgetAllSequences();
  DropTemporaryObjects();
  return "DISCARD ALL";
}

void SessionState::DiscardPlans() {
  for (auto& [name, known] : prepared) known->plan.reset();
  statements.Clear();
}

}  // namespace walden

#include "node/sql/commands/setting_commands.h"

#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/config/conf_file.h"
#include "node/config/settings.h"
#include "node/shm/server_state.h"
#include "node/sql/commands/command_names.h"
#include "node/types/quote.h"

namespace walden {
namespace {

std::string ValueText(const ast::Node* node) {
  // Only SET TIME ZONE INTERVAL '...' has a cast.
  if (auto* cast = ast::TryAs<ast::TypeCast>(node)) return fmt::format("INTERVAL '{}'", ValueText(cast->arg));
  const ast::AConst* constant = ast::TryAs<ast::AConst>(node);
  const ast::Node* value = constant != nullptr ? constant->val : node;
  if (auto* text = ast::TryAs<ast::String>(value)) return std::string(text->sval);
  if (auto* whole = ast::TryAs<ast::Integer>(value)) return fmt::format("{}", whole->ival);
  if (auto* number = ast::TryAs<ast::Float>(value)) return std::string(number->fval);
  if (auto* truth = ast::TryAs<ast::Boolean>(value)) return truth->boolval ? "on" : "off";
  throw NotSupported("this value of a setting");
}

// Names and values as the file holds them.
void CheckFileEntry(const ast::VariableSetStmt& set, const std::optional<std::string>& value) {
  uint32_t flags = SettingFlags(set.name);
  std::optional<Setting> setting = FindSetting(set.name);
  bool fixed = setting && (SettingContextOf(*setting) == SettingContext::kInternal ||
                           (flags & setting_flag::kDisallowInFile) != 0);
  if (fixed || set.name == "data_directory" || set.name == "config_file" || set.name == "hba_file" ||
      set.name == "ident_file") {
    throw SqlError(ErrorCode::kCantChangeRuntimeParam, "parameter \"{}\" cannot be changed", set.name);
  }
  if (value && value->find_first_of("\r\n") != std::string::npos) {
    throw SqlError(ErrorCode::kInvalidParameterValue,
                   "parameter value for ALTER SYSTEM must not contain a newline");
  }
  CheckSetting(
      set.name, value ? std::optional<std::string_view>(*value) : std::nullopt,
      {.context = SettingContext::kPostmaster, .source = SettingSource::kFile, .is_superuser = true});
}

}  // namespace

std::optional<std::string> SettingArgument(const ast::VariableSetStmt& set) {
  if (set.kind == VariableSetKind::kSetCurrent) return ShowSetting(set.name);
  if (set.kind != VariableSetKind::kSetValue) return std::nullopt;
  uint32_t flags = SettingFlags(set.name);
  if (set.args.size() > 1 && (flags & setting_flag::kListInput) == 0) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "SET {} takes only one argument", set.name);
  }
  std::string text;
  for (uint32_t i = 0; i < set.args.size(); ++i) {
    if (i > 0) text += ", ";
    std::string item = ValueText(set.args[i]);
    text += (flags & setting_flag::kListQuote) != 0 ? QuoteIdentifier(item) : item;
  }
  return text;
}

void RunAlterSystem(const ast::AlterSystemStmt& statement, CommandContext& context) {
  const ast::VariableSetStmt& set = *statement.setstmt;
  bool all = set.kind == VariableSetKind::kResetAll;
  if (!IsSuperuser(session_identity().current_role)) {
    if (all)
      throw SqlError(ErrorCode::kInsufficientPrivilege,
                     "permission denied to perform ALTER SYSTEM RESET ALL");
    throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied to set parameter \"{}\"", set.name);
  }
  RequireNoTransactionBlock(context, "ALTER SYSTEM");
  std::optional<std::string> value = SettingArgument(set);
  if (!all) CheckFileEntry(set, value);
  const std::string& directory = GetString(Setting::kDataDirectory);
  // One writer at a time: each reads the file, changes its entry and replaces the file.
  LwLockGuard guard(TheServerState()->auto_file, LwMode::kExclusive);
  if (all) {
    ClearAutoConf(directory);
  } else {
    WriteAutoConf(directory, set.name, value);
  }
}

}  // namespace walden

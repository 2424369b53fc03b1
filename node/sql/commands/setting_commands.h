// SET clauses as text, and ALTER SYSTEM.
#pragma once

#include <optional>
#include <string>

#include "node/sql/commands/commands.h"

namespace walden {

// The text that a SET clause gives its setting; nullopt for DEFAULT and RESET. Lists become "a, b", their items quoted for settings whose
// items are names. 22023 for a list where the setting takes one value.
std::optional<std::string> SettingArgument(const ast::VariableSetStmt& set);

void RunAlterSystem(const ast::AlterSystemStmt& statement, CommandContext& context);

}  // namespace walden

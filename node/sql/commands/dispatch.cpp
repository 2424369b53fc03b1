// Which file does which statement.
#include "node/base/error.h"
#include "node/sql/commands/command_parts.h"
#include "node/sql/commands/setting_commands.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

using ast::As;
using Runner = std::string (*)(const ast::Node&, CommandContext&);

// A command that answers with its usual tag.
template <class Statement, auto Run>
std::string Plain(const ast::Node& node, CommandContext& context) {
  Run(*As<Statement>(&node), context);
  return std::string(CommandTagName(&node));
}
template <class Statement, auto Run>
std::string Tagged(const ast::Node& node, CommandContext& context) {
  return Run(*As<Statement>(&node), context);
}

void RunCreateSequence(const ast::CreateSeqStmt& statement, CommandContext& context) {
  CreateSequence(statement, type_oid::kInt8, context);
}

struct Row {
  ast::Tag tag;
  Runner run;
};
constexpr Row kRows[] = {
    {ast::Tag::kCreateStmt, Plain<ast::CreateStmt, CreateTable>},
    {ast::Tag::kCreateTableAsStmt, Tagged<ast::CreateTableAsStmt, RunCreateTableAs>},
    {ast::Tag::kIndexStmt, Plain<ast::IndexStmt, CreateIndex>},
    {ast::Tag::kReindexStmt, Tagged<ast::ReindexStmt, RunReindex>},
    {ast::Tag::kCreateSeqStmt, Plain<ast::CreateSeqStmt, RunCreateSequence>},
    {ast::Tag::kAlterSeqStmt, Plain<ast::AlterSeqStmt, AlterSequence>},
    {ast::Tag::kViewStmt, Plain<ast::ViewStmt, CreateView>},
    {ast::Tag::kCreateSchemaStmt, Plain<ast::CreateSchemaStmt, RunCreateSchema>},
    {ast::Tag::kDropStmt, Plain<ast::DropStmt, RunDrop>},
    {ast::Tag::kAlterTableStmt, Plain<ast::AlterTableStmt, RunAlterTable>},
    {ast::Tag::kVacuumStmt, Plain<ast::VacuumStmt, RunVacuum>},
    {ast::Tag::kRenameStmt, Plain<ast::RenameStmt, RunRename>},
    {ast::Tag::kAlterOwnerStmt, Plain<ast::AlterOwnerStmt, RunAlterOwner>},
    {ast::Tag::kAlterObjectSchemaStmt, Plain<ast::AlterObjectSchemaStmt, RunAlterSchema>},
    {ast::Tag::kCommentStmt, Plain<ast::CommentStmt, RunComment>},
    {ast::Tag::kLockStmt, Plain<ast::LockStmt, RunLock>},
    {ast::Tag::kCreateRoleStmt, Plain<ast::CreateRoleStmt, RunCreateRole>},
    {ast::Tag::kAlterRoleStmt, Plain<ast::AlterRoleStmt, RunAlterRole>},
    {ast::Tag::kAlterRoleSetStmt, Plain<ast::AlterRoleSetStmt, RunAlterRoleSet>},
    {ast::Tag::kAlterDatabaseSetStmt, Plain<ast::AlterDatabaseSetStmt, RunAlterDatabaseSet>},
    {ast::Tag::kAlterSystemStmt, Plain<ast::AlterSystemStmt, RunAlterSystem>},
    {ast::Tag::kDropRoleStmt, Plain<ast::DropRoleStmt, RunDropRole>},
    {ast::Tag::kGrantRoleStmt, Tagged<ast::GrantRoleStmt, RunGrantRole>},
    {ast::Tag::kGrantStmt, Plain<ast::GrantStmt, RunGrant>},
    {ast::Tag::kAlterDefaultPrivilegesStmt,
     Plain<ast::AlterDefaultPrivilegesStmt, RunAlterDefaultPrivileges>},
    {ast::Tag::kDropOwnedStmt, Plain<ast::DropOwnedStmt, RunDropOwned>},
    {ast::Tag::kReassignOwnedStmt, Plain<ast::ReassignOwnedStmt, RunReassignOwned>},
    {ast::Tag::kCreatedbStmt, Plain<ast::CreatedbStmt, RunCreateDatabase>},
    {ast::Tag::kDropdbStmt, Plain<ast::DropdbStmt, RunDropDatabase>},
    {ast::Tag::kAlterDatabaseStmt, Plain<ast::AlterDatabaseStmt, RunAlterDatabase>},
    {ast::Tag::kConstraintsSetStmt, Plain<ast::ConstraintsSetStmt, RunSetConstraints>},
    {ast::Tag::kTruncateStmt, Plain<ast::TruncateStmt, RunTruncate>},
};

const Row* FindRunner(ast::Tag tag) {
  for (const Row& row : kRows) {
    if (row.tag == tag) return &row;
  }
  return nullptr;
}

}  // namespace

std::string RunCommand(const ast::Node& statement, CommandContext& context) {
  const Row* row = FindRunner(statement.tag);
  if (row == nullptr) throw NotSupported(CommandTagName(&statement));
  return row->run(statement, context);
}

bool IsCommand(ast::Tag tag) { return FindRunner(tag) != nullptr; }

bool IsReadOnlyCommand(const ast::Node& statement) {
  if (statement.tag == ast::Tag::kConstraintsSetStmt) return true;
  return statement.tag == ast::Tag::kLockStmt && As<ast::LockStmt>(&statement)->mode <= 3;
}

}  // namespace walden

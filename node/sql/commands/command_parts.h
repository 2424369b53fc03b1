// The statement families, each in its own file. Private to this folder.
#pragma once

#include <string>

#include "node/sql/commands/command_names.h"

namespace walden {

// create_table.cpp. Returns the OID, kInvalid when IF NOT EXISTS found one.
Oid CreateTable(const ast::CreateStmt& statement, CommandContext& context);
void RunSetConstraints(const ast::ConstraintsSetStmt& statement, CommandContext& context);
std::string RunCreateTableAs(const ast::CreateTableAsStmt& statement, CommandContext& context);
void RememberOnCommit(Oid relation, OnCommitAction action);

// table_columns.cpp
struct PlannedColumn {
  PgAttributeRow row;
  const ast::Node* default_ast = nullptr;  // DEFAULT or GENERATED
  bool from_serial = false;
  Oid sequence = Oid::kInvalid;  // of serial and identity
  Location location;
};
struct PlannedConstraint {
  const ast::Constraint* constraint = nullptr;
  std::string column;  // of a column constraint
};
struct PlannedTable {
  std::string name;
  Oid schema = Oid::kInvalid;
  char persistence = 'p';
  std::vector<PlannedColumn> columns;
  std::vector<PlannedConstraint> constraints;  // CHECK, UNIQUE, PRIMARY KEY, FOREIGN KEY
};
// Throws 42701 for a system column's name, which no table's column may have.
void RefuseSystemColumnName(std::string_view name);
// One column definition: type, collation, serial, identity, constraints of the column.
void PlanColumn(const ast::ColumnDef& definition, PlannedTable* table, CommandContext& context);
// attcompression for COMPRESSION method of a column of this type; '\0' for "default".
char CompressionLetter(std::string_view method, Oid type);
// Creates what serial and identity need before the table exists / ties it to the table afterwards.
void CreateColumnSequence(PlannedColumn* column, const PlannedTable& table, Oid type,
                          const ast::NodeList& options, CommandContext& context);
void AttachColumnSequence(const PlannedColumn& column, Oid table, AttrNumber attno);
// Binds and stores the default of a column that exists.
void StoreColumnDefault(Oid table, AttrNumber attno, const ast::Node& expression, CommandContext& context);
// The same for an expression that is made, not written: nextval('...').
void StoreSequenceDefault(Oid table, AttrNumber attno, Oid sequence, CommandContext& context);

// table_constraints.cpp
std::string ChooseConstraintName(std::string_view table, std::string_view column, std::string_view label,
                                 Oid schema, std::vector<std::string>* taken);
void AddCheckConstraint(Oid table, const ast::Constraint& constraint, std::string_view column,
                        CommandContext& context, bool validate_rows);
void AddConstraints(Oid table, const std::vector<PlannedConstraint>& constraints, CommandContext& context,
                    bool validate_rows);
struct NewConstraint {
  std::string name;
  Oid schema = Oid::kInvalid;
  char type = 'c';
  Oid relation = Oid::kInvalid;
  bool deferrable = false, deferred = false, validated = true, no_inherit = false;
  std::vector<int16_t> columns;
  Oid index = Oid::kInvalid;
  std::optional<std::string> expression;
};
PgConstraintRow ConstraintRowOf(const NewConstraint& constraint);
void ValidateCheck(Oid table, const CheckConstraint& check, CommandContext& context);
// foreign_key.cpp
void AddForeignKey(Oid table, const ast::Constraint& constraint, std::string_view column,
                   CommandContext& context, bool validate_rows);
void ValidateForeignKey(const PgConstraintRow& key, CommandContext& context);

// create_index.cpp
Oid CreateIndex(const ast::IndexStmt& statement, CommandContext& context);
// UNIQUE and PRIMARY KEY.
Oid CreateConstraintIndex(Oid table, const ast::Constraint& constraint, std::string_view column,
                          CommandContext& context);
void RebuildIndex(Oid index, CommandContext& context);
// All indexes of a table whose file was made anew.
void RebuildIndexesOf(Oid table, CommandContext& context);
std::string RunReindex(const ast::ReindexStmt& statement, CommandContext& context);

// sequence.cpp
Oid CreateSequence(const ast::CreateSeqStmt& statement, Oid default_type, CommandContext& context);
void AlterSequence(const ast::AlterSeqStmt& statement, CommandContext& context);
void ResetSequence(Oid sequence);  // TRUNCATE ... RESTART IDENTITY

Oid CreateView(const ast::ViewStmt& statement, CommandContext& context);
void StoreViewRule(Oid view, const Query& query, bool replace, CommandContext& context);
void RunCreateSchema(const ast::CreateSchemaStmt& statement, CommandContext& context);
void RunDrop(const ast::DropStmt& statement, CommandContext& context);
void RunTruncate(const ast::TruncateStmt& statement, CommandContext& context);
void RunAlterTable(const ast::AlterTableStmt& statement, CommandContext& context);
void RunRename(const ast::RenameStmt& statement, CommandContext& context);
void RunAlterOwner(const ast::AlterOwnerStmt& statement, CommandContext& context);
void ChangeRelationOwner(Oid relation, Oid new_owner);
void RunAlterSchema(const ast::AlterObjectSchemaStmt& statement, CommandContext& context);
void RunComment(const ast::CommentStmt& statement, CommandContext& context);
void StoreComment(const ObjectAddress& object, std::string_view text);  // absent: remove
void RunCreateRole(const ast::CreateRoleStmt& statement, CommandContext& context);
void RunAlterRole(const ast::AlterRoleStmt& statement, CommandContext& context);
void RunAlterRoleSet(const ast::AlterRoleSetStmt& statement, CommandContext& context);
void RunAlterDatabaseSet(const ast::AlterDatabaseSetStmt& statement, CommandContext& context);
void RunDropRole(const ast::DropRoleStmt& statement, CommandContext& context);
std::string RunGrantRole(const ast::GrantRoleStmt& statement, CommandContext& context);
void RunGrant(const ast::GrantStmt& statement, CommandContext& context);
void RunAlterDefaultPrivileges(const ast::AlterDefaultPrivilegesStmt& statement, CommandContext& context);
void RunDropOwned(const ast::DropOwnedStmt& statement, CommandContext& context);
void RunReassignOwned(const ast::ReassignOwnedStmt& statement, CommandContext& context);
void RunCreateDatabase(const ast::CreatedbStmt& statement, CommandContext& context);
void RunDropDatabase(const ast::DropdbStmt& statement, CommandContext& context);
void RunAlterDatabase(const ast::AlterDatabaseStmt& statement, CommandContext& context);
void RunVacuum(const ast::VacuumStmt& statement, CommandContext& context);
struct AnalyzeOutcome {
  BlockNumber pages, pages_scanned;
  double live_rows, dead_rows;        // of the whole table, estimated
  double sampled_live, sampled_dead;  // on the pages that were read
  size_t sample_rows;
};
AnalyzeOutcome AnalyzeRelation(const Relation& relation, const std::vector<std::string>& columns,
                               class ProgressReport* progress);
void RunLock(const ast::LockStmt& statement, CommandContext& context);

}  // namespace walden

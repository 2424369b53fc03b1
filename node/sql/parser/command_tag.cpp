// Command tags of statements, as PostgreSQL reports them.
#include "node/sql/parser/ast.h"
#include "node/sql/parser/parser.h"

namespace walden {

namespace {

using namespace ast;  // the statement types, most of which this file names

// What follows CREATE, ALTER or DROP.
struct ObjectWords {
  std::string_view create, alter, drop;
};

ObjectWords WordsFor(ObjectType type) {
#define WALDEN_WORDS(words) {"CREATE " words, "ALTER " words, "DROP " words}
  switch (type) {
    case ObjectType::kAccessMethod: return WALDEN_WORDS("ACCESS METHOD");
    case ObjectType::kAggregate: return WALDEN_WORDS("AGGREGATE");
    case ObjectType::kAttribute: return WALDEN_WORDS("TYPE");
    case ObjectType::kCast: return WALDEN_WORDS("CAST");
    case ObjectType::kCollation: return WALDEN_WORDS("COLLATION");
    case ObjectType::kColumn: return WALDEN_WORDS("TABLE");
    case ObjectType::kConversion: return WALDEN_WORDS("CONVERSION");
    case ObjectType::kDatabase: return WALDEN_WORDS("DATABASE");
    case ObjectType::kDomain:
    case ObjectType::kDomainConstraint: return WALDEN_WORDS("DOMAIN");
    case ObjectType::kEventTrigger: return WALDEN_WORDS("EVENT TRIGGER");
    case ObjectType::kExtension: return WALDEN_WORDS("EXTENSION");
    case ObjectType::kFdw: return WALDEN_WORDS("FOREIGN DATA WRAPPER");
    case ObjectType::kForeignServer: return WALDEN_WORDS("SERVER");
    case ObjectType::kForeignTable: return WALDEN_WORDS("FOREIGN TABLE");
    case ObjectType::kFunction: return WALDEN_WORDS("FUNCTION");
    case ObjectType::kIndex: return WALDEN_WORDS("INDEX");
    case ObjectType::kLanguage: return WALDEN_WORDS("LANGUAGE");
    case ObjectType::kLargeObject: return WALDEN_WORDS("LARGE OBJECT");
    case ObjectType::kMatView: return WALDEN_WORDS("MATERIALIZED VIEW");
    case ObjectType::kOpClass: return WALDEN_WORDS("OPERATOR CLASS");
    case ObjectType::kOperator: return WALDEN_WORDS("OPERATOR");
    case ObjectType::kOpFamily: return WALDEN_WORDS("OPERATOR FAMILY");
    case ObjectType::kPolicy: return WALDEN_WORDS("POLICY");
    case ObjectType::kProcedure: return WALDEN_WORDS("PROCEDURE");
    case ObjectType::kPublication: return WALDEN_WORDS("PUBLICATION");
    case ObjectType::kRole: return WALDEN_WORDS("ROLE");
    case ObjectType::kRoutine: return WALDEN_WORDS("ROUTINE");
    case ObjectType::kRule: return WALDEN_WORDS("RULE");
    case ObjectType::kSchema: return WALDEN_WORDS("SCHEMA");
    case ObjectType::kSequence: return WALDEN_WORDS("SEQUENCE");
    case ObjectType::kSubscription: return WALDEN_WORDS("SUBSCRIPTION");
    case ObjectType::kStatisticExt: return WALDEN_WORDS("STATISTICS");
    case ObjectType::kTable:
    case ObjectType::kTableConstraint: return WALDEN_WORDS("TABLE");
    case ObjectType::kTablespace: return WALDEN_WORDS("TABLESPACE");
    case ObjectType::kTransform: return WALDEN_WORDS("TRANSFORM");
    case ObjectType::kTrigger: return WALDEN_WORDS("TRIGGER");
    case ObjectType::kTsConfiguration: return WALDEN_WORDS("TEXT SEARCH CONFIGURATION");
    case ObjectType::kTsDictionary: return WALDEN_WORDS("TEXT SEARCH DICTIONARY");
    case ObjectType::kTsParser: return WALDEN_WORDS("TEXT SEARCH PARSER");
    case ObjectType::kTsTemplate: return WALDEN_WORDS("TEXT SEARCH TEMPLATE");
    case ObjectType::kType: return WALDEN_WORDS("TYPE");
    case ObjectType::kUserMapping: return WALDEN_WORDS("USER MAPPING");
    case ObjectType::kView: return WALDEN_WORDS("VIEW");
    default: return {"???", "???", "???"};
  }
#undef WALDEN_WORDS
}

std::string_view SelectTag(const SelectStmt& select) {
  if (select.locking_clause.empty()) return "SELECT";
  switch (As<LockingClause>(select.locking_clause[0])->strength) {
    case LockClauseStrength::kForKeyShare: return "SELECT FOR KEY SHARE";
    case LockClauseStrength::kForShare: return "SELECT FOR SHARE";
    case LockClauseStrength::kForNoKeyUpdate: return "SELECT FOR NO KEY UPDATE";
    case LockClauseStrength::kForUpdate: return "SELECT FOR UPDATE";
    case LockClauseStrength::kNone: return "SELECT";
  }
  return "SELECT";
}

std::string_view TransactionTag(TransactionStmtKind kind) {
  switch (kind) {
    case TransactionStmtKind::kBegin: return "BEGIN";
    case TransactionStmtKind::kStart: return "START TRANSACTION";
    case TransactionStmtKind::kCommit: return "COMMIT";
    case TransactionStmtKind::kRollback:
    case TransactionStmtKind::kRollbackTo: return "ROLLBACK";
    case TransactionStmtKind::kSavepoint: return "SAVEPOINT";
    case TransactionStmtKind::kRelease: return "RELEASE";
    case TransactionStmtKind::kPrepare: return "PREPARE TRANSACTION";
    case TransactionStmtKind::kCommitPrepared: return "COMMIT PREPARED";
    case TransactionStmtKind::kRollbackPrepared: return "ROLLBACK PREPARED";
  }
  return "???";
}

std::string_view DiscardTag(DiscardMode mode) {
  switch (mode) {
    case DiscardMode::kAll: return "DISCARD ALL";
    case DiscardMode::kPlans: return "DISCARD PLANS";
    case DiscardMode::kSequences: return "DISCARD SEQUENCES";
    case DiscardMode::kTemp: return "DISCARD TEMP";
  }
  return "???";
}

std::string_view SetTag(VariableSetKind kind) {
  return kind == VariableSetKind::kReset || kind == VariableSetKind::kResetAll ? "RESET" : "SET";
}

// RENAME names the object whose part is renamed.
std::string_view RenameTag(const RenameStmt& rename) {
  bool of_part = rename.rename_type == ObjectType::kColumn || rename.rename_type == ObjectType::kAttribute;
  return WordsFor(of_part ? rename.relation_type : rename.rename_type).alter;
}

std::string_view AlterTableTag(const AlterTableStmt& alter) { return WordsFor(alter.objtype).alter; }

std::string_view CreateTableAsTag(const CreateTableAsStmt& create) {
  if (create.objtype == ObjectType::kMatView) return "CREATE MATERIALIZED VIEW";
  return create.is_select_into ? "SELECT INTO" : "CREATE TABLE AS";
}

// Tags that depend on a field of the statement; empty when the node type alone decides.
std::string_view TagByField(const Node* node) {
  switch (node->tag) {
    case Tag::kRawStmt: return CommandTagName(As<RawStmt>(node)->stmt);
    case Tag::kSelectStmt: return SelectTag(*As<SelectStmt>(node));
    case Tag::kTransactionStmt: return TransactionTag(As<TransactionStmt>(node)->kind);
    case Tag::kClosePortalStmt:
      return IsAbsent(As<ClosePortalStmt>(node)->portalname) ? "CLOSE CURSOR ALL" : "CLOSE CURSOR";
    case Tag::kFetchStmt: return As<FetchStmt>(node)->ismove ? "MOVE" : "FETCH";
    case Tag::kDropStmt: return WordsFor(As<DropStmt>(node)->remove_type).drop;
    case Tag::kRenameStmt: return RenameTag(*As<RenameStmt>(node));
    case Tag::kAlterObjectDependsStmt: return WordsFor(As<AlterObjectDependsStmt>(node)->object_type).alter;
    case Tag::kAlterObjectSchemaStmt: return WordsFor(As<AlterObjectSchemaStmt>(node)->object_type).alter;
    case Tag::kAlterOwnerStmt: return WordsFor(As<AlterOwnerStmt>(node)->object_type).alter;
    case Tag::kAlterTableMoveAllStmt: return WordsFor(As<AlterTableMoveAllStmt>(node)->objtype).alter;
    case Tag::kAlterTableStmt: return AlterTableTag(*As<AlterTableStmt>(node));
    case Tag::kAlterFunctionStmt: return WordsFor(As<AlterFunctionStmt>(node)->objtype).alter;
    case Tag::kGrantStmt: return As<GrantStmt>(node)->is_grant ? "GRANT" : "REVOKE";
    case Tag::kGrantRoleStmt: return As<GrantRoleStmt>(node)->is_grant ? "GRANT ROLE" : "REVOKE ROLE";
    case Tag::kDefineStmt: return WordsFor(As<DefineStmt>(node)->kind).create;
    case Tag::kCreateFunctionStmt:
      return As<CreateFunctionStmt>(node)->is_procedure ? "CREATE PROCEDURE" : "CREATE FUNCTION";
    case Tag::kVacuumStmt: return As<VacuumStmt>(node)->is_vacuumcmd ? "VACUUM" : "ANALYZE";
    case Tag::kCreateTableAsStmt: return CreateTableAsTag(*As<CreateTableAsStmt>(node));
    case Tag::kVariableSetStmt: return SetTag(As<VariableSetStmt>(node)->kind);
    case Tag::kDiscardStmt: return DiscardTag(As<DiscardStmt>(node)->target);
    case Tag::kDeallocateStmt:
      return IsAbsent(As<DeallocateStmt>(node)->name) ? "DEALLOCATE ALL" : "DEALLOCATE";
    default: return {};
  }
}

struct PlainTag {
  Tag tag;
  std::string_view text;
};

constexpr PlainTag kPlainTags[] = {
    {Tag::kInsertStmt, "INSERT"},
    {Tag::kDeleteStmt, "DELETE"},
    {Tag::kUpdateStmt, "UPDATE"},
    {Tag::kMergeStmt, "MERGE"},
    {Tag::kPlAssignStmt, "SELECT"},
    {Tag::kDeclareCursorStmt, "DECLARE CURSOR"},
    {Tag::kCreateDomainStmt, "CREATE DOMAIN"},
    {Tag::kCreateSchemaStmt, "CREATE SCHEMA"},
    {Tag::kCreateStmt, "CREATE TABLE"},
    {Tag::kCreateTableSpaceStmt, "CREATE TABLESPACE"},
    {Tag::kDropTableSpaceStmt, "DROP TABLESPACE"},
    {Tag::kAlterTableSpaceOptionsStmt, "ALTER TABLESPACE"},
    {Tag::kCreateExtensionStmt, "CREATE EXTENSION"},
    {Tag::kAlterExtensionStmt, "ALTER EXTENSION"},
    {Tag::kAlterExtensionContentsStmt, "ALTER EXTENSION"},
    {Tag::kCreateFdwStmt, "CREATE FOREIGN DATA WRAPPER"},
    {Tag::kAlterFdwStmt, "ALTER FOREIGN DATA WRAPPER"},
    {Tag::kCreateForeignServerStmt, "CREATE SERVER"},
    {Tag::kAlterForeignServerStmt, "ALTER SERVER"},
    {Tag::kCreateUserMappingStmt, "CREATE USER MAPPING"},
    {Tag::kAlterUserMappingStmt, "ALTER USER MAPPING"},
    {Tag::kDropUserMappingStmt, "DROP USER MAPPING"},
    {Tag::kCreateForeignTableStmt, "CREATE FOREIGN TABLE"},
    {Tag::kImportForeignSchemaStmt, "IMPORT FOREIGN SCHEMA"},
    {Tag::kTruncateStmt, "TRUNCATE TABLE"},
    {Tag::kCommentStmt, "COMMENT"},
    {Tag::kSecLabelStmt, "SECURITY LABEL"},
    {Tag::kCopyStmt, "COPY"},
    {Tag::kAlterDomainStmt, "ALTER DOMAIN"},
    {Tag::kAlterDefaultPrivilegesStmt, "ALTER DEFAULT PRIVILEGES"},
    {Tag::kCompositeTypeStmt, "CREATE TYPE"},
    {Tag::kCreateEnumStmt, "CREATE TYPE"},
    {Tag::kCreateRangeStmt, "CREATE TYPE"},
    {Tag::kAlterEnumStmt, "ALTER TYPE"},
    {Tag::kViewStmt, "CREATE VIEW"},
    {Tag::kIndexStmt, "CREATE INDEX"},
    {Tag::kRuleStmt, "CREATE RULE"},
    {Tag::kCreateSeqStmt, "CREATE SEQUENCE"},
    {Tag::kAlterSeqStmt, "ALTER SEQUENCE"},
    {Tag::kDoStmt, "DO"},
    {Tag::kCreatedbStmt, "CREATE DATABASE"},
    {Tag::kAlterDatabaseStmt, "ALTER DATABASE"},
    {Tag::kAlterDatabaseRefreshCollStmt, "ALTER DATABASE"},
    {Tag::kAlterDatabaseSetStmt, "ALTER DATABASE"},
    {Tag::kDropdbStmt, "DROP DATABASE"},
    {Tag::kNotifyStmt, "NOTIFY"},
    {Tag::kListenStmt, "LISTEN"},
    {Tag::kUnlistenStmt, "UNLISTEN"},
    {Tag::kLoadStmt, "LOAD"},
    {Tag::kCallStmt, "CALL"},
    {Tag::kClusterStmt, "CLUSTER"},
    {Tag::kExplainStmt, "EXPLAIN"},
    {Tag::kRefreshMatViewStmt, "REFRESH MATERIALIZED VIEW"},
    {Tag::kAlterSystemStmt, "ALTER SYSTEM"},
    {Tag::kVariableShowStmt, "SHOW"},
    {Tag::kCreateTransformStmt, "CREATE TRANSFORM"},
    {Tag::kCreateTrigStmt, "CREATE TRIGGER"},
    {Tag::kCreateEventTrigStmt, "CREATE EVENT TRIGGER"},
    {Tag::kAlterEventTrigStmt, "ALTER EVENT TRIGGER"},
    {Tag::kCreatePlangStmt, "CREATE LANGUAGE"},
    {Tag::kCreateRoleStmt, "CREATE ROLE"},
    {Tag::kAlterRoleStmt, "ALTER ROLE"},
    {Tag::kAlterRoleSetStmt, "ALTER ROLE"},
    {Tag::kDropRoleStmt, "DROP ROLE"},
    {Tag::kDropOwnedStmt, "DROP OWNED"},
    {Tag::kReassignOwnedStmt, "REASSIGN OWNED"},
    {Tag::kLockStmt, "LOCK TABLE"},
    {Tag::kConstraintsSetStmt, "SET CONSTRAINTS"},
    {Tag::kCheckPointStmt, "CHECKPOINT"},
    {Tag::kReindexStmt, "REINDEX"},
    {Tag::kCreateConversionStmt, "CREATE CONVERSION"},
    {Tag::kCreateCastStmt, "CREATE CAST"},
    {Tag::kCreateOpClassStmt, "CREATE OPERATOR CLASS"},
    {Tag::kCreateOpFamilyStmt, "CREATE OPERATOR FAMILY"},
    {Tag::kAlterOpFamilyStmt, "ALTER OPERATOR FAMILY"},
    {Tag::kAlterOperatorStmt, "ALTER OPERATOR"},
    {Tag::kAlterTypeStmt, "ALTER TYPE"},
    {Tag::kAlterTsDictionaryStmt, "ALTER TEXT SEARCH DICTIONARY"},
    {Tag::kAlterTsConfigurationStmt, "ALTER TEXT SEARCH CONFIGURATION"},
    {Tag::kCreatePolicyStmt, "CREATE POLICY"},
    {Tag::kAlterPolicyStmt, "ALTER POLICY"},
    {Tag::kCreateAmStmt, "CREATE ACCESS METHOD"},
    {Tag::kCreatePublicationStmt, "CREATE PUBLICATION"},
    {Tag::kAlterPublicationStmt, "ALTER PUBLICATION"},
    {Tag::kCreateSubscriptionStmt, "CREATE SUBSCRIPTION"},
    {Tag::kAlterSubscriptionStmt, "ALTER SUBSCRIPTION"},
    {Tag::kDropSubscriptionStmt, "DROP SUBSCRIPTION"},
    {Tag::kAlterCollationStmt, "ALTER COLLATION"},
    {Tag::kPrepareStmt, "PREPARE"},
    {Tag::kExecuteStmt, "EXECUTE"},
    {Tag::kCreateStatsStmt, "CREATE STATISTICS"},
    {Tag::kAlterStatsStmt, "ALTER STATISTICS"},
};

}  // namespace

std::string_view CommandTagName(const Node* statement) {
  if (statement == nullptr) return "";
  if (std::string_view text = TagByField(statement); !text.empty()) return text;
  for (const PlainTag& plain : kPlainTags) {
    if (plain.tag == statement->tag) return plain.text;
  }
  return "???";
}

}  // namespace walden

// TRUNCATE.
#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/identity.h"
#include "node/catalog/relation_use.h"
#include "node/sql/commands/command_parts.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

void CheckTruncatable(const Relation& table) {
  if (table.row.relkind != relkind::kTable) {
    throw SqlError(ErrorCode::kWrongObjectType, "\"{}\" is not a table", table.name());
  }
  ThrowUnlessOk(CheckRelation(table.oid, CurrentRole(), acl::kTruncate), ObjectKind::kTable, table.name());
  if (IsCatalogRelation(table.oid)) {
    throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog",
                   table.name());
  }
  if (table.is_temporary() && IsOtherTemporaryNamespace(table.row.relnamespace)) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot truncate temporary tables of other sessions");
  }
}

bool Contains(const std::vector<RelationRef>& tables, Oid oid) {
  return std::any_of(tables.begin(), tables.end(),
                     [&](const RelationRef& table) { return table->oid == oid; });
}

// CASCADE: tables with foreign keys to these, and so on.
void AddReferencing(std::vector<RelationRef>* tables) {
  for (size_t i = 0; i < tables->size(); ++i) {
    std::vector<PgConstraintRow> keys = (*tables)[i]->referenced_by;
    for (const PgConstraintRow& key : keys) {
      if (Contains(*tables, key.conrelid)) continue;
      RelationRef table = OpenRelation(key.conrelid, LockMode::kAccessExclusive);
      Notice(fmt::format("truncate cascades to table \"{}\"", table->name()));
      CheckTruncatable(*table);
      tables->push_back(table);
    }
  }
}

void RefuseReferenced(const std::vector<RelationRef>& tables) {
  for (const RelationRef& table : tables) {
    for (const PgConstraintRow& key : table->referenced_by) {
      if (Contains(tables, key.conrelid)) continue;
      throw SqlError(ErrorCode::kFeatureNotSupported,
                     "cannot truncate a table referenced in a foreign key constraint")
          .WithDetail(
              fmt::format("Table \"{}\" references \"{}\".", RelationName(key.conrelid), table->name()))
          .WithHint(fmt::format("Truncate table \"{}\" at the same time, or use TRUNCATE ... CASCADE.",
                                RelationName(key.conrelid)));
    }
  }
}

std::vector<Oid> OwnedSequences(Oid table) {
  std::vector<Oid> sequences;
  for (const Dependency& dependent : DependentsOf(RelationAddress(table))) {
    bool owned = dependent.kind == DependencyKind::kAuto || dependent.kind == DependencyKind::kInternal;
    if (!owned || dependent.other.catalog != catalog_oid::kPgClass) continue;
    RowRef<PgClassRow> row = ClassRow(dependent.other.object);
    if (row && row->relkind == relkind::kSequence) sequences.push_back(row->oid);
  }
  return sequences;
}

}  // namespace

void RunTruncate(const ast::TruncateStmt& statement, CommandContext& context) {
  std::vector<RelationRef> tables;
  for (const ast::Node* node : statement.relations) {
    RelationRef table = OpenRelationByName(NameOf(*ast::As<ast::RangeVar>(node)), LockMode::kAccessExclusive);
    if (Contains(tables, table->oid)) continue;
    CheckTruncatable(*table);
    CheckNotInUse(*table, "TRUNCATE");
    tables.push_back(table);
  }
  if (statement.behavior == DropBehavior::kCascade) AddReferencing(&tables);
  RefuseReferenced(tables);
  for (const RelationRef& table : tables) {
    if (statement.restart_seqs) {
      for (Oid sequence : OwnedSequences(table->oid)) ResetSequence(sequence);
    }
    SetNewRelationFile(table->oid, true);
    table->table.stats.CountTruncate(NestLevel());
  }
  context.Advance();
}

}  // namespace walden

// CREATE TABLE, CREATE TABLE AS, and what happens to temporary tables at commit.
#include <algorithm>

#include "node/access/heap/heap.h"
#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/syscache.h"
#include "node/sql/commands/command_parts.h"
#include "node/sql/executor/batched_insert.h"
#include "node/sql/executor/table_writer.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/query_text.h"
#include "node/txn/transaction.h"
#include "node/txn/transaction_hooks.h"

namespace walden {
namespace {

bool AlreadyThere(const std::string& name, Oid schema, bool if_not_exists) {
  if (!if_not_exists || !ClassRow(name, schema)) return false;
  Notice("relation \"" + name + "\" already exists, skipping");
  return true;
}

void RefuseUnsupported(const ast::CreateStmt& statement) {
  if (!statement.inh_relations.empty()) throw NotSupported("table inheritance");
  if (statement.partspec != nullptr || statement.partbound != nullptr) throw NotSupported("partitioning");
  if (statement.of_typename != nullptr) throw NotSupported("CREATE TABLE OF");
  if (!statement.access_method.empty() && statement.access_method != "heap") {
    throw SqlError(ErrorCode::kUndefinedObject, "access method \"{}\" does not exist",
                   statement.access_method);
  }
  if (!statement.tablespacename.empty() && statement.tablespacename != "pg_default") {
    throw SqlError(ErrorCode::kUndefinedObject, "tablespace \"{}\" does not exist", statement.tablespacename);
  }
}

// LIKE parent INCLUDING ...
class LikeClause {
 public:
  LikeClause(const ast::TableLikeClause& clause, CommandContext& context)
      : clause_(clause), context_(context) {
    parent_ = OpenRelationByName(NameOf(*clause.relation), LockMode::kAccessShare);
    char kind = parent_->row.relkind;
    if (kind != relkind::kTable && kind != relkind::kView && kind != relkind::kMaterializedView &&
        kind != relkind::kComposite) {
      throw SqlError(ErrorCode::kWrongObjectType, "relation \"{}\" is invalid in LIKE clause",
                     parent_->name());
    }
    ThrowUnlessOk(CheckRelation(parent_->oid, CurrentRole(), acl::kSelect), ObjectKind::kTable,
                  parent_->name());
  }

  void AddColumns(PlannedTable* table) {
    for (const PgAttributeRow& source : parent_->columns) {
      if (source.attisdropped) continue;
      PlannedColumn column;
      column.row.attname = source.attname;
      column.row.atttypid = source.atttypid;
      column.row.atttypmod = source.atttypmod;
      column.row.attcollation = source.attcollation;
      column.row.attndims = source.attndims;
      column.row.attnotnull = source.attnotnull;
      if (Wants(TableLikeOption::kStorage)) column.row.attstorage = source.attstorage;
      if (Wants(TableLikeOption::kCompression)) column.row.attcompression = source.attcompression;
      if (source.attgenerated != '\0' && Wants(TableLikeOption::kGenerated))
        column.row.attgenerated = source.attgenerated;
      table->columns.push_back(std::move(column));
    }
  }

  // Defaults, checks and indexes, once the new table exists.
  void Finish(Oid table, const PlannedTable& planned) {
    CopyDefaults(table, planned);
    if (Wants(TableLikeOption::kConstraints)) CopyChecks(table);
    if (Wants(TableLikeOption::kIndexes)) CopyIndexes(table, planned);
  }

 private:
  bool Wants(TableLikeOption option) const { return (clause_.options & static_cast<uint32_t>(option)) != 0; }
  AttrNumber NewNumber(const PlannedTable& planned, const std::string& name) const {
    for (size_t i = 0; i < planned.columns.size(); ++i) {
      if (planned.columns[i].row.attname == name) return static_cast<AttrNumber>(i + 1);
    }
    return 0;
  }
  bool SameNumbers() const {
    return std::none_of(parent_->columns.begin(), parent_->columns.end(),
                        [](const auto& c) { return c.attisdropped; });
  }

  void CopyDefaults(Oid table, const PlannedTable& planned) {
    for (const ColumnDefault& source : parent_->defaults) {
      const PgAttributeRow& column = parent_->columns[source.attno - 1];
      bool wanted = column.attgenerated != '\0' ? Wants(TableLikeOption::kGenerated)
                                                : Wants(TableLikeOption::kDefaults);
      if (!wanted) continue;
      if (column.attgenerated != '\0' && !SameNumbers())
        throw NotSupported("LIKE of a generated column after a dropped one");
      Node* expression = ReadNode(source.expression, context_.arena);
      StoreDefault(table, NewNumber(planned, column.attname), source.expression,
                   ExpressionReferences(expression, table), column.attgenerated != '\0');
      context_.Advance();
    }
  }

  void CopyChecks(Oid table) {
    if (!parent_->checks.empty() && !SameNumbers())
      throw NotSupported("LIKE INCLUDING CONSTRAINTS after a dropped column");
    for (const CheckConstraint& check : parent_->checks) {
      Node* expression = ReadNode(check.expression, context_.arena);
      CatalogTable<PgConstraintRow> constraints;
      NewConstraint copy;
      copy.name = check.name;
      copy.schema = ClassRow(table)->relnamespace;
      copy.relation = table;
      copy.expression = check.expression;
      PgConstraintRow row = ConstraintRowOf(copy);
      row.oid = constraints.NewOid();
      constraints.Insert(row);
      ObjectAddress self{catalog_oid::kPgConstraint, row.oid, 0};
      RecordDependency(self, RelationAddress(table), DependencyKind::kAuto);
      RecordDependencies(self, ExpressionReferences(expression, table), DependencyKind::kNormal);
      UpdateClassRow(table, [](PgClassRow* c) { ++c->relchecks; });
    }
    context_.Advance();
  }

  void CopyIndexes(Oid table, const PlannedTable& planned) {
    for (const RelationRef& source : parent_->indexes) {
      if (source->index->indexprs || source->index->indpred)
        throw NotSupported("LIKE INCLUDING INDEXES of expression indexes");
      auto* statement = context_.arena.New<ast::Constraint>();
      for (size_t k = 0; k < source->index->indkey.size(); ++k) {
        auto* key = context_.arena.New<ast::String>();
        key->sval = context_.arena.Copy(parent_->columns[source->index->indkey[k] - 1].attname);
        (static_cast<int>(k) < source->index->indnkeyatts ? statement->keys : statement->including)
            .Append(context_.arena, key);
      }
      if (source->index->indisunique) {
        statement->contype = source->index->indisprimary ? ConstrType::kPrimary : ConstrType::kUnique;
        CreateConstraintIndex(table, *statement, "", context_);
      } else {
        CopyPlainIndex(table, *statement);
      }
      context_.Advance();
    }
    (void)planned;
  }

  void CopyPlainIndex(Oid table, const ast::Constraint& keys) {
    auto* statement = context_.arena.New<ast::IndexStmt>();
    auto* range = context_.arena.New<ast::RangeVar>();
    RowRef<PgClassRow> row = ClassRow(table);
    range->schemaname = context_.arena.Copy(SchemaName(row->relnamespace));
    range->relname = context_.arena.Copy(row->relname);
    statement->relation = range;
    statement->access_method = "btree";
    for (ast::Node* key : keys.keys) {
      auto* element = context_.arena.New<ast::IndexElem>();
      element->name = ast::StringOf(key);
      statement->index_params.Append(context_.arena, element);
    }
    CreateIndex(*statement, context_);
  }

  const ast::TableLikeClause& clause_;
  CommandContext& context_;
  RelationRef parent_;
};

NewRelation RelationOf(const PlannedTable& planned) {
  NewRelation relation;
  relation.name = planned.name;
  relation.schema = planned.schema;
  relation.owner = CurrentRole();
  relation.persistence = planned.persistence;
  for (const PlannedColumn& column : planned.columns) relation.columns.push_back(column.row);
  return relation;
}

// Primary key columns are not null, whoever says so.
void MarkPrimaryKeyColumns(PlannedTable* planned) {
  int primary_keys = 0;
  for (const PlannedConstraint& item : planned->constraints) {
    if (item.constraint->contype != ConstrType::kPrimary) continue;
    if (++primary_keys > 1) {
      throw SqlError(ErrorCode::kInvalidTableDefinition,
                     "multiple primary keys for table \"{}\" are not allowed", planned->name);
    }
    for (const ast::Node* key : item.constraint->keys) {
      for (PlannedColumn& column : planned->columns) {
        if (column.row.attname == ast::StringOf(key)) column.row.attnotnull = true;
      }
    }
  }
}

void PlanElements(const ast::CreateStmt& statement, PlannedTable* planned, std::vector<LikeClause>* likes,
                  CommandContext& context) {
  for (const ast::Node* element : statement.table_elts) {
    if (auto* column = ast::TryAs<ast::ColumnDef>(element)) {
      PlanColumn(*column, planned, context);
    } else if (auto* like = ast::TryAs<ast::TableLikeClause>(element)) {
      likes->emplace_back(*like, context);
      likes->back().AddColumns(planned);
    } else if (auto* constraint = ast::TryAs<ast::Constraint>(element)) {
      if (constraint->contype == ConstrType::kExclusion) throw NotSupported("EXCLUDE constraints");
      planned->constraints.push_back({constraint, ""});
    }
  }
  for (const ast::Node* constraint : statement.constraints)
    planned->constraints.push_back({ast::As<ast::Constraint>(constraint), ""});
}

// WITH (toast.x = ...): of the TOAST table. They must be right even if there is none.
void SetToastOptions(Oid table, const ast::NodeList& options) {
  std::optional<std::vector<std::string>> own = RelationOptions(options, relkind::kToast);
  Oid toast = ClassRow(table)->reltoastrelid;
  if (own && IsValid(toast)) UpdateClassRow(toast, [&](PgClassRow* row) { row->reloptions = own; });
}

}  // namespace

Oid CreateTable(const ast::CreateStmt& statement, CommandContext& context) {
  RefuseUnsupported(statement);
  PlannedTable planned;
  planned.name = statement.relation->relname;
  planned.persistence = statement.relation->relpersistence == '\0' ? 'p' : statement.relation->relpersistence;
  planned.schema = CreationSchema(*statement.relation, &planned.persistence);
  if (statement.oncommit != OnCommitAction::kNoop && planned.persistence != 't') {
    throw SqlError(ErrorCode::kInvalidTableDefinition, "ON COMMIT can only be used on temporary tables");
  }
  if (AlreadyThere(planned.name, planned.schema, statement.if_not_exists)) return Oid::kInvalid;
  std::vector<LikeClause> likes;
  PlanElements(statement, &planned, &likes, context);
  MarkPrimaryKeyColumns(&planned);

  NewRelation relation = RelationOf(planned);
  relation.options = RelationOptions(statement.options, relkind::kTable);
  Oid table = CreateRelation(relation);
  context.Advance();
  for (size_t i = 0; i < planned.columns.size(); ++i) {
    const PlannedColumn& column = planned.columns[i];
    AttrNumber attno = static_cast<AttrNumber>(i + 1);
    AttachColumnSequence(column, table, attno);
    if (column.from_serial) StoreSequenceDefault(table, attno, column.sequence, context);
    if (column.default_ast != nullptr) StoreColumnDefault(table, attno, *column.default_ast, context);
  }
  CreateToastTableIfNeeded(table);
  context.Advance();
  SetToastOptions(table, statement.options);
  for (LikeClause& like : likes) like.Finish(table, planned);
  AddConstraints(table, planned.constraints, context, false);
  RememberOnCommit(table, statement.oncommit);
  return table;
}

namespace {

// Columns named and typed by a query's result.
std::vector<PgAttributeRow> ColumnsOfQuery(const Query& query, const ast::NodeList& names) {
  std::vector<PgAttributeRow> columns;
  std::vector<std::string> given = StringsOf(names);
  for (const TargetEntry* target : query.target_list) {
    if (target->resjunk) continue;
    PgAttributeRow& column = columns.emplace_back();
    column.attname =
        columns.size() <= given.size() ? given[columns.size() - 1] : std::string(target->resname);
    column.atttypid = ExprType(target->expr);
    column.atttypmod = ExprTypmod(target->expr);
    column.attcollation = ExprCollation(target->expr);
    if (column.atttypid == type_oid::kUnknown) column.atttypid = type_oid::kText;
    RefuseSystemColumnName(column.attname);
    for (size_t i = 0; i + 1 < columns.size(); ++i) {
      if (columns[i].attname != column.attname) continue;
      throw SqlError(ErrorCode::kDuplicateColumn, "column \"{}\" specified more than once", column.attname);
    }
  }
  if (given.size() > columns.size())
    throw SqlError(ErrorCode::kSyntaxError, "too many column names were specified");
  return columns;
}

uint64_t FillFromQuery(Oid table, Query* query, CommandContext& context) {
  TableWriter writer(OpenRelation(table, LockMode::kAccessExclusive));
  BulkInsertState bulk(true);
  Arena scratch;
  EvalContext eval(scratch, context.format, context.session);
  BatchedInsert rows(writer, CurrentCommandId(true), BulkInsertOptions(writer.relation()), &bulk);
  uint64_t count = context.queries->RunQuery(query, [&](std::span<const Value> row) {
    rows.Add(row);
    if (!rows.full()) return;
    rows.Flush(eval);
    scratch.Reset();
  });
  rows.Flush(eval);
  return count;
}

}  // namespace

std::string RunCreateTableAs(const ast::CreateTableAsStmt& statement, CommandContext& context) {
  if (statement.objtype == ObjectType::kMatView) throw NotSupported("CREATE MATERIALIZED VIEW");
  const ast::IntoClause& into = *statement.into;
  char persistence = into.rel->relpersistence == '\0' ? 'p' : into.rel->relpersistence;
  Oid schema = CreationSchema(*into.rel, &persistence);
  if (into.on_commit != OnCommitAction::kNoop && persistence != 't')
    throw SqlError(ErrorCode::kInvalidTableDefinition, "ON COMMIT can only be used on temporary tables");
  std::string name(into.rel->relname);
  if (AlreadyThere(name, schema, statement.if_not_exists)) return "CREATE TABLE AS";
  if (ast::Is<ast::ExecuteStmt>(statement.query)) throw NotSupported("CREATE TABLE AS EXECUTE");
  Query* query = BindInnerQuery(*statement.query, context.Bind());
  NewRelation relation;
  relation.name = name;
  relation.schema = schema;
  relation.owner = CurrentRole();
  relation.persistence = persistence;
  relation.columns = ColumnsOfQuery(*query, into.col_names);
  relation.options = RelationOptions(into.options, relkind::kTable);
  Oid table = CreateRelation(relation);
  context.Advance();
  CreateToastTableIfNeeded(table);
  context.Advance();
  SetToastOptions(table, into.options);
  RememberOnCommit(table, into.on_commit);
  if (into.skip_data) return "CREATE TABLE AS";
  return "SELECT " + std::to_string(FillFromQuery(table, query, context));
}

namespace {

struct OnCommitItem {
  Oid relation;
  OnCommitAction action;
  uint32_t made_in;  // subtransaction; 0 = committed
};
thread_local std::vector<OnCommitItem> on_commit_items;

void RunOnCommitActions() {
  std::vector<Oid> to_drop;
  for (const OnCommitItem& item : on_commit_items) {
    if (!ClassRow(item.relation)) continue;
    if (item.action == OnCommitAction::kDrop) to_drop.push_back(item.relation);
    if (item.action == OnCommitAction::kDeleteRows) {
      SetNewRelationFile(item.relation, true);
      CommandCounterIncrement();
    }
  }
  std::vector<ObjectAddress> objects;
  for (Oid relation : to_drop) objects.push_back(RelationAddress(relation));
  DropObjects(objects, {.cascade = true, .internal = true});
}

void OnTxnEvent(TxnEvent event, const TxnEventInfo& info) {
  if (on_commit_items.empty()) return;
  switch (event) {
    case TxnEvent::kPreCommit: RunOnCommitActions(); break;
    case TxnEvent::kCommitted:
      std::erase_if(on_commit_items,
                    [](const OnCommitItem& item) { return item.action == OnCommitAction::kDrop; });
      for (OnCommitItem& item : on_commit_items) item.made_in = 0;
      break;
    case TxnEvent::kAbort:
      std::erase_if(on_commit_items, [](const OnCommitItem& item) { return item.made_in != 0; });
      break;
    case TxnEvent::kSubAbort:
      std::erase_if(on_commit_items, [&](const OnCommitItem& item) { return item.made_in == info.sub_id; });
      break;
    default: break;
  }
}

}  // namespace

void RememberOnCommit(Oid relation, OnCommitAction action) {
  if (action != OnCommitAction::kDrop && action != OnCommitAction::kDeleteRows) return;
  on_commit_items.push_back({relation, action, CurrentSubId()});
}

void InstallCommandHooks() {
  RegisterTxnHook(50, OnTxnEvent,
                  {TxnEvent::kPreCommit, TxnEvent::kCommitted, TxnEvent::kAbort, TxnEvent::kSubAbort});
}

}  // namespace walden

// CREATE INDEX, the indexes of constraints, REINDEX.
#include <algorithm>

#include "node/access/deform.h"
#include "node/access/heap/heap.h"
#include "node/base/error.h"
#include "node/buffer/relation_storage.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/relation_use.h"
#include "node/catalog/type_name.h"
#include "node/sql/commands/command_parts.h"
#include "node/sql/executor/table_writer.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/query_text.h"
#include "node/sql/query/tree_walk.h"
#include "node/txn/lock_manager.h"

namespace walden {
namespace {

constexpr Oid kBtreeMethodOid{403};
constexpr size_t kMaxIndexKeys = 32;

// What an index is to be, gathered element by element.
struct IndexPlan {
  NewIndex index;
  ExprList expressions;
  Expr* predicate = nullptr;
  std::vector<std::string> column_names;  // for a generated name
};

std::string UniqueColumnName(const IndexPlan& plan, const std::string& name) {
  auto taken = [&](const std::string& candidate) {
    return std::any_of(plan.index.columns.begin(), plan.index.columns.end(),
                       [&](const auto& c) { return c.attname == candidate; });
  };
  std::string candidate = name;
  for (int i = 1; taken(candidate); ++i) candidate = name + std::to_string(i);
  return candidate;
}

// "lower" for lower(x), else "expr".
std::string ExpressionName(const ast::Node* expression) {
  if (auto* call = ast::TryAs<ast::FuncCall>(expression))
    return std::string(ast::StringOf(call->funcname.back()));
  if (auto* cast = ast::TryAs<ast::TypeCast>(expression)) {
    if (auto* call = ast::TryAs<ast::FuncCall>(cast->arg))
      return std::string(ast::StringOf(call->funcname.back()));
    return std::string(ast::StringOf(cast->type_name->names.back()));
  }
  return "expr";
}

SqlError OnSystemColumns() { return NotSupported("index creation on system columns"); }

void RefuseSystemColumns(const Node* node) {
  if (const Var* var = TryAs<Var>(node); var != nullptr && var->varattno < 0) throw OnSystemColumns();
  AnyChild(node, [](const Node* child) {
    RefuseSystemColumns(child);
    return false;
  });
}

void AddColumnFacts(const Relation& table, const ast::IndexElem& element, IndexPlan* plan,
                    CommandContext& context) {
  PgAttributeRow column;
  column.atttypmod = -1;
  if (element.expr == nullptr) {
    AttrNumber attno = table.FindColumn(element.name);
    if (attno == 0) throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" does not exist", element.name);
    if (attno < 0) throw OnSystemColumns();
    const PgAttributeRow& source = table.columns[attno - 1];
    column.atttypid = source.atttypid;
    column.atttypmod = source.atttypmod;
    column.attcollation = source.attcollation;
    column.attname = UniqueColumnName(
        *plan, element.indexcolname.empty() ? source.attname : std::string(element.indexcolname));
    plan->column_names.push_back(source.attname);
    plan->index.row.indkey.push_back(attno);
  } else {
    Expr* expression =
        BindKeyExpression(*element.expr, InfoOf(context, table.oid), KeyKind::kIndex, context.Bind());
    RefuseSystemColumns(expression);
    column.atttypid = ExprType(expression);
    column.atttypmod = ExprTypmod(expression);
    column.attcollation = ExprCollation(expression);
    std::string name =
        element.indexcolname.empty() ? ExpressionName(element.expr) : std::string(element.indexcolname);
    column.attname = UniqueColumnName(*plan, name);
    if (RowRef<PgTypeRow> type = TypeRow(column.atttypid); type && type->typtype == 'p') {
      throw SqlError(ErrorCode::kInvalidTableDefinition, "column \"{}\" has pseudo-type {}", column.attname,
                     FormatType(column.atttypid));
    }
    plan->column_names.push_back(name);
    const Var* var = Is<Var>(expression) ? As<Var>(expression) : nullptr;
    plan->index.row.indkey.push_back(var != nullptr && var->varattno > 0 ? var->varattno : AttrNumber{0});
    if (plan->index.row.indkey.back() == 0) plan->expressions.Append(context.arena, expression);
  }
  if (!element.collation.empty()) column.attcollation = FindCollation(NameOf(element.collation));
  plan->index.columns.push_back(std::move(column));
}

Oid OpclassFor(const ast::IndexElem& element, const PgAttributeRow& column) {
  if (!element.opclass.empty()) return FindOpclass(NameOf(element.opclass), kBtreeMethodOid);
  Oid opclass = DefaultOpclass(column.atttypid, kBtreeMethodOid);
  if (IsValid(opclass)) return opclass;
  throw SqlError(ErrorCode::kUndefinedObject,
                 "data type {} has no default operator class for access method \"btree\"",
                 FormatType(column.atttypid))
      .WithHint(
          "You must specify an operator class for the index or define a default operator class for the data "
          "type.");
}

int16_t OrderingOf(const ast::IndexElem& element) {
  bool descending = element.ordering == SortByDir::kDesc;
  bool nulls_first = element.nulls_ordering == SortByNulls::kFirst ||
                     (descending && element.nulls_ordering == SortByNulls::kDefault);
  return static_cast<int16_t>((descending ? 1 : 0) | (nulls_first ? 2 : 0));
}

void AddKey(const Relation& table, const ast::IndexElem& element, IndexPlan* plan, CommandContext& context) {
  if (!element.opclassopts.empty()) throw NotSupported("operator class parameters");
  AddColumnFacts(table, element, plan, context);
  plan->index.row.indclass.push_back(OpclassFor(element, plan->index.columns.back()));
  plan->index.row.indoption.push_back(OrderingOf(element));
  ++plan->index.row.indnkeyatts;
}

void CheckTable(const Relation& table) {
  char kind = table.row.relkind;
  if (kind != relkind::kTable && kind != relkind::kMaterializedView) {
    throw SqlError(ErrorCode::kWrongObjectType, "cannot create index on relation \"{}\"", table.name())
        .WithDetail(kind == relkind::kView ? "This operation is not supported for views." : "");
  }
  CheckOwnsRelation(table);
}

void CheckMethod(std::string_view method) {
  if (method.empty() || method == "btree") return;
  static constexpr std::string_view kKnown[] = {"hash", "gist", "gin", "spgist", "brin"};
  if (std::find(std::begin(kKnown), std::end(kKnown), method) != std::end(kKnown)) {
    throw NotSupported(fmt::format("access method \"{}\"", method));
  }
  throw SqlError(ErrorCode::kUndefinedObject, "access method \"{}\" does not exist", method);
}

std::string JoinedNames(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : "_") + name;
    if (text.size() >= 64) break;
  }
  return text;
}

// Values of index rows through the executor's own code, expressions and predicate included.
class CompiledRowMaker : public IndexRowMaker {
 public:
  CompiledRowMaker(const RelationRef& table, const RelationRef& index, CommandContext& context)
      : table_(table),
        writer_(table),
        columns_(*table, index),
        eval_(scratch_, context.format, context.session) {
    values_.resize(table->columns.size());
  }
  bool Make(const TupleView& row, Value* values, Arena& arena) override {
    DeformTuple(*table_->desc, row, values_.data(), {.arena = &arena, .toast = table_->table.toast});
    eval_.arena = &arena;
    return columns_.Compute(eval_, writer_.RowVectors(values_), values_, values);
  }

 private:
  RelationRef table_;
  TableWriter writer_;
  IndexColumns columns_;
  Arena scratch_;
  EvalContext eval_;
  std::vector<Value> values_;
};

void FillIndex(Oid table, Oid index, IndexCommand command, CommandContext& context) {
  RelationRef table_relation = OpenRelation(table, LockMode::kNone);
  RelationRef index_relation = OpenRelation(index, LockMode::kAccessExclusive);
  bool plain = !index_relation->index->indexprs && !index_relation->index->indpred;
  if (plain) {
    BuildIndex(table_relation, index_relation, nullptr, command);
  } else {
    CompiledRowMaker maker(table_relation, index_relation, context);
    BuildIndex(table_relation, index_relation, &maker, command);
  }
  context.Advance();
}

Oid StoreIndex(IndexPlan* plan, CommandContext& context) {
  PgIndexRow& row = plan->index.row;
  row.indisvalid = row.indisready = row.indislive = true;
  if (!plan->expressions.empty()) row.indexprs = WriteNodeList(plan->expressions);
  if (plan->predicate != nullptr) row.indpred = WriteNode(plan->predicate);
  Oid oid = CreateIndexRelation(plan->index);
  ObjectAddress self = RelationAddress(oid);
  auto record = [&](const Node* expression) {
    std::vector<ObjectAddress> own, others;
    for (const ObjectAddress& reference : ExpressionReferences(expression, plan->index.table)) {
      bool is_own = reference.catalog == catalog_oid::kPgClass && reference.object == plan->index.table;
      (is_own ? own : others).push_back(reference);
    }
    RecordDependencies(self, own, DependencyKind::kAuto);
    RecordDependencies(self, others, DependencyKind::kNormal);
  };
  for (const Expr* expression : plan->expressions) record(expression);
  if (plan->predicate != nullptr) record(plan->predicate);
  context.Advance();
  return oid;
}

}  // namespace

Oid CreateIndex(const ast::IndexStmt& statement, CommandContext& context) {
  if (statement.concurrent) RequireNoTransactionBlock(context, "CREATE INDEX CONCURRENTLY");
  RelationRef table = OpenRelationByName(NameOf(*statement.relation), LockMode::kShare);
  CheckTable(*table);
  CheckMethod(statement.access_method);
  if (statement.index_params.size() > kMaxIndexKeys) {
    throw SqlError(ErrorCode::kTooManyColumns, "cannot use more than {} columns in an index", kMaxIndexKeys);
  }
  ThrowUnlessOk(CheckSchema(table->row.relnamespace, CurrentRole(), acl::kCreate), ObjectKind::kSchema,
                SchemaName(table->row.relnamespace));
  IndexPlan plan;
  plan.index.table = table->oid;
  plan.index.schema = table->row.relnamespace;
  plan.index.row.indisunique = statement.unique;
  plan.index.row.indnullsnotdistinct = statement.nulls_not_distinct;
  plan.index.row.indimmediate = true;
  plan.index.options = RelationOptions(statement.options, relkind::kIndex);
  for (const ast::Node* element : statement.index_params)
    AddKey(*table, *ast::As<ast::IndexElem>(element), &plan, context);
  for (const ast::Node* element : statement.index_including_params) {
    const auto& included = *ast::As<ast::IndexElem>(element);
    if (included.expr != nullptr)
      throw SqlError(ErrorCode::kFeatureNotSupported, "expressions are not supported in included columns");
    AddColumnFacts(*table, included, &plan, context);
  }
  if (statement.where_clause != nullptr) {
    plan.predicate = BindCondition(*statement.where_clause, InfoOf(context, table->oid),
                                   ConditionKind::kIndexPredicate, context.Bind());
    RefuseSystemColumns(plan.predicate);
  }
  plan.index.name =
      statement.idxname.empty()
          ? ChooseRelationName(table->name(), JoinedNames(plan.column_names), "idx", plan.index.schema)
          : std::string(statement.idxname);
  if (statement.if_not_exists && ClassRow(plan.index.name, plan.index.schema)) {
    Notice("relation \"" + plan.index.name + "\" already exists, skipping");
    return Oid::kInvalid;
  }
  CheckNotInUse(*table, "CREATE INDEX");
  Oid index = StoreIndex(&plan, context);
  FillIndex(table->oid, index, IndexCommand::kCreate, context);
  return index;
}

namespace {

ast::IndexElem* KeyElement(const ast::Node* key, const Relation& table, CommandContext& context) {
  auto* element = context.arena.New<ast::IndexElem>();
  element->name = ast::StringOf(key);
  if (table.FindColumn(element->name) == 0) {
    throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" named in key does not exist", element->name);
  }
  return element;
}

void StoreIndexConstraint(const Relation& table, const ast::Constraint& constraint, const IndexPlan& plan,
                          Oid index) {
  CatalogTable<PgConstraintRow> constraints;
  NewConstraint made;
  made.name = plan.index.name;
  made.schema = plan.index.schema;
  made.type = constraint.contype == ConstrType::kPrimary ? 'p' : 'u';
  made.relation = table.oid;
  made.deferrable = constraint.deferrable;
  made.deferred = constraint.initdeferred;
  made.index = index;
  made.columns.assign(plan.index.row.indkey.begin(),
                      plan.index.row.indkey.begin() + plan.index.row.indnkeyatts);
  PgConstraintRow row = ConstraintRowOf(made);
  row.oid = constraints.NewOid();
  constraints.Insert(row);
  ObjectAddress self{catalog_oid::kPgConstraint, row.oid, 0};
  for (int16_t attno : plan.index.row.indkey)
    RecordDependency(self, RelationAddress(table.oid, attno), DependencyKind::kAuto);
  // The index is the constraint's: it leaves its own links to the columns to it.
  DeleteDependenciesOf(RelationAddress(index), static_cast<char>(DependencyKind::kAuto));
  RecordDependency(RelationAddress(index), self, DependencyKind::kInternal);
}

// Whether the columns really hold no nulls is seen as the index is built: one pass over the table does.
void SetNotNull(const Relation& table, const IndexPlan& plan, CommandContext& context) {
  for (int k = 0; k < plan.index.row.indnkeyatts; ++k) {
    AttrNumber attno = plan.index.row.indkey[k];
    if (table.columns[attno - 1].attnotnull) continue;
    UpdateAttributeRow(table.oid, attno, [](PgAttributeRow* row) { row->attnotnull = true; });
  }
  context.Advance();
}

}  // namespace

Oid CreateConstraintIndex(Oid table, const ast::Constraint& constraint, std::string_view column,
                          CommandContext& context) {
  RelationRef relation = OpenRelation(table, LockMode::kNone);
  bool primary = constraint.contype == ConstrType::kPrimary;
  if (!constraint.indexname.empty()) throw NotSupported("constraints USING INDEX");
  if (primary && IsValid(relation->primary_key)) {
    throw SqlError(ErrorCode::kInvalidTableDefinition,
                   "multiple primary keys for table \"{}\" are not allowed", relation->name());
  }
  IndexPlan plan;
  plan.index.table = table;
  plan.index.schema = relation->row.relnamespace;
  plan.index.row.indisunique = true;
  plan.index.row.indisprimary = primary;
  plan.index.row.indnullsnotdistinct = constraint.nulls_not_distinct;
  plan.index.row.indimmediate = !constraint.deferrable;
  plan.index.options = RelationOptions(constraint.options, relkind::kIndex);
  if (!column.empty()) {
    auto* element = context.arena.New<ast::IndexElem>();
    element->name = context.arena.Copy(column);
    AddKey(*relation, *element, &plan, context);
  }
  for (const ast::Node* key : constraint.keys)
    AddKey(*relation, *KeyElement(key, *relation, context), &plan, context);
  for (const ast::Node* key : constraint.including)
    AddColumnFacts(*relation, *KeyElement(key, *relation, context), &plan, context);
  if (!constraint.conname.empty()) {
    plan.index.name = constraint.conname;
  } else {
    std::vector<std::string> keys(plan.column_names.begin(),
                                  plan.column_names.begin() + plan.index.row.indnkeyatts);
    plan.index.name = primary
                          ? ChooseRelationName(relation->name(), "", "pkey", plan.index.schema)
                          : ChooseRelationName(relation->name(), JoinedNames(keys), "key", plan.index.schema);
  }
  if (primary) {
    SetNotNull(*relation, plan, context);
  }
  Oid index = StoreIndex(&plan, context);
  StoreIndexConstraint(*relation, constraint, plan, index);
  context.Advance();
  FillIndex(table, index, IndexCommand::kCreate, context);
  return index;
}

void RebuildIndex(Oid index, CommandContext& context) {
  if (IsCatalogRelation(index)) throw NotSupported("REINDEX of system catalogs");
  Oid table = IndexRow(index)->indrelid;
  OpenRelation(table, LockMode::kShare);
  CheckNotInUse(*OpenRelation(index, LockMode::kAccessExclusive), "REINDEX INDEX");
  SetNewRelationFile(index, false);
  context.Advance();
  FillIndex(table, index, IndexCommand::kReindex, context);
}

void RebuildIndexesOf(Oid table, CommandContext& context) {
  RelationRef relation = OpenRelation(table, LockMode::kNone);
  for (const RelationRef& index : relation->indexes)
    FillIndex(table, index->oid, IndexCommand::kReindex, context);
}

std::string RunReindex(const ast::ReindexStmt& statement, CommandContext& context) {
  switch (statement.kind) {
    case ReindexObjectType::kIndex: {
      RelationRef index = OpenRelationByName(NameOf(*statement.relation), LockMode::kNone);
      if (index->row.relkind != relkind::kIndex) {
        throw SqlError(ErrorCode::kWrongObjectType, "\"{}\" is not an index", index->name());
      }
      CheckOwnsRelation(*index);
      RebuildIndex(index->oid, context);
      break;
    }
    case ReindexObjectType::kTable: {
      RelationRef table = OpenRelationByName(NameOf(*statement.relation), LockMode::kShare);
      CheckOwnsRelation(*table);
      for (const RelationRef& index : table->indexes) RebuildIndex(index->oid, context);
      break;
    }
    default: {
      RequireNoTransactionBlock(context, "REINDEX DATABASE");
      Oid schema =
          statement.kind == ReindexObjectType::kSchema ? FindNamespace(statement.name) : Oid::kInvalid;
      std::vector<Oid> tables;
      for (const PgClassRow& row : ReadRows<PgClassRow>(Oid::kInvalid, {})) {
        bool wanted = row.relkind == relkind::kTable && !IsCatalogRelation(row.oid) &&
                      (!IsValid(schema) || row.relnamespace == schema);
        if (wanted && IsOwner(catalog_oid::kPgClass, row.oid, CurrentRole())) tables.push_back(row.oid);
      }
      for (Oid table : tables) {
        RelationRef relation = TryOpenRelation(table, LockMode::kShare);
        if (!relation) continue;
        for (const RelationRef& index : relation->indexes) RebuildIndex(index->oid, context);
      }
    }
  }
  return "REINDEX";
}

}  // namespace walden

// CREATE [OR REPLACE] VIEW.
#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/rows/pg_rewrite.h"
#include "node/catalog/type_name.h"
#include "node/sql/binder/rewriter.h"
#include "node/sql/commands/command_parts.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/query_text.h"

namespace walden {
namespace {

std::vector<PgAttributeRow> ViewColumns(const Query& query, const ast::NodeList& aliases) {
  std::vector<std::string> names = StringsOf(aliases);
  std::vector<PgAttributeRow> columns;
  for (TargetEntry* target : query.target_list) {
    if (target->resjunk) continue;
    PgAttributeRow& column = columns.emplace_back();
    column.attname =
        columns.size() <= names.size() ? names[columns.size() - 1] : std::string(target->resname);
    column.atttypid = ExprType(target->expr);
    column.atttypmod = ExprTypmod(target->expr);
    column.attcollation = ExprCollation(target->expr);
    for (size_t i = 0; i + 1 < columns.size(); ++i) {
      if (columns[i].attname != column.attname) continue;
      throw SqlError(ErrorCode::kDuplicateColumn, "column \"{}\" specified more than once", column.attname);
    }
  }
  if (names.size() > columns.size()) {
    throw SqlError(ErrorCode::kSyntaxError, "CREATE VIEW specifies more column names than columns");
  }
  return columns;
}

bool UsesTemporary(const Query& query) {
  for (const ObjectAddress& object : QueryReferences(&query)) {
    if (object.catalog != catalog_oid::kPgClass) continue;
    RowRef<PgClassRow> row = ClassRow(object.object);
    if (row && row->relpersistence == 't') return true;
  }
  return false;
}

void CheckReplacement(const Relation& old, const std::vector<PgAttributeRow>& columns) {
  if (old.row.relkind != relkind::kView)
    throw SqlError(ErrorCode::kWrongObjectType, "\"{}\" is not a view", old.name());
  CheckOwnsRelation(old);
  if (columns.size() < old.columns.size()) {
    throw SqlError(ErrorCode::kInvalidTableDefinition, "cannot drop columns from view");
  }
  for (size_t i = 0; i < old.columns.size(); ++i) {
    const PgAttributeRow &was = old.columns[i], &is = columns[i];
    if (was.attname != is.attname) {
      throw SqlError(ErrorCode::kInvalidTableDefinition, "cannot change name of view column \"{}\" to \"{}\"",
                     was.attname, is.attname)
          .WithHint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.");
    }
    if (was.atttypid != is.atttypid || was.atttypmod != is.atttypmod) {
      throw SqlError(ErrorCode::kInvalidTableDefinition,
                     "cannot change data type of view column \"{}\" from {} to {}", was.attname,
                     FormatType(was.atttypid, was.atttypmod), FormatType(is.atttypid, is.atttypmod));
    }
  }
}

Oid ReplaceView(Oid view, const std::vector<PgAttributeRow>& columns,
                const std::optional<std::vector<std::string>>& options, CommandContext& context) {
  RelationRef old = OpenRelation(view, LockMode::kAccessExclusive);
  CheckReplacement(*old, columns);
  for (size_t i = old->columns.size(); i < columns.size(); ++i) AddColumn(view, columns[i]);
  UpdateClassRow(view, [&](PgClassRow* row) { row->reloptions = options; });
  DeleteDependenciesOf(RelationAddress(view), static_cast<char>(DependencyKind::kNormal));
  RecordDependency(RelationAddress(view), {catalog_oid::kPgNamespace, old->row.relnamespace, 0},
                   DependencyKind::kNormal);
  context.Advance();
  return view;
}

// A check option needs a view that can be written through.
void RequireUpdatableForCheckOption(const Query& query,
                                    const std::optional<std::vector<std::string>>& options) {
  if (!options || std::none_of(options->begin(), options->end(), [](const std::string& option) {
        return option.starts_with("check_option=");
      })) {
    return;
  }
  const char* why = WhyViewNotUpdatable(query, true);
  if (why == nullptr) return;
  throw SqlError(ErrorCode::kFeatureNotSupported,
                 "WITH CHECK OPTION is supported only on automatically updatable views")
      .WithHint(why);
}

}  // namespace

void StoreViewRule(Oid view, const Query& query, bool replace, CommandContext& context) {
  constexpr char kSelectEvent = '1';
  CatalogTable<PgRewriteRow> rules;
  PgRewriteRow row;
  row.rulename = "_RETURN";
  row.ev_class = view;
  row.ev_type = kSelectEvent;
  row.ev_enabled = 'O';
  row.is_instead = true;
  row.ev_qual = "<>";
  row.ev_action = "(" + WriteNode(&query) + ")";
  auto old =
      replace ? rules.Find(catalog_index::kPgRewriteRelRulenameIndex, {view, "_RETURN"}) : std::nullopt;
  if (old) {
    row.oid = old->row.oid;
    rules.Update(old->tid, row);
    DeleteDependenciesOf({catalog_oid::kPgRewrite, row.oid, 0});
  } else {
    row.oid = rules.NewOid();
    rules.Insert(row);
  }
  ObjectAddress self{catalog_oid::kPgRewrite, row.oid, 0};
  RecordDependency(self, RelationAddress(view), DependencyKind::kInternal);
  std::vector<ObjectAddress> references = QueryReferences(&query);
  RecordDependencies(self, references, DependencyKind::kNormal);
  UpdateClassRow(view, [](PgClassRow* class_row) { class_row->relhasrules = true; });
  context.Advance();
}

Oid CreateView(const ast::ViewStmt& statement, CommandContext& context) {
  if (statement.view->relpersistence == 'u') {
    throw SqlError(ErrorCode::kSyntaxError, "views cannot be unlogged because they do not have storage");
  }
  Query* query = BindStatement(*statement.query, context.Bind());
  if (query->command_type == CmdType::kUtility)
    throw SqlError(ErrorCode::kFeatureNotSupported, "views must not contain SELECT INTO");
  if (query->command_type != CmdType::kSelect)
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "views must not contain data-modifying statements in WITH");
  if (query->has_modifying_cte) {
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "views must not contain data-modifying statements in WITH");
  }
  std::vector<PgAttributeRow> columns = ViewColumns(*query, statement.aliases);
  char persistence = statement.view->relpersistence == '\0' ? 'p' : statement.view->relpersistence;
  ast::RangeVar name = *statement.view;
  if (persistence == 'p' && UsesTemporary(*query)) {
    persistence = 't';
    name.schemaname = {};
    Notice(fmt::format("view \"{}\" will be a temporary view", name.relname));
  }
  Oid schema = CreationSchema(name, &persistence);
  std::optional<std::vector<std::string>> options = RelationOptions(statement.options, relkind::kView);
  if (statement.with_check_option != ViewCheckOption::kNone) {
    if (!options) options.emplace();
    options->push_back(statement.with_check_option == ViewCheckOption::kLocal ? "check_option=local"
                                                                              : "check_option=cascaded");
  }
  RequireUpdatableForCheckOption(*query, options);
  RowRef<PgClassRow> existing = ClassRow(name.relname, schema);
  Oid view;
  if (existing && statement.replace) {
    view = ReplaceView(existing->oid, columns, options, context);
  } else {
    NewRelation relation;
    relation.name = name.relname;
    relation.schema = schema;
    relation.owner = CurrentRole();
    relation.kind = relkind::kView;
    relation.persistence = persistence;
    relation.columns = columns;
    relation.options = options;
    view = CreateRelation(relation);
    context.Advance();
  }
  // The rule's output columns have the view's names.
  size_t at = 0;
  for (TargetEntry* target : query->target_list) {
    if (!target->resjunk) target->resname = context.arena.Copy(columns[at++].attname);
  }
  StoreViewRule(view, *query, existing != nullptr, context);
  return view;
}

}  // namespace walden

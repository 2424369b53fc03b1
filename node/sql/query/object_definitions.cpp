#include "node/sql/query/object_definitions.h"

#include "node/base/error.h"
#include "node/catalog/dependency.h"
#include "node/catalog/relation.h"
#include "node/catalog/rows/pg_am.h"
#include "node/catalog/rows/pg_opclass.h"
#include "node/catalog/rows/pg_rewrite.h"
#include "node/catalog/rows/pg_trigger.h"
#include "node/catalog/syscache.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/query_text.h"
#include "node/types/quote.h"

namespace walden {

namespace {

constexpr int16_t kIndexDescending = 1;
constexpr int16_t kIndexNullsFirst = 2;
constexpr Oid kBtree{403};

std::string PlainLiteral(std::string_view text) {
  std::string literal = "'";
  for (char c : text) {
    if (c == '\'') literal += '\'';
    literal += c;
  }
  return literal + "'";
}

std::string ColumnList(Oid relation, const std::vector<int16_t>& columns) {
  std::string text;
  for (int16_t column : columns) {
    text += (text.empty() ? "" : ", ") + QuoteIdentifier(ColumnName(relation, column));
  }
  return text;
}

// "fillfactor='70', x=y" from reloptions.
std::string OptionList(const std::vector<std::string>& options) {
  std::string text;
  for (const std::string& option : options) {
    size_t equals = option.find('=');
    std::string name = option.substr(0, equals);
    std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
    text += (text.empty() ? "" : ", ") + QuoteIdentifier(name) + "=";
    text += !value.empty() && QuoteIdentifier(value) == value ? value : PlainLiteral(value);
  }
  return text;
}

List<Node*> StoredList(const std::optional<std::string>& text, Arena& arena) {
  return text ? ReadNodeList(*text, arena) : List<Node*>();
}

bool IsPlainCall(const Node* expr) {
  const auto* func = TryAs<FuncExpr>(expr);
  return func != nullptr &&
         (func->funcformat == CoercionForm::kExplicitCall || func->funcformat == CoercionForm::kSqlSyntax);
}

// ---- indexes ----------------------------------------------------------------------------------------------

class IndexWriter {
 public:
  IndexWriter(const PgIndexRow& index, const PgClassRow& relation, const DeparseNames& names, bool pretty)
      : index_(index),
        relation_(relation),
        names_(names),
        pretty_(pretty),
        exprs_(StoredList(index.indexprs, arena_)) {}

  std::string Create() {
    // The plain form is for dumps: the table's schema always.
    std::string text = index_.indisunique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ";
    text += QuoteIdentifier(relation_.relname) + " ON ";
    if (relation_.relkind == relkind::kPartitionedIndex) text += "ONLY ";
    text += names_.RelationName(index_.indrelid, /*qualify=*/!pretty_) + " USING " + Method() + " (";
    text += Columns(nullptr) + Tail();
    if (std::string predicate = Predicate(); !predicate.empty()) text += " WHERE " + predicate;
    return text;
  }

  std::string Exclusion(const std::vector<Oid>& operators) {
    std::string text = "EXCLUDE USING " + Method() + " (" + Columns(&operators) + Tail();
    if (std::string predicate = Predicate(); !predicate.empty()) text += " WHERE (" + predicate + ")";
    return text;
  }

  std::string Column(int column) {
    if (column < 1 || column > index_.indnatts) return "";
    return ColumnText(static_cast<size_t>(column - 1)).first;
  }

 private:
  std::string Method() const {
    auto row = FindRow<PgAmRow>(catalog_index::kPgAmOidIndex, {relation_.relam});
    return row == nullptr ? "btree" : QuoteIdentifier(row->amname);
  }

  std::string Columns(const std::vector<Oid>* exclusion_operators) {
    std::string text;
    for (size_t i = 0; i < index_.indkey.size(); ++i) {
      if (i == static_cast<size_t>(index_.indnkeyatts)) {
        text += ") INCLUDE (";
      } else if (i > 0) {
        text += ", ";
      }
      auto [column, type] = ColumnText(i);
      text += column;
      if (i >= static_cast<size_t>(index_.indnkeyatts)) continue;
      text += KeyDecoration(i, type);
      if (exclusion_operators != nullptr)
        text += " WITH " + names_.OperatorName((*exclusion_operators)[i], type, type);
    }
    return text + ")";
  }

  // The column or expression as it stands in the key, and its type.
  std::pair<std::string, Oid> ColumnText(size_t i) {
    if (AttrNumber attno = index_.indkey[i]; attno != 0) {
      auto column = AttributeRow(index_.indrelid, attno);
      key_collation_ = column->attcollation;
      return {QuoteIdentifier(column->attname), column->atttypid};
    }
    uint32_t ordinal = 0;
    for (size_t j = 0; j < i; ++j) ordinal += index_.indkey[j] == 0;
    const Node* expr = exprs_[ordinal];
    key_collation_ = ExprCollation(expr);
    std::string text = DeparseExpr(expr, index_.indrelid, names_, ExprDeparseOptions(pretty_));
    return {IsPlainCall(expr) ? text : "(" + text + ")", ExprType(expr)};
  }

  std::string KeyDecoration(size_t i, Oid type) const {
    std::string text;
    Oid collation = index_.indcollation[i];
    if (IsValid(collation) && collation != key_collation_)
      text += " COLLATE " + names_.CollationName(collation);
    Oid opclass = index_.indclass[i];
    if (opclass != names_.DefaultOpclass(type, relation_.relam)) text += " " + names_.OpclassName(opclass);
    if (relation_.relam != kBtree) return text;
    int16_t option = index_.indoption[i];
    bool nulls_first = option & kIndexNullsFirst;
    if (option & kIndexDescending) {
      text += nulls_first ? " DESC" : " DESC NULLS LAST";
    } else if (nulls_first) {
      text += " NULLS FIRST";
    }
    return text;
  }

  std::string Tail() const {
    std::string text;
    if (index_.indnullsnotdistinct) text += " NULLS NOT DISTINCT";
    if (relation_.reloptions) text += " WITH (" + OptionList(*relation_.reloptions) + ")";
    return text;
  }

  std::string Predicate() {
    if (!index_.indpred) return "";
    return DeparseExpr(ReadNode(*index_.indpred, arena_), index_.indrelid, names_,
                       ExprDeparseOptions(pretty_));
  }

  const PgIndexRow& index_;
  const PgClassRow& relation_;
  const DeparseNames& names_;
  const bool pretty_;
  Arena arena_;
  List<Node*> exprs_;
  Oid key_collation_ = Oid::kInvalid;
};

// ---- constraints ------------------------------------------------------------------------------------------

std::string_view ReferentialAction(char action) {
  switch (action) {
    case 'r': return "RESTRICT";
    case 'c': return "CASCADE";
    case 'n': return "SET NULL";
    case 'd': return "SET DEFAULT";
    default: return "";  // NO ACTION
  }
}

std::string ForeignKeyText(const PgConstraintRow& row, const DeparseNames& names) {
  std::string text = "FOREIGN KEY (" + ColumnList(row.conrelid, *row.conkey) + ") REFERENCES " +
                     names.RelationName(row.confrelid, false) + "(" +
                     ColumnList(row.confrelid, *row.confkey) + ")";
  if (row.confmatchtype == 'f') text += " MATCH FULL";
  if (row.confmatchtype == 'p') text += " MATCH PARTIAL";
  auto add = [&text](std::string_view event, char action) {
    std::string_view words = ReferentialAction(action);
    if (!words.empty()) text += " ON " + std::string(event) + " " + std::string(words);
  };
  add("UPDATE", row.confupdtype);
  add("DELETE", row.confdeltype);
  if (row.confdelsetcols) text += " (" + ColumnList(row.conrelid, *row.confdelsetcols) + ")";
  return text;
}

std::string UniqueText(const PgConstraintRow& row) {
  std::string text = row.contype == 'p' ? "PRIMARY KEY " : "UNIQUE ";
  auto index = IndexRow(row.conindid);
  if (index == nullptr) {
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for index {}", OidNumber(row.conindid));
  }
  if (index->indnullsnotdistinct) text += "NULLS NOT DISTINCT ";
  text += "(" + ColumnList(row.conrelid, *row.conkey) + ")";
  auto first_included = index->indkey.begin() + index->indnkeyatts;
  if (first_included != index->indkey.end()) {
    text += " INCLUDE (" + ColumnList(row.conrelid, {first_included, index->indkey.end()}) + ")";
  }
  return text;
}

std::string CheckText(const PgConstraintRow& row, const DeparseNames& names, bool pretty) {
  Arena arena;
  const Node* expr = ReadNode(*row.conbin, arena);
  std::string text = "CHECK (" + DeparseExpr(expr, row.conrelid, names, ExprDeparseOptions(pretty)) + ")";
  return row.connoinherit ? text + " NO INHERIT" : text;
}

std::string ExclusionText(const PgConstraintRow& row, const DeparseNames& names, bool pretty) {
  auto index = IndexRow(row.conindid);
  auto relation = ClassRow(row.conindid);
  if (index == nullptr || relation == nullptr) {
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for index {}", OidNumber(row.conindid));
  }
  return IndexWriter(*index, *relation, names, pretty).Exclusion(*row.conexclop);
}

}  // namespace

std::optional<std::string> StoredExpression(std::string_view stored, Oid relation, const DeparseNames& names,
                                            bool pretty) {
  if (IsValid(relation) && ClassRow(relation) == nullptr) return std::nullopt;
  Arena arena;
  std::string text;
  for (const Node* tree : ReadNodeList(stored, arena)) {
    if (!text.empty()) text += ", ";
    text += DeparseExpr(tree, relation, names, ExprDeparseOptions(pretty));
  }
  return text;
}

std::optional<std::string> ViewDefinition(Oid view, const DeparseNames& names, bool pretty, int wrap_column) {
  auto row = ClassRow(view);
  if (row == nullptr) return std::nullopt;
  if (row->relkind != relkind::kView && row->relkind != relkind::kMaterializedView) return "Not a view";
  auto rule = FindRow<PgRewriteRow>(catalog_index::kPgRewriteRelRulenameIndex, {view, "_RETURN"});
  if (rule == nullptr) return "Not a view";
  Arena arena;
  List<Node*> trees = ReadNodeList(rule->ev_action, arena);
  DeparseOptions options = ViewDeparseOptions(pretty);
  options.wrap_column = wrap_column;
  return DeparseQuery(*As<Query>(trees[0]), names, options, names.ColumnNames(view)) + ";";
}

std::optional<std::string> RuleDefinition(Oid rule, const DeparseNames& names, bool pretty) {
  auto row = FindRow<PgRewriteRow>(catalog_index::kPgRewriteOidIndex, {rule});
  if (row == nullptr) return std::nullopt;
  if (row->rulename != "_RETURN") throw NotSupported("showing a rule");
  std::string select = ViewDefinition(row->ev_class, names, pretty).value_or(";");
  return "CREATE RULE " + QuoteIdentifier(row->rulename) + " AS\n    ON SELECT TO " +
         names.RelationName(row->ev_class, /*qualify=*/!pretty) + " DO INSTEAD " + select;
}

std::optional<std::string> OwnedSequence(Oid relation, std::string_view column) {
  RelationRef table = OpenRelation(relation, LockMode::kAccessShare);
  AttrNumber attno = table->FindColumn(column);
  if (attno == 0) {
    throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", column,
                   table->name());
  }
  for (const Dependency& dependency : DependentsOf({catalog_oid::kPgClass, relation, attno})) {
    if (dependency.other.catalog != catalog_oid::kPgClass) continue;
    if (dependency.kind != DependencyKind::kAuto && dependency.kind != DependencyKind::kInternal) continue;
    auto row = ClassRow(dependency.other.object);
    if (row == nullptr || row->relkind != relkind::kSequence) continue;
    return QuoteIdentifier(SchemaName(row->relnamespace)) + "." + QuoteIdentifier(row->relname);
  }
  return std::nullopt;
}

std::optional<std::string> IndexDefinition(Oid index, int column, const DeparseNames& names, bool pretty) {
  auto row = IndexRow(index);
  auto relation = ClassRow(index);
  if (row == nullptr || relation == nullptr) return std::nullopt;
  IndexWriter writer(*row, *relation, names, pretty);
  return column == 0 ? writer.Create() : writer.Column(column);
}

std::optional<std::string> ConstraintDefinition(Oid constraint, const DeparseNames& names, bool pretty) {
  auto row = ConstraintRow(constraint);
  if (row == nullptr) return std::nullopt;
  std::string text;
  switch (row->contype) {
    case 'f': text = ForeignKeyText(*row, names); break;
    case 'p':
    case 'u': text = UniqueText(*row); break;
    case 'c': text = CheckText(*row, names, pretty); break;
    case 'x': text = ExclusionText(*row, names, pretty); break;
    case 't': text = "TRIGGER"; break;
    default: throw SqlError(ErrorCode::kInternalError, "invalid constraint type \"{}\"", row->contype);
  }
  if (row->condeferrable) text += " DEFERRABLE";
  if (row->condeferred) text += " INITIALLY DEFERRED";
  if (!row->convalidated) text += " NOT VALID";
  return text;
}

// ---- triggers ---------------------------------------------------------------------------------------------

namespace {

std::string TriggerEvents(const PgTriggerRow& row) {
  std::string text;
  auto add = [&text](std::string_view event) { text += (text.empty() ? "" : " OR ") + std::string(event); };
  if (row.tgtype & trigger_type::kInsert) add("INSERT");
  if (row.tgtype & trigger_type::kDelete) add("DELETE");
  if (row.tgtype & trigger_type::kUpdate) {
    add("UPDATE");
    if (!row.tgattr.empty()) text += " OF " + ColumnList(row.tgrelid, row.tgattr);
  }
  if (row.tgtype & trigger_type::kTruncate) add("TRUNCATE");
  return text;
}

// Arguments are stored one after the other, each ended by a zero byte.
std::string TriggerArguments(const PgTriggerRow& row) {
  std::string text;
  std::string_view rest = row.tgargs;
  for (int i = 0; i < row.tgnargs; ++i) {
    size_t end = rest.find('\0');
    text += (i > 0 ? ", " : "") + PlainLiteral(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return text;
}

}  // namespace

std::optional<std::string> TriggerDefinition(Oid trigger, const DeparseNames& names, bool pretty) {
  auto row = FindRow<PgTriggerRow>(catalog_index::kPgTriggerOidIndex, {trigger});
  if (row == nullptr) return std::nullopt;
  std::string text = IsValid(row->tgconstraint) ? "CREATE CONSTRAINT TRIGGER " : "CREATE TRIGGER ";
  text += QuoteIdentifier(row->tgname);
  text += row->tgtype & trigger_type::kBefore    ? " BEFORE "
          : row->tgtype & trigger_type::kInstead ? " INSTEAD OF "
                                                 : " AFTER ";
  text += TriggerEvents(*row) + " ON " + names.RelationName(row->tgrelid, /*qualify=*/!pretty) + " ";
  if (IsValid(row->tgconstraint)) {
    if (IsValid(row->tgconstrrelid)) text += "FROM " + names.RelationName(row->tgconstrrelid, false) + " ";
    text += row->tgdeferrable ? "DEFERRABLE INITIALLY " : "NOT DEFERRABLE INITIALLY ";
    text += row->tginitdeferred ? "DEFERRED " : "IMMEDIATE ";
  }
  if (row->tgoldtable || row->tgnewtable) {
    text += "REFERENCING ";
    if (row->tgoldtable) text += "OLD TABLE AS " + QuoteIdentifier(*row->tgoldtable) + " ";
    if (row->tgnewtable) text += "NEW TABLE AS " + QuoteIdentifier(*row->tgnewtable) + " ";
  }
  text += row->tgtype & trigger_type::kRow ? "FOR EACH ROW " : "FOR EACH STATEMENT ";
  if (row->tgqual) {
    Arena arena;
    text += "WHEN (" +
            DeparseTriggerCondition(ReadNode(*row->tgqual, arena), row->tgrelid, names,
                                    ExprDeparseOptions(pretty)) +
            ") ";
  }
  text += "EXECUTE FUNCTION " + names.FunctionName(row->tgfoid, {}, {}, false, false);
  return text + "(" + TriggerArguments(*row) + ")";
}

}  // namespace walden

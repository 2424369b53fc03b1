// SELECT and its clauses.
#include <algorithm>
#include <optional>

#include "node/base/error.h"
#include "node/base/stack_depth.h"
#include "node/sql/query/deparser.h"
#include "node/sql/query/expr_facts.h"
#include "node/types/quote.h"

namespace walden {

namespace {

constexpr int kStep = 8;          // of a clause
constexpr int kItemStep = 4;      // of an item on its own line
constexpr int kIndentLimit = 40;  // deeper nesting wraps around

// The VALUES entry of a query that is nothing but VALUES with the names it must have; null otherwise.
const RangeTblEntry* PlainValues(const Query& query, const std::vector<std::string>& column_names) {
  const RangeTblEntry* values = nullptr;
  for (const RangeTblEntry* rte : query.rtable) {
    if (rte->rtekind == RteKind::kValues && rte->in_from_cl) {
      if (values != nullptr) return nullptr;
      values = rte;
    } else if (rte->rtekind != RteKind::kRelation || rte->in_from_cl) {
      return nullptr;
    }
  }
  if (values == nullptr || query.target_list.size() != values->eref->colnames.size()) return nullptr;
  for (uint32_t i = 0; i < query.target_list.size(); ++i) {
    const TargetEntry* target = query.target_list[i];
    if (target->resjunk) return nullptr;
    std::string_view name = i < column_names.size() ? std::string_view(column_names[i]) : target->resname;
    if (name != values->eref->colnames[i]) return nullptr;
  }
  return values;
}

}  // namespace

void Deparser::PutKeyword(std::string_view text, int indent_before, int indent_after, int indent_plus) {
  if (!indenting()) {
    Put(text);
    return;
  }
  indent_ += indent_before;
  StripTrailingSpaces();
  out_ += '\n';
  int amount = indent_;
  if (amount >= kIndentLimit) {
    amount = (kIndentLimit + (indent_ - kIndentLimit) / (kStep / 2)) % kIndentLimit;
  }
  out_.append(static_cast<size_t>(std::max(amount, 0) + indent_plus), ' ');
  Put(text);
  indent_ = std::max(indent_ + indent_after, 0);
}

size_t Deparser::CurrentLineLength() const {
  size_t newline = out_.rfind('\n');
  return newline == std::string::npos ? out_.size() : out_.size() - newline - 1;
}

void Deparser::StripTrailingSpaces() {
  while (!out_.empty() && out_.back() == ' ') out_.pop_back();
}

void Deparser::PutQuery(const Query& query, const std::vector<std::string>& column_names,
                        bool names_visible) {
  CheckStackDepth();
  DeparseScope scope(query, names_, scope_);
  const DeparseScope* outer_scope = scope_;
  bool outer_prefix = var_prefix_;
  bool outer_group_by = in_group_by_;
  int outer_indent = indent_;
  const auto* outer_windows = windows_;
  const auto* outer_window_targets = window_targets_;
  scope_ = &scope;
  var_prefix_ = outer_scope != nullptr || query.rtable.size() != 1 || options_.qualify_columns;
  in_group_by_ = false;
  switch (query.command_type) {
    case CmdType::kSelect: PutSelect(query, column_names, names_visible); break;
    case CmdType::kNothing: Put("NOTHING"); break;
    default: throw NotSupported("showing the definition of a data-modifying query");
  }
  scope_ = outer_scope;
  var_prefix_ = outer_prefix;
  in_group_by_ = outer_group_by;
  indent_ = outer_indent;
  windows_ = outer_windows;
  window_targets_ = outer_window_targets;
}

void Deparser::PutWith(const Query& query) {
  if (query.cte_list.empty()) return;
  if (indenting()) {
    indent_ += kStep;
    Put(" ");
  }
  std::string_view separator = query.has_recursive ? "WITH RECURSIVE " : "WITH ";
  for (const CommonTableExpr* cte : query.cte_list) {
    Put(separator);
    PutCte(*cte);
    separator = ", ";
  }
  if (indenting()) {
    indent_ -= kStep;
    PutKeyword("", 0, 0, 0);
  } else {
    Put(" ");
  }
}

void Deparser::PutCte(const CommonTableExpr& cte) {
  Put(QuoteIdentifier(cte.ctename));
  if (!cte.aliascolnames.empty()) {
    Put("(");
    for (uint32_t i = 0; i < cte.aliascolnames.size(); ++i) {
      if (i > 0) Put(", ");
      Put(QuoteIdentifier(cte.aliascolnames[i]));
    }
    Put(")");
  }
  Put(" AS ");
  if (cte.ctematerialized == CteMaterialize::kAlways) Put("MATERIALIZED ");
  if (cte.ctematerialized == CteMaterialize::kNever) Put("NOT MATERIALIZED ");
  Put("(");
  if (indenting()) PutKeyword("", 0, 0, 0);
  PutQuery(*cte.ctequery, {}, /*names_visible=*/true);
  if (indenting()) PutKeyword("", 0, 0, 0);
  Put(")");
  PutSearchAndCycle(cte);
}

void Deparser::PutSearchAndCycle(const CommonTableExpr& cte) {
  auto put_names = [&](const List<std::string_view>& names) {
    for (uint32_t i = 0; i < names.size(); ++i) {
      if (i > 0) Put(", ");
      Put(QuoteIdentifier(names[i]));
    }
  };
  if (const CteSearchClause* search = cte.search_clause) {
    Put(search->search_breadth_first ? " SEARCH BREADTH FIRST BY " : " SEARCH DEPTH FIRST BY ");
    put_names(search->search_col_list);
    Put(" SET " + QuoteIdentifier(search->search_seq_column));
  }
  const CteCycleClause* cycle = cte.cycle_clause;
  if (cycle == nullptr) return;
  Put(" CYCLE ");
  put_names(cycle->cycle_col_list);
  Put(" SET " + QuoteIdentifier(cycle->cycle_mark_column));
  auto is_bool = [](const Expr* expr, bool value) {
    const auto* constant = TryAs<Const>(expr);
    return constant != nullptr && constant->consttype == Oid{16} && !constant->IsNull() &&
           constant->value.datum.b == value;
  };
  if (!is_bool(cycle->cycle_mark_value, true) || !is_bool(cycle->cycle_mark_default, false)) {
    Put(" TO ");
    PutExpr(cycle->cycle_mark_value, false);
    Put(" DEFAULT ");
    PutExpr(cycle->cycle_mark_default, false);
  }
  Put(" USING " + QuoteIdentifier(cycle->cycle_path_column));
}

void Deparser::PutSelect(const Query& query, const std::vector<std::string>& column_names,
                         bool names_visible) {
  PutWith(query);
  windows_ = &query.window_clause;
  window_targets_ = &query.target_list;
  bool by_number = query.set_operations != nullptr;
  if (by_number) {
    PutSetOperation(query.set_operations, query, column_names, names_visible);
  } else {
    PutBasicSelect(query, column_names, names_visible);
  }
  if (!query.sort_clause.empty()) {
    PutKeyword(" ORDER BY ", -kStep, kStep, 1);
    PutOrderBy(query.sort_clause, query.target_list, by_number);
  }
  PutLimit(query);
  if (query.has_for_update) PutRowMarks(query);
}

void Deparser::PutLimit(const Query& query) {
  if (query.limit_offset != nullptr) {
    PutKeyword(" OFFSET ", -kStep, kStep, 0);
    PutExpr(query.limit_offset, false);
  }
  if (query.limit_count == nullptr) return;
  if (query.limit_option == LimitOption::kWithTies) {
    // Parentheses always: the grammar wants a constant or a parenthesised expression here.
    PutKeyword(" FETCH FIRST ", -kStep, kStep, 0);
    Put("(");
    PutExpr(query.limit_count, false);
    Put(") ROWS WITH TIES");
    return;
  }
  PutKeyword(" LIMIT ", -kStep, kStep, 0);
  const auto* constant = TryAs<Const>(query.limit_count);
  if (constant != nullptr && constant->IsNull()) {
    Put("ALL");
  } else {
    PutExpr(query.limit_count, false);
  }
}

void Deparser::PutRowMarks(const Query& query) {
  for (const RowMarkClause* mark : query.row_marks) {
    if (mark->pushed_down) continue;  // came from a view or an outer FOR UPDATE
    switch (mark->strength) {
      case LockClauseStrength::kNone: continue;
      case LockClauseStrength::kForKeyShare: PutKeyword(" FOR KEY SHARE", -kStep, kStep, 0); break;
      case LockClauseStrength::kForShare: PutKeyword(" FOR SHARE", -kStep, kStep, 0); break;
      case LockClauseStrength::kForNoKeyUpdate: PutKeyword(" FOR NO KEY UPDATE", -kStep, kStep, 0); break;
      case LockClauseStrength::kForUpdate: PutKeyword(" FOR UPDATE", -kStep, kStep, 0); break;
    }
    Put(" OF " + QuoteIdentifier(scope_->RefName(static_cast<int>(mark->rti))));
    if (mark->wait_policy == LockWaitPolicy::kError) Put(" NOWAIT");
    if (mark->wait_policy == LockWaitPolicy::kSkip) Put(" SKIP LOCKED");
  }
}

void Deparser::PutBasicSelect(const Query& query, const std::vector<std::string>& column_names,
                              bool names_visible) {
  if (indenting()) {
    indent_ += kStep;
    Put(" ");
  }
  if (const RangeTblEntry* values = PlainValues(query, column_names)) {
    PutValues(values->values_lists);
    return;
  }
  Put(query.is_return ? "RETURN" : "SELECT");
  if (!query.distinct_clause.empty()) {
    Put(query.has_distinct_on ? " DISTINCT ON (" : " DISTINCT");
    if (query.has_distinct_on) {
      PutSortGroupList(query.distinct_clause, query.target_list);
      Put(")");
    }
  }
  PutTargetList(query.target_list, column_names, names_visible);
  PutFrom(query);
  if (query.jointree != nullptr && query.jointree->quals != nullptr) {
    PutKeyword(" WHERE ", -kStep, kStep, 1);
    PutExpr(query.jointree->quals, false);
  }
  if (!query.group_clause.empty() || !query.grouping_sets.empty()) PutGroupBy(query);
  if (query.having_qual != nullptr) {
    PutKeyword(" HAVING ", -kStep, kStep, 0);
    PutExpr(query.having_qual, false);
  }
  if (!query.window_clause.empty()) PutWindowClauses(query);
}

void Deparser::PutGroupBy(const Query& query) {
  PutKeyword(" GROUP BY ", -kStep, kStep, 1);
  if (query.group_distinct) Put("DISTINCT ");
  in_group_by_ = true;
  if (query.grouping_sets.empty()) {
    PutSortGroupList(query.group_clause, query.target_list);
  } else {
    for (uint32_t i = 0; i < query.grouping_sets.size(); ++i) {
      if (i > 0) Put(", ");
      PutGroupingSet(*query.grouping_sets[i], query.target_list, /*omit_parentheses=*/true);
    }
  }
  in_group_by_ = false;
}

void Deparser::PutTargetList(const List<TargetEntry*>& targets, const std::vector<std::string>& column_names,
                             bool names_visible) {
  std::string_view separator = " ";
  bool last_was_multiline = false;
  size_t column = 0;
  for (const TargetEntry* target : targets) {
    if (target->resjunk) continue;
    Put(separator);
    const std::string* name = column < column_names.size() ? &column_names[column] : nullptr;
    std::string item = Captured([&] { PutTarget(*target, name, names_visible); });
    PlaceTarget(item, column == 0, &last_was_multiline);
    Put(item);
    separator = ", ";
    ++column;
  }
}

void Deparser::PutTarget(const TargetEntry& target, const std::string* column_name, bool names_visible) {
  // The name that the column would have anyway; absent when none can be relied on.
  std::optional<std::string> implied;
  if (const auto* var = TryAs<Var>(target.expr)) {
    implied = PutVar(*var, 0, /*top_level=*/true);
    if (implied->empty()) implied = std::nullopt;
  } else {
    PutExpr(target.expr, true);
    if (!names_visible) implied = "?column?";
  }
  std::string_view name = column_name != nullptr ? std::string_view(*column_name) : target.resname;
  if (!IsAbsent(name) && implied != name) Put(" AS " + QuoteIdentifier(name));
}

// Begins a new line for an item of the target list if it would not fit, or after an item of several lines.
void Deparser::PlaceTarget(const std::string& item, bool first, bool* last_was_multiline) {
  if (!indenting() || options_.wrap_column < 0) return;
  bool starts_line = !item.empty() && item[0] == '\n';
  if (starts_line) {
    StripTrailingSpaces();
  } else if (!first && (CurrentLineLength() + item.size() > static_cast<size_t>(options_.wrap_column) ||
                        *last_was_multiline)) {
    PutKeyword("", -kStep, kStep, kItemStep);
  }
  *last_was_multiline = item.find('\n', starts_line ? 1 : 0) != std::string::npos;
}

void Deparser::PutSetOperation(const Node* node, const Query& query,
                               const std::vector<std::string>& column_names, bool names_visible) {
  CheckStackDepth();
  if (const auto* leaf = TryAs<RangeTblRef>(node)) {
    PutSetOperationLeaf(*RteAt(query, leaf->rtindex)->subquery, column_names, names_visible);
    return;
  }
  const auto* op = As<SetOperationStmt>(node);
  // Parentheses around a nested operation, unless it is the left input and of the same kind.
  const auto* left = TryAs<SetOperationStmt>(op->larg);
  bool parens = left != nullptr && (left->op != op->op || left->all != op->all);
  int step = parens ? kStep : 0;
  if (parens) {
    Put("(");
    PutKeyword("", step, 0, 0);
  }
  PutSetOperation(op->larg, query, column_names, names_visible);
  if (parens) {
    PutKeyword(") ", -step, 0, 0);
  } else if (indenting()) {
    PutKeyword("", -step, 0, 0);
  } else {
    Put(" ");
  }
  Put(op->op == SetOperation::kUnion       ? "UNION "
      : op->op == SetOperation::kIntersect ? "INTERSECT "
                                           : "EXCEPT ");
  if (op->all) Put("ALL ");
  parens = Is<SetOperationStmt>(op->rarg);
  step = parens ? kStep : 0;
  if (parens) Put("(");
  PutKeyword("", step, 0, 0);
  PutSetOperation(op->rarg, query, column_names, /*names_visible=*/false);
  if (indenting()) indent_ -= step;
  if (parens) PutKeyword(")", 0, 0, 0);
}

void Deparser::PutSetOperationLeaf(const Query& subquery, const std::vector<std::string>& column_names,
                                   bool names_visible) {
  bool parens = !subquery.cte_list.empty() || !subquery.sort_clause.empty() || !subquery.row_marks.empty() ||
                subquery.limit_offset != nullptr || subquery.limit_count != nullptr;
  if (parens) Put("(");
  PutQuery(subquery, column_names, names_visible);
  if (parens) Put(")");
}

void Deparser::PutValues(const List<RowExpr*>& rows) {
  Put("VALUES ");
  for (uint32_t i = 0; i < rows.size(); ++i) {
    Put(i == 0 ? "(" : ", (");
    for (uint32_t j = 0; j < rows[i]->args.size(); ++j) {
      // Only the row's own list separates with a bare comma, as PostgreSQL's output does.
      if (j > 0) Put(",");
      PutExprTopLevel(rows[i]->args[j], false);
    }
    Put(")");
  }
}

const Node* Deparser::PutSortGroupItem(uint32_t ref, const List<TargetEntry*>& targets, bool by_number) {
  const TargetEntry* target = FindSortGroupTarget(targets, ref);
  if (target == nullptr)
    throw SqlError(ErrorCode::kInternalError, "ORDER/GROUP BY expression not found in targetlist");
  const Node* expr = target->expr;
  if (by_number) {
    Put(std::to_string(target->resno));
  } else if (const auto* constant = TryAs<Const>(expr)) {
    PutConst(*constant, 1);  // with its type, or it would be taken for a column number
  } else if (expr == nullptr || Is<Var>(expr)) {
    PutExpr(expr, true);
  } else {
    bool parens = pretty() || Is<FuncExpr>(expr) || Is<Aggref>(expr) || Is<WindowFunc>(expr);
    if (parens) Put("(");
    PutExpr(expr, true);
    if (parens) Put(")");
  }
  return expr;
}

void Deparser::PutSortGroupList(const List<SortGroupClause*>& clauses, const List<TargetEntry*>& targets) {
  for (uint32_t i = 0; i < clauses.size(); ++i) {
    if (i > 0) Put(", ");
    PutSortGroupItem(clauses[i]->tle_sort_group_ref, targets, false);
  }
}

void Deparser::PutOrderBy(const List<SortGroupClause*>& clauses, const List<TargetEntry*>& targets,
                          bool by_number) {
  for (uint32_t i = 0; i < clauses.size(); ++i) {
    if (i > 0) Put(", ");
    const SortGroupClause& clause = *clauses[i];
    Oid type = ExprType(PutSortGroupItem(clause.tle_sort_group_ref, targets, by_number));
    if (clause.sortop == names_.LessThanOperator(type)) {
      if (clause.nulls_first) Put(" NULLS FIRST");
    } else if (clause.sortop == names_.GreaterThanOperator(type)) {
      Put(clause.nulls_first ? " DESC" : " DESC NULLS LAST");
    } else {
      Put(" USING " + names_.OperatorName(clause.sortop, type, type));
      Put(clause.nulls_first ? " NULLS FIRST" : " NULLS LAST");
    }
  }
}

void Deparser::PutGroupingSet(const GroupingSet& set, const List<TargetEntry*>& targets,
                              bool omit_parentheses) {
  bool omit_in_children = true;
  switch (set.kind) {
    case GroupingSetKind::kEmpty: Put("()"); return;
    case GroupingSetKind::kSimple: {
      bool parens = !omit_parentheses || set.refs.size() != 1;
      if (parens) Put("(");
      for (uint32_t i = 0; i < set.refs.size(); ++i) {
        if (i > 0) Put(", ");
        PutSortGroupItem(static_cast<uint32_t>(set.refs[i]), targets, false);
      }
      if (parens) Put(")");
      return;
    }
    case GroupingSetKind::kRollup: Put("ROLLUP("); break;
    case GroupingSetKind::kCube: Put("CUBE("); break;
    case GroupingSetKind::kSets:
      Put("GROUPING SETS (");
      omit_in_children = false;
      break;
  }
  for (uint32_t i = 0; i < set.sets.size(); ++i) {
    if (i > 0) Put(", ");
    PutGroupingSet(*set.sets[i], targets, omit_in_children);
  }
  Put(")");
}

void Deparser::PutWindowClauses(const Query& query) {
  bool first = true;
  for (const WindowClause* window : query.window_clause) {
    if (IsAbsent(window->name)) continue;  // shown where it is used
    if (first) {
      PutKeyword(" WINDOW ", -kStep, kStep, 1);
    } else {
      Put(", ");
    }
    first = false;
    Put(QuoteIdentifier(window->name) + " AS ");
    PutWindow(*window, query.target_list);
  }
}

void Deparser::PutWindow(const WindowClause& window, const List<TargetEntry*>& targets) {
  std::string_view separator = "";
  Put("(");
  if (!IsAbsent(window.refname)) {
    Put(QuoteIdentifier(window.refname));
    separator = " ";
  }
  if (!window.partition_clause.empty() && IsAbsent(window.refname)) {
    Put(separator);
    Put("PARTITION BY ");
    PutSortGroupList(window.partition_clause, targets);
    separator = " ";
  }
  if (!window.order_clause.empty() && !window.copied_order) {
    Put(separator);
    Put("ORDER BY ");
    PutOrderBy(window.order_clause, targets, false);
    separator = " ";
  }
  if (window.frame_options & frame_option::kNonDefault) {
    Put(separator);
    PutFrame(window);
  }
  Put(")");
}

void Deparser::PutFrame(const WindowClause& window) {
  using namespace frame_option;
  int options = window.frame_options;
  Put(options & kRange ? "RANGE " : options & kRows ? "ROWS " : "GROUPS ");
  if (options & kBetween) Put("BETWEEN ");
  PutFrameBound(window, /*is_start=*/true);
  if (options & kBetween) {
    Put(" AND ");
    PutFrameBound(window, /*is_start=*/false);
  }
  if (options & kExcludeCurrentRow) Put(" EXCLUDE CURRENT ROW");
  if (options & kExcludeGroup) Put(" EXCLUDE GROUP");
  if (options & kExcludeTies) Put(" EXCLUDE TIES");
}

void Deparser::PutFrameBound(const WindowClause& window, bool is_start) {
  using namespace frame_option;
  int options = window.frame_options;
  auto has = [&](int start_bit, int end_bit) { return (options & (is_start ? start_bit : end_bit)) != 0; };
  if (has(kStartUnboundedPreceding, kEndUnboundedPreceding)) return Put("UNBOUNDED PRECEDING");
  if (has(kStartUnboundedFollowing, kEndUnboundedFollowing)) return Put("UNBOUNDED FOLLOWING");
  if (has(kStartCurrentRow, kEndCurrentRow)) return Put("CURRENT ROW");
  PutExpr(is_start ? window.start_offset : window.end_offset, false);
  Put(has(kStartOffsetPreceding, kEndOffsetPreceding) ? " PRECEDING" : " FOLLOWING");
}

}  // namespace walden

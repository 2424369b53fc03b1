// Internal to sql/query: the writer behind deparse.h. One object writes one text; nested queries share its
// buffer.
#pragma once

#include <string>
#include <vector>

#include "node/sql/query/deparse.h"
#include "node/sql/query/deparse_scope.h"

namespace walden {

class Deparser {
 public:
  Deparser(const DeparseNames& names, const DeparseOptions& options) : names_(names), options_(options) {}

  // Column prefixes and the scope that Vars of level 0 refer to.
  void Enter(const DeparseScope* scope, bool prefix) {
    scope_ = scope;
    var_prefix_ = prefix;
  }
  void set_resolver(CallableRef<const Node*(const Var&)>* resolver) { resolver_ = resolver; }
  // What an execution parameter stands for, or null: shown in place of "$n".
  void set_parameter_resolver(CallableRef<const Node*(const Param&)>* resolver) {
    parameter_resolver_ = resolver;
  }
  const std::string& text() const { return out_; }

  // ---- queries (deparse_query.cpp) ----
  // `column_names`: what the target list must be called, empty to leave it; `names_visible`: the names matter
  // to whoever reads the query's result.
  void PutQuery(const Query& query, const std::vector<std::string>& column_names, bool names_visible);

  // ---- expressions (deparse_expr.cpp) ----
  // `show_implicit`: casts that were not written are shown, since the context does not imply them.
  void PutExpr(const Node* node, bool show_implicit);

 private:
  // deparse_query.cpp
  void PutWith(const Query& query);
  void PutCte(const CommonTableExpr& cte);
  void PutSearchAndCycle(const CommonTableExpr& cte);
  void PutSelect(const Query& query, const std::vector<std::string>& column_names, bool names_visible);
  void PutBasicSelect(const Query& query, const std::vector<std::string>& column_names, bool names_visible);
  void PutGroupBy(const Query& query);
  void PutLimit(const Query& query);
  void PutRowMarks(const Query& query);
  void PutTargetList(const List<TargetEntry*>& targets, const std::vector<std::string>& column_names,
                     bool names_visible);
  void PutTarget(const TargetEntry& target, const std::string* column_name, bool names_visible);
  void PlaceTarget(const std::string& item, bool first, bool* last_was_multiline);
  void PutSetOperation(const Node* node, const Query& query, const std::vector<std::string>& column_names,
                       bool names_visible);
  void PutSetOperationLeaf(const Query& subquery, const std::vector<std::string>& column_names,
                           bool names_visible);
  void PutValues(const List<RowExpr*>& rows);
  const Node* PutSortGroupItem(uint32_t ref, const List<TargetEntry*>& targets, bool by_number);
  void PutSortGroupList(const List<SortGroupClause*>& clauses, const List<TargetEntry*>& targets);
  void PutOrderBy(const List<SortGroupClause*>& clauses, const List<TargetEntry*>& targets, bool by_number);
  void PutGroupingSet(const GroupingSet& set, const List<TargetEntry*>& targets, bool omit_parentheses);
  void PutWindowClauses(const Query& query);
  void PutWindow(const WindowClause& window, const List<TargetEntry*>& targets);
  void PutFrame(const WindowClause& window);
  void PutFrameBound(const WindowClause& window, bool is_start);

  // deparse_from.cpp
  void PutFrom(const Query& query);
  void PutFromItem(const Node* item);
  void PutTableItem(int rtindex);
  void PutFunctions(const RangeTblEntry& rte, const RangeTblFunction** single);
  bool AllPlainUnnest(const RangeTblEntry& rte) const;
  void PutTableAlias(const RangeTblEntry& rte, int rtindex, const RangeTblFunction* with_columns);
  bool NeedsAlias(const RangeTblEntry& rte, int rtindex) const;
  void PutColumnDefinitions(const RangeTblFunction& function, const ColumnScope* columns);
  void PutColumnAliases(const ColumnScope& columns);
  void PutJoin(const JoinExpr& join);
  void PutJoinCondition(const JoinExpr& join);
  std::string RelationName(Oid relation) const;

  // deparse_expr.cpp
  void PutExprInParens(const Node* node, bool show_implicit, const Node* parent);
  void PutExprTopLevel(const Node* node, bool show_implicit);
  void PutFunctionItem(const Node* node);
  bool PutPrimary(const Node* node, bool show_implicit);
  bool PutCast(const Node* node, bool show_implicit);
  bool PutTest(const Node* node, bool show_implicit);
  void PutParam(const Param& param);
  void PutExprList(const ExprList& list, bool show_implicit);
  // Writes a column reference; returns the column's name as written, empty for a whole row.
  std::string PutVar(const Var& var, uint32_t levels_up, bool top_level);
  void PutConst(const Const& value, int show_type);
  void PutConstCollation(const Const& value);
  void PutSubscripting(const SubscriptingRef& ref, bool show_implicit);
  void PutOperator(const OpExpr& op);
  void PutArrayOperator(const ScalarArrayOpExpr& op);
  void PutBool(const BoolExpr& expr);
  void PutFunction(const FuncExpr& func, bool show_implicit);
  void PutCoercion(const Node* arg, Oid type, int32_t typmod, const Node* parent);
  void PutCase(const CaseExpr& expr);
  void PutRow(const RowExpr& row);
  void PutRowCompare(const RowCompareExpr& compare);
  void PutValueFunction(const SqlValueFunction& func);
  void PutFieldSelect(const FieldSelect& select);
  std::string FieldNameOf(const Node* row, AttrNumber field, uint32_t levels_up);
  std::string FieldNameOfVar(const Var& var, AttrNumber field, uint32_t levels_up);
  void PutNullTest(const NullTest& test);
  void PutBooleanTest(const BooleanTest& test);
  void PutInferenceElem(const InferenceElem& elem, bool show_implicit);
  void PutXml(const XmlExpr& xml);

  // deparse_calls.cpp
  bool PutSqlSyntax(const FuncExpr& func);
  void PutAggregate(const Aggref& aggregate);
  void PutAggregateArguments(const Aggref& aggregate, bool variadic);
  void PutWindowFunc(const WindowFunc& func);
  void PutSubLink(const SubLink& link);
  std::string PutSubLinkTest(const Node* test);
  std::string FunctionName(Oid function, const ExprList& args, bool variadic);

  // ---- layout ----
  bool pretty() const { return options_.pretty_parentheses; }
  bool indenting() const { return options_.pretty_indent; }
  void Put(std::string_view text) { out_ += text; }
  void PutOpenParen() {
    if (!pretty()) out_ += '(';
  }
  void PutCloseParen() {
    if (!pretty()) out_ += ')';
  }
  // A keyword that begins a line when indenting; levels change before and after it.
  void PutKeyword(std::string_view text, int indent_before, int indent_after, int indent_plus);
  // Length of the line being written.
  size_t CurrentLineLength() const;
  void StripTrailingSpaces();
  // Runs `write` with an empty buffer and returns what it wrote.
  template <class Write>
  std::string Captured(Write&& write) {
    std::string saved = std::move(out_);
    out_.clear();
    write();
    std::swap(saved, out_);
    return saved;
  }
  const DeparseScope& ScopeAt(uint32_t levels_up) const;
  bool IsSimple(const Node* node, const Node* parent) const;
  char SimpleOperator(const Node* node) const;

  const DeparseNames& names_;
  const DeparseOptions options_;
  std::string out_;
  int indent_ = 0;
  const DeparseScope* scope_ = nullptr;
  bool var_prefix_ = false;
  bool in_group_by_ = false;
  const List<WindowClause*>* windows_ = nullptr;
  const List<TargetEntry*>* window_targets_ = nullptr;
  CallableRef<const Node*(const Var&)>* resolver_ = nullptr;
  CallableRef<const Node*(const Param&)>* parameter_resolver_ = nullptr;
};

}  // namespace walden

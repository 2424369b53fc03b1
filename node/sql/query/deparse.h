// Bound trees back to SQL: what pg_get_viewdef, pg_get_expr, pg_get_constraintdef, pg_get_indexdef and
// EXPLAIN show. Output equals PostgreSQL 15's. Names come through DeparseNames, so that the deparser itself
// needs no catalog. Stateless between calls; throws what DeparseNames throws, and 0A000 for what it cannot
// show.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/sql/query/query.h"
#include "node/sql/query/tree_walk.h"

namespace walden {

// What the deparser asks of the catalog and of the session. Unknown OIDs: throw XX000 "cache lookup failed
// for ...".
class DeparseNames {
 public:
  virtual ~DeparseNames() = default;

  // Type as format_type shows it, with its modifier when it is not -1.
  virtual std::string TypeName(Oid type, int32_t typmod) const = 0;
  // Function, quoted; schema-qualified unless a call by its name with these arguments finds it.
  // argument_names are those of the last arguments; `grouping`: the call stands in GROUP BY, where "cube" and
  // "rollup" need a schema.
  virtual std::string FunctionName(Oid function, const List<Oid>& argument_types,
                                   const List<std::string_view>& argument_names, bool variadic,
                                   bool grouping) const = 0;
  // Operator for an expression: "+", or "OPERATOR(schema.+)" when it is not found by these operand types
  // (left is kInvalid for a prefix operator).
  virtual std::string OperatorName(Oid op, Oid left_type, Oid right_type) const = 0;
  // Relation, quoted; schema-qualified unless it is visible and `qualify` is false.
  virtual std::string RelationName(Oid relation, bool qualify) const = 0;
  // Without quotes and schema.
  virtual std::string RelationBareName(Oid relation) const = 0;
  // Quoted, schema-qualified unless visible.
  virtual std::string CollationName(Oid collation) const = 0;
  virtual std::string OpclassName(Oid opclass) const = 0;
  // A relation's column names in order, unquoted; empty for dropped columns.
  virtual std::vector<std::string> ColumnNames(Oid relation) const = 0;
  // The name of a composite type's field, unquoted.
  virtual std::string FieldName(Oid type, AttrNumber field) const = 0;
  virtual std::vector<std::string> FieldNames(Oid type) const = 0;
  virtual bool IsRowType(Oid type) const = 0;
  // An array's (or domain over array's) element type.
  virtual Oid ElementType(Oid type) const = 0;
  // kInvalid when it is not collatable.
  virtual Oid TypeCollation(Oid type) const = 0;
  virtual Oid DefaultOpclass(Oid type, Oid access_method) const = 0;
  // The type's default btree operators, kInvalid when there are none.
  virtual Oid LessThanOperator(Oid type) const = 0;
  virtual Oid GreaterThanOperator(Oid type) const = 0;
  // Text of a non-null constant by its type's output function.
  virtual std::string ValueText(const Const& value) const = 0;
};

struct DeparseOptions {
  bool pretty_parentheses = false;  // leave out what precedence makes superfluous
  bool pretty_indent = false;
  int wrap_column = -1;          // with pretty_indent: lists break past this column; -1 never
  bool qualify_columns = false;  // "t.a" even where one relation alone is in scope, as in views
};

// pg_get_viewdef(oid, pretty) of PostgreSQL 15.
inline DeparseOptions ViewDeparseOptions(bool pretty) { return {pretty, true, 0, true}; }
// pg_get_expr, pg_get_constraintdef, pg_get_indexdef; plain EXPLAIN has pretty_indent off.
inline DeparseOptions ExprDeparseOptions(bool pretty) { return {pretty, true, -1, false}; }

// A query as in pg_get_viewdef, without the closing semicolon. `column_names` are those of the result as it
// is seen from outside (the view's columns, which may have been renamed); they override the target list's.
std::string DeparseQuery(const Query& query, const DeparseNames& names, const DeparseOptions& options,
                         const std::vector<std::string>& column_names = {});

// An expression over one relation's columns (varno 1; kInvalid when it has no Vars), as pg_get_expr.
std::string DeparseExpr(const Node* expr, Oid relation, const DeparseNames& names,
                        const DeparseOptions& options);

// A trigger's WHEN condition: Vars of varno 1 are OLD's columns, of varno 2 NEW's.
std::string DeparseTriggerCondition(const Node* expr, Oid relation, const DeparseNames& names,
                                    const DeparseOptions& options);

// For EXPLAIN: the names that a range table gives its relations and columns.
class RangeTableNames {
 public:
  // The range table must outlive this object.
  RangeTableNames(const List<RangeTblEntry*>& rtable, const DeparseNames& names);
  ~RangeTableNames();
  RangeTableNames(const RangeTableNames&) = delete;
  RangeTableNames& operator=(const RangeTableNames&) = delete;

  // The alias in effect, unquoted; empty for an unnamed join.
  const std::string& RefName(int32_t rtindex) const;
  // `expr` with its columns written "ref.column" when `prefix`. Vars with a special varno are shown as what
  // `resolve` returns for them, in parentheses unless it is a Var itself.
  // `resolve_parameter`: what an execution parameter stands for, or null.
  std::string Expr(const Node* expr, bool prefix, CallableRef<const Node*(const Var&)> resolve,
                   CallableRef<const Node*(const Param&)> resolve_parameter) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace walden

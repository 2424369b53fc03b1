// Bound trees back to SQL: what pg_get_viewdef, pg_get_expr, pg_get_constraintdef, pg_get_indexdef and
// EXPLAIN show. Output equals PostgreSQL 15's. Names come through CatalogNames, so that the deparser needs no
// catalog itself.
#pragma once

#include <string>
#include <string_view>

#include "node/sql/query/query.h"

namespace walden {

// What the deparser asks of the catalog and of the session. Unknown OIDs: throw XX000 "cache lookup failed
// for ...".
class CatalogNames {
 public:
  virtual ~CatalogNames() = default;

  // Type as format_type shows it, with its modifier when it is not -1.
  virtual std::string TypeName(Oid type, int32_t typmod) const = 0;
  // Function, quoted, schema-qualified unless a call by this name with these argument types finds it.
  // `variadic`: the call is written with VARIADIC; `argnames`: named arguments, last ones.
  virtual std::string FunctionName(Oid function, const List<Oid>& argument_types,
                                   const List<std::string_view>& argnames, bool variadic) const = 0;
  // Operator for an expression: "+", or "OPERATOR(schema.+)" when it is not visible with these operand types
  // (kInvalid for the missing side of a prefix operator).
  virtual std::string OperatorName(Oid op, Oid left_type, Oid right_type) const = 0;
  // Relation, quoted; schema-qualified unless visible. `cte_shadows`: a CTE of that name is in scope.
  virtual std::string RelationName(Oid relation, bool cte_shadows) const = 0;
  // Without quotes or schema.
  virtual std::string_view RelationBareName(Oid relation) const = 0;
  virtual std::string ConstraintName(Oid constraint) const = 0;  // quoted
  virtual std::string CollationName(Oid collation) const = 0;    // quoted, qualified unless visible
  virtual std::string OpclassName(Oid opclass) const = 0;        // quoted, qualified unless visible
  virtual std::string_view ColumnName(Oid relation,
                                      AttrNumber column) const = 0;  // not quoted; empty when dropped
  virtual AttrNumber ColumnCount(Oid relation) const = 0;
  // Columns of a composite type: name of field n.
  virtual std::string_view FieldName(Oid type, AttrNumber field) const = 0;
  // The type's default collation (kInvalid when it is not collatable), and whether this opclass is its
  // default.
  virtual Oid TypeCollation(Oid type) const = 0;
  virtual bool IsDefaultOpclass(Oid opclass, Oid type) const = 0;
  // Result type of the input to the type's sort: the default "<" and ">" operators of a type; kInvalid: none.
  virtual Oid DefaultLessThan(Oid type) const = 0;
  virtual Oid DefaultGreaterThan(Oid type) const = 0;
  // Text of a value by its type's output function.
  virtual std::string ValueText(const Const& value) const = 0;
  // quote_all_identifiers.
  virtual bool QuoteAllIdentifiers() const { return false; }
};

struct DeparseOptions {
  bool pretty_parentheses = false;  // leave out parentheses that precedence makes superfluous
  bool pretty_indent = false;
  bool pretty_schema = false;  // leave out schemas of visible names even where a dump would need them
  int wrap_column = 0;  // pretty_indent: break target lists at this column; 0 after every item; -1 never
};

// A SELECT (or other query) as in pg_get_viewdef: without the closing semicolon.
std::string DeparseQuery(const Query& query, const CatalogNames& names, const DeparseOptions& options);
// An expression over one relation's columns (varno 1, kInvalid when it has no Vars); as pg_get_expr.
std::string DeparseExpr(const Node* expr, Oid relation, const CatalogNames& names,
                        const DeparseOptions& options);

// "name", or the name in double quotes when it needs them.
std::string QuoteIdentifier(std::string_view name, bool always = false);
// 'text' with quotes doubled, E'' form when it contains a backslash.
std::string QuoteLiteral(std::string_view text);

}  // namespace walden

// Analysis: AST to bound Query, with PostgreSQL 15's rules for names, types and coercions and its error messages
// and positions. Also the rewriter (rewriter.h) and the entry points for expressions inside DDL.
//
// Nothing here keeps state between statements. Everything made lives in BindOptions::arena, but names in it point into
// the AST: keep the ParseTree for as long as the Query (or CopyNode it). Errors are SqlError
// with the character position in BindOptions::source.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "node/sql/binder/catalog_reader.h"
#include "node/sql/parser/ast.h"
#include "node/sql/query/query.h"
#include "node/types/type_table.h"

namespace walden {

// Types of $1, $2, ... With `variable`, those that are kInvalid (and more, as they appear) are inferred from use.
struct ParameterTypes {
  std::vector<Oid> types;
  bool variable = false;
};

struct ResolvedType {
  Oid type{};
  int32_t typmod = -1;
};

// What a procedural language adds to name look-up: its variables.
class VariableHook {
 public:
  virtual ~VariableHook() = default;
  // The variable that a column reference (String nodes) means, or null. `column`: what the query itself finds, or
  // null; the hook may return it, replace it, or throw 42702 when both exist.
  virtual Expr* ResolveColumn(const ast::ColumnRef& reference, Expr* column) = 0;
  // $n, or null.
  virtual Expr* ResolveParameter(const ast::ParamRef& reference) = 0;
};

struct BindOptions {
  Arena& arena;
  CatalogReader& catalog;
  std::string_view
      source;  // the text that locations refer to; empty: errors carry no positions (ALTER TABLE)
  const TextFormat& format = DefaultTextFormat();
  ObjectNames* names = nullptr;          // for reg* literals
  ParameterTypes* parameters = nullptr;  // null: $n is an error
  VariableHook* variables = nullptr;
};

// Analyses one statement. A utility statement gives a kUtility Query; EXPLAIN, DECLARE CURSOR, CREATE TABLE AS
// (and SELECT INTO, which becomes it), CREATE MATERIALIZED VIEW and COPY (query) have theirs analysed in
// utility_query. Variable parameters: afterwards every type in `parameters` that was used is known or still
// kUnknown; CheckParameters() says what is left open.
Query* Bind(const ast::RawStmt& statement, const BindOptions& options);
// A statement node inside a utility statement (PREPARE's, EXPLAIN's, COPY's query, a view's query).
Query* BindStatement(const ast::Node& statement, const BindOptions& options);
// The query of CREATE TABLE AS. It has no INTO (42601).
Query* BindInnerQuery(const ast::Node& statement, const BindOptions& options);
// The query of DECLARE. Throws if a cursor with these options (cursor_option) cannot go over its rows.
Query* BindCursorQuery(const ast::Node& statement, int32_t cursor_options, const BindOptions& options);
// The INTO of a SELECT, which stands in its leftmost part; null: there is none.
const ast::IntoClause* FindInto(const ast::Node& statement);
// SELECT ... INTO t as CREATE TABLE t AS SELECT ...
const ast::CreateTableAsStmt* CreateTableOf(const ast::SelectStmt& select, Arena& arena);
// Throws 42P18 for a parameter whose type could not be inferred.
void CheckParameters(const ParameterTypes& parameters);

// Does executing this statement need a snapshot for analysis (does it look at tables)?
bool NeedsAnalysis(const ast::Node& statement);

struct ColumnTarget {
  std::string_view name;
  Oid type{};
  int32_t typmod = -1;
  Oid collation{};
  char generated = 0;
};

// DEFAULT or GENERATED expression of a column of `relation` (null while it is being created: then no columns are
// visible for DEFAULT, and `columns` are for GENERATED).
Expr* BindColumnDefault(const ast::Node& expression, const ColumnTarget& column, const RelationInfo* relation,
                        const BindOptions& options);
// Boolean expression over the columns of `relation`: CHECK constraints, index predicates, ... `kind_check` words
// the errors.
enum class ConditionKind : uint8_t { kCheck, kIndexPredicate, kTriggerWhen, kPolicy, kCopyWhere };
Expr* BindCondition(const ast::Node& expression, const RelationInfo& relation, ConditionKind kind,
                    const BindOptions& options);
// CHECK of a domain; VALUE has this type.
Expr* BindDomainCheck(const ast::Node& expression, Oid base_type, int32_t typmod, Oid collation,
                      const BindOptions& options);
// Index key, partition key or extended-statistics expression over the columns of `relation`.
enum class KeyKind : uint8_t { kIndex, kPartition, kStatistics };
Expr* BindKeyExpression(const ast::Node& expression, const RelationInfo& relation, KeyKind kind,
                        const BindOptions& options);
// ALTER TABLE ... ALTER COLUMN TYPE ... USING expression (null: the column itself), coerced to the new type.
Expr* BindColumnTransform(const ast::Node* expression, const RelationInfo& relation, AttrNumber column,
                          const ColumnTarget& to, const BindOptions& options);
// An expression without columns, coerced by assignment to `type` (kInvalid: as it is): partition bounds, EXECUTE
// parameters, function defaults.
enum class ValueKind : uint8_t {
  kPartitionBound,
  kExecuteParameter,
  kFunctionDefault,
  kCallArgument,
  kOther
};
Expr* BindValue(const ast::Node& expression, Oid type, int32_t typmod, Oid collation,
                std::string_view target_name, ValueKind kind, const BindOptions& options);
// CALL: the function call with named and default arguments in place.
FuncExpr* BindCall(const ast::FuncCall& call, const BindOptions& options);

// An implicit conversion between two columns that binding found to have a common type (arms of UNION and friends);
// `construct` words the error. `expr` may be any expression of the planned query.
Expr* BindCommonConversion(Expr* expr, Oid type, const char* construct, const BindOptions& options);

// The expression converted as an assignment would; null when there is no such conversion.
Expr* BindAssignmentConversion(Expr* expr, Oid type, int32_t typmod, const BindOptions& options);

// A type as written; 42704 when it does not exist.
ResolvedType BindTypeName(const ast::TypeName& name, const BindOptions& options);

}  // namespace walden

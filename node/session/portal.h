// Prepared statements and portals: what a session keeps between messages.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/base/clock.h"
#include "node/session/plan_history.h"
#include "node/session/planned_query.h"
#include "node/sql/executor/row_store.h"
#include "node/sql/parser/parser.h"
#include "node/txn/snapshot.h"

namespace walden {

// One statement of a text, parsed once. Plans are made on demand and thrown away when what they rest on changes.
class PreparedStatement {
 public:
  PreparedStatement(ParseResult tree, const ast::RawStmt* raw) : tree_(std::move(tree)), raw_(raw) {}

  const ast::RawStmt* raw() const { return raw_; }  // null: the text was empty
  std::string_view source() const { return tree_->text; }
  std::string_view text() const {
    return raw_ == nullptr ? std::string_view{} : StatementText(tree_->text, *raw_);
  }
  const ast::Node* statement() const { return raw_ == nullptr ? nullptr : raw_->stmt; }
  // SELECT, INSERT, UPDATE, DELETE, VALUES: what is bound and planned.
  bool is_query() const;
  // A statement inside of this one (of DECLARE, PREPARE), which shares its tree.
  std::shared_ptr<PreparedStatement> Inner(ast::Node* statement) const;
  bool has_warnings() const { return !tree_->warnings.empty(); }
  size_t tree_bytes() const { return tree_->arena.bytes(); }

  // $n may stand in the text (not in a simple query); types that are not given are inferred.
  bool takes_parameters = true;
  std::vector<Oid> parameter_types;
  // What the client was told, or could have been, of its result: no later plan may deliver anything else. Unknown until it is analysed, and for
  // simple queries.
  struct Column {
    std::string name;
    Oid type;
    int32_t typmod;
    bool operator==(const Column&) const = default;
  };
  std::optional<std::vector<Column>> result;
  PlannedQueryRef plan;  // generic; null until first used
  PlanHistory history;   // which plan an execution with parameters gets
  // A constant of it was made from text that may mean something else later ('now'): the analysis must not serve another text.
  bool has_passing_literal = false;
  bool from_sql = false;                  // PREPARE, not the protocol
  std::optional<int32_t> cursor_options;  // of DECLARE; WHERE CURRENT OF may ask for its rows' identity
  TimestampUs prepared_at = 0;

 private:
  ParseResult tree_;
  const ast::RawStmt* raw_;
};
using PreparedStatementRef = std::shared_ptr<PreparedStatement>;

// Rows of a utility statement (SHOW, EXPLAIN, ...), as text.
struct TextRows {
  std::vector<ResultColumn> columns;
  std::vector<std::string> names;  // owns the column names
  std::vector<std::vector<std::optional<std::string>>> rows;
};

// What a portal begins anew with.
struct PortalState {
  std::string name;
  std::string statement_name;  // as Bind named it

  // A started query.
  PlannedQueryRef plan;
  std::unique_ptr<Executor> executor;
  SnapshotHold snapshot;
  bool started = false;
  bool is_resumed = false;  // executed before
  bool done = false;        // everything was delivered
  uint64_t rows_delivered = 0;
  size_t savepoint_depth = 0;  // it goes when a savepoint this deep is rolled back

  // A cursor made by DECLARE: scrolls through rows kept, holds them beyond the transaction if asked.
  bool is_cursor = false;
  bool is_scrollable = false;
  bool is_holdable = false;
  bool is_held = false;  // its transaction has committed: rows come from `store` alone
  std::string declared_text;
  TimestampUs created_at = 0;
  uint32_t created_in_sub = 0;
  std::unique_ptr<RowStore> store;  // rows read so far (scrollable, held) or all rows (RETURNING)
  int64_t position = 0;             // row the cursor stands on: 0 before the first

  // A utility statement's rows, not yet delivered.
  std::unique_ptr<TextRows> text_rows;
  size_t text_row = 0;
  std::string tag;
  bool has_been_described = false;  // extended protocol: the client asked for the columns itself
};

class Portal : public PortalState {
 public:
  explicit Portal(PreparedStatementRef statement) : statement_(std::move(statement)) {}
  ~Portal();

  PreparedStatement& statement() { return *statement_; }
  const PreparedStatement& statement() const { return *statement_; }
  const PreparedStatementRef& statement_ref() const { return statement_; }

  std::vector<Value> parameters;  // by-reference bytes in `arena`
  Arena arena;
  std::vector<int16_t> result_formats;

  // As if newly made, but with the memory that it has; Begin gives it a statement again.
  void Clear();
  void Begin(PreparedStatementRef statement) { statement_ = std::move(statement); }
  // Gives the executor back to the plan (for its next execution) or destroys it.
  void FinishExecution();

 private:
  PreparedStatementRef statement_;
};

}  // namespace walden

// A table written anew because its rows change form. Private to this folder.
#pragma once

#include <memory>
#include <vector>

#include "node/sql/commands/command_parts.h"
#include "node/sql/expression/expression.h"

namespace walden {

// Reads the rows of `before` (the table as it was, file and columns) and writes them into a new file in the table's
// current form. Unmentioned columns are copied, constraints checked, indexes filled.
class TableRewrite {
 public:
  TableRewrite(RelationRef before, CommandContext& context) : before_(std::move(before)), context_(context) {}
  // Column `attno` of the new row; the expression reads the old row (of_old_row) or none.
  void Compute(AttrNumber attno, const Expr* expression, bool of_old_row);
  void ComputeNextValue(AttrNumber attno, Oid sequence);
  void Run();

 private:
  struct Column {
    AttrNumber attno;
    ExprStatePtr expression;
    Oid sequence = Oid::kInvalid;
  };
  RelationRef before_;
  CommandContext& context_;
  std::vector<Column> columns_;
};

void ChangeColumnType(const RelationRef& table, const ast::AlterTableCmd& cmd, CommandContext& context);

}  // namespace walden

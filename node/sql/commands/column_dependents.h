// What a column's change of type takes down and puts up again. Private to this folder.
#pragma once

#include <string>
#include <vector>

#include "node/catalog/dependency.h"
#include "node/sql/commands/command_parts.h"

namespace walden {

// CHECK and FOREIGN KEY constraints over the column, those of other tables that refer to it, and indexes with expressions or a
// condition over it, as statements that make them again (names and comments are kept, OIDs are not).
class ColumnDependents {
 public:
  // Collects. Throws 0A000 for what cannot be mended: views, generated columns.
  ColumnDependents(const Relation& table, AttrNumber attno, CommandContext& context);

  void Drop();
  void Recreate();

 private:
  void Add(const Relation& table, AttrNumber attno, const ObjectAddress& dependent);
  void AddConstraint(const PgConstraintRow& constraint);
  void AddIndex(Oid index);

  CommandContext& context_;
  std::vector<ObjectAddress> objects_;
  std::vector<std::string> indexes_, checks_, foreign_keys_;  // statements, run in this order
};

}  // namespace walden

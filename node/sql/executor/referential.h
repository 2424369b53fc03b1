// Foreign keys: what a changed row of one table asks of others. Queued by ModifyTable (and COPY), run at the end of the statement.
#pragma once

#include <span>

#include "node/catalog/relation.h"

namespace walden {

class Executor;

class ReferentialChecks {
 public:
  explicit ReferentialChecks(RelationRef table);

  // Whether Deleted and Updated need the old row's values.
  bool wants_old_rows() const { return !table_->referenced_by.empty(); }
  void Inserted(Executor& executor, std::span<const Value> values);
  void Updated(Executor& executor, std::span<const Value> old_values, std::span<const Value> new_values);
  void Deleted(Executor& executor, std::span<const Value> old_values);

 private:
  RelationRef table_;
};

}  // namespace walden

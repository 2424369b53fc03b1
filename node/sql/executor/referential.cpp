#include "node/sql/executor/referential.h"

#include "node/base/error.h"

namespace walden {

ReferentialChecks::ReferentialChecks(RelationRef table) : table_(std::move(table)) {
  if (!table_->foreign_keys.empty() || !table_->referenced_by.empty()) throw NotSupported("changing a table with foreign keys");
}

void ReferentialChecks::Inserted(Executor&, std::span<const Value>) {}

void ReferentialChecks::Updated(Executor&, std::span<const Value>, std::span<const Value>) {}

void ReferentialChecks::Deleted(Executor&, std::span<const Value>) {}

}  // namespace walden

// The rows of an uncorrelated subquery in a hash table, for x IN (SELECT ...) and x NOT IN (SELECT ...) where they do not become joins.
// Past work_mem, further distinct rows go to a spilling store that is searched from end to end.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "node/sql/executor/group_table.h"
#include "node/sql/executor/row_store.h"
#include "node/sql/expression/expression.h"

namespace walden {

class Executor;

class HashedSubplan {
 public:
  HashedSubplan(Executor& executor, int32_t plan_id, std::span<const Oid> types);

  // result[row]: is row's key among the rows; null when it is not, but nulls leave it open.
  void Match(std::span<Vector* const> keys, EvalContext& context, const Selection& selection, Vector* result);

 private:
  uint64_t ParamVersion() const;
  void Build(EvalContext& context);
  Value MatchOne(std::span<Vector* const> keys, uint32_t row, bool found);
  // Could they be equal if the nulls had values? (Without nulls: are they equal?)
  bool MayEqual(std::span<Vector* const> keys, uint32_t row, const char* group) const;
  Value SearchOverflow(std::span<Vector* const> keys, uint32_t row);

  Executor& executor_;
  int32_t plan_id_;
  std::vector<const TypeDescriptor*> types_;
  GroupTable table_;
  std::vector<char*> null_rows_;  // of the table, those with a null
  std::unique_ptr<RowStore> overflow_;
  bool built_ = false;
  uint64_t version_ = 0;
  std::vector<uint64_t> hashes_;
  std::vector<char*> groups_;
};

}  // namespace walden

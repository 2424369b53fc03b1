// Statements whose answer is a count and says nothing of the contents of rows (node/txn/untold.h).
#pragma once

namespace walden {

struct PlannedStatement;

// An INSERT of rows that read no table; or an UPDATE that finds its row by a whole unique key alone: then "UPDATE 1" may be the same
// answer whichever unsettled commits last (ModifyTable finds out). Its relations are locked.
bool AnswersWithCount(const PlannedStatement& statement);

}  // namespace walden

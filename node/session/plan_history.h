// Custom or generic: which kind of plan an execution with parameters gets, as PostgreSQL decides it. The first five get plans for their
// values; then the generic plan is used if it is not dearer than they were on average, their planning included. A
// generic plan whose form no value can change (value_independent) is used at once.
#pragma once

#include <cstdint>

namespace walden {

struct PlannedStatement;

struct PlanHistory {
  uint64_t custom_plans = 0;
  uint64_t generic_plans = 0;
  double custom_cost = 0;    // of all custom plans, planning included
  double generic_cost = -1;  // not known yet
  bool value_independent = false;

  // By plan_cache_mode and what is known so far.
  bool PrefersGeneric() const;
  void NoteGeneric(const PlannedStatement& statement);  // one was made
  void NoteCustom(const PlannedStatement& statement);   // one was made and is used
};

// Does every scan of this plan find at most one row by a whole unique key (or is there none)? Then no parameter's value could have
// led to a better one.
bool IsValueIndependent(const PlannedStatement& statement);

}  // namespace walden

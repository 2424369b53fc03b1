// Whether this session itself is still at work with a relation that a command is about to change: the lock does not tell, since
// a session's own locks do not keep it out.
#pragma once

#include <string_view>

#include "node/catalog/relation.h"

namespace walden {

struct RelationUse {
  bool has_readers = false;         // statements that have not ended: cursors
  bool has_waiting_checks = false;  // of rows that were changed
};

// Who executes statements tells, once per process.
using RelationUseProbe = RelationUse (*)(Oid relation);
void SetRelationUseProbe(RelationUseProbe probe);

// `command`: as it is named in errors. Throws 55006.
void CheckNotInUse(const Relation& relation, std::string_view command);

}  // namespace walden

#include <fmt/format.h>

#include "node/txn/lock_modes.h"
#include "node/txn/lock_tag.h"

namespace walden {

std::string_view LockModeName(LockMode mode) {
  constexpr std::string_view names[kLockModes] = {
      "INVALID",   "AccessShareLock",       "RowShareLock",  "RowExclusiveLock",   "ShareUpdateExclusiveLock",
      "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"};
  return names[static_cast<int>(mode)];
}

std::string_view LockKindName(LockKind kind) {
  switch (kind) {
    case LockKind::kRelation: return "relation";
    case LockKind::kRelationExtend: return "extend";
    case LockKind::kDatabaseFrozenIds: return "frozenid";
    case LockKind::kPage: return "page";
    case LockKind::kTuple: return "tuple";
    case LockKind::kTransaction: return "transactionid";
    case LockKind::kVirtualTransaction: return "virtualxid";
    case LockKind::kObject: return "object";
    case LockKind::kAdvisory: return "advisory";
  }
  return "unknown";
}

std::string DescribeLockTag(const LockTag& tag) {
  uint32_t db = OidNumber(tag.database);
  switch (tag.kind) {
    case LockKind::kRelation: return fmt::format("relation {} of database {}", tag.object, db);
    case LockKind::kRelationExtend:
      return fmt::format("extension of relation {} of database {}", tag.object, db);
    case LockKind::kDatabaseFrozenIds: return fmt::format("pg_database.datfrozenxid of database {}", db);
    case LockKind::kPage:
      return fmt::format("page {} of relation {} of database {}", tag.low, tag.object, db);
    case LockKind::kTuple:
      return fmt::format("tuple ({},{}) of relation {} of database {}", tag.low, tag.small, tag.object, db);
    case LockKind::kTransaction: return fmt::format("transaction {}", Xid{tag.wide}.Low32());
    case LockKind::kVirtualTransaction: return fmt::format("virtual transaction {}/{}", tag.object, tag.wide);
    case LockKind::kObject:
      return fmt::format("object {} of class {} of database {}", tag.low, tag.object, db);
    case LockKind::kAdvisory:
      return fmt::format("advisory lock [{},{},{},{}]", db, tag.object, tag.low, tag.small);
  }
  return "unrecognized locktag";
}

}  // namespace walden

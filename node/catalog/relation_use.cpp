#include "node/catalog/relation_use.h"

#include "node/base/error.h"

namespace walden {
namespace {

RelationUseProbe use_probe = nullptr;

}  // namespace

void SetRelationUseProbe(RelationUseProbe probe) { use_probe = probe; }

void CheckNotInUse(const Relation& relation, std::string_view command) {
  if (use_probe == nullptr || relation.is_view()) return;  // a view is expanded before anything runs
  RelationUse use = use_probe(relation.oid);
  if (use.has_readers) {
    throw SqlError(ErrorCode::kObjectInUse,
                   "cannot {} \"{}\" because it is being used by active queries in this session", command,
                   relation.name());
  }
  if (use.has_waiting_checks) {
    throw SqlError(ErrorCode::kObjectInUse, "cannot {} \"{}\" because it has pending trigger events", command,
                   relation.name());
  }
}

}  // namespace walden

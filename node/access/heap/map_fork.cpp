#include "node/access/heap/map_fork.h"

#include "node/buffer/relation_storage.h"
#include "node/txn/lock_manager.h"

namespace walden {

void InitMapPage(char* page) {
  PageInit(page);
  HeaderOf(page)->lower = HeaderOf(page)->upper;
}

BufferPin PinMapPage(const RelFileLocator& rel, Fork fork, BlockNumber block) {
  PageKey key{rel, fork, block};
  BufferPin pin = ReadPageIfCached(key);
  if (!pin && RelationBlocks(rel, fork, true) > block) pin = ReadPage(key, ReadMode::kZeroOnError);
  return pin;
}

BufferPin PinOrCreateMapPage(const RelFileLocator& rel, Fork fork, BlockNumber block) {
  BufferPin pin = PinMapPage(rel, fork, block);
  if (pin) return pin;
  ScopedLock creation(LockTag::RelationExtend(rel.database, Oid{rel.number}), LockMode::kExclusive);
  if (!RelationFileExists(rel, fork)) CreateRelationFork(rel, fork);
  while (RelationBlocks(rel, fork, true) <= block) {
    BufferPin extended = ExtendRelation(rel, fork);
    InitMapPage(extended.page());
    extended.MarkDirty();
    extended.Unlock();
  }
  return ReadPage({rel, fork, block}, ReadMode::kZeroOnError);
}

}  // namespace walden

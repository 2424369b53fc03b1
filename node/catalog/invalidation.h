// Keeping the caches of all processes true. A transaction that changes catalogs collects messages; its own caches
// obey them at each CommandCounterIncrement (and again if it aborts), all others when it commits: txn's publish hook
// sends them to a ring in shared memory after the commit is published and before locks are released, and the commit
// record carries them to replicas. So whoever takes a lock that waited for the change, and then reads the ring, sees
// it. A process that lags behind the ring is told to drop everything.
//
// Rule: a process joins (JoinInvalidations) before it caches anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "node/base/ids.h"

namespace walden {

// Format: 16 bytes, also within commit records.
struct InvalidationMessage {
  enum class Kind : uint8_t {
    kRow = 1,   // a catalog row: `object` is the catalog, `hash` that of one unique key (index in `index`)
    kRelation,  // `object` is the relation; 0: all
    kCatalog,   // all cached rows of a catalog
    kDatabaseReset,  // everything of one database
  };
  Kind kind;
  uint8_t index;  // position of the unique index among the catalog's indexes
  uint16_t zero;
  uint32_t database;  // 0: shared catalog
  uint32_t object;
  uint32_t hash;
};
static_assert(sizeof(InvalidationMessage) == 16);

// ---- Readers.
// From now on this process hears of changes. Called by every process that reads catalogs, after SetSelf.
void JoinInvalidations();
bool HearsInvalidations();  // has joined
// Reads what has arrived. Cheap when nothing has (one load). Called by OpenRelation after its lock, at transaction
// start, by the session before it uses a cached plan.
void AcceptInvalidations();
// Drops every cached entry of this process (also what callbacks hold).
void DropAllCaches();

// Told of each message that this process obeys: plan and statement caches. `relation`: whose shape changed, 0 = any;
// `catalog`: in which catalog a row changed, 0 = a relation message.
using InvalidationCallback = void (*)(Oid relation, Oid catalog, uint32_t hash);
void OnInvalidation(InvalidationCallback callback);
// Counts messages obeyed in this process. A cached decision made at generation g is certainly still good while the
// generation is g.
uint64_t CacheGeneration();

// ---- Writers.
// CatalogAccess queues row messages itself, and relation messages for pg_class, pg_attribute, pg_index, pg_constraint,
// pg_attrdef, pg_rewrite. For what it cannot know:
void InvalidateRelation(Oid relation);
void InvalidateAllRelations();

// ---- Replay of a commit record on a standby: `bytes` is what kCommitData appended.
void SendReplayedInvalidations(std::string_view bytes);

// ---- For start-up code.
// Registers with txn's hooks; once per process before its first transaction.
void InstallCatalogHooks();
size_t InvalidationAreaSize();
void InvalidationAreaInit(void* at);

}  // namespace walden

#include "node/catalog/invalidation.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "node/catalog/change_log.h"
#include "node/catalog/identity.h"
#include "node/catalog/invalidation_ring.h"
#include "node/catalog/relation.h"
#include "node/catalog/rows/pg_attrdef.h"
#include "node/catalog/rows/pg_inherits.h"
#include "node/catalog/rows/pg_rewrite.h"
#include "node/catalog/rows/pg_trigger.h"
#include "node/catalog/search_path.h"
#include "node/txn/transaction.h"
#include "node/txn/transaction_hooks.h"

namespace walden {
namespace {

using Kind = InvalidationMessage::Kind;

// Runs after txn's own parts and before commands' hooks.
constexpr int kHookOrder = 100;

// Messages of one nest level. Those before `obeyed` have been applied to our own caches.
struct Level {
  int nest;
  std::vector<InvalidationMessage> messages;
  size_t obeyed = 0;
};

struct ProcessState {
  std::vector<Level> levels;
  CommandId recorded_at = 0;  // command id of the messages not yet obeyed
  bool unobeyed = false;
  bool obeys_at_once = false;  // what is recorded now is a change in place
  uint64_t generation = 0;
  std::vector<InvalidationCallback> callbacks;
};
thread_local ProcessState state;

bool Concerns(const InvalidationMessage& message) {
  return message.database == 0 || message.database == OidNumber(session_identity().database);
}

void Obey(const InvalidationMessage& message) {
  if (!Concerns(message)) return;
  ++state.generation;
  Oid object{message.object};
  switch (message.kind) {
    case Kind::kRow: ForgetRow(object, message.index, message.hash); break;
    case Kind::kCatalog: ForgetCatalogRows(object); break;
    case Kind::kRelation:
      if (IsValid(object))
        ForgetRelation(object);
      else
        ForgetAllRelations();
      break;
    case Kind::kDatabaseReset: DropAllCaches(); return;
  }
  bool relation = message.kind == Kind::kRelation;
  for (InvalidationCallback callback : state.callbacks) {
    callback(relation ? object : Oid::kInvalid, relation ? Oid::kInvalid : object, message.hash);
  }
}

void Record(const InvalidationMessage& message) {
  ObeyOwnChanges();
  if (state.obeys_at_once) Obey(message);
  int nest = NestLevel();
  if (state.levels.empty() || state.levels.back().nest < nest) state.levels.push_back({nest, {}, 0});
  std::vector<InvalidationMessage>& messages = state.levels.back().messages;
  if (!messages.empty() && std::memcmp(&messages.back(), &message, sizeof(message)) == 0 &&
      state.levels.back().obeyed < messages.size()) {
    return;
  }
  messages.push_back(message);
  state.recorded_at = CurrentCommandId(false);
  state.unobeyed = true;
}

uint32_t DatabaseOf(Oid relation) {
  return IsSharedRelation(relation) ? 0 : OidNumber(session_identity().database);
}

void RecordRelation(const Value& oid) {
  if (oid.is_null || oid.datum.i32 == 0) return;
  InvalidateRelation(Oid{static_cast<uint32_t>(oid.datum.i32)});
}

// The relations whose cache entries are made from this row.
void RecordRelationsOf(Oid catalog, const Value* row) {
  auto at = [&](AttrNumber attno) -> const Value& { return row[attno - 1]; };
  if (catalog == PgClassRow::kCatalog) {
    RecordRelation(at(PgClassRow::kOid));
    if (at(PgClassRow::kRelkind).datum.i8 == relkind::kIndex) {
      // The table's entry holds its indexes.
      Oid index{static_cast<uint32_t>(at(PgClassRow::kOid).datum.i32)};
      if (RowRef<PgIndexRow> index_row = IndexRow(index)) InvalidateRelation(index_row->indrelid);
    }
  } else if (catalog == PgAttributeRow::kCatalog) {
    RecordRelation(at(PgAttributeRow::kAttrelid));
  } else if (catalog == PgIndexRow::kCatalog) {
    RecordRelation(at(PgIndexRow::kIndexrelid));
    RecordRelation(at(PgIndexRow::kIndrelid));
  } else if (catalog == PgConstraintRow::kCatalog) {
    RecordRelation(at(PgConstraintRow::kConrelid));
    RecordRelation(at(PgConstraintRow::kConfrelid));
  } else if (catalog == PgAttrdefRow::kCatalog) {
    RecordRelation(at(PgAttrdefRow::kAdrelid));
  } else if (catalog == PgRewriteRow::kCatalog) {
    RecordRelation(at(PgRewriteRow::kEvClass));
  } else if (catalog == PgTriggerRow::kCatalog) {
    RecordRelation(at(PgTriggerRow::kTgrelid));
  } else if (catalog == PgInheritsRow::kCatalog) {
    RecordRelation(at(PgInheritsRow::kInhparent));
  }
}

std::vector<InvalidationMessage> AllMessages() {
  std::vector<InvalidationMessage> all;
  for (const Level& level : state.levels) all.insert(all.end(), level.messages.begin(), level.messages.end());
  auto less = [](const auto& a, const auto& b) { return std::memcmp(&a, &b, sizeof(a)) < 0; };
  auto equal = [](const auto& a, const auto& b) { return std::memcmp(&a, &b, sizeof(a)) == 0; };
  std::sort(all.begin(), all.end(), less);
  all.erase(std::unique(all.begin(), all.end(), equal), all.end());
  return all;
}

void Clear() {
  state.levels.clear();
  state.unobeyed = false;
}

// Whatever our caches loaded of changes that never happened must go.
void ObeyLevelsFrom(int nest) {
  for (const Level& level : state.levels) {
    if (level.nest < nest) continue;
    for (const InvalidationMessage& message : level.messages) Obey(message);
  }
  std::erase_if(state.levels, [&](const Level& level) { return level.nest >= nest; });
}

void MergeLevel(int nest) {
  if (state.levels.empty() || state.levels.back().nest < nest) return;
  Level child = std::move(state.levels.back());
  state.levels.pop_back();
  if (state.levels.empty() || state.levels.back().nest < nest - 1) {
    child.nest = nest - 1;
    state.levels.push_back(std::move(child));
    return;
  }
  Level& parent = state.levels.back();
  // The parent's unobeyed messages are older than the child's: nothing before them is skipped.
  parent.messages.insert(parent.messages.end(), child.messages.begin(), child.messages.end());
}

void OnTxnEvent(TxnEvent event, const TxnEventInfo& info) {
  switch (event) {
    case TxnEvent::kCommitData: {
      std::vector<InvalidationMessage> all = AllMessages();
      if (info.invalidations != nullptr && !all.empty()) {
        info.invalidations->append(reinterpret_cast<const char*>(all.data()),
                                   all.size() * sizeof(InvalidationMessage));
      }
      break;
    }
    case TxnEvent::kPublish:
      if (!state.levels.empty()) SendInvalidations(AllMessages());
      break;
    // (A commit: without a ring, in single-process start-up, nobody would tell us about our own last command.)
    case TxnEvent::kCommitted:
    case TxnEvent::kAbort:
      ObeyLevelsFrom(1);
      Clear();
      break;
    case TxnEvent::kSubCommit: MergeLevel(info.nest_level); break;
    case TxnEvent::kSubAbort: ObeyLevelsFrom(info.nest_level); break;
    default: break;
  }
}

}  // namespace

void RecordCatalogChange(const CatalogInfo& catalog, const Value* values) {
  if (session_identity().bootstrapping) return;
  uint32_t database = catalog.shared ? 0 : OidNumber(session_identity().database);
  for (size_t i = 0; i < catalog.indexes.size(); ++i) {
    if (!catalog.indexes[i].unique) continue;
    uint32_t hash = HashCanonicalKey(CanonicalKey(catalog, catalog.indexes[i], values));
    Record({Kind::kRow, static_cast<uint8_t>(i), 0, database, OidNumber(catalog.oid), hash});
  }
  RecordRelationsOf(catalog.oid, values);
}

void RecordInPlaceChange(const CatalogInfo& catalog, const Value* values) {
  struct AtOnce {
    AtOnce() { state.obeys_at_once = true; }
    ~AtOnce() { state.obeys_at_once = false; }
  } at_once;
  RecordCatalogChange(catalog, values);
}

void ObeyOwnChanges() {
  if (!state.unobeyed || CurrentCommandId(false) == state.recorded_at) return;
  state.unobeyed = false;
  for (size_t i = 0; i < state.levels.size(); ++i) {
    for (size_t at = state.levels[i].obeyed; at < state.levels[i].messages.size(); ++at)
      Obey(state.levels[i].messages[at]);
    state.levels[i].obeyed = state.levels[i].messages.size();
  }
}

void InvalidateRelation(Oid relation) {
  Record({Kind::kRelation, 0, 0, DatabaseOf(relation), OidNumber(relation), 0});
}

void InvalidateAllRelations() {
  Record({Kind::kRelation, 0, 0, OidNumber(session_identity().database), 0, 0});
}

void AcceptInvalidations() {
  ObeyOwnChanges();
  std::vector<InvalidationMessage> messages;
  if (!ReceiveInvalidations(&messages)) {
    DropAllCaches();
    return;
  }
  for (const InvalidationMessage& message : messages) Obey(message);
}

void DropAllCaches() {
  ++state.generation;
  ForgetAllRows();
  ForgetAllRelations();
  for (InvalidationCallback callback : state.callbacks) callback(Oid::kInvalid, Oid::kInvalid, 0);
}

void OnInvalidation(InvalidationCallback callback) { state.callbacks.push_back(callback); }
uint64_t CacheGeneration() { return state.generation; }

void InstallCatalogHooks() {
  RegisterTxnHook(kHookOrder, OnTxnEvent,
                  {TxnEvent::kCommitData, TxnEvent::kPublish, TxnEvent::kCommitted, TxnEvent::kAbort,
                   TxnEvent::kSubCommit, TxnEvent::kSubAbort});
  InstallSearchPathHooks();
}

void SendReplayedInvalidations(std::string_view bytes) {
  std::vector<InvalidationMessage> messages(bytes.size() / sizeof(InvalidationMessage));
  std::memcpy(messages.data(), bytes.data(), messages.size() * sizeof(InvalidationMessage));
  SendInvalidations(messages);
}

}  // namespace walden

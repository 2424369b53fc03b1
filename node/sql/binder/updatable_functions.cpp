// pg_relation_is_updatable and pg_column_is_updatable: what the views of information_schema say of writing through views.
#include <algorithm>
#include <vector>

#include "node/catalog/relation.h"
#include "node/sql/binder/rewrite_parts.h"
#include "node/sql/binder/rewriter.h"
#include "node/sql/binder/session_reader.h"
#include "node/sql/binder/updatable_functions.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/query/query_text.h"

namespace walden {
namespace {

// Bits of an answer: one for each command, by its number.
constexpr int32_t kUpdate = 1 << 2, kInsert = 1 << 3, kDelete = 1 << 4, kAll = kUpdate | kInsert | kDelete;

// What can be done to the relation through this column; 0 as the column: through any. `outer` has the views that led
// here: nothing can be done through one that comes back to itself.
int32_t UpdatableEvents(Oid relation, AttrNumber column, std::vector<Oid>& outer) {
  if (std::find(outer.begin(), outer.end(), relation) != outer.end()) return 0;
  CatalogReader& catalog = SessionReader::Instance();
  RelationRef found = TryOpenRelation(relation, LockMode::kAccessShare);
  if (found == nullptr) return 0;
  char kind = found->row.relkind;
  if (kind == relkind::kTable || kind == relkind::kPartitioned) return kAll;
  if (kind != relkind::kView) return 0;
  Arena arena;
  std::string stored = catalog.ViewQuery(relation);
  List<Node*> queries =
      stored.starts_with('(') ? ReadNodeList(stored, arena) : List<Node*>(arena, {ReadNode(stored, arena)});
  if (queries.size() != 1 || !Is<Query>(queries[0])) return 0;
  const Query& query = *As<Query>(queries[0]);
  if (WhyViewNotUpdatable(query, /*check_columns=*/false) != nullptr) return 0;
  int32_t base_index = As<RangeTblRef>(query.jointree->fromlist[0])->rtindex;
  AttrNumber base_column = 0;
  bool any = false;
  for (const TargetEntry* target : query.target_list) {
    if (column != 0 && target->resno != column) continue;
    if (WhyColumnNotUpdatable(*target, base_index) != nullptr) continue;
    any = true;
    if (column != 0) base_column = static_cast<AttrNumber>(As<Var>(target->expr)->varattno);
  }
  // Without a column that can be set only rows as a whole can go.
  int32_t events = any ? kAll : kDelete;
  const RangeTblEntry& base = *RteAt(query, base_index);
  if (base.relkind == relkind::kTable || base.relkind == relkind::kPartitioned) return events;
  outer.push_back(relation);
  return events & UpdatableEvents(base.relid, base_column, outer);
}

int32_t RelationIsUpdatable(Oid relation, bool) {
  std::vector<Oid> outer;
  return UpdatableEvents(relation, 0, outer);
}

bool ColumnIsUpdatable(Oid relation, int16_t column, bool) {
  if (column <= 0) return false;
  constexpr int32_t kRequired = kUpdate | kDelete;
  std::vector<Oid> outer;
  return (UpdatableEvents(relation, column, outer) & kRequired) == kRequired;
}

constexpr ScalarFunction kTable[] = {
    Volatile<&RelationIsUpdatable>("pg_relation_is_updatable"),
    Volatile<&ColumnIsUpdatable>("pg_column_is_updatable"),
};

}  // namespace

std::span<const ScalarFunction> UpdatableFunctions() { return kTable; }

}  // namespace walden

#include "node/catalog/relation_stats.h"

#include <algorithm>
#include <cstring>

#include "node/catalog/identity.h"
#include "node/catalog/syscache.h"
#include "node/stats/counter_tables.h"

namespace walden {
namespace {

void PutName(char (&to)[kStatsNameBytes], std::string_view name) {
  std::memcpy(to, name.data(), std::min(name.size(), kStatsNameBytes - 1));
}

}  // namespace

Oid StatsDatabaseOf(const PgClassRow& row) {
  return row.relisshared ? Oid::kInvalid : session_identity().database;
}

RelationStats StatsOf(const Relation& relation) { return {StatsDatabaseOf(relation.row), relation.oid}; }

void DescribeToStats(const Relation& relation, const PgClassRow* table) {
  RelationLabel label = {};
  PutName(label.schema, SchemaName(relation.row.relnamespace));
  PutName(label.name, relation.row.relname);
  label.kind = relation.row.relkind;
  if (table != nullptr) {
    PutName(label.table, table->relname);
    label.table_oid = table->oid;
  }
  DescribeRelation(StatsDatabaseOf(relation.row), relation.oid, label);
}

}  // namespace walden

// Every row of counter_rows.def as a metric: the node's, and those of the databases and relations that have a name.
#include <algorithm>
#include <map>
#include <string>

#include "node/base/clock.h"
#include "node/config/settings.h"
#include "node/stats/counter_tables.h"
#include "node/stats/metrics.h"

namespace walden {
namespace {

constexpr std::string_view kDatabaseLabels = "datid,datname";
constexpr std::string_view kTableLabels = "datname,schemaname,relname";
constexpr std::string_view kIndexLabels = "datname,schemaname,relname,indexrelname";

// Times are counted in microseconds; names that say so show seconds, the others milliseconds as the views do.
double Shown(const CounterRow& row, std::string_view metric, uint64_t value) {
  if (row.kind == CounterKind::kLevel)
    return std::max<double>(0, static_cast<double>(static_cast<int64_t>(value)));
  if (row.kind != CounterKind::kTimeUs) return static_cast<double>(value);
  bool seconds = metric.find("_seconds") != std::string_view::npos;
  return static_cast<double>(value) / (seconds ? 1e6 : 1e3);
}

MetricRow RowOf(const CounterRow& row, std::string_view metric, std::string_view labels) {
  return {metric, row.kind == CounterKind::kLevel ? MetricType::kGauge : MetricType::kCounter, labels,
          row.help};
}

double UnixSeconds(TimestampUs time) {
  return time == 0 ? 0 : static_cast<double>(time + kUnixEpochToPostgresUs) / 1e6;
}

void NodeCounters(MetricSink& sink) {
  NodeSums sums;
  ReadNodeSums(&sums);
  for (size_t i = 0; i < kNodeCounters; ++i) {
    const CounterRow& row = Describe(static_cast<NodeCounter>(i));
    sink.Add(RowOf(row, row.metric, ""), Shown(row, row.metric, sums.values[i]), {});
  }
  TimestampUs archived = sums.archived.time;
  sink.Add(Metric::kArchiveAge,
           archived == 0 ? -1 : std::max(0.0, static_cast<double>(WallClockUs() - archived) / 1e6));
}

void DatabaseCounters(MetricSink& sink, const std::vector<NamedDatabase>& databases) {
  for (const NamedDatabase& database : databases) {
    DatabaseSums sums;
    if (!ReadDatabaseSums(database.oid, &sums)) continue;
    std::string oid = std::to_string(OidNumber(database.oid));
    for (size_t i = 0; i < kDatabaseCounters; ++i) {
      const CounterRow& row = Describe(static_cast<DatabaseCounter>(i));
      sink.Add(RowOf(row, row.metric, kDatabaseLabels), Shown(row, row.metric, sums.values[i]),
               {oid, database.name});
    }
    sink.Add(Metric::kDatabaseReset, UnixSeconds(sums.reset_time), {oid, database.name});
  }
}

bool IsTable(char kind) { return kind == 'r' || kind == 'm' || kind == 'p'; }
// The catalogs and TOAST tables are left out, as in pg_stat_user_tables.
bool IsUserRelation(const RelationLabel& label) {
  std::string_view schema = label.schema;
  return label.name[0] != '\0' && schema != "pg_catalog" && schema != "information_schema" &&
         !schema.starts_with("pg_toast");
}

void AddTable(MetricSink& sink, const RelationSums& sums, std::string_view database) {
  std::initializer_list<std::string_view> labels = {database, sums.label.schema, sums.label.name};
  for (size_t i = 0; i < kRelationCounters; ++i) {
    const CounterRow& row = Describe(static_cast<RelationCounter>(i));
    if (row.metric[0] != '\0')
      sink.Add(RowOf(row, row.metric, kTableLabels), Shown(row, row.metric, sums.values[i]), labels);
  }
  for (size_t i = 0; i < static_cast<size_t>(StatsTime::kReset); ++i) {
    const CounterRow& row = Describe(static_cast<StatsTime>(i));
    sink.Add({row.metric, MetricType::kGauge, kTableLabels, row.help}, UnixSeconds(sums.times[i]), labels);
  }
}

void AddIndex(MetricSink& sink, const RelationSums& sums, std::string_view database) {
  for (size_t i = 0; i < kRelationCounters; ++i) {
    const CounterRow& row = Describe(static_cast<RelationCounter>(i));
    if (row.index_metric[0] == '\0') continue;
    sink.Add(RowOf(row, row.index_metric, kIndexLabels), Shown(row, row.index_metric, sums.values[i]),
             {database, sums.label.schema, sums.label.table, sums.label.name});
  }
}

// Which relations are shown when there are more than metrics_max_relations: the oldest (lowest OID), so that the series of a
// relation do not come and go.
void RelationCounters(MetricSink& sink, const std::vector<NamedDatabase>& databases) {
  size_t most = static_cast<size_t>(GetInt(Setting::kMetricsMaxRelations));
  std::map<std::pair<Oid, Oid>, RelationSums> tables, indexes;
  ForEachRelationSums([&](const RelationSums& sums) {
    if (!IsUserRelation(sums.label)) return;
    auto& kept = IsTable(sums.label.kind) ? tables : indexes;
    if (!IsTable(sums.label.kind) && sums.label.kind != 'i') return;
    kept.emplace(std::pair(sums.relation, sums.database), sums);
    if (kept.size() > most) kept.erase(std::prev(kept.end()));
  });
  std::map<Oid, std::string_view> names;
  for (const NamedDatabase& database : databases) names[database.oid] = database.name;
  auto show = [&](const auto& kept, auto&& add) {
    for (const auto& [key, sums] : kept) {
      if (auto name = names.find(sums.database); name != names.end()) add(sink, sums, name->second);
    }
  };
  show(tables, AddTable);
  show(indexes, AddIndex);
}

}  // namespace

std::vector<NamedDatabase> NamedDatabases() {
  std::vector<NamedDatabase> databases;
  ForEachDatabaseSums([&](const DatabaseSums& sums) {
    if (sums.name[0] != '\0') databases.push_back({sums.database, sums.name});
  });
  std::sort(databases.begin(), databases.end(),
            [](const NamedDatabase& a, const NamedDatabase& b) { return a.oid < b.oid; });
  databases.resize(std::min(databases.size(), static_cast<size_t>(GetInt(Setting::kMetricsMaxDatabases))));
  return databases;
}

void CounterMetrics(MetricSink& sink) {
  std::vector<NamedDatabase> databases = NamedDatabases();
  NodeCounters(sink);
  DatabaseCounters(sink, databases);
  RelationCounters(sink, databases);
}

}  // namespace walden

// What the node tells the metrics exporter: rows of metrics.def and of counter_rows.def, and settings. Values come from
// *sources*. A source reads shared memory and nothing else: it takes no lock (the exporter maps the region read-only), waits
// for nobody, and its time is bounded by settings. Sources are registered before the first fork; the exporter runs them at
// each scrape, one scrape at a time.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/ids.h"

namespace walden {

enum class Metric : uint16_t {
#define METRIC(name, text, type, labels, help) name,
#include "node/stats/metrics.def"
  kCount
};
enum class MetricType : uint8_t { kCounter, kGauge };

struct MetricRow {
  std::string_view name;
  MetricType type;
  std::string_view labels;  // names with commas between them; "" for none
  std::string_view help;
};
std::span<const MetricRow> MetricRows();

class MetricSink {
 public:
  virtual ~MetricSink() = default;
  // One sample; `labels` are values for all label names of the row. All strings are copied.
  virtual void Add(const MetricRow& row, double value, std::initializer_list<std::string_view> labels) = 0;
  void Add(Metric metric, double value, std::initializer_list<std::string_view> labels = {}) {
    Add(MetricRows()[static_cast<size_t>(metric)], value, labels);
  }
};

using MetricSource = void (*)(MetricSink& sink);
void RegisterMetricSource(MetricSource source);
void RunMetricSources(MetricSink& sink);

// Sources of this folder, for `server` to register: processes, sessions and shared memory; counters; settings.
void NodeMetrics(MetricSink& sink);
void CounterMetrics(MetricSink& sink);
void SettingMetrics(MetricSink& sink);

// The databases that metrics name: those with a known name, at most metrics_max_databases, lowest OIDs first.
struct NamedDatabase {
  Oid oid;
  std::string name;
};
std::vector<NamedDatabase> NamedDatabases();

// The node's standing as probes ask for it. Role and lag come from folders above: `server` binds the reader.
struct Standing {
  bool in_recovery = false;
  bool may_commit = true;  // the lease is held, the node is not fenced
  double lag_seconds = 0;
  uint64_t lag_bytes = 0;  // of what the primary is known to have, not replayed
};
void BindStanding(Standing (*reader)());
Standing ReadStanding();

}  // namespace walden

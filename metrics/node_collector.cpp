#include "metrics/node_collector.h"

#include <prometheus/metric_family.h>

#include <algorithm>
#include <string>
#include <unordered_map>

#include "node/stats/metrics.h"

namespace walden {
namespace {

// Prometheus's rules for names: counters end in _total, nothing else does, and only histograms end in _count. Names that
// postgres_exporter made otherwise are exported without a type.
prometheus::MetricType TypeOf(const MetricRow& row) {
  bool total = row.name.ends_with("_total");
  if (row.type == MetricType::kCounter)
    return total ? prometheus::MetricType::Counter : prometheus::MetricType::Untyped;
  return total || row.name.ends_with("_count") ? prometheus::MetricType::Untyped
                                               : prometheus::MetricType::Gauge;
}

class FamilySink final : public MetricSink {
 public:
  using MetricSink::Add;
  void Add(const MetricRow& row, double value, std::initializer_list<std::string_view> labels) override {
    prometheus::MetricFamily& family = FamilyOf(row);
    prometheus::ClientMetric& sample = family.metric.emplace_back();
    // The serialiser looks at the member that the family's type names.
    sample.counter.value = sample.gauge.value = sample.untyped.value = value;
    std::string_view names = row.labels;
    for (std::string_view label : labels) {
      size_t comma = std::min(names.find(','), names.size());
      sample.label.push_back({std::string(names.substr(0, comma)), std::string(label)});
      names.remove_prefix(std::min(comma + 1, names.size()));
    }
  }
  std::vector<prometheus::MetricFamily> Take() { return std::move(families_); }

 private:
  prometheus::MetricFamily& FamilyOf(const MetricRow& row) {
    auto [found, is_new] = places_.try_emplace(std::string(row.name), families_.size());
    if (is_new) families_.push_back({std::string(row.name), std::string(row.help), TypeOf(row), {}});
    return families_[found->second];
  }

  std::vector<prometheus::MetricFamily> families_;
  std::unordered_map<std::string, size_t> places_;
};

}  // namespace

std::vector<prometheus::MetricFamily> NodeCollector::Collect() const {
  FamilySink sink;
  std::lock_guard guard(settings_);
  RunMetricSources(sink);
  return sink.Take();
}

}  // namespace walden

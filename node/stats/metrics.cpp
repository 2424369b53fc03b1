#include "node/stats/metrics.h"

#include <vector>

namespace walden {
namespace {

constexpr MetricType kCounter = MetricType::kCounter;
constexpr MetricType kGauge = MetricType::kGauge;
constexpr MetricRow kRows[] = {
#define METRIC(name, text, type, labels, help) {text, type, labels, help},
#include "node/stats/metrics.def"
};

std::vector<MetricSource>& Sources() {
  static std::vector<MetricSource> sources;
  return sources;
}

Standing (*standing_reader)() = nullptr;

}  // namespace

std::span<const MetricRow> MetricRows() { return kRows; }

void RegisterMetricSource(MetricSource source) { Sources().push_back(source); }

void RunMetricSources(MetricSink& sink) {
  for (MetricSource source : Sources()) source(sink);
}

void BindStanding(Standing (*reader)()) { standing_reader = reader; }
Standing ReadStanding() { return standing_reader == nullptr ? Standing{} : standing_reader(); }

}  // namespace walden

// Probe endpoints and the types of metric families.
#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <map>

#include "metrics/node_collector.h"
#include "metrics/probes.h"

namespace walden {
namespace {

int Status(std::string_view path, NodePhase phase, const Standing& standing = {},
           std::string_view query = "") {
  std::optional<ProbeAnswer> answer = AnswerProbe(path, query, phase, standing);
  return answer ? answer->status : 0;
}

constexpr Standing kReplica{.in_recovery = true, .lag_seconds = 5, .lag_bytes = 2048};
constexpr Standing kFenced{.may_commit = false};

TEST(Probes, OtherPathsAreNotTheirs) {
  EXPECT_EQ(Status("/metrics", NodePhase::kRunning), 0);
  EXPECT_EQ(Status("/", NodePhase::kRunning), 0);
}

TEST(Probes, APrimary) {
  for (const char* path : {"/livez", "/startupz", "/readyz", "/primary"})
    EXPECT_EQ(Status(path, NodePhase::kRunning), 200) << path;
  EXPECT_EQ(Status("/replica", NodePhase::kRunning), 503);
}

TEST(Probes, AReplica) {
  for (const char* path : {"/livez", "/startupz", "/readyz", "/replica"}) {
    EXPECT_EQ(Status(path, NodePhase::kHotStandby, kReplica), 200) << path;
  }
  EXPECT_EQ(Status("/primary", NodePhase::kHotStandby, kReplica), 503);
}

TEST(Probes, ANodeThatStartsOrRecoversIsAlive) {
  for (NodePhase phase : {NodePhase::kStarting, NodePhase::kRecovering}) {
    EXPECT_EQ(Status("/livez", phase), 200);
    for (const char* path : {"/startupz", "/readyz", "/primary", "/replica"})
      EXPECT_EQ(Status(path, phase), 503) << path;
  }
  EXPECT_EQ(Status("/livez", NodePhase::kStopping), 200);
  EXPECT_EQ(Status("/startupz", NodePhase::kStopping), 200);
  EXPECT_EQ(Status("/readyz", NodePhase::kStopping), 503);
}

TEST(Probes, AFencedPrimaryIsAliveAndNotReady) {
  EXPECT_EQ(Status("/livez", NodePhase::kRunning, kFenced), 200);
  EXPECT_EQ(Status("/readyz", NodePhase::kRunning, kFenced), 503);
  EXPECT_EQ(Status("/primary", NodePhase::kRunning, kFenced), 503);
}

TEST(Probes, LagBounds) {
  auto replica = [](std::string_view query) {
    return Status("/replica", NodePhase::kHotStandby, kReplica, query);
  };
  EXPECT_EQ(replica("lag=2048"), 200);
  EXPECT_EQ(replica("lag=2047"), 503);
  EXPECT_EQ(replica("lag=2kB"), 200);
  EXPECT_EQ(replica("lag=1kB"), 503);
  EXPECT_EQ(replica("lag=5s"), 200);
  EXPECT_EQ(replica("lag=4999ms"), 503);
  EXPECT_EQ(replica("x=1&lag=1min&y=2"), 200);
  EXPECT_EQ(replica("flag=1"), 200);
  for (const char* bad : {"lag=", "lag=-1", "lag=5 s", "lag=five", "lag=1parsec"})
    EXPECT_EQ(replica(bad), 400) << bad;
}

void TestSource(MetricSink& sink) {
  for (const char* name : {"a_total", "b", "c_count", "d_total"}) {
    sink.Add({name, MetricType::kCounter, "", "help"}, 1, {});
  }
  sink.Add({"g", MetricType::kGauge, "x,y", "help"}, 2, {"one", "two"});
  sink.Add({"g", MetricType::kGauge, "x,y", "help"}, 3, {"one", "three"});
  sink.Add({"h_count", MetricType::kGauge, "", "help"}, 4, {});
}

TEST(Collector, NamesThatBreakPrometheusRulesHaveNoType) {
  RegisterMetricSource(TestSource);
  std::mutex mutex;
  std::map<std::string, prometheus::MetricFamily> families;
  for (prometheus::MetricFamily& family : NodeCollector(mutex).Collect()) families[family.name] = family;
  EXPECT_EQ(families["a_total"].type, prometheus::MetricType::Counter);
  EXPECT_EQ(families["b"].type, prometheus::MetricType::Untyped);
  EXPECT_EQ(families["c_count"].type, prometheus::MetricType::Untyped);
  EXPECT_EQ(families["h_count"].type, prometheus::MetricType::Untyped);
  ASSERT_EQ(families["g"].type, prometheus::MetricType::Gauge);
  ASSERT_EQ(families["g"].metric.size(), 2u);
  const prometheus::ClientMetric& sample = families["g"].metric[1];
  EXPECT_EQ(sample.gauge.value, 3);
  ASSERT_EQ(sample.label.size(), 2u);
  EXPECT_EQ(sample.label[0].name, "x");
  EXPECT_EQ(sample.label[1].name, "y");
  EXPECT_EQ(sample.label[1].value, "three");
}

}  // namespace
}  // namespace walden

// Turns what the node's sources tell into metric families, at each scrape.
#pragma once

#include <prometheus/collectable.h>

#include <mutex>

namespace walden {

class NodeCollector final : public prometheus::Collectable {
 public:
  // `settings` is held while sources run: they read settings, which a reload changes.
  explicit NodeCollector(std::mutex& settings) : settings_(settings) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  std::mutex& settings_;
};

}  // namespace walden

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <string_view>
#include <vector>

#include "prometheus/metrics.h"

namespace goleakd::prometheus {

using Labels = std::vector<::prometheus::ClientMetric::Label>;

// `text` with bytes that are not UTF-8 replaced by U+FFFD: one bad label value, say the path of somebody's program,
// makes Prometheus refuse the whole scrape.
std::string label_value(std::string_view text);

// Metric families under construction. A family exists from its first sample on, so nothing is exported empty.
class Families {
 public:
  // A sample of a counter or gauge. The labels must be new in this family.
  void add(const Metric& metric, Labels labels, double value);
  void add(const Metric& metric, Labels labels, ::prometheus::ClientMetric::Histogram histogram);

  std::vector<::prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  ::prometheus::ClientMetric& add(const Metric& metric, Labels labels);

  std::vector<::prometheus::MetricFamily> families_;
};

}  // namespace goleakd::prometheus

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/collectable.h>

#include <string>

namespace goleakd::prometheus {

// The daemon's own process, under the names that every Prometheus client library uses. What cannot be read is left out.
class ProcessCollectable : public ::prometheus::Collectable {
 public:
  explicit ProcessCollectable(std::string proc = "/proc") : proc_(std::move(proc)) {}

  std::vector<::prometheus::MetricFamily> Collect() const override;

 private:
  std::string proc_;
};

}  // namespace goleakd::prometheus

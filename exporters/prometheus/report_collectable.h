// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/collectable.h>

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "prometheus/app_metrics.h"
#include "prometheus/counter_totals.h"
#include "prometheus/shown_sites.h"
#include "verdict/report.h"

namespace goleakd::prometheus {

// The newest Report as metrics. No registry of them: a series ends with what it tells of. And none begins before that
// has been looked at, so that a zero never means "not checked".
class ReportCollectable : public ::prometheus::Collectable {
 public:
  // `report` gives the newest Report, null before the first. It is called from any thread, one at a time.
  explicit ReportCollectable(std::function<verdict::ReportPtr()> report, SiteLimits limits = {});

  // Both of these are safe to call from several threads.
  // So many sites of one app have series from the next scrape on. Those that have them keep them.
  void limit_sites(std::size_t per_app);
  std::vector<::prometheus::MetricFamily> Collect() const override;

 private:
  void collect_host(const verdict::Report& report, Families& families) const;
  void collect_apps(const verdict::Report& report, Families& families) const;

  std::function<verdict::ReportPtr()> report_;
  SiteLimits limits_;
  // Collect() is const by the interface, yet counters and shown sites carry over from one scrape to the next.
  mutable std::mutex mutex_;
  mutable CounterTotals host_counters_;
  mutable std::map<std::string, AppMetrics> apps_;
};

}  // namespace goleakd::prometheus

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "prometheus/app_sum.h"
#include "prometheus/counter_totals.h"
#include "prometheus/families.h"
#include "prometheus/shown_sites.h"

namespace goleakd::prometheus {

// The series of one app, with what they must remember from one scrape to the next.
class AppMetrics {
 public:
  explicit AppMetrics(std::string name) : name_(std::move(name)) {}

  // `sum` is what `report` says of this app, with at least one process.
  void collect(const verdict::Report& report, const AppSum& sum, const SiteLimits& limits, Families& families);

  // No process of the app is left. Its sums wait for the next one.
  void no_processes() { counters_.keep_only({}); }
  Instant last_seen() const { return last_seen_; }

 private:
  Labels labels(Labels more = {}) const;  // app and `more`
  void targets(const AppSum& sum, Families& families) const;
  void probes(const AppSum& sum, Families& families);
  void goroutines(const AppSum& sum, Families& families) const;
  void sites(const verdict::Report& report, const AppSum& sum, const SiteLimits& limits, Families& families);
  void site_counters(const std::string& id, const SiteSum* site, Families& families);
  void site_blocked(const std::string& id, const SiteSum& site, Families& families);
  Labels blocked_labels(const std::string& id, const std::string& part) const;
  void panics(const AppSum& sum, Families& families);
  void leaks(const verdict::Report& report, const AppSum& sum, Families& families);

  std::string name_;
  Instant last_seen_;
  CounterTotals counters_;
  ShownSites shown_;
  std::set<Labels> shown_panics_;  // once shown, always shown: they are counters
};

}  // namespace goleakd::prometheus

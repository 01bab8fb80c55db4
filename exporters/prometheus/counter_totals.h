// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "prometheus/families.h"

namespace goleakd::prometheus {

// Adds up the counters of processes that come and go, so that the sum never falls: what a process had counted stays in
// it when the process is gone, and a counter that starts again counts on. What a process counts between the last look
// and its end is not known here and not in the sum.
class CounterTotals {
 public:
  // The counter of process `pid` stands at `value`.
  void see(const Metric& metric, const Labels& labels, int pid, std::uint64_t value);

  // Processes other than these have ended. Not calling it for a while is harmless; a pid that is reused in between and
  // counts past its predecessor is taken for it.
  void keep_only(const std::set<int>& pids);

  // None: never seen.
  std::optional<std::uint64_t> total(const Metric& metric, const Labels& labels) const;

  // Every sum of this metric.
  void add_to(Families& families, const Metric& metric) const;

  // Forgets the sums of a metric whose labels are not wanted any more.
  void forget(const Metric& metric, const Labels& labels);

 private:
  struct Sum {
    std::uint64_t total = 0;
    std::map<int, std::uint64_t> last;  // pid → its counter when last seen
  };
  std::map<std::pair<std::string, Labels>, Sum> sums_;
};

}  // namespace goleakd::prometheus

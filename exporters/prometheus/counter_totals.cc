// SPDX-License-Identifier: Apache-2.0
#include "prometheus/counter_totals.h"

namespace goleakd::prometheus {

void CounterTotals::see(const Metric& metric, const Labels& labels, int pid, std::uint64_t value) {
  Sum& sum = sums_[{metric.name, labels}];
  std::uint64_t& last = sum.last[pid];
  sum.total += value >= last ? value - last : value;
  last = value;
}

void CounterTotals::keep_only(const std::set<int>& pids) {
  for (auto& [key, sum] : sums_) {
    std::erase_if(sum.last, [&](const auto& entry) { return !pids.contains(entry.first); });
  }
}

std::optional<std::uint64_t> CounterTotals::total(const Metric& metric, const Labels& labels) const {
  const auto sum = sums_.find({metric.name, labels});
  if (sum == sums_.end()) return std::nullopt;
  return sum->second.total;
}

void CounterTotals::add_to(Families& families, const Metric& metric) const {
  for (auto sum = sums_.lower_bound({metric.name, {}}); sum != sums_.end() && sum->first.first == metric.name; ++sum) {
    families.add(metric, sum->first.second, static_cast<double>(sum->second.total));
  }
}

void CounterTotals::forget(const Metric& metric, const Labels& labels) { sums_.erase({metric.name, labels}); }

}  // namespace goleakd::prometheus

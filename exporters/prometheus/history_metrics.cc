// SPDX-License-Identifier: Apache-2.0
#include "prometheus/history_metrics.h"

namespace goleakd::prometheus {

void add_history(const verdict::Report& report, Families& families) {
  const verdict::HistoryReport& history = report.history;
  const auto number = [](std::uint64_t count) { return static_cast<double>(count); };
  families.add(metric::kHistoryEnabled, {}, history.enabled ? 1 : 0);
  if (!history.enabled || !history.up) return;
  families.add(metric::kHistoryUp, {}, *history.up ? 1 : 0);
  if (!history.kind.empty()) families.add(metric::kHistoryUnavailable, {{"reason", history.kind}}, 1);
  families.add(metric::kHistoryBytes, {}, number(history.bytes));
  families.add(metric::kHistoryMaxBytes, {}, number(history.max_bytes));
  families.add(metric::kHistorySamples, {}, number(history.samples));
  families.add(metric::kHistoryFailedWrites, {}, number(history.failed_writes));
  families.add(metric::kHistoryMissedIntervals, {}, number(history.missed_intervals));
  families.add(metric::kHistoryTrimmedRows, {}, number(history.trimmed));
  families.add(metric::kHistorySetAside, {}, number(history.set_aside));
  families.add(metric::kHistorySitesLeftOut, {}, number(history.sites_left_out));
  if (!history.slow_leaks) return;
  for (const auto& [app, leaks] : *history.slow_leaks) {
    families.add(metric::kHistorySlowLeaks, {{"app", app}}, number(leaks));
  }
}

}  // namespace goleakd::prometheus

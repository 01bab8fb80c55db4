// SPDX-License-Identifier: Apache-2.0
#include "prometheus/report_collectable.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "prometheus/app_sum.h"
#include "prometheus/history_metrics.h"

namespace goleakd::prometheus {
namespace {

using verdict::Report;
using verdict::TargetReport;

bool has_had_events(const TargetReport& target) {
  return target.mode == verdict::Mode::events ||
         std::any_of(target.probes.begin(), target.probes.end(), [](const auto& probe) { return probe.hits != 0; });
}

void see_losses(const TargetReport& target, CounterTotals& counters) {
  if (target.snapshot_taken) counters.see(metric::kSnapshotTorn, {}, target.pid, target.snapshots_torn);
  if (!has_had_events(target)) return;
  counters.see(metric::kEventsLost, {{"reason", "ring_full"}}, target.pid, target.events_lost_ring);
  counters.see(metric::kEventsLost, {{"reason", "unreadable"}}, target.pid, target.events_lost_unreadable);
  counters.see(metric::kEventsLost, {{"reason", "storm"}}, target.pid, target.events_lost_storm);
  counters.see(metric::kEventsLost, {{"reason", "table_full"}}, target.pid, target.parks_lost_table);
  for (std::size_t i = 0; i < target.totals.corrections.size(); ++i) {
    counters.see(metric::kLedgerCorrections,
                 {{"reason", std::string(ledger::to_string(static_cast<ledger::Correction>(i)))}}, target.pid,
                 target.totals.corrections.at(i));
  }
}

// The oldest run tells whether all are fresh. Processes that cannot be read are told of by goleakd_target_up.
void add_last_runs(const Report& report, Families& families) {
  std::map<std::string, Instant> oldest;
  const auto see = [&](const std::string& check, Instant time) {
    Instant& entry = oldest.try_emplace(check, time).first->second;
    entry = std::min(entry, time);
  };
  for (const TargetReport& target : report.targets) {
    if (!target.up) continue;
    if (target.snapshot_taken) see("snapshot", target.snapshot_at);
    for (const auto& [check, time] : target.checks_last_run) see(check, time);
  }
  for (const auto& [check, time] : oldest) {
    families.add(metric::kCheckLastRun, {{"check", check}}, report.wall.unix_seconds(time));
  }
}

void add_snapshot_durations(const verdict::DurationHistogram& seconds, Families& families) {
  if (seconds.count == 0) return;
  ::prometheus::ClientMetric::Histogram histogram;
  histogram.sample_count = seconds.count;
  histogram.sample_sum = seconds.sum;
  for (std::size_t i = 0; i < seconds.cumulative.size(); ++i) {
    histogram.bucket.push_back({seconds.cumulative.at(i), verdict::DurationHistogram::kBounds.at(i)});
  }
  families.add(metric::kSnapshotDuration, {}, std::move(histogram));
}

}  // namespace

ReportCollectable::ReportCollectable(std::function<verdict::ReportPtr()> report, SiteLimits limits)
    : report_(std::move(report)), limits_(limits) {}

void ReportCollectable::limit_sites(std::size_t per_app) {
  const std::lock_guard lock(mutex_);
  limits_.per_app = per_app;
}

std::vector<::prometheus::MetricFamily> ReportCollectable::Collect() const {
  const std::lock_guard lock(mutex_);
  const verdict::ReportPtr report = report_();
  if (report == nullptr) return {};
  Families families;
  collect_host(*report, families);
  collect_apps(*report, families);
  return families.take();
}

void ReportCollectable::collect_host(const Report& report, Families& families) const {
  families.add(metric::kBuildInfo, {{"version", report.version}}, 1);
  families.add(metric::kEventsAvailable, {}, report.events_unavailable.empty() ? 1 : 0);
  families.add(metric::kConfigReloadSuccessful, {}, report.config.last_reload_successful ? 1 : 0);
  families.add(metric::kConfigReloadSuccess, {}, report.wall.unix_seconds(report.config.last_success));

  std::map<std::string, int> unsupported;
  for (const ErrorKind kind : {ErrorKind::invalid, ErrorKind::not_found, ErrorKind::gone, ErrorKind::permission,
                               ErrorKind::unsupported, ErrorKind::system}) {
    unsupported[std::string(to_string(kind))] = 0;
  }
  for (const verdict::UnsupportedReport& process : report.unsupported) ++unsupported[process.kind];
  for (const auto& [kind, count] : unsupported) families.add(metric::kTargetsUnsupported, {{"reason", kind}}, count);

  if (report.hit_cost) {
    const auto cost = [&](const char* instruction, const char* work, double seconds) {
      families.add(metric::kProbeHitCost, {{"instruction", instruction}, {"work", work}}, seconds);
    };
    cost("emulated", "count", report.hit_cost->emulated_counted);
    cost("emulated", "record", report.hit_cost->emulated_recorded);
    cost("emulated", "park", report.hit_cost->emulated_parked);
    cost("stepped", "count", report.hit_cost->stepped_counted);
    cost("stepped", "record", report.hit_cost->stepped_recorded);
  }
  for (const auto& [app, deaths] : report.incident_totals) {
    for (const auto& [death, times] : deaths) {
      families.add(metric::kIncidents, {{"app", app}, {"kind", std::string(verdict::to_string(death))}},
                   static_cast<double>(times));
    }
  }
  add_history(report, families);
  add_last_runs(report, families);
  add_snapshot_durations(report.snapshot_seconds, families);

  std::set<int> pids;
  for (const TargetReport& target : report.targets) {
    pids.insert(target.pid);
    see_losses(target, host_counters_);
  }
  host_counters_.keep_only(pids);
  for (const Metric* metric : {&metric::kSnapshotTorn, &metric::kEventsLost, &metric::kLedgerCorrections}) {
    host_counters_.add_to(families, *metric);
  }
}

void ReportCollectable::collect_apps(const Report& report, Families& families) const {
  const std::map<std::string, AppSum> sums = sum_by_app(report);
  for (const auto& [name, sum] : sums) {
    apps_.try_emplace(name, name).first->second.collect(report, sum, limits_, families);
  }
  for (auto& [name, app] : apps_) {
    if (!sums.contains(name)) app.no_processes();
  }
  std::erase_if(apps_, [&](const auto& app) { return report.at - app.second.last_seen() > limits_.keep_gone; });
}

}  // namespace goleakd::prometheus

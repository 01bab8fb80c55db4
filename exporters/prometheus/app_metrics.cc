// SPDX-License-Identifier: Apache-2.0
#include "prometheus/app_metrics.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "ledger/names.h"
#include "ledger/wait.h"
#include "verdict/leak.h"

namespace goleakd::prometheus {
namespace {

using verdict::ProbeReport;
using verdict::Report;
using verdict::SiteReport;
using verdict::TargetReport;

using Counts = std::array<std::uint64_t, 5>;

// Upper bounds of the histogram of parks, as powers of two in nanoseconds: from 1 us to 18 min.
constexpr std::array<std::size_t, 11> kBlockedBounds{10, 13, 16, 19, 22, 25, 28, 31, 34, 37, 40};
const std::string kCount = "count";
const std::string kSum = "sum";

void add_to(Counts& sum, const Counts& counts) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum.at(i) += counts.at(i);
}

double number(std::uint64_t n) { return static_cast<double>(n); }

}  // namespace

Labels AppMetrics::labels(Labels more) const {
  more.insert(more.begin(), {"app", name_});
  return more;
}

void AppMetrics::collect(const Report& report, const AppSum& sum, const SiteLimits& limits, Families& families) {
  last_seen_ = report.at;
  targets(sum, families);
  probes(sum, families);
  if (std::any_of(sum.targets.begin(), sum.targets.end(), [](const auto* t) { return t->snapshot_taken; })) {
    goroutines(sum, families);
    sites(report, sum, limits, families);
  }
  panics(sum, families);
  leaks(report, sum, families);

  std::set<int> pids;
  for (const TargetReport* target : sum.targets) pids.insert(target->pid);
  counters_.keep_only(pids);
}

void AppMetrics::targets(const AppSum& sum, Families& families) const {
  for (const TargetReport* target : sum.targets) {
    const std::string pid = std::to_string(target->pid);
    families.add(metric::kTargetInfo,
                 labels({{"pid", pid},
                         {"exe", target->exe},
                         {"go_version", target->go_version},
                         {"build_id", target->build_id},
                         {"mode", std::string(verdict::to_string(target->mode))}}),
                 1);
    // Up by default, until the first snapshot is tried.
    if (target->snapshot_taken || !target->up)
      families.add(metric::kTargetUp, labels({{"pid", pid}}), target->up ? 1 : 0);
  }
}

void AppMetrics::probes(const AppSum& sum, Families& families) {
  std::map<std::string, int> attached;
  for (const TargetReport* target : sum.targets) {
    bool ever_attached = false;
    for (const ProbeReport& probe : target->probes) {
      attached[probe.name] += probe.attached ? 1 : 0;
      if (!probe.attached && probe.hits == 0) continue;
      ever_attached = true;
      counters_.see(metric::kProbeHits, labels({{"probe", probe.name}}), target->pid, probe.hits);
    }
    if (ever_attached || target->probe_budget_trips != 0) {
      counters_.see(metric::kProbeBudgetTrips, labels(), target->pid, target->probe_budget_trips);
    }
  }
  verdict::OverheadReport overhead;
  bool all_predicted = true;
  for (const TargetReport* target : sum.targets) {
    if (!target->overhead) continue;
    overhead.used += target->overhead->used;
    overhead.measured += target->overhead->measured;
    all_predicted = all_predicted && target->overhead->predicted;
    overhead.predicted = overhead.predicted.value_or(0) + target->overhead->predicted.value_or(0);
  }
  if (overhead.used > 0) {
    families.add(metric::kOverheadMeasured, labels(), overhead.measured / overhead.used);
    if (all_predicted) families.add(metric::kOverheadPredicted, labels(), *overhead.predicted / overhead.used);
  }
  for (const auto& [probe, count] : attached) families.add(metric::kProbeAttached, labels({{"probe", probe}}), count);
  counters_.add_to(families, metric::kProbeHits);
  counters_.add_to(families, metric::kProbeBudgetTrips);
}

void AppMetrics::goroutines(const AppSum& sum, Families& families) const {
  Counts states{};
  std::uint64_t system = 0;
  std::map<ledger::WaitClass, Counts> blocked;
  for (const TargetReport* target : sum.targets) {
    if (!target->snapshot_taken) continue;
    add_to(states, target->by_state);
    system += target->system_goroutines;
    for (const auto& [wait, ages] : target->blocked_by_age) add_to(blocked[wait], ages);
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    families.add(metric::kGoroutines, labels({{"state", std::string(ledger::kRunStateNames.at(i))}}),
                 number(states.at(i)));
  }
  families.add(metric::kSystemGoroutines, labels(), number(system));
  for (const auto& [wait, ages] : blocked) {
    for (std::size_t i = 0; i < ages.size(); ++i) {
      families.add(metric::kBlockedGoroutines,
                   labels({{"wait_reason", std::string(ledger::to_string(wait))},
                           {"age", std::string(ledger::kAgeNames.at(i))}}),
                   number(ages.at(i)));
    }
  }
}

void AppMetrics::sites(const Report& report, const AppSum& sum, const SiteLimits& limits, Families& families) {
  for (const std::string& id : shown_.update(sum, report.at, limits)) {
    counters_.forget(metric::kSiteSpawned, labels({{"site_id", id}}));
    counters_.forget(metric::kSiteExited, labels({{"site_id", id}}));
    for (const std::size_t bound : kBlockedBounds) {
      counters_.forget(metric::kSiteBlocked, blocked_labels(id, std::to_string(bound)));
    }
    for (const std::string& part : {kCount, kSum}) counters_.forget(metric::kSiteBlocked, blocked_labels(id, part));
  }
  for (const auto& [id, site] : shown_.sites()) {
    const auto found = sum.sites.find(id);
    const SiteSum* now = found == sum.sites.end() ? nullptr : &found->second;
    families.add(metric::kSiteInfo,
                 labels({{"site_id", id}, {"created_by", site.created_by}, {"location", site.location}}), 1);
    families.add(metric::kSiteGoroutines, labels({{"site_id", id}}), now ? number(now->live) : 0);
    families.add(metric::kSiteBytes, labels({{"site_id", id}}), now ? number(now->bytes) : 0);
    if (now && now->oldest_blocked_since) {
      families.add(metric::kSiteOldest, labels({{"site_id", id}}),
                   report.wall.unix_seconds(*now->oldest_blocked_since));
    }
    site_counters(id, now, families);
    if (now != nullptr) site_blocked(id, *now, families);
  }
  const auto hidden = std::count_if(sum.sites.begin(), sum.sites.end(), [&](const auto& site) {
    return site.second.live != 0 && !shown_.sites().contains(site.first);
  });
  families.add(metric::kSitesNotShown, labels(), static_cast<double>(hidden));
}

// `site`: as it is now, null while it has no goroutines anywhere; its sums of ended processes still stand then.
void AppMetrics::site_counters(const std::string& id, const SiteSum* site, Families& families) {
  const auto count = [&](const Metric& metric, std::optional<std::uint64_t> SiteReport::*value) {
    const Labels key = labels({{"site_id", id}});
    bool exact = true;  // a sum over some of the replicas would not be
    if (site != nullptr) {
      for (const SiteSum::Part& part : site->parts) {
        const std::optional<std::uint64_t>& n = part.site->*value;
        exact = exact && n.has_value();
        if (n) counters_.see(metric, key, part.pid, *n);
      }
    }
    const auto total = counters_.total(metric, key);
    if (exact && total) families.add(metric, key, number(*total));
  };
  count(metric::kSiteSpawned, &SiteReport::spawned);
  count(metric::kSiteExited, &SiteReport::exited);
}

Labels AppMetrics::blocked_labels(const std::string& id, const std::string& part) const {
  return labels({{"site_id", id}, {"part", part}});
}

// Adds up replicas bucket by bucket, as counters do: under labels of their own, which are not exported.
void AppMetrics::site_blocked(const std::string& id, const SiteSum& site, Families& families) {
  if (!std::ranges::all_of(site.parts, [](const auto& part) { return part.site->finished_parks.has_value(); })) return;
  for (const SiteSum::Part& part : site.parts) {
    const ledger::FinishedParks& parks = *part.site->finished_parks;
    const auto see = [&](const std::string& what, std::uint64_t value) {
      counters_.see(metric::kSiteBlocked, blocked_labels(id, what), part.pid, value);
    };
    const auto shorter_than = [&](std::size_t bound) {
      return std::accumulate(parks.by_log2_ns.begin(), parks.by_log2_ns.begin() + static_cast<std::ptrdiff_t>(bound),
                             std::uint64_t{0});
    };
    for (const std::size_t bound : kBlockedBounds) see(std::to_string(bound), shorter_than(bound));
    see(kCount, shorter_than(parks.by_log2_ns.size()));
    see(kSum, parks.total_ns);
  }
  const auto total = [&](const std::string& part) {
    return counters_.total(metric::kSiteBlocked, blocked_labels(id, part)).value_or(0);
  };
  ::prometheus::ClientMetric::Histogram histogram;
  for (const std::size_t bound : kBlockedBounds) {
    histogram.bucket.push_back({total(std::to_string(bound)), static_cast<double>(std::uint64_t{1} << bound) / 1e9});
  }
  histogram.sample_count = total(kCount);
  histogram.sample_sum = static_cast<double>(total(kSum)) / 1e9;
  families.add(metric::kSiteBlocked, labels({{"site_id", id}}), std::move(histogram));
}

// Those that nobody has recovered from are no series: their processes are incidents.
void AppMetrics::panics(const AppSum& sum, Families& families) {
  constexpr std::size_t kShown = 50;
  bool probed = false;
  std::set<Labels> hidden;
  for (const TargetReport* target : sum.targets) {
    probed = probed || target->panics.attached || target->panics.panics != 0;
    std::map<Labels, std::uint64_t> recovered;
    for (const verdict::PanicSite& site : target->panics.sites) {
      if (site.recovered == 0) continue;
      const auto word = [](const std::string& text) { return text.empty() ? std::string("unknown") : text; };
      recovered[labels({{"kind", word(site.kind)}, {"panicked_in", word(site.function)}})] += site.recovered;
    }
    for (const auto& [key, number] : recovered) {
      if (!shown_panics_.contains(key) && shown_panics_.size() >= kShown) {
        hidden.insert(key);
        continue;
      }
      shown_panics_.insert(key);
      counters_.see(metric::kRecoveredPanics, key, target->pid, number);
    }
  }
  counters_.add_to(families, metric::kRecoveredPanics);
  if (probed) families.add(metric::kPanicSitesNotShown, labels(), static_cast<double>(hidden.size()));
}

void AppMetrics::leaks(const Report& report, const AppSum& sum, Families& families) {
  for (const TargetReport* target : sum.targets) {
    if (target->checks_last_run.empty()) continue;
    counters_.see(metric::kLeaksDetected, labels(), target->pid, target->leaks_detected);
  }
  counters_.add_to(families, metric::kLeaksDetected);
  for (const auto& [id, leak] : sum.leaks) {
    const verdict::Leak& worst = *leak.worst;
    families.add(metric::kLeakInfo,
                 labels({{"leak_id", id},
                         {"site_id", worst.site_id},
                         {"created_by", worst.creation.function},
                         {"blocked_in", worst.blocked.function},
                         {"wait_reason", std::string(ledger::to_string(worst.blocked.wait))},
                         {"evidence", std::string(verdict::to_string(worst.evidence))},
                         {"cause", std::string(verdict::to_string(worst.cause))},
                         {"severity", std::string(verdict::to_string(worst.severity))}}),
                 1);
    families.add(metric::kLeakGoroutines, labels({{"leak_id", id}}), number(leak.count));
    families.add(metric::kLeakBytes, labels({{"leak_id", id}}), number(leak.bytes));
    const double found = report.wall.unix_seconds(leak.first_seen);
    const auto ever = verdict::first_seen_ever(report, id);
    families.add(metric::kLeakFirstSeen, labels({{"leak_id", id}}), ever ? std::min(number(*ever), found) : found);
  }
}

}  // namespace goleakd::prometheus

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <span>

#include "daemon/watch.h"

namespace goleakd::daemon {
namespace {

constexpr std::array kChecks{verdict::Evidence::forever,      verdict::Evidence::deadlock, verdict::Evidence::growing,
                             verdict::Evidence::accumulating, verdict::Evidence::spinning, verdict::Evidence::stalled,
                             verdict::Evidence::cancelled,    verdict::Evidence::stale};

std::vector<verdict::SiteReport> site_reports(const std::string& service, const ledger::Ledger& ledger,
                                              bool histograms) {
  const bool exact = ledger.events_exact();
  std::vector<verdict::SiteReport> sites;
  for (const ledger::CreationView& view : ledger.creations()) {
    verdict::SiteReport site;
    site.id = verdict::site_id(service, *view.site);
    site.site = *view.site;
    site.live = view.live;
    if (exact) {
      site.spawned = view.spawned;
      site.exited = view.exited;
    }
    if (ledger.parks_exact()) {
      site.parked = view.parks.parked;
      site.unparked = view.parks.unparked;
      if (histograms) site.finished_parks = view.parks.finished;
    }
    site.bytes = view.stack_bytes;
    if (view.oldest) site.oldest_blocked_since = view.oldest->at_least_since;
    sites.push_back(std::move(site));
  }
  std::ranges::stable_sort(sites, std::greater{}, &verdict::SiteReport::live);
  return sites;
}

// No wait says where they are: the line of the function that they are known by, as one of them was seen in it.
void show_running(ledger::BlockedPlace& place, const ledger::Stack& stack) {
  place.stack = stack;
  const auto frame = std::ranges::find(*stack, place.function, &ledger::Frame::function);
  if (frame == stack->end()) return;
  place.file = frame->file;
  place.line = frame->line;
}

}  // namespace

verdict::Incident Watch::died(verdict::Death death, Instant at) const {
  verdict::Incident incident;
  incident.death = death;
  incident.at = at;
  identify(incident);
  return incident;
}

void Watch::identify(verdict::Incident& incident) const {
  constexpr std::size_t kSites = 10;
  incident.pid = process_->pid;
  incident.app = process_->service;
  incident.exe = process_->exe;
  incident.go_version = process_->binary->build_info().version.text;
  if (!last_snapshot_) return;
  verdict::LastLook& look = incident.last_look.emplace();
  look.at = *last_snapshot_;
  look.goroutines = ledger_.live();
  for (const verdict::SiteReport& site : site_reports(process_->service, ledger_, false)) {
    if (look.sites.size() == kSites || site.live == 0) break;
    look.sites.push_back({.site = site.site, .live = site.live, .bytes = site.bytes});
  }
}

const verdict::TargetReport& Watch::report(Instant now) {
  if (!report_outdated_ && now < report_valid_until_) return report_;
  if (attached(probe::Group::park_unpark)) {
    ledger_.parks_told(translator_.parks(probes(probe::Group::park_unpark).attachment->parks().sites()));
  }
  report_ = make_report(now);
  report_outdated_ = false;
  report_valid_until_ = now + 100 * (MonotonicClock::now() - now);
  return report_;
}

// Once they have been in place.
void Watch::report_catching(verdict::TargetReport& report) const {
  const auto add = [&](const CatchingProbe& probe, std::span<const goleakd_kind> kinds) {
    const goleakd_counters counters = probe.counters();
    for (const goleakd_kind kind : kinds) {
      const std::uint64_t hits = counters.hits[kind];
      if (hits == 0 && !probe.attached()) continue;
      report.probes.push_back(
          {.name = std::string(probe::to_string(kind)), .attached = probe.attached(), .hits = hits});
    }
  };
  add(spawners_.probe(), std::array{GOLEAKD_SPAWNER});
  add(wakers_.probe(), std::array{GOLEAKD_WAKER});
  add(touches_.probe(), std::array{GOLEAKD_SEND, GOLEAKD_RECEIVE, GOLEAKD_CLOSE, GOLEAKD_SELECT, GOLEAKD_ACQUIRE,
                                   GOLEAKD_RELEASE, GOLEAKD_NOTIFY});
}

void Watch::report_probes(verdict::TargetReport& report) const {
  report.mode = attached(probe::Group::spawn_exit) ? verdict::Mode::events : verdict::Mode::snapshots;
  report.mode_reason = probes(probe::Group::spawn_exit).not_attached;
  if (report.mode == verdict::Mode::events && !attached(probe::Group::park_unpark)) {
    report.mode_reason = "park and unpark are not probed: " + probes(probe::Group::park_unpark).not_attached;
  }
  const goleakd_counters sum = counters();
  for (const probe::PlannedPoint& point : plan_.points) {
    const std::string name(probe::to_string(point.row.kind));
    if (std::ranges::find(report.probes, name, &verdict::ProbeReport::name) != report.probes.end()) continue;
    if (point.row.group >= probe::Group::spawners) continue;  // report_catching()
    if (point.row.kind >= GOLEAKD_PANIC) {
      // Of deaths each stands for itself.
      const bool attached = failures_.attached(point.row.group) && point.refused.empty();
      report.probes.push_back({.name = name, .attached = attached, .hits = failures_.hits(point.row.kind)});
      continue;
    }
    report.probes.push_back({.name = name, .attached = attached(point.row.group), .hits = sum.hits[point.row.kind]});
  }
  report_catching(report);
  report.events_lost_ring = sum.lost_ring + failures_.counters().lost_ring;
  report.events_lost_unreadable = sum.lost_unreadable;
  report.events_lost_storm = sum.lost_storm + failures_.counters().lost_storm;
  report.parks_lost_table = sum.lost_table;
  report.unmatched_wakes = sum.unmatched_wakes;
  report.implicit_wakes = sum.implicit_wakes;
  report.deaths_told = failures_.attached(probe::Group::deaths);
  report.panics = failures_.panics();
  // Else nobody asks the governor.
  if (config_.mode == WatchMode::automatic) report.probe_budget_trips = governor_.trips();
  if (governed_) {
    const probe::Overhead& overhead = governor_.overhead();
    report.overhead = {.used = overhead.used, .measured = overhead.measured, .predicted = overhead.predicted};
  }
}

verdict::TargetReport Watch::make_report(Instant now) const {
  const target::GoBinary& binary = *process_->binary;
  verdict::TargetReport report;
  report.pid = process_->pid;
  report.own_pid = process_->own_pid;
  const target::Container& container = process_->container;
  report.container = {.runtime = container.runtime,
                      .id = container.id,
                      .name = container.name,
                      .pod_uid = container.pod_uid,
                      .pod = container.pod,
                      .pod_namespace = container.pod_namespace};
  report.app = process_->service;
  report.exe = process_->exe;
  report.go_version = binary.build_info().version.text;
  report.module = binary.build_info().module;
  report.module_version = binary.build_info().module_version;
  report.build_id = binary.elf().build_id();
  report.start_ticks = process_->identity.start_ticks;
  report.up = failures_in_a_row_ == 0;
  report.last_error = last_error_;
  report.snapshot_taken = last_snapshot_.has_value();
  report.snapshot_at = last_snapshot_.value_or(now);
  report.facts = facts_;
  report.goroutines = ledger_.live();
  report.system_goroutines = ledger_.live_system();
  report.by_state = ledger_.by_state();
  report.blocked_by_age = ledger_.blocked_by_age(now);
  report.leaks = engine_.leaks();
  const auto wall = std::chrono::system_clock::now();
  for (verdict::Leak& leak : report.leaks) {
    const auto seen = spinning_.find(leak.id);
    if (leak.evidence == verdict::Evidence::spinning && seen != spinning_.end()) {
      show_running(leak.blocked, seen->second);
    }
    verdict::apply(config_.ignore, process_->service, wall, leak);
  }
  report.leaks_detected = engine_.detected();
  report.spawned_from = spawners_.known();
  report.waits_on = objects_.of(engine_.leaks());
  report.woken_by = wakers_.known();
  report.touched_by = touches_.touches().known();
  report.wakes_watched = wakers_.probe().looked(now);

  report.sites = site_reports(process_->service, ledger_, config_.site_histograms);
  report_probes(report);
  report.totals = ledger_.totals();
  report.snapshots_torn = torn_;
  for (const verdict::Evidence check : kChecks) {
    if (const auto when = engine_.last_run(check))
      report.checks_last_run[std::string(verdict::to_string(check))] = *when;
  }
  return report;
}

}  // namespace goleakd::daemon

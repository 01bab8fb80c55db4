// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "daemon/watch.h"

namespace goleakd::daemon {
namespace {

constexpr std::array<verdict::Evidence, 3> kChecks{verdict::Evidence::forever, verdict::Evidence::growing,
                                                   verdict::Evidence::stale};

std::vector<verdict::SiteReport> site_reports(const std::string& service, const ledger::Ledger& ledger, bool parks) {
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
    if (exact && parks) {
      site.parked = view.parked;
      site.unparked = view.unparked;
    }
    site.bytes = view.stack_bytes;
    if (view.oldest) site.oldest_blocked_since = view.oldest->at_least_since;
    sites.push_back(std::move(site));
  }
  std::ranges::stable_sort(sites, std::greater{}, &verdict::SiteReport::live);
  return sites;
}

}  // namespace

const verdict::TargetReport& Watch::report(Instant now) {
  if (!report_outdated_ && now < report_valid_until_) return report_;
  report_ = make_report(now);
  report_outdated_ = false;
  report_valid_until_ = now + 100 * (MonotonicClock::now() - now);
  return report_;
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
  report.build_id = binary.elf().build_id();
  report.up = failures_in_a_row_ == 0;
  report.last_error = last_error_;
  report.mode = attachment_ ? verdict::Mode::events : verdict::Mode::snapshots;
  report.mode_reason = not_attached_;
  if (attachment_ && !attachment_->has_park_unpark()) {
    report.mode_reason = "park and unpark are not probed: " + plan_.park_unpark_refused;
  }
  report.snapshot_taken = last_snapshot_.has_value();
  report.snapshot_at = last_snapshot_.value_or(now);
  report.goroutines = ledger_.live();
  report.system_goroutines = ledger_.live_system();
  report.by_state = ledger_.by_state();
  report.blocked_by_age = ledger_.blocked_by_age(now);
  report.leaks = engine_.leaks();
  report.leaks_detected = engine_.detected();

  const bool spawn_exit = attachment_ && attachment_->has_spawn_exit();
  const bool park_unpark = attachment_ && attachment_->has_park_unpark();
  report.sites = site_reports(process_->service, ledger_, park_unpark);
  const auto probe = [&](const char* name, goleakd_kind kind, bool attached) {
    report.probes.push_back({.name = name, .attached = attached, .hits = past_.hits[kind] + present_.hits[kind]});
  };
  probe("spawn", GOLEAKD_SPAWN, spawn_exit);
  probe("exit", GOLEAKD_EXIT, spawn_exit);
  probe("park", GOLEAKD_PARK, park_unpark);
  probe("unpark", GOLEAKD_UNPARK, park_unpark);
  report.events_lost_ring = past_.lost_ring + present_.lost_ring;
  report.events_lost_unreadable = past_.lost_unreadable + present_.lost_unreadable;
  report.probe_ceiling_trips = ceiling_trips_;
  report.totals = ledger_.totals();
  report.snapshots_torn = torn_;
  for (const verdict::Evidence check : kChecks) {
    if (const auto when = engine_.last_run(check))
      report.checks_last_run[std::string(verdict::to_string(check))] = *when;
  }
  return report;
}

}  // namespace goleakd::daemon

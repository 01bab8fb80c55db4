// SPDX-License-Identifier: Apache-2.0
#include "text/report_json.h"

#include <array>
#include <string_view>

#include "ledger/ledger.h"
#include "ledger/names.h"
#include "ledger/wait.h"
#include "text/json.h"

namespace goleakd::text {
namespace {

using nlohmann::json;

json named(const std::array<std::string_view, 5>& names, const std::array<std::uint64_t, 5>& counts) {
  json object = json::object();
  for (std::size_t i = 0; i < names.size(); ++i) object[std::string(names.at(i))] = counts.at(i);
  return object;
}

json counts_json(const verdict::TargetReport& target) {
  if (!target.snapshot_taken) return {};
  json blocked = json::object();
  for (const auto& [wait, ages] : target.blocked_by_age)
    blocked[std::string(ledger::to_string(wait))] = named(ledger::kAgeNames, ages);
  return {{"goroutines", target.goroutines},
          {"system_goroutines", target.system_goroutines},
          {"by_state", named(ledger::kRunStateNames, target.by_state)},
          {"blocked_by_age", std::move(blocked)}};
}

json probes_json(const verdict::TargetReport& target) {
  json probes = json::array();
  for (const verdict::ProbeReport& probe : target.probes) {
    probes.push_back({{"name", probe.name}, {"attached", probe.attached}, {"hits", probe.hits}});
  }
  return probes;
}

json overhead_json(const verdict::TargetReport& target) {
  if (!target.overhead) return {};
  const verdict::OverheadReport& overhead = *target.overhead;
  json ratios{{"measured_ratio", overhead.measured / overhead.used}, {"predicted_ratio", nullptr}};
  if (overhead.predicted) ratios["predicted_ratio"] = *overhead.predicted / overhead.used;
  return ratios;
}

json losses_json(const verdict::TargetReport& target) {
  const ledger::Totals& totals = target.totals;
  json corrections = json::object();
  for (std::size_t i = 0; i < totals.corrections.size(); ++i) {
    corrections[std::string(ledger::to_string(static_cast<ledger::Correction>(i)))] = totals.corrections.at(i);
  }
  return {{"events_ring_full", target.events_lost_ring},    {"events_unreadable", target.events_lost_unreadable},
          {"events_storm", target.events_lost_storm},       {"parks_table_full", target.parks_lost_table},
          {"budget_trips", target.probe_budget_trips},      {"snapshots_torn", target.snapshots_torn},
          {"corrections", std::move(corrections)},          {"unmatched_exits", totals.unmatched_exits},
          {"unmatched_wakes", target.unmatched_wakes},      {"implicit_wakes", target.implicit_wakes},
          {"dropped_goroutines", totals.dropped_goroutines}};
}

json container_json(const verdict::ContainerReport& container) {
  if (container.runtime.empty()) return {};
  return {{"runtime", container.runtime}, {"id", container.id},   {"name", container.name},
          {"pod_uid", container.pod_uid}, {"pod", container.pod}, {"pod_namespace", container.pod_namespace}};
}

json discovery_json(const verdict::DiscoveryReport& discovery) {
  return {{"events_unavailable", discovery.events_unavailable},
          {"executed", discovery.executed},
          {"too_short", discovery.too_short},
          {"lost", discovery.lost},
          {"scans", discovery.scans},
          {"unreadable", discovery.unreadable}};
}

json target_json(const verdict::Report& report, const verdict::TargetReport& target) {
  json checks = json::object();
  for (const auto& [check, time] : target.checks_last_run) checks[check] = wall_time(report, time);
  return {{"pid", target.pid},
          {"own_pid", target.own_pid},
          {"app", target.app},
          {"container", container_json(target.container)},
          {"exe", target.exe},
          {"go_version", target.go_version},
          {"module", target.module},
          {"build_id", target.build_id},
          {"up", target.up},
          {"last_error", target.last_error},
          {"mode", verdict::to_string(target.mode)},
          {"mode_reason", target.mode_reason},
          {"snapshot_at", target.snapshot_taken ? wall_time(report, target.snapshot_at) : json()},
          {"counts", counts_json(target)},
          {"leaks_detected", target.leaks_detected},
          {"checks_last_run", std::move(checks)},
          {"probes", probes_json(target)},
          {"overhead", overhead_json(target)},
          {"losses", losses_json(target)}};
}

json site_json(const verdict::Report& report, const verdict::TargetReport& target, const verdict::SiteReport& site) {
  const auto count = [](const std::optional<std::uint64_t>& n) { return n ? json(*n) : json(); };
  json j = to_json(site.site);
  j["id"] = site.id;
  j["pid"] = target.pid;
  j["app"] = target.app;
  j["live"] = site.live;
  j["spawned"] = count(site.spawned);
  j["exited"] = count(site.exited);
  j["parked"] = count(site.parked);
  j["unparked"] = count(site.unparked);
  j["bytes"] = site.bytes;
  j["oldest_blocked_since"] = wall_time(report, site.oldest_blocked_since);
  return j;
}

}  // namespace

json targets_json(const verdict::Report& report) {
  json document = document_of(report);
  document["events_unavailable"] = report.events_unavailable;
  document["discovery"] = discovery_json(report.discovery);
  document["targets"] = json::array();
  for (const verdict::TargetReport& target : report.targets) {
    document["targets"].push_back(target_json(report, target));
  }
  document["unsupported"] = json::array();
  for (const verdict::UnsupportedReport& process : report.unsupported) {
    document["unsupported"].push_back(to_json(process));
  }
  return document;
}

json sites_json(const verdict::Report& report) {
  json document = document_of(report);
  document["sites"] = json::array();
  for (const verdict::TargetReport& target : report.targets) {
    if (!target.snapshot_taken) continue;
    for (const verdict::SiteReport& site : target.sites) {
      document["sites"].push_back(site_json(report, target, site));
    }
  }
  return document;
}

}  // namespace goleakd::text

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "verdict/report.h"

// Reports made by hand, for the tests of what turns them into something else.
namespace goleakd::sample {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr Instant kNow{hours(1000)};

inline ledger::CreationSite creation() {
  return {"main.handleOrder", 0, "/srv/shop/main.go", 88, "main.handleOrder.func1"};
}

// 412 goroutines that send on an unbuffered channel, found 2m10s before kNow.
inline verdict::Leak leak() {
  verdict::Leak leak;
  leak.id = "8f0c1d2e3f405162";
  leak.site_id = "a1a1a1a1a1a1a1a1";
  leak.creation = creation();
  leak.blocked = {
      "main.handleOrder.func1", "/srv/shop/main.go", 91, ledger::WaitClass::chan_send, "chan send", false, {}};
  leak.blocked.stack = std::make_shared<const std::vector<ledger::Frame>>(std::vector<ledger::Frame>{
      {"main.handleOrder.func1", "/srv/shop/main.go", 91}, {"main.run", "/srv/shop/run.go", 7}});
  leak.evidence = verdict::Evidence::growing;
  leak.cause = verdict::Cause::send_unbuffered_no_receiver;
  leak.severity = verdict::Severity::ticket;
  leak.stage = verdict::Stage::leaking;
  leak.count = 412;
  leak.peak = 412;
  leak.bytes = std::uint64_t{824} * 1024;
  leak.growth_per_hour = 2950.4;
  leak.first_seen = kNow - seconds(130);
  leak.blocked_at_least_since = kNow - seconds(182);
  leak.blocked_at_most_since = kNow - seconds(182);
  leak.goroutines = {18, 21, 35};
  leak.reasoning = "rose in 10 of 10 intervals over 5m, from 12 to 412";
  return leak;
}

inline verdict::SiteReport site(std::string id, std::uint64_t live) {
  verdict::SiteReport site;
  site.id = std::move(id);
  site.site = creation();
  site.live = live;
  site.bytes = live * 2048;
  return site;
}

// A process seen 2s before kNow and judged 12s before it, without leaks.
inline verdict::TargetReport target(int pid = 4711, std::string app = "shop") {
  verdict::TargetReport target;
  target.pid = pid;
  target.app = std::move(app);
  target.exe = "/usr/bin/shop";
  target.go_version = "go1.22.1";
  target.build_id = "b0b0";
  target.mode = verdict::Mode::events;
  target.snapshot_taken = true;
  target.snapshot_at = kNow - seconds(2);
  target.goroutines = 23;
  target.system_goroutines = 5;
  target.by_state = {1, 2, 3, 17, 0};
  target.checks_last_run = {{"forever", kNow - seconds(12)}, {"growing", kNow - seconds(12)}};
  return target;
}

inline verdict::Report report(std::vector<verdict::TargetReport> targets) {
  verdict::Report report;
  report.at = kNow;
  report.wall = WallClock::read();
  report.version = "0.1.0";
  report.targets = std::move(targets);
  return report;
}

inline verdict::ReportPtr share(verdict::Report report) {
  return std::make_shared<const verdict::Report>(std::move(report));
}

}  // namespace goleakd::sample

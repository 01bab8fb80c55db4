// SPDX-License-Identifier: Apache-2.0
#include "daemon/incidents.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "text/incidents.h"

namespace goleakd::daemon {
namespace {

constexpr std::size_t kKept = 100;
constexpr std::size_t kMaxApps = 1000;  // their names are others'

}  // namespace

void Incidents::add(verdict::Incident incident) {
  incident.number = ++number_;
  spdlog::error("{}", text::incident_line(incident));
  if (totals_.size() < kMaxApps || totals_.contains(incident.app)) {
    ++totals_[incident.app][incident.death];
  } else {
    ++uncounted_;
  }
  newest_.push_front(std::move(incident));
  if (newest_.size() > kKept) newest_.pop_back();
}

void Incidents::fill(verdict::Report& report) const {
  report.incidents.assign(newest_.begin(), newest_.end());
  report.incident_totals = totals_;
  report.incidents_uncounted = uncounted_;
  for (const verdict::TargetReport& target : report.targets) {
    auto& totals = report.incident_totals[target.app];
    if (target.deaths_told) {
      totals.try_emplace(verdict::Death::panic, 0);
      totals.try_emplace(verdict::Death::fatal, 0);
    }
    if (report.oom_kills_unavailable.empty()) totals.try_emplace(verdict::Death::out_of_memory, 0);
  }
}

}  // namespace goleakd::daemon

// SPDX-License-Identifier: Apache-2.0
#include "prometheus/app_sum.h"

#include <algorithm>
#include <tuple>

#include "prometheus/families.h"

namespace goleakd::prometheus {
namespace {

using verdict::Leak;
using verdict::Stage;
using verdict::TargetReport;

bool worse(const Leak& a, const Leak& b) {
  const auto key = [](const Leak& leak) {
    return std::tuple(leak.stage == Stage::resolved, -static_cast<int>(leak.severity), leak.evidence);
  };
  return key(a) < key(b);
}

void add_sites(AppSum& app, const TargetReport& target) {
  for (const verdict::SiteReport& site : target.sites) {
    SiteSum& sum = app.sites[site.id];
    sum.parts.push_back({target.pid, &site});
    sum.live += site.live;
    sum.bytes += site.bytes;
    if (site.oldest_blocked_since) {
      sum.oldest_blocked_since =
          std::min(sum.oldest_blocked_since.value_or(Instant::max()), *site.oldest_blocked_since);
    }
  }
}

void add_leaks(AppSum& app, const TargetReport& target) {
  for (const Leak& leak : target.leaks) {
    if (leak.stage == Stage::suspect) continue;
    LeakSum& sum = app.leaks[leak.id];
    if (sum.worst == nullptr || worse(leak, *sum.worst)) sum.worst = &leak;
    sum.first_seen = std::min(sum.first_seen, leak.first_seen);
    if (leak.stage == Stage::resolved) continue;
    sum.count += leak.count;
    sum.bytes += leak.bytes;
  }
}

}  // namespace

std::map<std::string, AppSum> sum_by_app(const verdict::Report& report) {
  std::map<std::string, AppSum> apps;
  for (const TargetReport& target : report.targets) apps[label_value(target.app)].targets.push_back(&target);
  for (auto& [name, app] : apps) {
    std::sort(app.targets.begin(), app.targets.end(), [](const auto* a, const auto* b) { return a->pid < b->pid; });
    for (const TargetReport* target : app.targets) {
      if (!target->snapshot_taken) continue;
      add_sites(app, *target);
      add_leaks(app, *target);
    }
  }
  return apps;
}

}  // namespace goleakd::prometheus

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "verdict/report.h"

namespace goleakd::prometheus {

// One creation site in all processes of an app.
struct SiteSum {
  struct Part {
    int pid;
    const verdict::SiteReport* site;
  };
  std::vector<Part> parts;  // never empty
  std::uint64_t live = 0;
  std::uint64_t bytes = 0;
  std::optional<Instant> oldest_blocked_since;
};

// One leak in all processes of an app: leaking in at least one of them, or resolved.
struct LeakSum {
  const verdict::Leak* worst = nullptr;  // whose words stand for all, so that there is one _info series
  std::uint64_t count = 0;               // of those still leaking, as bytes
  std::uint64_t bytes = 0;
  Instant first_seen = Instant::max();
};

// The processes of one app (its replicas) as one. Points into the Report.
struct AppSum {
  std::vector<const verdict::TargetReport*> targets;  // by pid
  std::map<std::string, SiteSum> sites;               // by site_id
  std::map<std::string, LeakSum> leaks;               // by leak_id
};

// By the app's name as a label value.
std::map<std::string, AppSum> sum_by_app(const verdict::Report& report);

}  // namespace goleakd::prometheus

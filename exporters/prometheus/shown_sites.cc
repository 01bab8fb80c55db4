// SPDX-License-Identifier: Apache-2.0
#include "prometheus/shown_sites.h"

#include <algorithm>

namespace goleakd::prometheus {

void ShownSites::show(const std::string& id, const SiteSum& sum, Instant now) {
  const ledger::CreationSite& site = sum.parts.front().site->site;
  sites_[id] = {site.function, site.file.empty() ? "" : site.file + ":" + std::to_string(site.line), now};
}

std::vector<std::string> ShownSites::update(const AppSum& app, Instant now, const SiteLimits& limits) {
  std::vector<std::pair<std::string, const SiteSum*>> waiting;
  for (const auto& [id, sum] : app.sites) {
    if (sum.live == 0) continue;
    if (sites_.contains(id)) {
      show(id, sum, now);
    } else {
      waiting.emplace_back(id, &sum);
    }
  }

  std::vector<std::string> gone;
  for (auto site = sites_.begin(); site != sites_.end();) {
    if (now - site->second.last_alive > limits.keep_gone) {
      gone.push_back(site->first);
      site = sites_.erase(site);
    } else {
      ++site;
    }
  }

  for (const auto& [id, leak] : app.leaks) {
    const auto site = app.sites.find(leak.worst->site_id);
    if (site != app.sites.end()) show(site->first, site->second, now);
  }

  std::stable_sort(waiting.begin(), waiting.end(),
                   [](const auto& a, const auto& b) { return a.second->live > b.second->live; });
  for (const auto& [id, sum] : waiting) {
    if (sites_.size() >= limits.per_app) break;
    show(id, *sum, now);
  }
  return gone;
}

}  // namespace goleakd::prometheus

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "prometheus/app_sum.h"

namespace goleakd::prometheus {

struct SiteLimits {
  std::size_t per_app = 50;                    // beside sites with leaks, which are always shown
  Duration keep_gone = std::chrono::hours(1);  // a site or app without goroutines is remembered for so long
};

// Which creation sites of one app have series. A site that is shown stays until it has had no goroutines for a long
// while, so that series do not come and go with the ranking; free places go to the largest.
class ShownSites {
 public:
  struct Site {
    std::string created_by;
    std::string location;
    Instant last_alive;
  };

  // Takes the newest look at the app into account. Gives the ids that are not shown any more.
  std::vector<std::string> update(const AppSum& app, Instant now, const SiteLimits& limits);

  const std::map<std::string, Site>& sites() const { return sites_; }  // by site_id

 private:
  void show(const std::string& id, const SiteSum& sum, Instant now);

  std::map<std::string, Site> sites_;
};

}  // namespace goleakd::prometheus

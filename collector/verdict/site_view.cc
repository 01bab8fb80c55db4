// SPDX-License-Identifier: Apache-2.0
#include "verdict/site_view.h"

#include <utility>

#include "verdict/leak.h"

namespace goleakd::verdict {

std::map<std::string, SiteView> sites_of(std::string_view service, const ledger::Ledger& ledger,
                                         std::span<const ledger::Goid, kScales> born) {
  std::map<std::string, SiteView> sites;
  for (ledger::CreationView& creation : ledger.creations(born)) {
    SiteView& site = sites[site_id(service, *creation.site)];
    site.creation = creation.site;
    site.live += creation.live;
    site.awake += creation.awake;
    for (std::size_t scale = 0; scale < kScales; ++scale) site.survived[scale] += creation.born_before[scale];
    site.stack_bytes += creation.stack_bytes;
    if (!site.oldest) site.oldest = creation.oldest;
    if (site.eldest.empty()) site.eldest = std::move(creation.eldest);
  }
  return sites;
}

Group as_group(std::string leak, const std::string& site, const SiteView& view, const ledger::BlockedPlace& at) {
  Group group;
  group.id = std::move(leak);
  group.site_id = site;
  group.creation = view.creation;
  group.place = &at;
  group.count = group.stuck[static_cast<std::size_t>(Scale::quick)].now = view.live;
  group.stack_bytes = view.stack_bytes;
  if (view.oldest) group.oldest = *view.oldest;
  group.samples = view.eldest;
  return group;
}

}  // namespace goleakd::verdict

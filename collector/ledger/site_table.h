// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string_view>
#include <tuple>

#include "ledger/site.h"

namespace goleakd::ledger {

// What makes two sites the same. The views look into the site they are made from.
inline auto key_of(const CreationSite& site) { return std::tuple(std::string_view(site.function), site.ordinal); }
// A function that everybody calls is a place for each kind of goroutine that comes to it: its stack speaks for those.
inline auto key_of(const BlockedPlace& place) {
  const bool has_stack = place.stack != nullptr && !place.stack->empty();
  return std::tuple(std::string_view(place.function), place.wait, place.line,
                    has_stack ? std::string_view(place.stack->back().function) : std::string_view());
}

// The sites of one kind under small numbers, in the order of their coming. Number 0 is "unknown"; whatever comes when
// `limit` sites are held gets it too. Sites stay where they are for the life of the table.
template <typename Site, typename Id>
class SiteTable {
 public:
  explicit SiteTable(std::size_t limit) : limit_(limit) { sites_.emplace_back().function = "unknown"; }

  Id intern(const Site& site) {
    if (const auto known = ids_.find(key_of(site)); known != ids_.end()) return known->second;
    if (ids_.size() >= limit_) return Id{};
    const auto id = static_cast<Id>(sites_.size());
    ids_.emplace(key_of(sites_.emplace_back(site)), id);
    return id;
  }

  Site& operator[](Id id) { return sites_[static_cast<std::size_t>(id)]; }
  const Site& operator[](Id id) const { return sites_[static_cast<std::size_t>(id)]; }
  std::size_t size() const { return sites_.size(); }

 private:
  std::size_t limit_;
  std::deque<Site> sites_;  // never moves an element: the keys below point into them
  std::map<decltype(key_of(Site{})), Id> ids_;
};

}  // namespace goleakd::ledger

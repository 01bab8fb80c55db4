// SPDX-License-Identifier: Apache-2.0
#include "verdict/growth.h"

#include <algorithm>
#include <cstddef>

namespace goleakd::verdict {
namespace {

template <typename Value>
Value at_or_none(const std::map<std::string, Value>& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? Value{} : found->second;
}

}  // namespace

void GrowthWindow::add(Instant now, const std::map<std::string, Group>& groups,
                       const std::map<std::string, std::uint64_t>& live) {
  Evaluation& evaluation = evaluations_.emplace_back();
  evaluation.at = now;
  evaluation.live = live;
  for (const auto& [id, group] : groups) evaluation.groups[id] = {group.aged, group.survived};
  const auto kept = static_cast<std::size_t>(thresholds_.growing_intervals) + 1;
  while (evaluations_.size() > kept) evaluations_.pop_front();
}

bool GrowthWindow::complete(Instant quiet_until) const {
  return evaluations_.size() > static_cast<std::size_t>(thresholds_.growing_intervals) &&
         evaluations_.front().at >= quiet_until;
}

Growth GrowthWindow::of(const std::string& leak_id, const std::string& site_id) const {
  Growth growth;
  if (evaluations_.empty()) return growth;
  std::uint64_t watched = 0;
  std::uint64_t survived = 0;
  Stuck before = at_or_none(evaluations_.front().groups, leak_id);
  growth.from = growth.to = before.aged;
  for (std::size_t i = 1; i < evaluations_.size(); ++i) {
    const Stuck now = at_or_none(evaluations_[i].groups, leak_id);
    ++growth.intervals;
    if (now.aged > before.aged) ++growth.rises;
    watched += before.aged;
    // The begin of a park may become known as earlier than it was thought (a collection stamps it): never more than
    // there were.
    survived += std::min(now.survived, before.aged);
    growth.to = now.aged;
    before = now;
  }
  const Evaluation& first = evaluations_.front();
  const Evaluation& last = evaluations_.back();
  growth.over = last.at - first.at;
  if (watched > 0) growth.survival = static_cast<double>(survived) / static_cast<double>(watched);
  if (growth.to > growth.from && growth.over > Duration(0)) {
    const double hours = std::chrono::duration<double, std::ratio<3600>>(growth.over).count();
    growth.per_hour = static_cast<double>(growth.to - growth.from) / hours;
  }
  growth.holds = growth.rises >= thresholds_.growing_rises && growth.survival >= thresholds_.growing_survival &&
                 at_or_none(last.live, site_id) > at_or_none(first.live, site_id);
  return growth;
}

}  // namespace goleakd::verdict

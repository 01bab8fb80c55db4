// SPDX-License-Identifier: Apache-2.0
#include "verdict/group.h"

#include <algorithm>
#include <vector>

#include "verdict/leak.h"

namespace goleakd::verdict {
namespace {

constexpr std::size_t kSamples = 5;
constexpr std::size_t kStalled = 2 * kScales;  // its place among the cutoffs, of which that of stale ones is the last

void add(ledger::Parentless& sum, const ledger::Parentless& more) {
  sum.all += more.all;
  sum.left += more.left;
}

void add(Group& group, const ledger::BlockedView& view) {
  group.count += view.count;
  for (std::size_t scale = 0; scale < kScales; ++scale) {
    group.stuck[scale].now += view.parked_before[2 * scale];
    group.stuck[scale].survived += view.parked_before[2 * scale + 1];
  }
  group.stalled += view.parked_before[kStalled];
  group.stale += view.parked_before.back();
  add(group.orphans, view.parentless);
  add(group.aged_orphans, view.parentless_before[0]);
  add(group.stalled_orphans, view.parentless_before[kStalled]);
  add(group.stale_orphans, view.parentless_before.back());
  group.stack_bytes += view.stack_bytes;
  group.channels += view.distinct_objects;
  group.with_object += view.with_object;
  group.unbuffered += view.unbuffered;
  group.full += view.full;
  group.has_main = group.has_main || view.has_main;
}

}  // namespace

std::map<std::string, Group> groups_of(std::string_view service, const ledger::Ledger& ledger, const Cutoffs& cutoffs) {
  std::vector<Instant> before;
  for (const Cutoffs::Interval& interval : cutoffs.at_scale)
    before.insert(before.end(), {interval.aged, interval.survived});
  before.insert(before.end(), {cutoffs.stalled, cutoffs.stale});
  std::vector<ledger::BlockedView> views = ledger.blocked(before);
  // The fullest place speaks for its group, the one with the oldest goroutine gives the first samples.
  std::stable_sort(views.begin(), views.end(), [](const ledger::BlockedView& a, const ledger::BlockedView& b) {
    return a.oldest.at_least_since < b.oldest.at_least_since;
  });
  std::map<std::string, Group> groups;
  std::map<std::string, std::uint64_t> fullest;
  for (const ledger::BlockedView& view : views) {
    std::string id = leak_id(service, *view.creation_site, *view.place);
    Group& group = groups[id];
    if (group.count == 0) {
      group.site_id = site_id(service, *view.creation_site);
      group.creation = view.creation_site;
      group.oldest = view.oldest;
    }
    if (std::uint64_t& most = fullest[id]; group.count == 0 || view.count > most) {
      most = view.count;
      group.place = view.place;
    }
    for (const ledger::Goid goid : view.samples) {
      if (group.samples.size() < kSamples) group.samples.push_back(goid);
    }
    add(group, view);
    group.id = std::move(id);
  }
  return groups;
}

}  // namespace goleakd::verdict

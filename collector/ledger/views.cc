// SPDX-License-Identifier: Apache-2.0
// What the ledger shows: each view is one pass over the goroutines.
#include <algorithm>
#include <tuple>
#include <utility>

#include "ledger/ledger.h"

namespace goleakd::ledger {
namespace {

constexpr Goid kMainGoid = 1;
constexpr std::size_t kSamples = 5;

std::size_t age_bucket(Duration age) {
  using std::chrono::hours;
  using std::chrono::minutes;
  constexpr std::array<Duration, 4> kBounds{minutes(1), minutes(10), hours(1), hours(24)};
  return static_cast<std::size_t>(std::upper_bound(kBounds.begin(), kBounds.end(), age) - kBounds.begin());
}

bool longer_parked(const Goroutine& a, const ParkAge& b) {
  return std::tuple(a.at_least, a.at_most) < std::tuple(b.at_least_since, b.at_most_since);
}

// Of a sorted list of at most kSamples.
template <typename Value>
void keep_smallest(std::vector<Value>& smallest, const Value& value) {
  if (smallest.size() == kSamples && value >= smallest.back()) return;
  smallest.insert(std::upper_bound(smallest.begin(), smallest.end(), value), value);
  if (smallest.size() > kSamples) smallest.pop_back();
}

// Collects one BlockedView.
struct Group {
  BlockedView view;
  std::vector<std::uint64_t> objects;
  std::vector<std::pair<Instant, Goid>> longest;  // sorted, at most kSamples

  void add(const Goroutine& goroutine, std::span<const Instant> cutoffs) {
    const auto one = [](bool yes) { return static_cast<std::uint64_t>(yes); };
    const auto count = [&](Parentless& parentless) {
      parentless.all += one(goroutine.orphaned);
      parentless.left += one(goroutine.left);
    };
    if (view.count == 0 || longer_parked(goroutine, view.oldest)) view.oldest = {goroutine.at_least, goroutine.at_most};
    ++view.count;
    view.has_main = view.has_main || goroutine.goid == kMainGoid;
    view.stack_bytes += goroutine.stack_bytes();
    count(view.parentless);
    for (std::size_t i = 0; i < cutoffs.size(); ++i) {
      const bool before = goroutine.at_least <= cutoffs[i];
      view.parked_before[i] += one(before);
      if (before) count(view.parentless_before[i]);
    }
    if (goroutine.object != 0) {
      objects.push_back(goroutine.object);
      view.unbuffered += one(goroutine.unbuffered);
      view.full += one(goroutine.full);
    }
    keep_smallest(longest, std::pair(goroutine.at_least, goroutine.goid));
  }

  BlockedView finish() {
    view.with_object = objects.size();
    std::sort(objects.begin(), objects.end());
    view.distinct_objects = static_cast<std::uint64_t>(std::unique(objects.begin(), objects.end()) - objects.begin());
    for (const auto& [since, goid] : longest) view.samples.push_back(goid);
    return std::move(view);
  }
};

}  // namespace

std::uint64_t Ledger::live_system() const {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(goroutines_.all(), [](const Goroutine& goroutine) { return goroutine.system; }));
}

std::uint64_t Ledger::live() const { return goroutines_.size() - live_system(); }

std::array<std::uint64_t, 5> Ledger::by_state() const {
  std::array<std::uint64_t, 5> counts{};
  for (const Goroutine& goroutine : goroutines_.all()) {
    if (!goroutine.system) ++counts[static_cast<std::size_t>(goroutine.state)];
  }
  return counts;
}

std::map<WaitClass, AgeBuckets> Ledger::blocked_by_age(Instant now) const {
  std::map<WaitClass, AgeBuckets> ages;
  for (const Goroutine& goroutine : goroutines_.all()) {
    if (goroutine.system || !at_rest(goroutine.state)) continue;
    ++ages[goroutine.wait][age_bucket(now - goroutine.at_least)];
  }
  return ages;
}

std::vector<CreationView> Ledger::creations(std::span<const Goid> born) const {
  std::vector<CreationView> views(counters_.size());
  for (CreationView& view : views) view.born_before.resize(born.size());
  for (const Goroutine& goroutine : goroutines_.all()) {
    if (goroutine.system) continue;
    CreationView& view = views[static_cast<std::size_t>(goroutine.creation)];
    ++view.live;
    view.stack_bytes += goroutine.stack_bytes();
    view.awake += static_cast<std::uint64_t>(is_awake(goroutine.state));
    for (std::size_t i = 0; i < born.size(); ++i) {
      view.born_before[i] += static_cast<std::uint64_t>(goroutine.goid <= born[i]);
    }
    keep_smallest(view.eldest, goroutine.goid);
    if (at_rest(goroutine.state) && (!view.oldest || longer_parked(goroutine, *view.oldest))) {
      view.oldest = ParkAge{goroutine.at_least, goroutine.at_most};
    }
  }
  for (std::size_t i = 0; i < views.size(); ++i) {
    CreationView& view = views[i];
    view.id = static_cast<CreationId>(i);
    view.site = &creation_sites_[view.id];
    view.spawned = counters_[i].spawned;
    view.exited = counters_[i].exited;
    if (const auto parks = parks_.find(view.id); parks != parks_.end()) view.parks = parks->second;
  }
  std::erase_if(views, [&](const CreationView& view) {
    const bool only_system = counters_[static_cast<std::size_t>(view.id)].system;
    return view.live == 0 && (view.spawned + view.exited == 0 || only_system);
  });
  return views;
}

std::vector<BlockedView> Ledger::blocked(std::span<const Instant> cutoffs) const {
  std::map<std::pair<CreationId, BlockedId>, Group> groups;
  for (const Goroutine& goroutine : goroutines_.all()) {
    if (goroutine.system || !goroutine.shown || !at_rest(goroutine.state)) continue;
    const auto [it, fresh] = groups.try_emplace({goroutine.creation, goroutine.blocked});
    Group& group = it->second;
    if (fresh) {
      group.view.creation = goroutine.creation;
      group.view.creation_site = &creation_sites_[goroutine.creation];
      group.view.place = &blocked_places_[goroutine.blocked];
      group.view.parked_before.resize(cutoffs.size());
      group.view.parentless_before.resize(cutoffs.size());
    }
    group.add(goroutine, cutoffs);
  }
  std::vector<BlockedView> views;
  views.reserve(groups.size());
  for (auto& [key, group] : groups) views.push_back(group.finish());
  return views;
}

std::optional<GoroutineView> Ledger::goroutine(Goid goid) const {
  const Goroutine* goroutine = goroutines_.find(goid);
  if (goroutine == nullptr || goroutine->system) return std::nullopt;
  GoroutineView view{.creation = &creation_sites_[goroutine->creation],
                     .place = nullptr,
                     .age = {goroutine->at_least, goroutine->at_most},
                     .stack_bytes = goroutine->stack_bytes()};
  if (goroutine->shown && at_rest(goroutine->state)) view.place = &blocked_places_[goroutine->blocked];
  return view;
}

std::vector<Goid> Ledger::resting(Instant since, Goid above, std::size_t most) const {
  std::vector<Goid> goids;
  for (const Goroutine& goroutine : goroutines_.all()) {
    if (goroutine.goid <= above || goroutine.system || !goroutine.shown || !at_rest(goroutine.state)) continue;
    if (goroutine.at_least <= since) goids.push_back(goroutine.goid);
  }
  if (goids.size() > most) {
    const auto end = goids.begin() + static_cast<std::ptrdiff_t>(most);
    std::nth_element(goids.begin(), end, goids.end());
    goids.erase(end, goids.end());
  }
  std::sort(goids.begin(), goids.end());
  return goids;
}

std::vector<SiblingsView> Ledger::siblings(std::size_t most) const {
  std::vector<std::uint32_t> live(counters_.size());
  for (const Goroutine& goroutine : goroutines_.all()) {
    if (!goroutine.system) ++live[static_cast<std::size_t>(goroutine.creation)];
  }
  const auto wanted = [&](CreationId id) { return id != CreationId{} && live[static_cast<std::size_t>(id)] <= most; };
  std::map<CreationId, SiblingsView> views;
  for (const Goroutine& goroutine : goroutines_.all()) {
    if (goroutine.system || !wanted(goroutine.creation)) continue;
    SiblingsView& view = views[goroutine.creation];
    Sibling sibling;
    sibling.goid = goroutine.goid;
    sibling.resting = goroutine.shown && at_rest(goroutine.state);
    if (sibling.resting) {
      sibling.wait = goroutine.wait;
      sibling.place = &blocked_places_[goroutine.blocked];
      sibling.channel = goroutine.object;
      sibling.since = goroutine.at_least;
    }
    view.all.push_back(sibling);
  }
  std::vector<SiblingsView> all;
  all.reserve(views.size());
  for (auto& [id, view] : views) {
    view.id = id;
    view.site = &creation_sites_[id];
    all.push_back(std::move(view));
  }
  return all;
}

std::map<std::uint64_t, std::uint64_t> Ledger::senders(std::span<const std::uint64_t> channels, Instant since) const {
  std::map<std::uint64_t, std::uint64_t> counts;
  for (const std::uint64_t channel : channels) counts.try_emplace(channel, 0);
  if (counts.empty()) return counts;
  for (const Goroutine& goroutine : goroutines_.all()) {
    if (!goroutine.shown || !at_rest(goroutine.state) || goroutine.wait != WaitClass::chan_send) continue;
    if (goroutine.at_least > since) continue;
    if (const auto count = counts.find(goroutine.object); count != counts.end()) ++count->second;
  }
  return counts;
}

}  // namespace goleakd::ledger

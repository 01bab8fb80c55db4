// SPDX-License-Identifier: Apache-2.0
#include "daemon/suspect_objects.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace goleakd::daemon {
namespace {

// Those who have been looked at are so again after this: queues and counters change, and most suspects stand still.
constexpr Duration kAgain = std::chrono::seconds(5);

// Nothing else tells one select from another but its channels.
bool same_object(const ledger::ObjectDump& a, const ledger::ObjectDump& b) {
  return a.kind == b.kind && a.address == b.address && std::ranges::equal(a.cases, b.cases, same_object);
}

void add(std::vector<verdict::SeenObject>& seen, const ledger::ObjectDump& object, std::uint64_t goid, Instant at) {
  const auto same =
      std::ranges::find_if(seen, [&](const verdict::SeenObject& other) { return same_object(other.object, object); });
  if (same != seen.end()) {
    same->goroutines.push_back(goid);
  } else {
    seen.push_back({.object = object, .goroutines = {goid}, .at = at});
  }
}

}  // namespace

std::vector<std::uint64_t> SuspectObjects::due(const std::vector<verdict::Leak>& leaks,
                                               std::span<const std::uint64_t> others, Instant now) const {
  std::vector<std::uint64_t> goids;
  bool more = true;
  for (std::size_t round = 0; more && goids.size() < Inspection::kMaxGoroutines; ++round) {
    more = false;
    for (const verdict::Leak& leak : leaks) {
      if (leak.stage == verdict::Stage::resolved || leak.goroutines.size() <= round) continue;
      more = true;
      if (goids.size() < Inspection::kMaxGoroutines) goids.push_back(leak.goroutines[round]);
    }
  }
  for (const std::uint64_t goid : others) {
    if (goids.size() < Inspection::kMaxGoroutines) goids.push_back(goid);
  }
  const bool all_asked = std::ranges::all_of(goids, [&](std::uint64_t goid) { return asked_.contains(goid); });
  if (all_asked && now - at_ < kAgain) goids.clear();
  return goids;
}

void SuspectObjects::take(Inspection inspection) {
  if (inspection.asked.goroutines.empty()) return;
  asked_ = {inspection.asked.goroutines.begin(), inspection.asked.goroutines.end()};
  at_ = inspection.end;
  objects_.clear();
  for (Inspection::Seen& seen : inspection.seen) objects_.emplace(seen.goid, std::move(seen.object));
}

std::map<std::string, std::vector<verdict::SeenObject>> SuspectObjects::of(
    const std::vector<verdict::Leak>& leaks) const {
  std::map<std::string, std::vector<verdict::SeenObject>> by_leak;
  for (const verdict::Leak& leak : leaks) {
    if (leak.stage == verdict::Stage::resolved) continue;
    for (const std::uint64_t goid : leak.goroutines) {
      if (const auto known = objects_.find(goid); known != objects_.end())
        add(by_leak[leak.id], known->second, goid, at_);
    }
  }
  return by_leak;
}

}  // namespace goleakd::daemon

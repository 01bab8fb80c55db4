// SPDX-License-Identifier: Apache-2.0
#include "daemon/spawn_stacks.h"

#include <algorithm>
#include <utility>

#include "daemon/user_stack.h"

namespace goleakd::daemon {
namespace {

constexpr std::uint64_t kPerSite = 5;
constexpr std::size_t kMaxStatements = 128;

std::vector<ledger::Frame> stack_of(const target::GoProcess& process, const probe::Spawner& spawner) {
  std::vector<std::uint64_t> return_addresses{spawner.gopc};
  return_addresses.insert(return_addresses.end(), spawner.callers.begin(), spawner.callers.end());
  return shown_stack(process, frames_at(process, return_addresses));
}

}  // namespace

std::uint64_t SpawnStacks::caught(const std::string& site_id) const {
  std::uint64_t sum = 0;
  if (const auto stacks = known_.find(site_id); stacks != known_.end()) {
    for (const verdict::SpawnedFrom& from : stacks->second) sum += from.times;
  }
  return sum;
}

void SpawnStacks::want(const std::string& site_id, const std::vector<std::uint64_t>& gopcs) {
  for (const std::uint64_t gopc : gopcs) {
    if (sites_.size() < kMaxStatements) sites_.try_emplace(gopc, site_id);
  }
}

std::vector<probe::WantedSpawner> SpawnStacks::wanted() const {
  std::vector<probe::WantedSpawner> wanted;
  for (const auto& [gopc, site_id] : sites_) {
    const std::uint64_t have = caught(site_id);
    if (have < kPerSite) wanted.push_back({.gopc = gopc, .times = static_cast<std::uint32_t>(kPerSite - have)});
  }
  return wanted;
}

void SpawnStacks::add(const probe::Spawner& spawner) {
  const auto site = sites_.find(spawner.gopc);
  if (site == sites_.end()) return;
  auto& stacks = known_[site->second];
  std::vector<ledger::Frame> frames = stack_of(process_, spawner);
  const auto same = std::ranges::find(stacks, frames, &verdict::SpawnedFrom::frames);
  if (same != stacks.end()) {
    ++same->times;
  } else {
    stacks.push_back({.frames = std::move(frames), .times = 1});
  }
  std::ranges::stable_sort(stacks, std::greater{}, &verdict::SpawnedFrom::times);
}

}  // namespace goleakd::daemon

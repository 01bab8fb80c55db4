// SPDX-License-Identifier: Apache-2.0
#include "daemon/spawn_stacks.h"

#include <algorithm>
#include <utility>

#include "snapshot/traceback.h"

namespace goleakd::daemon {
namespace {

constexpr std::uint32_t kPerSite = 5;
constexpr std::size_t kMaxStatements = 128;

std::vector<ledger::Frame> frames_of(const target::GoProcess& process, const probe::Spawner& spawner) {
  std::vector<snapshot::StackFrame> frames;
  const auto add = [&](std::uint64_t return_address) {
    const std::uint64_t pc = process.link_address(return_address);
    frames.push_back({.pc = pc, .symbol_pc = pc - 1, .return_at = 0});
  };
  add(spawner.gopc);
  for (const std::uint64_t caller : spawner.callers) add(caller);
  const target::GoBinary& binary = *process.binary;
  std::vector<ledger::Frame> shown;
  for (const snapshot::LogicalFrame& frame : snapshot::shown_frames(binary, snapshot::logical_frames(binary, frames))) {
    shown.push_back({.function = frame.source->function, .file = frame.source->file, .line = frame.source->line});
  }
  return shown;
}

}  // namespace

std::uint32_t SpawnStacks::caught(const std::string& site_id) const {
  std::uint32_t sum = 0;
  for (const auto& [gopc, statement] : statements_) {
    if (statement.site_id == site_id) sum += statement.caught;
  }
  return sum;
}

void SpawnStacks::want(const std::string& site_id, const std::vector<std::uint64_t>& gopcs) {
  for (const std::uint64_t gopc : gopcs) {
    if (statements_.size() < kMaxStatements) statements_.try_emplace(gopc, Statement{.site_id = site_id, .caught = 0});
  }
}

std::vector<probe::WantedSpawner> SpawnStacks::wanted() const {
  std::vector<probe::WantedSpawner> wanted;
  for (const auto& [gopc, statement] : statements_) {
    const std::uint32_t have = caught(statement.site_id);
    if (have < kPerSite) wanted.push_back({.gopc = gopc, .times = kPerSite - have});
  }
  return wanted;
}

void SpawnStacks::add(const probe::Spawner& spawner) {
  const auto found = statements_.find(spawner.gopc);
  if (found == statements_.end()) return;
  ++found->second.caught;
  auto& stacks = known_[found->second.site_id];
  std::vector<ledger::Frame> frames = frames_of(process_, spawner);
  const auto same = std::ranges::find(stacks, frames, &verdict::SpawnedFrom::frames);
  if (same != stacks.end()) {
    ++same->times;
  } else {
    stacks.push_back({.frames = std::move(frames), .times = 1});
  }
  std::ranges::stable_sort(stacks, std::greater{}, &verdict::SpawnedFrom::times);
}

}  // namespace goleakd::daemon

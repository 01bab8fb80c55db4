// SPDX-License-Identifier: Apache-2.0
#include "snapshot/birth_table.h"

#include <algorithm>
#include <string_view>

#include "base/hash.h"

namespace goleakd::snapshot {
namespace {

constexpr std::size_t kMaxBirths = 100'000;  // what a target shows may be made up

// The runtime's goroutine that runs finalizers or cleanups, which are the program's code.
bool runs_user_code_at_times(std::string_view start) {
  return start == "runtime.runfinq" || start == "runtime.runFinalizers" || start == "runtime.runCleanups";
}

}  // namespace

std::uint32_t BirthTable::index_of(const RawGoroutine& g) {
  const Birth birth{.gopc = g.gopc, .startpc = g.startpc};
  const std::uint64_t hash = mix_words(g.gopc, g.startpc);
  Recent& recent = recent_[hash % recent_.size()];
  if (recent.birth == birth) return recent.index;
  const auto known = by_hash_.find(hash);
  if (known == by_hash_.end()) {
    if (births_.size() >= kMaxBirths) return 0;
    by_hash_[hash] = static_cast<std::uint32_t>(births_.size());
    recent = {.birth = birth, .index = static_cast<std::uint32_t>(births_.size())};
    births_.push_back(birth);
    owners_.push_back(owner_of(g.startpc));
  } else {
    recent = {.birth = birth, .index = known->second};
  }
  return recent.index;
}

BirthTable::Owner BirthTable::owner_of(std::uint64_t startpc) const {
  const auto start = process_->binary->functions().function_at(process_->link_address(startpc));
  if (!start || !start->name.starts_with("runtime.")) return Owner::program;
  if (start->name == "runtime.main" || start->name == "runtime.handleAsyncEvent" ||
      start->name == "runtime.corostart") {
    return Owner::program;
  }
  return runs_user_code_at_times(start->name) ? Owner::runtime_at_times : Owner::runtime;
}

bool BirthTable::all_frames_are_the_runtimes(const Stack& stack) const {
  return std::ranges::all_of(stack.frames, [&](const StackFrame& frame) {
    const auto function = process_->binary->functions().function_at(frame.symbol_pc);
    return function && (function->name.starts_with("runtime.") || function->name.starts_with("internal/"));
  });
}

bool BirthTable::is_system(const RawGoroutine& g, std::uint32_t birth, const Stack& stack) const {
  if (owners_[birth] != Owner::runtime_at_times) return owners_[birth] == Owner::runtime;
  return g.status != GStatus::running && all_frames_are_the_runtimes(stack);
}

}  // namespace goleakd::snapshot

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

std::uint32_t BirthTable::find(const Birth& birth) const {
  const auto known = by_hash_.find(mix_words(birth.gopc, birth.startpc));
  return known == by_hash_.end() ? 0 : known->second;
}

void BirthTable::add(const Birth& birth) {
  if (births_.size() >= kMaxBirths) return;
  const auto index = static_cast<std::uint32_t>(births_.size());
  if (!by_hash_.emplace(mix_words(birth.gopc, birth.startpc), index).second) return;
  births_.push_back(birth);
  owners_.push_back(owner_of(birth.startpc));
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

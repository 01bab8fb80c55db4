// SPDX-License-Identifier: Apache-2.0
#include "snapshot/stack_table.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace goleakd::snapshot {
namespace {

constexpr std::size_t kMaxStacks = 100'000;
constexpr std::size_t kMaxFrames = 2'000'000;    // 48 MB
constexpr std::size_t kMaxCandidates = 16;       // stacks of one start; more are walked each time
constexpr std::uint64_t kMaxBytes = 16U << 10U;  // deeper ones are walked each time

std::uint64_t hash_of(const Stack& stack) {
  auto hash = static_cast<std::uint64_t>(stack.end);
  for (const StackFrame& frame : stack.frames) hash = mix_words(hash, frame.pc ^ frame.return_at << 32U);
  return hash;
}

// Only a walk that came to a function nothing called has read all that it depends on at return_at.
bool recognisable(const Stack& stack) {
  return stack.end == UnwindEnd::top && !stack.frames.empty() && stack.frames.back().return_at == 0;
}

bool stands_in(const Stack& stack, ByteSpan bytes, std::uint64_t load_bias) {
  for (std::size_t i = 0; i + 1 < stack.frames.size(); ++i) {
    const auto word = read_at<std::uint64_t>(bytes, stack.frames[i].return_at);
    if (!word || *word - load_bias != stack.frames[i + 1].pc) return false;
  }
  return true;
}

}  // namespace

StackTable::StackTable() { reset(); }

void StackTable::reset() {
  stacks_.assign(1, std::make_shared<const Stack>());
  frames_ = 0;
  by_content_.clear();
  by_start_.clear();
}

bool StackTable::full() const { return stacks_.size() >= kMaxStacks || frames_ >= kMaxFrames; }

const StackTable::Candidates* StackTable::candidates(std::uint64_t pc, std::uint64_t depth) const {
  const auto found = by_start_.find(mix_words(pc, depth));
  return found == by_start_.end() ? nullptr : &found->second;
}

std::uint32_t StackTable::recognise(const Candidates& among, std::uint64_t pc, ByteSpan bytes,
                                    std::uint64_t load_bias) const {
  for (const std::uint32_t index : among.stacks) {
    const Stack& stack = *stacks_[index];
    if (stack.frames.front().pc == pc && stands_in(stack, bytes, load_bias)) return index;
  }
  return 0;
}

std::uint32_t StackTable::add(std::uint64_t depth, Stack stack) {
  if (stack.frames.empty()) return 0;
  const std::uint64_t content = hash_of(stack);
  const std::uint64_t start = mix_words(stack.frames.front().pc, depth);
  std::uint32_t index = 0;
  const auto [begin, end] = by_content_.equal_range(content);
  const auto known = std::find_if(begin, end, [&](const auto& entry) { return *stacks_[entry.second] == stack; });
  if (known != end) {
    index = known->second;
  } else if (full()) {
    return 0;
  } else {
    stack.frames.shrink_to_fit();
    frames_ += stack.frames.size();
    index = static_cast<std::uint32_t>(stacks_.size());
    stacks_.push_back(std::make_shared<const Stack>(std::move(stack)));
    by_content_.emplace(content, index);
  }
  const Stack& kept = *stacks_[index];
  const std::size_t count = kept.frames.size();
  const std::uint64_t bytes = count < 2 ? 8 : kept.frames[count - 2].return_at + 8;
  if (!recognisable(kept) || bytes > kMaxBytes || by_start_.size() > kMaxStacks) return index;
  Candidates& candidates = by_start_[start];
  if (candidates.stacks.size() < kMaxCandidates &&
      std::ranges::find(candidates.stacks, index) == candidates.stacks.end()) {
    candidates.stacks.push_back(index);
    candidates.bytes = std::max(candidates.bytes, bytes);
  }
  return index;
}

}  // namespace goleakd::snapshot

// SPDX-License-Identifier: Apache-2.0
#include "daemon/caught_stacks.h"

#include <algorithm>
#include <cstddef>
#include <functional>

namespace goleakd::daemon {
namespace {

constexpr std::size_t kMaxStacks = 20;

}  // namespace

void add_caught(std::vector<verdict::CaughtStack>& known, const verdict::CaughtStack& one) {
  const auto same = std::ranges::find_if(known, [&](const verdict::CaughtStack& other) {
    return other.frames == one.frames && other.operation == one.operation;
  });
  if (same != known.end()) {
    same->times += one.times;
    same->last = std::max(same->last, one.last);
  } else {
    if (known.size() >= kMaxStacks) known.erase(std::ranges::min_element(known, {}, &verdict::CaughtStack::last));
    known.push_back(one);
  }
  std::ranges::stable_sort(known, std::greater{}, &verdict::CaughtStack::times);
}

}  // namespace goleakd::daemon
